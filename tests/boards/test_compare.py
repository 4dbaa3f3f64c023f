"""Comparing two rows: paired, signed by what is better, and rows found by a few words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests_fixtures import Call

from benchmark.boards.compare import compare
from benchmark.boards.finding import named_rows
from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.interface.runs import find_run
from benchmark.metrics.uncertainty import group_moves, interval, over_items
from benchmark.records.claims import item_groups
from benchmark.registry.protocols import find_protocol


@pytest.fixture
def ran(harness: Path, run: Call) -> dict[str, list[np.ndarray]]:
    """The errors of a fixed grid of 4 and of 9 points, one seed each, and of a method, two seeds."""
    found: dict[str, list[np.ndarray]] = {}
    asked = {
        "grid": [],
        "grid:9": ["--set", "points=9"],
        "slow": ["--set", "steps=2", "--seed", "0,1"],
    }
    for name, words in asked.items():
        said = run(name.partition(":")[0], "--json", *words).json
        for one in said if isinstance(said, list) else [said]:
            path = Path(one["record"])
            value = json.loads(path.read_text())["metrics"][0]
            with np.load(path.parent / value["per_item"]) as arrays:
                found.setdefault(name, []).append(arrays["nme_iod"])
    return found


def test_a_comparison_is_the_paired_one(ran: dict[str, list[np.ndarray]]) -> None:
    found = compare(find_protocol("small_faces"), "slow", "grid:9", twin=True)
    one, two = np.mean(ran["slow"], 0), ran["grid:9"][0]
    assert found.difference == pytest.approx(one.mean() - two.mean(), rel=1e-12)
    entry = found.second.entries[0]
    people = item_groups(entry.all_errors(), entry.value("nme_iod"))
    pulls = [group_moves(errors, groups=people) for errors in (one, two)]
    wanted = interval(found.difference, [over_items(pulls[0] - pulls[1])])
    assert found.ci95 == pytest.approx(wanted, rel=1e-9)
    assert found.groups == people.max() + 1 < found.items
    assert found.wins == pytest.approx((one < two).mean())
    assert (found.items, found.first.seeds, found.second.seeds) == (16, (0, 1), (0,))
    item, a, b = found.most[0]
    assert abs(a - b) == pytest.approx(np.abs(one - two).max())
    assert (a, b) == (pytest.approx(one[item]), pytest.approx(two[item]))


def test_the_other_way_round_is_the_mirror_image(ran: dict[str, list[np.ndarray]]) -> None:
    protocol = find_protocol("small_faces")
    there = compare(protocol, "slow", "grid:9", twin=True)
    back = compare(protocol, "grid:9", "slow", twin=True)
    assert back.difference == -there.difference
    assert back.ci95 == pytest.approx((-there.ci95[1], -there.ci95[0]), rel=1e-12)
    assert back.p == there.p
    assert back.wins == pytest.approx(1 - there.wins)


def test_a_row_with_itself_shows_no_difference(ran: dict[str, list[np.ndarray]]) -> None:
    found = compare(find_protocol("small_faces"), "slow", "slow", twin=True)
    assert (found.difference, found.ci95, found.p, found.wins) == (0.0, (0.0, 0.0), 1.0, 0.5)
    assert not found.clear
    assert found.verdict == "no clear difference"
    assert found.seeds_p == 1.0


def test_one_seed_is_said_to_be_one(ran: dict[str, list[np.ndarray]]) -> None:
    found = compare(find_protocol("small_faces"), "grid", "grid:9", twin=True)
    assert (found.seeds_ci95, found.seeds_p) == (None, None)
    ends = dict(zip("AB", (found.ci95[1] < 0, found.ci95[0] > 0), strict=True))
    better = next((side for side, is_it in ends.items() if is_it), "")
    wanted = f"{better} is clearly better with these seeds; both have one seed, others may differ"
    assert found.verdict == (wanted if better else "no clear difference")


def test_rows_are_found_by_words_and_by_run_id(ran: dict[str, list[np.ndarray]]) -> None:
    protocol = find_protocol("small_faces")
    by_words = compare(protocol, "grid:points=9", "slow", twin=True)
    run_id = by_words.first.entries[0].record.run_id
    by_run = compare(protocol, run_id[:8], "slow", twin=True)
    assert by_run.difference == by_words.difference


def test_the_row_that_says_just_these_words_is_meant(ran: dict[str, list[np.ndarray]]) -> None:
    found = compare(find_protocol("small_faces"), "grid", "grid:9", twin=True)
    assert found.first.value == pytest.approx(ran["grid"][0].mean())
    assert found.second.value == pytest.approx(ran["grid:9"][0].mean())


def test_settings_that_no_row_names_find_it_too(ran: dict[str, list[np.ndarray]]) -> None:
    found = compare(find_protocol("small_faces"), "grid:points=4", "slow", twin=True)
    assert found.first.value == pytest.approx(ran["grid"][0].mean())


@pytest.mark.parametrize("name", ["gird", "grid:16"])
def test_what_no_row_or_several_fit_is_said(ran: dict[str, list[np.ndarray]], name: str) -> None:
    with pytest.raises(UnknownName, match="grid:points=9"):
        compare(find_protocol("small_faces"), name, "slow", twin=True)


def test_a_metric_that_the_protocol_lacks_is_refused(ran: dict[str, list[np.ndarray]]) -> None:
    with pytest.raises(UnknownName, match="nme_box"):
        compare(find_protocol("small_faces"), "slow", "grid:9", twin=True, metric="nme_box")


def test_runs_on_other_pictures_are_not_paired(
    ran: dict[str, list[np.ndarray]], tmp_path: Path
) -> None:
    found = compare(find_protocol("small_faces"), "slow", "grid:9", twin=True)
    path = found.second.entries[0].path
    content = json.loads(path.read_text())
    content["data"]["test"]["pixels"] = "0" * 64
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInput, match="different files"):
        compare(find_protocol("small_faces"), "slow", "grid:9", twin=True)


def test_what_has_one_number_for_all_items_says_what_can_be_asked() -> None:
    faces = find_protocol("ytf68_images_32")
    with pytest.raises(InvalidInput, match="one number for all items") as refused:
        compare(faces, "stylegan2:small", "ganseg:small", twin=False)
    assert refused.value.cure == "the intervals and ranks of its board say what the seeds tell"


def test_a_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is a folder, not a record") as refused:
        find_run(str(tmp_path))
    assert r"*.json" in refused.value.cure


def test_a_folder_that_is_called_as_a_run_hides_none(
    ran: dict[str, list[np.ndarray]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = named_rows(find_protocol("small_faces"), twin=True)[0].entries[0].path
    (tmp_path / path.stem).mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_run(path.stem).exists()


def test_the_command_prints_and_gives_json(ran: dict[str, list[np.ndarray]], bench: Call) -> None:
    said = bench("compare", "slow", "grid:9", "-p", "small_faces", "--twin")
    assert said.code == 0
    assert "A − B" in said.out
    content = bench("compare", "slow", "grid:9", "-p", "small_faces", "--twin", "--json").json
    assert content["first"]["seeds"] == [0, 1]
    assert f"{content['difference']:+.2f}" in said.out
    assert bench("compare", "slow", "nothing", "-p", "small_faces", "--twin").code == 2
