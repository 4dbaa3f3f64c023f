"""Floors and ceilings are what they say they are, on a small twin."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests_fixtures import Call
from tests_support import SMALL_PROTOCOL

from benchmark.boards.entries import read_entries
from benchmark.boards.rows import make_rows
from benchmark.contracts.errors import BenchError, UnknownName
from benchmark.home import leaderboards
from benchmark.interface.progress import Silent
from benchmark.metrics.landmarks import inter_ocular_distance, normalised_mean_error
from benchmark.probes.part_centres import landmarks_of
from benchmark.records.model import Record
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run as run_plan
from benchmark.settings import SettingsInvalid, from_words
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
    floors = (
        "mean-shape",
        "full-frame",
        "centre-disc",
        "random-features",
        "ellipsoid-cloud",
        "image-grid",
        "noise-images",
        "training-clouds",
        "training-cloud",
    )
    others = {"training-images": "reference", "oracle": "ceiling"}
    assert roles == dict.fromkeys(floors, "floor") | others


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


def test_the_networks_that_plugins_name_have_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list = []
    names = ("lead", "imm", "stylegan2", "dpc", "dve", "latentkeypointgan", "ganseg")
    names = (*names, "lmdis", "scops")
    for name in (f"bench_{name}" for name in names):
        pytest.importorskip(name).bench_methods(registered.append)
    monkeypatch.delenv("BENCH_PLUGINS", raising=False)
    plugins.cache_clear()
    there = {f"{spec.id}:{name}" for spec in registered for name in spec.presets}
    presets = plugins().method("random-features").presets
    named = {p["of"] for p in presets.values()}
    assert named <= there
    # of these sizes no fit was made that an untrained network could stand beside
    unmade = {"stylegan2:auto", "stylegan2:paper256", "dpc:paper", "dpc:released"}
    unmade |= {"latentkeypointgan:paper", "ganseg:paper-flowers", "ganseg:paper-taichi"}
    unmade |= {"scops:paper", "scops:paper-without"}
    unmade |= {f"ganseg:released-{name}" for name in ("cub", "flowers", "taichi")}
    assert there - named == unmade


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


SECTIONS = SMALL_PROTOCOL[SMALL_PROTOCOL.index("[landmarks]") : SMALL_PROTOCOL.index("[twin]")]
MASKS = """[foreground]
parts = "argmax"

[[metrics]]
id = "foreground_iou"
unit = "%"
better = "higher"

