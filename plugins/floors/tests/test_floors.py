"""Floors and ceilings are what they say they are, on a small twin."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests_fixtures import Call
from tests_support import SMALL_PROTOCOL

from benchmark.cli.progress import Silent
from benchmark.contracts.errors import BenchError, UnknownName
from benchmark.contracts.record import Record
from benchmark.home import leaderboards
from benchmark.metrics.landmarks import inter_ocular_distance, normalised_mean_error
from benchmark.plugins import plugins
from benchmark.runner.plan import Plan, Request, make_plan
from benchmark.runner.run import Outcome
from benchmark.runner.run import run as run_plan
from benchmark.settings import SettingsInvalid
from benchmark.tasks.landmark_regression import targets

QUIET = Silent()
REQUEST = Request("mean-shape", "small_faces", twin=True, device="cpu")
SLOW = {"of": "slow", "settings": {"steps": 3}}


def done(**changes) -> tuple[Plan, Outcome]:
    plan = make_plan(replace(REQUEST, **changes), QUIET)
    return plan, run_plan(plan, QUIET)


def record(**changes) -> Record:
    return done(**changes)[1].record


@pytest.fixture
def protocol_with(floors: Path, tmp_path: Path):
    """A protocol like the small one, on the same faces, with other words in it."""

    def write(name: str, *changes: tuple[str, str]) -> str:
        text = SMALL_PROTOCOL.replace("small_faces", name)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "protocols" / name / "1.toml"
        path.parent.mkdir()
        path.write_text(text)
        return name

    return write


def test_all_of_them_load(floors: Path) -> None:
    assert not plugins().failures
    brought = {m for m, p in plugins().provider.items() if p == "bench_floors"}
    roles = {m: plugins().method(m).role for m in brought}
    floors_there = dict.fromkeys(("mean-shape", "random-features", "image-grid"), "floor")
    assert roles == {**floors_there, "oracle": "ceiling"}


@pytest.mark.parametrize("probe", ["linear/scops", "linear/zhang"])
def test_mean_shape_is_the_mean_of_the_training_labels(
    protocol_with: Callable[..., str], probe: str
) -> None:
    plan, outcome = done(protocol=protocol_with("probed", ("linear/scops", probe)))
    assert outcome.record.probe["name"] == probe
    train, test = (targets(plan.splits[s], plan.protocol) for s in ("train", "test"))
    mean = train.mean(0, dtype=np.float64)
    wanted = normalised_mean_error(
        np.broadcast_to(mean, test.shape), test, inter_ocular_distance(test, (0, 1))
    )
    assert outcome.record.headline.value == pytest.approx(np.mean(wanted), rel=1e-12)
    with np.load(outcome.path.parent / f"{plan.run_id}.predictions.npz") as arrays:
        assert arrays["points"] == pytest.approx(np.broadcast_to(mean, test.shape), abs=1e-5)


@pytest.mark.parametrize("probe", ["linear/scops", "linear/zhang"])
def test_the_oracle_makes_no_error_and_is_marked_as_shown_the_labels(
    protocol_with: Callable[..., str], probe: str
) -> None:
    made = record(method="oracle", protocol=protocol_with("probed", ("linear/scops", probe)))
    assert made.headline.value < 1e-9
    assert made.method.supervision == "labels"
    assert made.method.role == "ceiling"
    assert record().method.supervision == "none"


def test_the_oracle_as_descriptors_is_left_with_the_resolution_of_the_map(
    protocol_with: Callable[..., str],
) -> None:
    name = protocol_with(
        "longer",
        ('"softargmax/dve"', '"softargmax/short"'),
        ("{ epochs = 2, filters = 5 }", "{ epochs = 100, filters = 5 }"),
    )
    oracle = record(method="oracle", protocol=name, given={"kind": "descriptors"})
    floor = record(protocol=name)
    assert oracle.method.used == "descriptors"
    assert oracle.method.supervision == "labels"
    assert 0 < oracle.headline.value < floor.headline.value / 3


def test_random_features_keep_the_seed(floors: Path) -> None:
    weights = {}
    for seed in (0, 1):
        plan, _ = done(method="random-features", given=SLOW, seed=seed)
        weights[seed] = (plan.fit_folder / "model" / "weight.pt").read_bytes()
        first = record(method="random-features", given=SLOW, seed=seed).headline.value
        shutil.rmtree(plan.fit_folder)
        shutil.rmtree(plan.folder)
        shutil.rmtree(leaderboards())
        again = record(method="random-features", given=SLOW, seed=seed)
        assert again.headline.value == first
        assert (plan.fit_folder / "model" / "weight.pt").read_bytes() == weights[seed]
    assert weights[0] != weights[1]


def test_random_features_are_those_that_the_imitated_method_starts_from(floors: Path) -> None:
    untrained = record(method="random-features", given={"of": "slow", "settings": {"steps": 0}})
    start = record(method="slow", given={"steps": 0})
    assert untrained.headline == replaced(start.headline, untrained)
    assert record(method="slow").headline.value != start.headline.value


def replaced(value, made: Record):
    """The value with the name of the other record's file of errors."""
    return value.model_copy(update={"per_item": made.headline.per_item})


