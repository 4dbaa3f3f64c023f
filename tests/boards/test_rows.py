"""Rows from records: means and intervals over seeds, the distance to the floor, and who is left out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tests_fixtures import Call
from tests_records import with_errors

from benchmark.boards.compare import compare
from benchmark.boards.entries import board_folder, read_entries
from benchmark.boards.rows import Row, make_rows
from benchmark.files import file_sha256
from benchmark.metrics.catalogue import CATALOGUE
from benchmark.protocols.files import _read_cached
from benchmark.registry.protocols import find_protocol


def rows() -> dict[str, Row]:
    """The twin's rows today, by method."""
    protocol = find_protocol("small_faces")
    return {r.method: r for r in make_rows(protocol, read_entries(protocol, twin=True)[0])}


def ran(run: Call, method: str, *words: str) -> list[Path]:
    """The records of a run of each seed asked for."""
    said = run(method, "--json", *words)
    assert said.code == 0, said.err
    found = said.json if isinstance(said.json, list) else [said.json]
    return [Path(one["record"]) for one in found]


def content(record: Path) -> dict:
    return json.loads(record.read_text())


def errors(record: Path) -> np.ndarray:
    with np.load(record.parent / content(record)["metrics"][0]["per_item"]) as arrays:
        return arrays["nme_iod"]


def groups(record: Path) -> np.ndarray:
    with np.load(record.parent / content(record)["metrics"][0]["per_item"]) as arrays:
        return arrays["groups.nme_iod"]


def over_people(record: Path, values: np.ndarray) -> np.ndarray:
    """How far the mean moves without each person's items, written out once more."""
    people = groups(record)
    return np.array([values.mean() - values[people != g].mean() for g in np.unique(people)])


def edit(record: Path, change: Callable[[dict], object]) -> None:
    about = content(record)
    change(about)
    record.write_text(json.dumps(about))


def spread(records: list[Path], errors_of: Callable[[int], np.ndarray]) -> None:
    """Give each record other errors, and the digest and value that belong to them."""
    for seed, record in enumerate(records):
        name, people = content(record)["metrics"][0]["per_item"], groups(record)
        values = errors_of(seed)
        with (record.parent / name).open("wb") as file:
            np.savez_compressed(file, nme_iod=values, **{"groups.nme_iod": people})
        digest = file_sha256(record.parent / name)

        def change(about: dict, digest: str = digest, value: float = float(values.mean())) -> None:
            about["artefacts"][0].update(sha256=digest)
            about["metrics"][0].update(value=value)

        edit(record, change)


def bootstrap(record: Path, per_item: np.ndarray) -> tuple[float, float]:
    """95 % percentile bootstrap of the mean over people, written out once more."""
    people = groups(record)
    count = people.max() + 1
    draws = np.random.Generator(np.random.PCG64(0)).integers(0, count, (2000, count))
    members = [per_item[people == g] for g in range(count)]
    means = [np.concatenate([members[g] for g in row]).mean() for row in draws]
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def half(*parts: tuple[float, float]) -> float:
    """Half an interval's width from (variance, degrees of freedom) of its sources."""
    return float(np.sqrt(sum(stats.t.ppf(0.975, freedom) ** 2 * var for var, freedom in parts)))


def of_people(pulls: np.ndarray) -> tuple[float, float]:
    count = len(pulls)
    return (count - 1) / count * float((pulls**2).sum()), count - 1


@pytest.fixture
def slow(floors: Path, run: Call) -> list[Path]:
    """Two seeds of a method that learns."""
    return ran(run, "slow", "--set", "steps=2", "--seed", "0,1")


@pytest.fixture
def untrained(slow: list[Path], run: Call) -> list[Path]:
    """The same network with the same settings and seeds, untrained."""
    settings = ("--set", "of=slow", "--set", "settings.steps=2", "--seed", "0,1")
    return ran(run, "random-features", *settings)


def test_several_seeds_give_their_mean_over_seeds_and_people(slow: list[Path]) -> None:
    row = rows()["slow"]
    values = [content(r)["metrics"][0]["value"] for r in slow]
    assert values[0] != values[1]
    assert row.value == pytest.approx(np.mean(values), abs=1e-12)
    wanted = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert row.ci_seeds == pytest.approx(tuple(wanted), abs=1e-9)
    per_item = np.mean([errors(r) for r in slow], 0)
    assert row.ci_items == pytest.approx(bootstrap(slow[0], per_item), abs=1e-9)
    assert (row.seeds, row.items) == ((0, 1), 16)
    width = half((np.var(values, ddof=1) / 2, 1), of_people(over_people(slow[0], per_item)))
    assert row.ci95 == pytest.approx((row.value - width, row.value + width), abs=1e-9)
    assert row.runs == tuple(r.stem for r in slow)


