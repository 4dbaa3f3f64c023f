"""A study's methods side by side, from records alone; and this repository's own study."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests_fixtures import ROOT, Call

from benchmark.boards.entries import read_entries
from benchmark.boards.standings import standings
from benchmark.contracts.errors import Incompatible
from benchmark.home import leaderboards
from benchmark.protocols import is_frozen, versions_of
from benchmark.registry.implementations import implementation, info_of
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import all_protocols, find_protocol
from benchmark.runner.plan import fitting_kind
from benchmark.settings import resolve_settings
from benchmark.studies.cost import Costs, estimate
from benchmark.studies.like_for_like import arms, compare
from benchmark.studies.planning import Cell
from benchmark.studies.study import Study, read_study

STUDY = """
protocols = ["small_faces"]
seeds = "0-2"
twin = true

[[methods]]
method = "grid"

[[methods]]
method = "halves"
"""


@pytest.fixture
def study(harness: Path, run: Call, tmp_path: Path) -> Path:
    """Two methods are asked for; one has two of its three seeds, and a setting that is not asked for."""
    assert run("grid", "--seed", "0,1").code == 0
    assert run("grid", "--set", "points=9").code == 0
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def test_what_stands_has_its_value_and_what_is_open_its_command(study: Path) -> None:
    (one,) = compare(read_study(study))
    (board,) = standings([find_protocol("small_faces")])
    row = next(row for row in board.rows if len(row.seeds) == 2)
    stands, opened = one.places
    assert stands.row is not None
    assert (stands.row.value, stands.row.seeds) == (row.value, (0, 1))
    assert stands.row.rank is None  # of a lone method a rank says nothing
    assert stands.missing == (2,)
    assert stands.command == "bench run --method grid --protocol small_faces --seed 2 --twin"
    assert (opened.arm.name, opened.row, opened.missing) == ("halves", None, (0, 1, 2))
    assert opened.command.endswith("--method halves --protocol small_faces --seed 0,1,2 --twin")


def test_a_setting_that_is_named_or_left_at_its_default_is_one(study: Path, run: Call) -> None:
    default = implementation(plugins().method("grid")).Settings().model_dump()["points"]
    study.write_text(
        STUDY.replace('"grid"', f'"grid"\nsettings = [{{ points = {default} }}, {{ points = 9 }}]')
    )
    (one,) = compare(read_study(study))
    named, other = (place for place in one.places if place.arm.method == "grid")
    if named.arm.words != (f"points={default}",):
        named, other = other, named
    assert (named.row and named.row.seeds, named.missing) == ((0, 1), (2,))
    assert (other.row and other.row.seeds, other.missing) == ((0,), (1, 2))


def test_methods_with_several_settings_are_named(study: Path, bench: Call, tmp_path: Path) -> None:
    study.write_text(STUDY.replace('"grid"', '"grid"\nsettings = [{ points = 4 }, { points = 9 }]'))
    assert bench("sweep", "table", str(study), "--out", str(tmp_path / "page.md")).code == 0
    said = (
        "one setting under all protocols, but for those with several columns here (grid). A value"
    )
    assert said in (tmp_path / "page.md").read_text()


def test_a_run_from_before_a_setting_has_its_default(study: Path) -> None:
    (arm, _) = arms(read_study(study))
    (entry, *_) = read_entries(find_protocol("small_faces"), twin=True)[0]
    about = entry.record.method
    points = about.settings["points"]
    for settings, made in (
        ({}, points == arm.settings["points"]),
        ({"points": arm.settings["points"]}, True),
        ({"points": 77}, False),
        ({"gone": 1}, False),
    ):
        old = entry.record.model_copy(
            update={"method": about.model_copy(update={"settings": settings})}
        )
        assert arm.made(old) == made
    older = entry.record.model_copy(update={"method": about.model_copy(update={"version": 2})})
    assert arm.made(entry.record)
    assert not arm.made(older)


def test_the_page_is_held_to_the_records(study: Path, bench: Call, tmp_path: Path) -> None:
    words = ("sweep", "table", str(study), "--out", str(tmp_path / "page.md"))
    missing = bench(*words, "--check")
    assert missing.code != 0
    assert f"there is no {tmp_path / 'page.md'} to check" in missing.err
    assert bench(*words).code == 0
    assert bench(*words, "--check").code == 0
    text = (tmp_path / "page.md").read_text()
    assert "2 cells: 0 have all seeds, 1 some, 1 are open." in text
    assert "Every method has one setting under all protocols. A value" in text
    (tmp_path / "page.md").write_text(text + "x")
    assert bench(*words, "--check").code != 0
    assert bench("sweep", "table", str(study), "--check").code == 2


def test_a_study_of_floors_alone_has_nothing_side_by_side(
    floors: Path, bench: Call, tmp_path: Path
) -> None:
    path = tmp_path / "study.toml"
    path.write_text("protocols = ['small_faces']\n[[methods]]\nmethod = 'mean-shape'\n")
    done = bench("sweep", "table", str(path))
    assert done.code == 2
    assert "names no method, only the floor mean-shape" in done.err
    assert done.out == ""


# --- studies/small.toml ---

NOT_ASKED_FOR = {
    "aist": "translates renders that someone has to restyle first",
    "stylegan2-file": "gives what another program fitted",
}
TWO_VIEWS = ("ytf5_clips", "cc0_cars_corners")
"""Methods that learn from two views of one thing are compared there, and no others."""
OTHERWISE = {"dff": ("foreground", "parts"), "frozen-backbone": ("efficientnet-lite0",)}
"""Presets of methods that have no `small` one: they fit nothing."""


@pytest.fixture(scope="module")
def small() -> Study:
    return read_study(ROOT / "studies" / "small.toml")


def open_data() -> set[str]:
    """The folders of data sets under which runs stand on boards: anyone can have them."""
    used = [p for p in all_protocols() if (leaderboards() / p.id).is_dir()]
    return {folder(name) for protocol in used for name in protocol.data.datasets()}


def folder(name: str) -> str:
    return plugins().dataset(name).folder or name


def test_it_asks_for_every_method_under_every_protocol_that_it_fits(small: Study) -> None:
    asked = {
        (request.method, request.protocol)
        for request in small.of_methods()
        if plugins().method(request.method).role == "method"
    }
    protocols = [
        protocol
        for protocol in all_protocols()
        if versions_of(protocol)[-1] == protocol and is_frozen(protocol)
        if {folder(name) for name in protocol.data.datasets()} <= open_data()
        if protocol.id != "ytf68_pictures"  # of pictures that came from elsewhere
    ]
    wanted = set()
    for spec in plugins().methods.values():
        if spec.role != "method" or spec.id in NOT_ASKED_FOR:
            continue
        cls = implementation(spec)
        preset = OTHERWISE.get(spec.id, ("small",))[0]
        info = info_of(spec, cls, resolve_settings(spec, cls, preset, {}, twin=False)[1])
        for protocol in protocols:
            try:
                fitting_kind(spec, info, protocol)
            except Incompatible:
                continue
            if (protocol.id in TWO_VIEWS) <= (spec.id == "imm"):
                wanted.add((spec.id, protocol.id))
    assert asked == wanted


def test_every_method_has_one_small_setting_and_three_seeds(small: Study) -> None:
    for arm in arms(small):
        assert arm.preset in OTHERWISE.get(arm.method, ("small",))
    assert not small.twin
    assert small.floors
    assert small.seeds == (0, 1, 2)
    names = [(arm.method, arm.preset) for arm in arms(small)]
    assert [name for name in names if names.count(name) > 1] == [("imm", "small")] * 2


def test_its_requests_can_be_resolved(small: Study) -> None:
    for request in small.of_methods():
        spec = plugins().method(request.method)
        cls = implementation(spec)
        _, settings = resolve_settings(spec, cls, request.preset, request.given, twin=request.twin)
        fitting_kind(spec, info_of(spec, cls, settings), find_protocol(request.protocol))


def test_what_the_boards_have_is_found(small: Study) -> None:
    ytf5 = next(one for one in compare(small) if one.protocol.id == "ytf5")
    stand = {place.arm.name for place in ytf5.places if not place.missing}
    assert {"dve small", "lead small dimension=64", "imm small renderer=bilinear"} <= stand


def test_the_plan_of_what_is_not_done_is_hours(small: Study) -> None:
    cells = [
        Cell(r, str(n), run_id=str(n), fit_id=str(n), preset=r.preset)
        for n, r in enumerate(small.of_methods())
    ]
    found = estimate(cells, Costs({cell.request.method for cell in cells}))
    assert found.unknown < len(cells)
    assert found.seconds > 5 * 3600
