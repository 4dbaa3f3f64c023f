"""`bench compare --page`: one file that says all and stands alone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.boards.compare import compare
from benchmark.home import home
from benchmark.pages.numbers import minus
from benchmark.registry.protocols import find_protocol

ASK = ("compare", "slow", "grid:9", "-p", "small_faces", "--twin")


@pytest.fixture
def ran(run: Call) -> None:
    for words in (["grid", "--set", "points=9"], ["slow", "--set", "steps=2", "--seed", "0,1"]):
        assert run(*words, "--json").code == 0


def test_the_page_says_what_the_terminal_says(ran: None, bench: Call, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "compared.html"
    said = bench(*ASK, "--page", str(page))
    assert said.code == 0, said.err
    assert str(page) in said.out
    found = compare(find_protocol("small_faces"), "slow", "grid:9", twin=True)
    text = page.read_text()
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    assert minus(f"A − B = {found.difference:+.2f} %") in words
    assert minus(f"95 % {found.ci95[0]:+.2f} to {found.ci95[1]:+.2f}") in words
    assert f"A, {found.first.name}: " in words  # the axes say whose values they are
    assert found.wins is not None
    assert f"A is better on {100 * found.wins:.0f} % of the items" in words
    item, one, two = found.most[0]
    assert minus(f"test/{item:06d} {one:.2f} {two:.2f} {one - two:+.2f}") in words
    assert words.count("Twin: rendered data") == 1
    assert text.count("<svg") == 3


def test_the_page_stands_alone(ran: None, bench: Call, tmp_path: Path) -> None:
    page = tmp_path / "compared.html"
    bench(*ASK, "--page", str(page), "--most", "3")
    text = page.read_text()
    assert "<script" not in text
    assert '<link rel="stylesheet"' not in text
    assert "://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", text)
    assert re.findall(r"@import|url\((?!#)|<(?:iframe|object|embed|img)\b", text) == []
    assert len(re.findall(r"<td>[AB]</td></tr>", text)) == 3


def test_items_are_called_by_their_files_where_the_split_is_prepared(
    ran: None, bench: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = compare(find_protocol("small_faces"), "slow", "grid:9", twin=True)
    items = [item for item, _, _ in found.most]
    page = tmp_path / "compared.html"

    def told() -> list[str]:
        """The last lines of the table on the terminal."""
        return [line.split()[0] for line in bench(*ASK).out.splitlines()[-len(items) :]]

    assert told() == [f"test/{item:06d}" for item in items]
    assert bench(*ASK, "--json").json["names"] == {str(i): f"test/{i:06d}" for i in items}
    # the same split under other digests, damaged, or nowhere: numbers, as the record has them
    other = tmp_path / "other"
    shutil.copytree(home() / "prepared", other / "prepared")
    whole = {p: p.read_text() for p in (other / "prepared").glob("*/test/manifest.json")}
    monkeypatch.setenv("BENCH_HOME", str(other))
    assert told() == [f"test/{item:06d}" for item in items]
    for old, new in (('"labels_digest": "', '"labels_digest": "0'), ("{", "")):
        for manifest, text in whole.items():
            manifest.write_text(text.replace(old, new))
        assert told() == [str(item) for item in items]
    bench(*ASK, "--page", str(page))
    assert "Items are counted from 0" in page.read_text()
    assert bench(*ASK, "--json").json["names"] == {}


def test_json_and_page_together_leave_json_alone_on_standard_output(
    ran: None, bench: Call, tmp_path: Path
) -> None:
    said = bench(*ASK, "--page", str(tmp_path / "x.html"), "--json")
    assert said.json["items"] == 16
    assert (tmp_path / "x.html").exists()


def test_words_of_a_record_are_not_taken_for_html(ran: None, bench: Call, tmp_path: Path) -> None:
    from benchmark.home import leaderboards

    for path in leaderboards().glob("twins/small_faces/1/grid/*.json"):
        content = json.loads(path.read_text())
        content["method"]["preset"] = "<script>alert(1)</script>"
        path.write_text(json.dumps(content))
    page = tmp_path / "compared.html"
    assert bench(*ASK, "--page", str(page)).code == 0
    assert "<script" not in page.read_text()
    assert "&lt;script&gt;" in page.read_text()


def test_a_row_that_is_not_there_leaves_no_page(ran: None, bench: Call, tmp_path: Path) -> None:
    page = tmp_path / "compared.html"
    said = bench("compare", "slow", "none", "-p", "small_faces", "--twin", "--page", str(page))
    assert said.code == 2
    assert not page.exists()


def test_without_a_protocol_the_only_board_with_both_rows_is_taken(ran: None, bench: Call) -> None:
    said = bench("compare", "slow", "grid:9", "--twin", "--json")
    assert said.json["protocol"] == "small_faces@1"
    said = bench("compare", "slow", "grid:9")
    assert said.code == 2
    assert "there is no row on any board 'slow'" in said.err
    assert "add --twin" in said.err