def test_a_method_is_measured_by_the_best_floor_over_seeds_and_people(
    slow: list[Path], untrained: list[Path], run: Call
) -> None:
    found = rows()
    floor, gain = found["random-features"], found["slow"].over_floor
    assert gain is not None
    assert gain.value == pytest.approx(floor.value - found["slow"].value, abs=1e-12)
    mine, theirs = (np.array([errors(r) for r in records]) for records in (slow, untrained))
    seeds = [(values.mean(1).var(ddof=1) / 2, 1) for values in (mine, theirs)]
    apart = over_people(slow[0], mine.mean(0) - theirs.mean(0))
    width = half(*seeds, of_people(apart))
    assert gain.ends == pytest.approx((gain.value - width, gain.value + width), abs=1e-9)
    assert gain.clear == (gain.value > width)
    assert floor.over_floor is None
    ran(run, "mean-shape")  # a better one takes its place, over its one seed
    better = rows()
    assert better["mean-shape"].value < floor.value
    gain = better["slow"].over_floor
    assert gain is not None
    assert gain.value == pytest.approx(better["mean-shape"].value - better["slow"].value, abs=1e-12)


def test_one_seed_has_the_interval_over_people_alone(harness: Path, run: Call) -> None:
    (record,) = ran(run, "grid")
    row = rows()["grid"]
    per_item = errors(record)
    assert row.value == pytest.approx(per_item.mean(), abs=1e-12)
    assert 2 < groups(record).max() + 1 < 16
    width = half(of_people(over_people(record, per_item)))
    assert row.ci95 == pytest.approx((row.value - width, row.value + width), abs=1e-9)
    assert row.ci_items == pytest.approx(bootstrap(record, per_item), abs=1e-9)
    assert (row.ci_seeds, row.floor, row.rank, row.grouped) == (None, None, None, True)
    assert row.interval().endswith("*")


def test_a_record_without_groups_takes_those_of_another_on_the_same_labels(
    harness: Path, run: Call
) -> None:
    (record,) = ran(run, "grid")
    before = rows()["grid"]

    file = record.parent / content(record)["metrics"][0]["per_item"]
    per_item = errors(record)
    with file.open("wb") as opened:
        np.savez_compressed(opened, nme_iod=per_item)

    def of_old(about: dict) -> None:
        about.update(record_schema=3)
        about["artefacts"][0].update(sha256=file_sha256(file))
        del about["drawn_by"], about["metrics"][0]["groups"]

    edit(record, of_old)
    alone = rows()["grid"]
    assert not alone.grouped
    assert alone.interval().endswith("*°")
    assert np.ptp(alone.ci95) != pytest.approx(np.ptp(before.ci95), rel=1e-3)
    ran(run, "halves")
    after = rows()["grid"]
    assert after.grouped
    assert after.ci95 == pytest.approx(before.ci95, rel=1e-9)
    assert after.ci_items == pytest.approx(before.ci_items, rel=1e-9)


def test_other_settings_are_another_row(harness: Path, run: Call) -> None:
    ran(run, "grid")
    ran(run, "grid", "--preset", "nine")
    ran(run, "grid", "--set", "points=9", "--seed", "1")
    protocol = find_protocol("small_faces")
    found = make_rows(protocol, read_entries(protocol, twin=True)[0])
    assert sorted((r.variant, r.seeds) for r in found) in (
        [("", (0,)), ("nine", (0, 1))],
        [("", (0,)), ("points=9", (0, 1))],
    )
    assert [r.value for r in found] == sorted(r.value for r in found)


def test_the_floor_is_the_same_network_with_the_same_settings(
    slow: list[Path], untrained: list[Path]
) -> None:
    found = rows()
    difference = np.mean([errors(r) for r in slow], 0) - np.mean([errors(r) for r in untrained], 0)
    assert found["slow"].floor is not None
    by_seed = [errors(a).mean() - errors(b).mean() for a, b in zip(slow, untrained, strict=True)]
    pulls = of_people(over_people(slow[0], difference))
    width, mean = half((np.var(by_seed, ddof=1) / 2, 1), pulls), difference.mean()
    assert found["slow"].floor == pytest.approx((mean, mean - width, mean + width, 2, 2), abs=1e-9)
    assert found["random-features"].floor is None
    assert found["random-features"].role == "floor"


def test_a_floor_with_other_settings_is_no_floor(slow: list[Path], run: Call) -> None:
    ran(run, "random-features", "--set", "of=slow", "--set", "settings.steps=3")
    assert rows()["slow"].floor is None


