"""Reported against reproduced: a test for each state, and every table of the papers counted."""

from __future__ import annotations

import csv
import doctest
import io
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_fixtures import Call

from benchmark.boards import reported
from benchmark.boards.entries import board_folder
from benchmark.boards.reported import Agreement, agreements, state_of
from benchmark.boards.sources import (
    TOLERANCE,
    PublishedValue,
    published_values,
    published_without_protocol,
)
from benchmark.boards.standings import KINDS, standings
from benchmark.home import builtin_folder, leaderboards
from benchmark.pages.reported_tables import printed
from benchmark.pages.tables import generated_files, stale_files, update_boards
from benchmark.protocols import ProtocolInvalid
from benchmark.protocols.files import _read_cached
from benchmark.protocols.papers import papers, read_paper, values
from benchmark.registry.protocols import all_protocols, find_protocol

COUNTS = {
    "karmali_2023": {
        "table 3.1": 18, "table 3.2": 39, "table 3.3": 10, "table 3.4": 28, "table 3.5": 54,
        "table 3.6": 12, "table 4.1": 12, "table 4.2": 10, "table 4.3": 16, "table 4.4": 8,
        "table 4.5": 24, "figure 4.10": 14,
    },
    "he_2022": {
        "table 1": 24, "table 2": 11, "table 3": 7, "table 5": 10, "table 6": 20, "table 7": 30,
        "section 4.4": 3, "appendix C": 4,
    },
    "jourdan_2020": {"table 6.2": 45},
    "jain": {},
}  # fmt: skip
"""How many numbers each table prints, counted by hand in the papers."""

SILENT = {"karmali_2023": {"table 3.7"}, "he_2022": {"table 4"}, "jourdan_2020": {"table 6.1"}}


def state(ours: float | None, *interval: float, better: str = "lower", **words: bool) -> str:
    """Of a reported 10 ± 1."""
    ends = (interval[0], interval[1]) if interval else None
    return state_of(10, ours, ends, better=better, tolerance=1, **words)


def test_each_state() -> None:
    assert state(10.5, 10.4, 10.6) == "reproduced"
    assert state(12, 9, 15) == "within_noise"
    assert state(12, 11.5, 12.5) == "worse"
    assert state(8, 7.5, 8.5) == "better"
    assert state(12, 11.5, 12.5, better="higher") == "better"
    assert state(8, 7.5, 8.5, better="higher") == "worse"
    assert state(None) == "not_attempted"
    assert state(None, on_twin=True) == "twin_only"
    assert state(10, comparable=False) == "not_comparable"
    assert state(None, comparable=False, on_twin=True) == "not_comparable"


def test_the_edges_of_tolerance_and_interval_are_inside() -> None:
    assert state(11) == state(9) == "reproduced"
    assert state_of(0.3, 0.1 + 0.2 + 0.1, better="lower", tolerance=0.1) == "reproduced"
    assert state(12, 10, 14) == state(8, 6, 10) == "within_noise"
    assert state(12) == "worse"


@settings(deadline=None)
@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0, 10), st.floats(0, 100))
def test_the_other_direction_swaps_better_and_worse(
    said: float, ours: float, half: float, tolerance: float
) -> None:
    ends = (ours - half, ours + half)
    lower, higher = (
        state_of(said, ours, ends, better=better, tolerance=tolerance)
        for better in ("lower", "higher")
    )
    swap = {"better": "worse", "worse": "better"}
    assert higher == swap.get(lower, lower)
    assert set(reported.MEANINGS) >= {lower, higher}


def test_the_examples_are_true() -> None:
    assert doctest.testmod(reported).failed == 0


@pytest.mark.parametrize("paper", papers(builtin_folder()), ids=lambda p: p.id)
def test_every_number_of_a_paper_has_its_row(paper) -> None:
    assert dict(Counter(v.place for v in values(paper))) == COUNTS[paper.id]
    assert paper.silent.keys() == SILENT.get(paper.id, set())
    assert paper.tables or paper.notes


def test_no_table_of_a_numbered_series_is_left_out() -> None:
    """Every table from the first to the last of a chapter is there, or is said to be silent."""
    for paper in papers(builtin_folder()):
        numbers = [t.place for t in paper.tables] + list(paper.silent)
        tables = {n.removeprefix("table ") for n in numbers if n.startswith("table ")}
        for chapter, last in Counter(n.rpartition(".")[0] for n in tables).items():
            wanted = {f"{chapter}.{i}".lstrip(".") for i in range(1, last + 1)}
            assert {n for n in tables if n.rpartition(".")[0] == chapter} == wanted