"""


def test_methods_of_every_kind_have_an_untrained_floor(floors: Path, protocol_with) -> None:
    name = protocol_with(
        "small_masks",
        ("landmark_regression", "foreground_segmentation"),
        ('needs = ["descriptors", "landmarks"]', 'needs = ["parts"]'),
        ("ytf68:people/", "flowers17:"),
        ("[geometry.ytf68]", 'labels = ["masks"]\n\n[geometry.flowers17]'),
        (SECTIONS, MASKS),
    )
    floor = record(method="random-features", protocol=name, given={"of": "halves"})
    assert (floor.method.gives, floor.method.used) == (["parts"], "parts")
    learnt = record(method="halves", protocol=name)
    assert floor.headline == replaced(learnt.headline, floor)  # its fit learns nothing
    board = find_protocol(name)
    rows = {r.method: r for r in make_rows(board, read_entries(board, twin=True)[0])}
    assert rows["halves"].floor == (0, 0, 0, 1, 1)


def test_an_untrained_generator_is_the_imitated_one(floors: Path) -> None:
    cls = implementation(plugins().method("random-features"))
    made = cls(cls.Settings(of="tint"))
    assert cls.info(made.settings).gives == ("generator",)
    made.inner.mean = torch.zeros(3, 8, 8)
    assert made.generator().size == 8


def test_a_later_version_of_a_method_has_a_floor_of_its_own(
    floors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_plan(replace(REQUEST, method="random-features", given={"of": "slow"}), QUIET)
    later = replace(plugins().method("slow"), version=2)
    monkeypatch.setitem(plugins().methods, "slow", later)
    plan = make_plan(replace(REQUEST, method="random-features", given={"of": "slow"}), QUIET)
    assert plan.settings.model_dump()["version"] == 2
    assert plan.run_id != first.run_id
    floor, learnt = record(method="random-features", given={"of": "slow"}), record(method="slow")
    board = find_protocol(REQUEST.protocol)
    rows = {r.method: r for r in make_rows(board, read_entries(board, twin=True)[0])}
    difference = learnt.headline.value - floor.headline.value
    assert rows["slow"].floor is not None
    assert rows["slow"].floor[0] == pytest.approx(difference)
    monkeypatch.setitem(plugins().methods, "slow", replace(later, version=3))
    assert record(method="slow").method.version == 3
    rows = {r.variant: r for r in make_rows(board, read_entries(board, twin=True)[0])}
    assert rows["version 2"].floor is not None
    assert rows["version 3"].floor is None


def test_the_code_in_the_record_is_the_imitated_methods(floors: Path) -> None:
    made = record(method="random-features", given={"of": "slow"})
    assert made.code.plugin == record(method="slow").code.plugin
    assert made.code.plugin != record().code.plugin


def test_on_the_command_line_of_is_enough(floors: Path, run: Call) -> None:
    said = run("random-features", "--set", "of=slow", "--json")
    assert said.code == 0, said.err
    made = json.loads(Path(said.json["record"]).read_text())
    assert made["method"]["preset"] == ""  # not the one that --twin takes for another method
    assert made["method"]["settings"]["settings"] == {"steps": 40}


@pytest.mark.parametrize("size", [64, 129])
def test_the_disc_covers_half_of_the_picture_and_lies_in_its_middle(size: int) -> None:
    from bench_floors.regions import CentreDisc, FullFrame

    images = torch.zeros(2, 3, size, size)
    disc = CentreDisc(CentreDisc.Settings()).predict(images)
    assert disc.foreground().float().mean().item() == pytest.approx(0.5, abs=0.01)
    middle = torch.full((2, 1, 2), (size - 1) / 2)
    torch.testing.assert_close(landmarks_of(disc).points, middle)
    small = CentreDisc(CentreDisc.Settings(radius=0.1)).predict(images).foreground()
    assert small.float().mean().item() == pytest.approx(torch.pi * 0.01, rel=0.1)
    assert FullFrame(FullFrame.Settings()).predict(images).foreground().all()


def test_the_oracle_gives_masks_back_as_one_part(floors: Path) -> None:
    from bench_floors.oracle import Oracle

    masks = torch.tensor([[[1, 0], [255, 1]]], dtype=torch.uint8)
    oracle = Oracle(Oracle.Settings())
    parts = oracle.predict_from_labels(torch.zeros(1, 3, 2, 2), masks)
    assert parts.foreground().tolist() == [[[True, False], [False, True]]]
    assert Oracle.info(Oracle.Settings()).gives == (
        "landmarks",
        "parts",
        "shape_and_pose",
        "generator",
    )
    assert Oracle.info(Oracle.Settings(kind="descriptors")).gives == ("descriptors",)


def test_a_table_of_images_shows_each_once_and_then_again() -> None:
    import torch
    from bench_floors.shown_images import in_turn, shuffled

    pixels = np.random.default_rng(0).integers(0, 256, (1000, 6, 6, 3), np.uint8)
    middle = pixels[:, 1:5, 1:5].transpose(0, 3, 1, 2)
    turned = in_turn(pixels, 4).sample(1003, seed=5).numpy()
    np.testing.assert_array_equal(turned, middle[np.arange(1003) % 1000])
    drawn = shuffled(pixels, 4)
    mixed = drawn.sample(1000, seed=5).numpy()
    assert sorted(map(bytes, mixed)) == sorted(map(bytes, middle))
    assert not np.array_equal(mixed, drawn.sample(1000, seed=6).numpy())
    # an untold z picks too, by direction alone, and w is the image itself
    z = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    w = drawn.mapping(z)
    assert torch.equal(w, drawn.mapping(3 * z))
    known = {bytes(image) for image in middle}
    shown = drawn.synthesis(w, 0).add(1).mul(127.5).round().to(torch.uint8)
    assert {bytes(image) for image in shown.numpy()} <= known
    faded = drawn.synthesis((w[:1] + w[1:2]) / 2, 0)
    assert torch.allclose(faded, (drawn.synthesis(w[:1], 0) + drawn.synthesis(w[1:2], 0)) / 2)


def test_noise_images_are_uniform_and_their_own() -> None:
    from bench_floors.shown_images import NoiseImages

    noise = NoiseImages(NoiseImages.Settings())
    noise.size = 16
    images = noise.generator().sample(200, seed=0).double()
    assert images.mean().item() == pytest.approx(127.5, abs=0.5)
    assert images.var().item() == pytest.approx(256**2 / 12, rel=0.01)
    assert not (images[0] == images[1]).all()


def test_training_images_keep_as_many_as_they_are_told(tmp_path: Path) -> None:
    from bench_floors.shown_images import TrainingImages

    from benchmark.contracts import Images

    pixels = np.random.default_rng(0).integers(0, 256, (30, 10, 10, 3), np.uint8)

    class Context:
        seed = 1

    method = TrainingImages(TrainingImages.Settings(images=12))
    method.fit(Images(pixels, 8, ""), Context())
    method.save(tmp_path)
    method.load(tmp_path, "cpu")
    kept = {bytes(image) for image in method.images}
    assert len(kept) == 12
    assert kept < {bytes(image) for image in pixels[:, 1:9, 1:9]}


@pytest.mark.parametrize(
    "words, said",
    [
        ("settings={steps=3", "what follows settings= is no TOML value"),
        ("settings=3", "settings is 3, expected a table: settings.KEY=VALUE"),
        ("of=3", "of is 3, expected a method or method:preset"),
    ],
)
def test_settings_that_are_no_table_are_one_clear_error(
    floors: Path, bench: Call, words: str, said: str
) -> None:
    done = bench("run", "-m", "random-features", "-p", "small_faces", "--twin", "--set", words)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("error: ") == 1


def test_settings_of_the_imitated_method_may_be_a_table_or_none(floors: Path) -> None:
    table = make_plan(
        replace(REQUEST, method="random-features", given={"of": "slow", "settings": {"steps": 0}}),
        QUIET,
    )
    given = from_words(["of=slow", "settings={steps = 0}"])
    assert make_plan(replace(table.request, given=given), QUIET).run_id == table.run_id