def test_a_method_that_learnt_nothing_does_not_differ_from_its_floor(
    floors: Path, run: Call
) -> None:
    ran(run, "slow", "--set", "steps=0")
    ran(run, "random-features", "--set", "of=slow", "--set", "settings.steps=0")
    assert rows()["slow"].floor == (0.0, 0.0, 0.0, 1, 1)


@pytest.mark.parametrize("better", [0.0, 1.0])
def test_the_interval_says_whether_it_is_better_than_the_floor(
    slow: list[Path], untrained: list[Path], better: float
) -> None:
    scatter = np.linspace(-0.5, 0.5, 16)
    floors = [errors(floor) for floor in untrained]
    spread(slow, lambda seed: floors[seed] + scatter - better)
    mean, low, high, *_ = rows()["slow"].floor
    assert mean == pytest.approx(-better)
    assert (low < 0 < high) == (better == 0)
    assert (high < 0) == (better == 1)


def test_altered_errors_are_left_out(slow: list[Path], untrained: list[Path]) -> None:
    protocol = find_protocol("small_faces")
    path = slow[0].parent / content(slow[0])["metrics"][0]["per_item"]
    with path.open("wb") as file:
        np.savez_compressed(file, nme_iod=np.zeros(16))
    for why in ("not what their digest says", "missing"):
        entries, (left_out,) = read_entries(protocol, twin=True)
        assert len(entries) == len(slow) + len(untrained) - 1
        assert left_out.path == slow[0]
        assert why in left_out.reason
        assert str(path.parent) not in left_out.reason
        path.unlink(missing_ok=True)
    assert len(rows()["slow"].seeds) == len(slow) - 1


def test_copies_and_hidden_files_are_no_second_seed(harness: Path, run: Call) -> None:
    (record,) = ran(run, "grid")
    shutil.copy(record, record.with_name("copy.json"))
    other = record.parents[1] / "halves" / record.name
    shutil.copytree(record.parent, other.parent)
    record.with_name(f"._{record.name}").write_bytes(b"\x00\x05\x16\x07")
    entries, left_out = read_entries(find_protocol("small_faces"), twin=True)
    assert [entry.path for entry in entries] == [record]
    assert {(one.path.parent.name, one.path.name) for one in left_out} == {
        ("grid", "copy.json"),
        ("halves", record.name),
        ("halves", "copy.json"),
    }
    assert {one.reason for one in left_out} == {f"not where it belongs: grid/{record.name}"}


def test_a_record_of_other_metrics_or_of_fewer_images_is_left_out(harness: Path, run: Call) -> None:
    first, second, third = ran(run, "grid", "--seed", "0,1,2")
    edit(first, lambda about: about["metrics"][0].update(metric="nme_iod_true"))
    with_errors(second, nme_iod=np.zeros(1))
    edit(second, lambda about: about["data"]["test"].update(images=1))
    ran(run, "halves")
    entries, left_out = read_entries(find_protocol("small_faces"), twin=True)
    assert {entry.record.method.id for entry in entries} == {"grid", "halves"}
    assert third in {entry.path for entry in entries}
    reasons = {one.path: one.reason for one in left_out}
    assert reasons[first] == "its metrics are nme_iod_true, not nme_iod"
    assert reasons[second].startswith("it counts 1 test images where others")


def test_a_withdrawn_record_is_last_and_keeps_its_reason(harness: Path, run: Call) -> None:
    records = {m: ran(run, m)[0] for m in ("grid", "halves")}
    best = min(rows().values(), key=lambda r: r.value).method
    withdrawn = {"when": "2025-01-01", "author": "a", "reason": "wrong crop", "action": "withdrawn"}
    edit(records[best], lambda about: about["edits"].append(withdrawn))
    assert list(rows())[-1] == best
    assert rows()[best].withdrawn == "wrong crop"
    edit(records[best], lambda about: about["edits"][0].update(action="annotated"))
    assert next(iter(rows())) == best
    assert rows()[best].withdrawn == ""


def test_a_record_of_another_content_of_the_protocol_is_left_out(
    harness: Path, run: Call, tmp_path: Path
) -> None:
    (record,) = ran(run, "grid")
    path = tmp_path / "protocols" / "small_faces" / "1.toml"
    path.write_text(path.read_text().replace("eyes = [0, 1]", "eyes = [3, 4]"))
    _read_cached.cache_clear()
    entries, left_out = read_entries(find_protocol("small_faces"), twin=True)
    assert entries == []
    assert [str(one) for one in left_out] == [
        f"{record.name}: made under another content of small_faces@1"
    ]