def test_every_paper_names_metrics_that_are_measured() -> None:
    count = sum(len(published_values(p)) for p in all_protocols()) + len(
        published_without_protocol()
    )
    single = sum(len(p.reported) for p in all_protocols())
    assert count == single + sum(sum(c.values()) for c in COUNTS.values())


def test_units_are_the_metrics() -> None:
    found = {(s.method, s.place, s.metric): s for s in published_values(find_protocol("cub"))}
    said = found["GANSeg (K=8)", "table 2", "foreground_iou"]
    assert (said.value, said.unit, said.tolerance) == (62.9, "%", pytest.approx(62.9 * TOLERANCE))
    assert printed(said) == "62.9 %"


def test_values_of_lead_name_its_settings() -> None:
    said = {
        s.method: s for s in published_values(find_protocol("aflw_m_cl")) if s.place == "table 3.6"
    }
    lead = said["stage 1 LEAD, stage 2 LEAD (128)"]
    assert (lead.plugin, lead.value) == ("lead", 6.60)
    assert lead.settings == {"network": "resnet50", "reduction": "fpn", "dimension": 128}
    other = said["stage 1 CL, stage 2 LEAD (128)"]
    assert other.settings == {**lead.settings, "stage1": "moco"}


def test_the_headline_tables_of_lead_and_hsr_stand_on_boards_that_measure_as_they_did() -> None:
    """Their own rows are comparable; what was read or drawn in another way says so."""
    places = [f"table 3.{i}" for i in (1, 2, 3, 4, 6)] + [f"table 4.{i}" for i in range(1, 6)]
    found = [v for v in values(read_paper(builtin_folder() / "reported" / "karmali_2023.toml"))
             if v.place in places]  # fmt: skip
    own = [v for v in found if v.plugin == "lead" or "HSR" in v.method]
    assert own
    apart = {v.method for v in own if v.not_comparable}
    # the thesis trains a whole network with the projector's loss, here the projector alone is trained
    projected = {
        f"stage 1 {one}, stage 2 CL ({d})" for one in ("LEAD", "CL") for d in (64, 128, 256)
    }
    assert apart == {"LEAD (3840)"} | projected
    assert {v.protocol for v in own if not v.not_comparable} == {
        *(f"{name}_cl" for name in ("mafl", "aflw_m", "aflw_r", "w300", "mafl_matching")),
        *(f"ffhq{size}_ada" for size in ("140k", "_1k", "_2k", "_10k")),
        *(f"{name}_ada" for name in ("lsun_church256", "animalface_dog", "animalface_cat")),
        "cub_images_ada",
    }
    for name in sorted({v.protocol for v in own}):
        protocol = find_protocol(name)
        if protocol.generation is not None:
            how = protocol.generation
            assert (how.network, how.ddof) == ("inception/legacy_tensorflow", 0)
            assert how.neighbours is not None
            assert how.neighbours.network == "vgg16"
        elif protocol.probes:
            assert protocol.probes["descriptors"].name == "softargmax/cl"


def test_no_comparable_value_has_more_parts_than_its_protocol_scores() -> None:
    for paper in papers(builtin_folder()):
        for value in values(paper):
            parts = re.search(r"K=(\d+)", value.method)
            if parts and value.protocol and not value.not_comparable:
                rule = find_protocol(value.protocol).landmarks
                most = rule.most if rule and rule.most else int(parts[1])
                assert int(parts[1]) <= most, (value.protocol, value.method)


PAPER = """
id = "mine"
name = "Mine 2020"
title = "A paper"

[[tables]]
place = "table 1"
title = "errors"
columns = [{ head = "a", protocol = "small_faces", metric = "nme_iod" }, { head = "b", metric = "x" }]
rows = [{ method = "Ours", values = ["3.1 ± 0.2", "-"], plugin = "grid" }]
"""


def written(folder: Path, old: str = "", new: str = "") -> Path:
    path = folder / "reported" / "mine.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(PAPER.replace(old, new) if old else PAPER)
    return path


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("[[tables]]", "[[tables", "not TOML"),
        ('id = "mine"', 'id = "yours"', "says yours"),
        ('"-"]', '"-", "4"]', "3 values for 2 columns"),
        ('"-"]', '"about 4"]', "is no number"),
        ('plugin = "grid"', 'measured = { c = "mafl:nme_iod" }', "no column 'c'"),
        ('plugin = "grid"', 'apart = { c = "no" }', "no column 'c'"),
        ("title", "titel", "titel|title"),
    ],
)
def test_a_wrong_paper_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ProtocolInvalid, match=said):
        read_paper(written(tmp_path, old, new))


