"""Tai-Chi in its publisher's layout, and the real labels through the whole of scoring."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.readers.tables import pickled_columns
from benchmark.datasets.readers.taichi import Taichi


class Tiny(Taichi):
    counts: ClassVar[dict[str, int]] = {"joints/train": 5, "joints/test": 3}


def table(names: list[str], values: np.ndarray) -> bytes:
    """A frame of the columns file_name and value as pandas before 1.1 pickled it.

    Both classes are made without a call; the manager's state is spliced into the frame's.
    """
    rows = np.empty((2, len(names)), object)
    rows[0] = names
    for i, value in enumerate(values):
        rows[1, i] = value
    block = {"values": rows, "mgr_locs": slice(0, 2, 1)}
    axes = [np.array(["file_name", "value"], object), None]
    state = pickle.dumps(([], [], [], {"0.14.1": {"axes": axes, "blocks": [block]}}), protocol=3)
    manager = b"cpandas.core.internals\nBlockManager\n)\x81" + state[2:-1] + b"b"
    return b"\x80\x03cpandas.core.frame\nDataFrame\n)\x81}X\x05\0\0\0_data" + manager + b"sb."


def labels(count: int, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).integers(0, 256, (count, 18, 2)).astype(float)
    values[1, 4] = -1
    return values


@pytest.fixture
def root(tmp_path: Path, picture: Callable[..., np.ndarray]) -> Path:
    for clip in ("b#1", "a#2"):
        for frame in ("0000001.png", "0000000.png"):
            picture(tmp_path / "train" / clip / frame, (16, 16))
    (tmp_path / "train" / "list.csv").write_text("not a clip")
    (tmp_path / "landmarks").mkdir()
    for seed, (part, count) in enumerate({"train": 5, "test": 3}.items()):
        names = [f"{i:05}.png" for i in reversed(range(count))]  # rows are shuffled in the original
        for name in names:
            picture(tmp_path / "eval_images" / "taichi-256" / part / name, (16, 16))
        path = tmp_path / "landmarks" / f"taichi_{part}_gt.pkl"
        path.write_bytes(table(names, labels(count, seed)))
    return tmp_path


def test_rows_are_matched_by_sorting_on_the_file_name(root: Path) -> None:
    samples = Tiny(root).samples("joints/test")
    assert [s.key for s in samples] == [f"test/{i:05}.png" for i in range(3)]
    np.testing.assert_array_equal(np.stack([s.points for s in samples]), labels(3, 1)[::-1])


def test_a_joint_at_minus_one_is_not_visible(root: Path) -> None:
    samples = Tiny(root).samples("joints/train")
    hidden = [(i, j) for i, s in enumerate(samples) for j in np.flatnonzero(~s.visible)]
    assert hidden == [(3, 4)]  # row 1 of the shuffled five is the fourth by name


def test_clips_give_every_frame_in_order(root: Path) -> None:
    samples = Tiny(root).samples("clips/train")
    assert [s.key for s in samples] == [
        f"train/{clip}/000000{i}.png" for clip in ("a#2", "b#1") for i in (0, 1)
    ]
    assert [s.identity for s in samples] == ["a#2", "a#2", "b#1", "b#1"]
    assert all(s.points is None for s in samples)


def test_plain_arrays_do_as_well(root: Path) -> None:
    before = Tiny(root).samples("joints/test")
    (root / "landmarks" / "taichi_test_gt.pkl").unlink()
    np.savez(
        root / "landmarks" / "taichi_test_gt.npz",
        value=labels(3, 1),
        file_name=np.array([f"{i:05}.png" for i in (2, 1, 0)]),
    )
    after = Tiny(root).samples("joints/test")
    assert [s.key for s in after] == [s.key for s in before]
    np.testing.assert_array_equal(after[0].points, before[0].points)


def test_wrong_files_are_refused(root: Path) -> None:
    path = root / "landmarks" / "taichi_test_gt.pkl"
    path.write_bytes(table(["0.png", "1.png"], labels(2, 0)))
    with pytest.raises(DataAltered, match="expected 3 frames, found 2"):
        Tiny(root).samples("joints/test")
    path.write_bytes(table(["0.png", "0.png", "1.png"], labels(3, 0)))
    with pytest.raises(DataAltered, match="names a frame twice"):
        Tiny(root).samples("joints/test")
    one_sided = labels(3, 0)
    one_sided[0, 0, 1] = -1
    path.write_bytes(table(["0.png", "1.png", "2.png"], one_sided))
    with pytest.raises(DataAltered, match="1 joints lack one coordinate"):
        Tiny(root).samples("joints/test")
    path.write_bytes(table(["0.png", "1.png", "2.png"], labels(3, 0)[:, :17]))
    with pytest.raises(DataAltered, match="18 finite points a frame"):
        Tiny(root).samples("joints/test")
    path.unlink()
    with pytest.raises(DataMissing, match="taichi_test_gt"):
        Tiny(root).samples("joints/test")
    with pytest.raises(UnknownName, match="split of taichi"):
        Tiny(root).samples("test")


def test_a_pickle_that_asks_for_more_than_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trap.pkl"
    path.write_bytes(b"cos\nsystem\n(X\x04\x00\x00\x00exitX\x00\x00\x00\x00tR.")
    with pytest.raises(DataAltered, match=r"it asks for os\.system"):
        pickled_columns(path)
    path.write_bytes(b"no pickle")
    with pytest.raises(DataAltered, match="can't be read as a pickled table"):
        pickled_columns(path)


def test_the_real_labels_have_the_stated_gaps(tmp_path: Path) -> None:
    source = Path(os.environ.get("BENCH_DATA", "")) / "taichi_points" / "landmarks"
    if not source.is_dir():
        pytest.skip("BENCH_DATA names no folder with taichi_points")
    (tmp_path / "landmarks").symlink_to(source)
    for part in ("train", "test"):
        (tmp_path / "eval_images" / "taichi-256" / part).mkdir(parents=True)
    reader = Taichi(tmp_path)
    gaps = {p: sum(int((~s.visible).sum()) for s in reader.samples(f"joints/{p}")) for p in
            ("train", "test")}  # fmt: skip
    assert gaps == {"train": 6_487, "test": 377}
