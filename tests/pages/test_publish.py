"""A site goes into a folder without touching what bench did not write; a private one shows more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.boards.entries import board_folder
from benchmark.contracts.errors import BenchError, InvalidInput
from benchmark.pages.publish import LIST, publish, written
from benchmark.pages.site import build_site
from benchmark.pages.tables import update_boards
from benchmark.registry.protocols import all_protocols, find_protocol


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def put(folder: Path, **files: str) -> Path:
    """A folder with these files, named with _ for each dot and __ for each slash."""
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def site(made: Path, target: Path, **files: str) -> None:
    shutil.rmtree(made, ignore_errors=True)
    publish(put(made, **files), target, written(target))


def test_a_thesis_with_a_stylesheet_is_no_site(bench: Call, tmp_path: Path) -> None:
    www = put(tmp_path / "www", thesis__a_tex="x", site_css="mine", _git__HEAD="ref")
    before = everything(www)
    said = bench("board", "site", "--out", str(www))
    assert said.code == InvalidInput.exit_code
    assert "holds other things than a site of bench" in said.err
    assert everything(www) == before


def test_a_checkout_for_pages_keeps_all_that_is_not_benchs(bench: Call, tmp_path: Path) -> None:
    pages = put(tmp_path / "pages", CNAME="bench.example")
    subprocess.run(["git", "init", "-q", str(pages)], check=True)
    git = everything(pages / ".git")
    assert git
    for _ in range(2):
        assert bench("board", "site", "--out", str(pages)).code == 0
        put(pages, notes_md="mine", boards__mine_html="mine")
    assert everything(pages / ".git") == git
    assert (pages / "CNAME").read_text() == "bench.example"
    assert (pages / "notes.md").read_text() == (pages / "boards/mine.html").read_text() == "mine"
    assert {"index.html", "site.css"} <= set(json.loads((pages / LIST).read_text()))


def test_pages_that_are_no_longer_made_go_and_no_others(tmp_path: Path) -> None:
    made, target = tmp_path / "made", tmp_path / "out"
    site(made, target, index_html="1", runs__a_html="1", runs__old__b_html="1")
    put(target, runs__mine_html="mine")
    site(made, target, index_html="2", boards__a_html="2")
    assert everything(target).keys() == {LIST, "index.html", "boards/a.html", "runs/mine.html"}
    assert (target / "index.html").read_text() == "2"
    assert not (target / "runs" / "old").exists()
    assert written(target) == ["boards/a.html", "index.html"]


def test_a_file_in_the_way_stops_it_before_anything_is_written(tmp_path: Path) -> None:
    made, target = tmp_path / "made", tmp_path / "out"
    site(made, target, index_html="1")
    put(target, runs="mine")
    before = everything(target)
    for files in ({"runs": "2"}, {"runs__a_html": "2"}):
        with pytest.raises(InvalidInput, match="in the way and bench did not write it"):
            site(made, target, index_html="2", **files)
        assert everything(target) == before


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    made, target = tmp_path / "made", tmp_path / "out"
    other = put(tmp_path / "other", a_html="mine")
    site(made, target, index_html="1", runs__a_html="1")
    shutil.rmtree(target / "runs")
    os.symlink(other, target / "runs")
    for files in ({"runs__a_html": "2"}, {}):
        with pytest.raises(InvalidInput, match="link that leads out"):
            site(made, target, index_html="2", **files)
    assert (other / "a.html").read_text() == "mine"


@pytest.mark.parametrize(
    "listed",
    ['["../thesis/a.tex"]', '["/etc/passwd"]', '[".git/HEAD"]', '{"a": 1}', "[7]", "[", "[]x"],
)
def test_a_list_that_bench_did_not_write_removes_nothing(tmp_path: Path, listed: str) -> None:
    put(tmp_path / "thesis", a_tex="mine")
    target = put(tmp_path / "out", index_html="mine")
    (target / LIST).write_text(listed)
    with pytest.raises(BenchError):
        written(target)


def test_a_build_that_was_killed_is_mended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, target = tmp_path / "made", tmp_path / "out"
    site(made, target, index_html="1", old_html="1")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            site(made, target, index_html="2", new_html="2")
    site(made, target, index_html="2", new_html="2")
    assert everything(target).keys() == {LIST, "index.html", "new.html"}


@pytest.fixture
def real(run: Call) -> Path:
    """A board that passes for one on real data of a draft; its records do not say that it is a twin."""
    assert run("grid", "--seed", "0,1").code == 0
    protocol = find_protocol("small_faces")
    twin, target = (board_folder(protocol, twin=t) for t in (True, False))
    shutil.move(twin, target)
    for path in target.glob("*/*.json"):
        about = json.loads(path.read_text())
        about["protocol"]["twin"] = False
        path.write_text(json.dumps(about))
    return target


def test_a_private_site_has_the_boards_asked_for_and_all_pictures(
    real: Path, bench: Call, tmp_path: Path
) -> None:
    public, private = tmp_path / "public", tmp_path / "private"
    words = ("board", "site", "-p", "small_faces", "--out")
    assert bench(*words, str(public)).code == 0
    said = bench(*words, str(private), "--private")
    assert said.code == 0
    assert "not to be published" in said.err
    assert [p.name for p in (private / "boards").glob("*.html")] == ["small_faces-1.html"]
    for record in real.glob("grid/*.json"):
        open_, closed = (
            (folder / "runs" / f"{record.stem}.html").read_text() for folder in (private, public)
        )
        assert f'src="{record.stem}-predictions.jpg"' in open_
        assert (private / "runs" / f"{record.stem}-predictions.jpg").exists()
        assert "Not to be published: the terms of ytf68" in open_
        assert "The terms of ytf68 do not let them be shown here" in closed
    assert not list(public.rglob("*.jpg"))


def test_a_draft_is_not_quoted(real: Path, tmp_path: Path) -> None:
    lock = tmp_path / "protocols" / "digests.lock"
    for frozen in (False, True):
        if frozen:
            lock.write_text(f"small_faces@1 {find_protocol('small_faces').digest()}\n")
        update_boards(all_protocols())
        build_site(tmp_path / "out", all_protocols())
        index = (tmp_path / "out" / "index.html").read_text()
        page = (tmp_path / "out" / "boards" / "small_faces-1.html").read_text()
        board = (real / "README.md").read_text()
        assert ("may be quoted" in index) == frozen
        for text in (index, page, board):
            assert ("to quote" in " ".join(text.split())) != frozen


def test_the_best_method_is_ahead_of_its_floors_and_on_their_files(
    floors: Path, run: Call, tmp_path: Path
) -> None:
    for words in (["grid"], ["mean-shape"]):
        assert run(*words).code == 0

    def named() -> tuple[str, str]:
        """What the site's index says of the best method and the best floor."""
        build_site(tmp_path / "out", all_protocols())
        row = (tmp_path / "out" / "index.html").read_text().partition("small_faces-1-twin")[2]
        method, _, floor, _ = [cell.partition("</td>")[0] for cell in row.split("<td")[1:5]]
        return method.partition(">")[2], floor.partition(">")[2]

    def change(method: str, value: float | None = None, pixels: str = "") -> None:
        (path,) = (tmp_path / "leaderboards" / "twins" / "small_faces" / "1").glob(
            f"{method}/*.json"
        )
        about = json.loads(path.read_text())
        if value is not None:
            about["metrics"][0]["value"] = value
        if pixels:
            about["data"]["test"]["pixels"] = pixels
        path.write_text(json.dumps(about))

    change("grid", 10.0)
    change("mean-shape", 20.0)
    method, floor = named()
    assert method.startswith("grid")
    assert floor.startswith("mean-shape")
    change("grid", 30.0)
    assert "none ahead of the best floor" in named()[0]
    change("grid", 20.0)
    assert "none ahead of the best floor" in named()[0]
    change("mean-shape", pixels="0" * 64)
    method, floor = named()
    assert (method == "") or (floor == "")  # other pixels: never side by side


def test_no_page_says_how_to_install_what_may_be_private(run: Call, tmp_path: Path) -> None:
    assert run("grid").code == 0
    build_site(tmp_path / "out", all_protocols())
    page = (tmp_path / "out" / "methods" / "grid.html").read_text()
    assert "pip install" not in page
    assert "fakes" in page