def test_a_paper_that_names_another_metric_is_refused(harness: Path, tmp_path: Path) -> None:
    written(tmp_path / "protocols", "nme_iod", "nme")
    with pytest.raises(ProtocolInvalid, match="Mine 2020, table 1, reports nme"):
        published_values(find_protocol("small_faces"))


def test_a_paper_changes_no_digest(harness: Path, tmp_path: Path) -> None:
    before = find_protocol("small_faces").digest()
    written(tmp_path / "protocols")
    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    path.write_text(
        path.read_text()
        + '\n[[reported]]\nmethod = "x"\nmetric = "nme_iod"\nvalue = 1\nsource = "y"\nplugin = "grid"\n'
        "tolerance = 0.5\n"
    )
    _read_cached.cache_clear()
    protocol = find_protocol("small_faces")
    assert protocol.digest() == before
    found = {s.source: s for s in published_values(protocol)}
    assert found["y"].tolerance == 0.5
    assert (found["Mine 2020"].value, found["Mine 2020"].spread) == (3.1, 0.2)


@pytest.fixture
def real(run: Call) -> Path:
    """A board that passes for one on real data: three records of the twin that do not say so."""
    assert run("grid", "--seed", "0,1,2").code == 0
    protocol = find_protocol("small_faces")
    twin, target = (board_folder(protocol, twin=t) for t in (True, False))
    shutil.copytree(twin, target)
    for path in target.glob("*/*.json"):
        about = json.loads(path.read_text())
        about["protocol"]["twin"] = False
        path.write_text(json.dumps(about))
    return target


def report(tmp_path: Path, value: float, *more: str) -> None:
    """Say in the protocol's file what some paper reports of the method grid."""
    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    words = ['method = "Grid"', 'metric = "nme_iod"', f"value = {value}", 'source = "a paper"',
             'plugin = "grid"', *more]  # fmt: skip
    path.write_text("\n".join([path.read_text(), "[[reported]]", *words, ""]))
    _read_cached.cache_clear()


def beside() -> Agreement:
    board = next(b for b in standings([find_protocol("small_faces")], requested=True) if not b.twin)
    (one,) = board.agreements
    return one


def test_the_row_it_is_held_against(real: Path, tmp_path: Path) -> None:
    runs = [json.loads(p.read_text()) for p in sorted(real.glob("grid/*.json"))]
    mean = sum(r["metrics"][0]["value"] for r in runs) / 3
    report(tmp_path, mean * (1 + TOLERANCE / 2))
    one = beside()
    assert (one.state, one.seeds, one.row) == ("reproduced", 3, "grid")
    assert one.value == pytest.approx(mean)
    assert one.difference == pytest.approx(-mean * TOLERANCE / 2)
    assert set(one.runs) == {r["run_id"] for r in runs}


def test_states_on_a_board(real: Path, tmp_path: Path) -> None:
    report(tmp_path, 1.0)
    assert beside().state == "worse"
    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    text = path.read_text()
    for value, more, wanted in (
        (1.0, "tolerance = 1000", "reproduced"),
        (900.0, "", "better"),
        (1.0, 'not_comparable = "other crop"', "not_comparable"),
        (1.0, "settings = { points = 9 }", "twin_only"),
    ):
        path.write_text(text.replace("value = 1.0", f"value = {value}\n{more}"))
        _read_cached.cache_clear()
        assert beside().state == wanted


def test_within_noise(real: Path, tmp_path: Path) -> None:
    """The value is at the edge of the interval, the tolerance next to nothing."""
    report(tmp_path, 1.0)
    low = beside().ci95[0]  # type: ignore[index]
    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    path.write_text(path.read_text().replace("value = 1.0", f"value = {low}\ntolerance = 1e-9"))
    _read_cached.cache_clear()
    assert beside().state == "within_noise"


def test_without_runs_on_real_data(run: Call, tmp_path: Path) -> None:
    report(tmp_path, 1.0)
    assert beside().state == "not_attempted"
    run("grid")
    assert beside().state == "twin_only"


def test_withdrawn_runs_do_not_reproduce(real: Path, tmp_path: Path) -> None:
    report(tmp_path, 1.0)
    for path in real.glob("grid/*.json"):
        about = json.loads(path.read_text())
        about["edits"] = [
            {"when": "2025-01-01", "author": "a", "reason": "crop", "action": "withdrawn"}
        ]
        path.write_text(json.dumps(about))
    assert (beside().state, beside().value) == ("twin_only", None)