def test_random_features_hold_every_setting_of_the_imitated_method(floors: Path) -> None:
    made = record(method="random-features", given={"of": "slow"})
    assert made.method.settings == {"of": "slow", "preset": "", "settings": {"steps": 40}}
    plain, said = (
        make_plan(replace(REQUEST, method="random-features", given=given), QUIET)
        for given in ({"of": "slow"}, {"of": "slow", "settings": {"steps": 40}})
    )
    assert plain.run_id == said.run_id
    assert made.method.supervision == "none"
    assert made.notes == ["network of slow, untrained"]


@pytest.mark.parametrize("given", [{"of": "grid:nine"}, {"of": "grid", "preset": "nine"}])
def test_a_preset_of_the_imitated_method_is_written_out(floors: Path, given: dict) -> None:
    plan = make_plan(replace(REQUEST, method="random-features", given=given), QUIET)
    resolved = {"of": "grid", "preset": "nine", "settings": {"points": 9}}
    assert plan.settings.model_dump() == resolved
    assert type(plan.settings).model_validate(resolved) == plan.settings
    assert plan.kind == "landmarks"


def test_presets_name_presets_that_are_there(floors: Path) -> None:
    pytest.importorskip("bench_lead")
    import bench_lead

    registered: list = []
    bench_lead.bench_methods(registered.append)
    lead = next(spec for spec in registered if spec.id == "lead")
    presets = plugins().method("random-features").presets
    assert {p["of"] for p in presets.values()} == {f"lead:{name}" for name in lead.presets}


def test_a_method_without_a_network_cannot_be_imitated(floors: Path) -> None:
    with pytest.raises(BenchError, match="'pixels' has no network to leave untrained") as caught:
        done(method="random-features", given={"of": "pixels"})
    assert "initialise" in caught.value.cure


@pytest.mark.parametrize(
    "given, error, said",
    [
        ({"of": "slwo"}, UnknownName, "no method 'slwo'"),
        ({"of": "slow", "preset": "large"}, UnknownName, "no slow preset 'large'"),
        ({"of": "slow:large"}, UnknownName, "no slow preset 'large'"),
        ({"of": "slow", "settings": {"stepz": 1}}, SettingsInvalid, "stepz"),
        ({"of": "mean-shape"}, SettingsInvalid, "'mean-shape' is a floor itself"),
        ({"of": "slow", "stepz": 1}, SettingsInvalid, "stepz"),
    ],
)
def test_what_cannot_be_imitated_is_refused_before_any_work(
    floors: Path, given: dict, error: type, said: str
) -> None:
    with pytest.raises(error, match=said):
        make_plan(replace(REQUEST, method="random-features", given=given), QUIET)


def test_on_the_command_line_of_is_enough(floors: Path, run: Call) -> None:
    said = run("random-features", "--set", "of=slow", "--json")
    assert said.code == 0, said.err
    made = json.loads(Path(said.json["record"]).read_text())
    assert made["method"]["settings"]["settings"] == {"steps": 40}