@pytest.mark.parametrize("to_real", [True, False])
def test_rendered_and_real_records_never_share_a_board(
    harness: Path, run: Call, to_real: bool
) -> None:
    (record,) = ran(run, "grid")
    protocol = find_protocol("small_faces")
    twin, real = (board_folder(protocol, twin=t) for t in (True, False))
    assert twin not in (real, *real.parents)
    assert real not in (twin, *twin.parents)
    if to_real:
        shutil.copytree(twin, real)
    else:
        edit(record, lambda about: about["protocol"].update(twin=False))
    entries, (left_out,) = read_entries(protocol, twin=not to_real)
    assert entries == []
    assert left_out.reason.startswith("it is a record of small_faces@1")


@pytest.fixture
def three(harness: Path, run: Call) -> dict[str, list[Path]]:
    """Three methods with two seeds each."""
    return {str(n): ran(run, "slow", "--set", f"steps={n}", "--seed", "0,1") for n in (1, 2, 3)}


def test_an_interval_holds_nothing_that_the_metric_cannot_be(three: dict[str, list[Path]]) -> None:
    spread(three["1"], lambda seed: np.linspace(1, 2, 16) + 3 * seed)
    protocol = find_protocol("small_faces")
    found = {r.variant: r.ci95 for r in make_rows(protocol, read_entries(protocol, twin=True)[0])}
    assert found["steps=1"][0] == 0.0
    assert found["steps=1"][1] > 10


def test_an_interval_of_a_share_ends_at_the_whole(
    three: dict[str, list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    spread(three["1"], lambda seed: np.linspace(90, 100, 16) - 3 * seed)
    monkeypatch.setitem(CATALOGUE, "nme_iod", CATALOGUE["nme_iod"]._replace(most=100.0))
    protocol = find_protocol("small_faces")
    found = {r.variant: r.ci95 for r in make_rows(protocol, read_entries(protocol, twin=True)[0])}
    assert found["steps=1"][0] < 90
    assert found["steps=1"][1] == 100.0


def ranks() -> dict[str, tuple[int, int] | None]:
    protocol = find_protocol("small_faces")
    found = make_rows(protocol, read_entries(protocol, twin=True)[0])
    return {r.variant: r.rank for r in found}


def test_ranks_are_ranges_of_what_can_be_told_apart(three: dict[str, list[Path]]) -> None:
    base = np.linspace(5, 15, 16)
    noise = np.random.default_rng(0).normal(0, 0.2, (3, 2, 16))
    noise -= noise.mean(-1, keepdims=True)
    for i, (name, shift) in enumerate({"1": 0.0, "2": 0.01, "3": 2.0}.items()):
        spread(three[name], lambda seed, i=i, shift=shift: base + shift + noise[i, seed])
    assert ranks() == {"steps=1": (1, 2), "steps=2": (1, 2), "steps=3": (3, 3)}
    assert [r.places() for r in rows().values()] == ["3"]  # of one method, the last row


def test_a_wild_seed_buys_no_rank(three: dict[str, list[Path]]) -> None:
    """What can be told from nothing may be anywhere: its range is all of the board."""
    base = np.linspace(5, 15, 16)
    for name, shifts in {"1": (0.0, 0.1), "2": (0.2, 60.0), "3": (30.0, 30.1)}.items():
        spread(three[name], lambda seed, shifts=shifts: base + shifts[seed])
    assert ranks() == {"steps=1": (1, 2), "steps=2": (1, 3), "steps=3": (2, 3)}
    protocol = find_protocol("small_faces")
    said = compare(protocol, "slow:1", "slow:2", twin=True)
    assert said.ci95[1] < 0
    assert not said.clear
    assert said.verdict.startswith("no clear difference: with these seeds A is better")
    said = compare(protocol, "slow:1", "slow:3", twin=True)
    assert (said.clear, said.verdict) == (True, "A is clearly better")


def test_what_has_one_seed_or_is_a_floor_has_no_rank(
    slow: list[Path], untrained: list[Path], run: Call
) -> None:
    ran(run, "grid")
    found = rows()
    assert (found["slow"].rank, found["slow"].places()) == (None, "")  # with none to be ranked with
    assert found["grid"].rank is None
    assert found["random-features"].rank is None


def test_rows_of_one_name_say_the_settings_that_differ(harness: Path, run: Call) -> None:
    first, second = ran(run, "grid", "--seed", "0"), ran(run, "grid", "--seed", "1")
    protocol = find_protocol("small_faces")
    edit(second[0], lambda r: r["method"]["settings"].update(points=9, sharp=True))
    names = [r.variant for r in make_rows(protocol, read_entries(protocol, twin=True)[0])]
    assert sorted(names) == ["points=4", "points=9 sharp=true"]
    edit(second[0], lambda r: r["method"].update(settings=content(first[0])["method"]["settings"]))
    (row,) = make_rows(protocol, read_entries(protocol, twin=True)[0])
    assert (row.variant, row.seeds) == ("", (0, 1))