def test_boards_show_it_everywhere(real: Path, tmp_path: Path, bench: Call) -> None:
    report(tmp_path, 1.0, 'read_from = "figure"')
    update_boards(all_protocols())
    assert stale_files(all_protocols()) == []
    page = (real / "README.md").read_text()
    assert "## Reported against reproduced" in page
    (line,) = [x for x in page.splitlines() if "a paper" in x and "figure" in x]
    assert re.search(r"\| 1 % +\| grid: [\d.]+ +\| \+[\d.]+ +\| worse", line)
    twin = board_folder(find_protocol("small_faces"), twin=True)
    assert "a paper" not in (twin / "README.md").read_text()
    table = list(
        csv.DictReader(io.StringIO((leaderboards() / "reported/reported.csv").read_text()))
    )
    (mine,) = [row for row in table if row["protocol"] == "small_faces@1"]
    assert (mine["state"], mine["plugin"], mine["read_from"]) == ("worse", "grid", "figure")
    said = bench("board", "small_faces", "--json").json
    assert said["small_faces@1"]["kind"] == "draft"
    assert said["small_faces@1"]["reported"][0]["state"] == "worse"
    assert said["small_faces@1 (twin)"]["reported"] == []
    assert "reported against reproduced" in bench("board", "small_faces").out


def test_kinds_of_boards_are_told_apart_in_the_index(real: Path, bench: Call) -> None:
    update_boards(all_protocols())
    index = (leaderboards() / "README.md").read_text()
    sections = re.split(r"^## ", index, flags=re.M)[1:]
    frozen = [heading for kind, (heading, _) in KINDS.items() if kind != "real"]
    assert [s.splitlines()[0] for s in sections] == [*frozen, "How to read a board"]
    assert "[small_faces@1](small_faces/1/README.md) |" in re.sub(" +", " ", sections[0])
    assert "not to quote" in sections[0]
    assert "mafl@2 (reported only)" in sections[1]
    assert "](twins/small_faces/1/README.md) (twin)" in sections[2]
    page = (leaderboards() / "reported" / "README.md").read_text()
    assert "### mafl@2 (reported only)" in page
    assert bench("board", "mafl", "--json").json["mafl@2 (reported only)"]["kind"] == "reported"


def test_a_study_in_a_checkout_leaves_what_papers_report_to_its_boards(
    real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = leaderboards().parent.parent
    monkeypatch.setattr("benchmark.pages.tables.checkout", lambda: around)
    files = generated_files(all_protocols())
    assert leaderboards() / "reported" / "README.md" not in files
    index = files[leaderboards() / "README.md"]
    assert "Reported in papers" not in index
    assert "[small_faces@1](small_faces/1/README.md) |" in re.sub(" +", " ", index)


def test_only_the_newest_version_of_a_protocol_is_listed_without_runs(harness: Path) -> None:
    names = [b.name for b in standings(all_protocols()) if b.kind == "reported"]
    assert "aflw_m_limited@3 (reported only)" in names
    assert not [n for n in names if n.startswith(("aflw_m_limited@1", "aflw_m_limited@2"))]


def test_known_failures_and_weights_stand_beside_the_row(run: Call, bench: Call) -> None:
    record = Path(run("grid", "--json").json["record"])
    about = json.loads(record.read_text())
    about["method"]["pretrained"] = [{"name": "dino", "source": "x", "sha256": "0"}]
    about["method"]["supervision"] = "masks"
    about["method"]["known_failures"] = {"resume": "its library can't"}
    record.write_text(json.dumps(about))
    update_boards(all_protocols())
    page = (record.parents[1] / "README.md").read_text()
    assert "| grid † " in page
    assert "resume: its library can't" in page
    assert re.search(r"\| masks +\| dino ", page)
    (row,) = csv.DictReader(io.StringIO((record.parents[1] / "board.csv").read_text()))
    assert (row["weights"], row["known_failures"]) == ("dino", "resume: its library can't")
    said = bench("board", "small_faces").out
    assert "can't pass the check 'resume'" in said
    assert "dino" in said


def test_a_value_without_a_protocol_is_of_no_board() -> None:
    none = published_without_protocol()
    assert {"appendix C", "section 4.4", "table 6.2"} <= {s.place for s in none}
    assert all(isinstance(s, PublishedValue) and not s.protocol for s in none)
    assert agreements(find_protocol("ytf5"), []) == []
