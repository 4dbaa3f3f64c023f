"""What is wrong with a list or a table is told with path and line; blank lines count nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.datasets.layout import list_of, listed, numbers, table_of, text_of, words_of
from benchmark.datasets.readers.aflw import AflwM


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "list.txt"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_lines_keep_their_numbers_and_blank_ones_are_passed_over(written) -> None:
    path = written("\ufeffa 1\r\n\n  \nb 2\n\n")
    assert list_of(path, words=2) == [(1, ["a", "1"]), (4, ["b", "2"])]
    assert words_of(path) == ["a", "1", "b", "2"]
    with pytest.raises(DataAltered, match=r"list\.txt, line 4: expected 2 values, found 1"):
        list_of(written("a 1\n\n\nb\n"), words=2)


def test_tables_have_a_header_and_rows_as_wide(written) -> None:
    header, rows = table_of(written('x,y\n\n1,"2,5"\n \n'))
    assert (header, rows) == (["x", "y"], [(3, ["1", "2,5"])])
    for content, said in (
        ("x,y\n1\n", "line 2: expected 2 values, found 1"),
        ('x,y\n1,"2\n3,4\n', "no comma-separated values"),
        (f"x,y\n{'1' * 200_000},2\n", "line 2: no comma-separated values"),
        ("\n", "is empty"),
    ):
        with pytest.raises(DataAltered, match=rf"list\.txt.*{said}"):
            table_of(written(content))


def test_a_pipe_in_the_place_of_a_list_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.txt")
    for read in (text_of, list_of, words_of, table_of):
        with pytest.raises(DataAltered, match=r"list\.txt is no regular file"):
            read(tmp_path / "list.txt")


@pytest.mark.parametrize("content", ["ö".encode("latin-1"), "a".encode("utf-16"), b"\x80\x00"])
def test_what_is_not_utf_8_is_one_sentence(written, content: bytes) -> None:
    for read in (text_of, list_of, words_of, table_of):
        with pytest.raises(DataAltered, match=r"list\.txt is not UTF-8 text") as caught:
            read(written(content))
        assert caught.value.cure


def test_a_list_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match=r"nowhere\.txt"):
        list_of(tmp_path / "nowhere.txt")


@pytest.mark.parametrize("word", ["1_0", "\u0661", "nan", "one"])
def test_only_plain_finite_numbers_are_numbers(word: str) -> None:
    with pytest.raises(DataAltered, match="line 7"):
        numbers(Path("list.txt"), 7, ["1", word], 2)
    np.testing.assert_array_equal(numbers(Path("l"), 1, ["-1.5", "2e3"], 2), [-1.5, 2000])


def test_hidden_files_are_not_listed(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "._a.png", ".DS_Store"):
        (tmp_path / name).touch()
    assert [path.name for path in listed(tmp_path)] == ["a.png", "b.png"]


def test_a_table_that_ends_in_a_blank_line_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AflwM, "counts", {"train": 1, "test": 1})
    (tmp_path / "aflw_cropped").mkdir()
    (tmp_path / "MTFL").mkdir()
    points = list(range(1, 11))
    (tmp_path / "MTFL/testing.txt").write_text(" ".join(map(str, ["b.jpg", *points])) + "\n")
    header = ["image_file", "set", "crop_file", "n", *(f"c{i}" for i in range(10))]
    row = ["a.jpg", 1, "a-1.jpg", 0, *points]
    table = tmp_path / "aflw_cropped" / "facedata_cropped.csv"
    table.write_text("\n".join(",".join(map(str, r)) for r in (header, row)) + "\n\n")
    (sample,) = AflwM(tmp_path).samples("train")
    assert sample.points is not None
    assert sample.points.ravel().tolist() == points
    table.write_text(table.read_text() + "b.jpg,1\n")
    with pytest.raises(DataAltered, match=r"facedata_cropped\.csv, line 4: expected 14 values"):
        AflwM(tmp_path).samples("train")
