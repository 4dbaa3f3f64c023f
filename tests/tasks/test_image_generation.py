"""Image generation from end to end on a few rendered faces: floors, names, refusals, memory."""

from __future__ import annotations

import doctest
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tests_generation import RANDOM, SMALL_IMAGES

from benchmark.contracts import FitContext, Generator, Images, Method
from benchmark.contracts.errors import DataAltered, DataMissing, PluginBroken
from benchmark.files import load_arrays
from benchmark.home import home
from benchmark.interface.progress import Silent
from benchmark.interface.tables import items
from benchmark.metrics.frechet import frechet_distance_from_features
from benchmark.metrics.linearity import attribute_linearity
from benchmark.metrics.path_length import trimmed_mean
from benchmark.networks import feature_networks
from benchmark.networks.feature_networks import RandomConvolutions
from benchmark.pages.run_page import write_page
from benchmark.pictures import sheet
from benchmark.pictures.drawing import draw_pictures
from benchmark.protocols import Metric, ProtocolInvalid, read_protocol
from benchmark.protocols.generation import Generation
from benchmark.records.model import Record
from benchmark.registry.protocols import find_protocol
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.tasks import (
    attribute_classifier,
    generation_scores,
    image_generation,
    seen_features,
)
from benchmark.tasks.image_generation import BATCH
from benchmark.verification.verify import verify_record

QUIET = Silent()
Write = Callable[..., str]


@pytest.fixture
def protocol(floors: Path, tmp_path: Path) -> Write:
    """Writes the small protocol with some words changed, and gives its name."""

    def write(*changes: tuple[str, str], name: str = "small_images") -> str:
        text = SMALL_IMAGES.replace("small_images", name)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "protocols" / name / "1.toml"
        path.parent.mkdir()
        path.write_text(text)
        return name

    return write


def done(method: str, protocol: str, **changes) -> tuple[Plan, Record]:  # type: ignore[no-untyped-def]
    plan, outcome = made(method, protocol, **changes)
    return plan, outcome.record


def made(method: str, protocol: str, **changes) -> tuple[Plan, Outcome]:  # type: ignore[no-untyped-def]
    request = Request(method=method, protocol=protocol, twin=True, device="cpu", **changes)
    plan = make_plan(request, QUIET)
    return plan, run(plan, QUIET)


def values(record: Record) -> dict[str, float]:
    return {v.metric: v.value for v in record.metrics}


def test_the_scale_of_a_protocol_from_its_ceiling_to_noise(protocol: Write) -> None:
    name = protocol()
    found = {
        m: values(done(m, name)[1]) for m in ("oracle", "training-images", "tint", "noise-images")
    }
    assert found["oracle"]["fd_random_conv"] == pytest.approx(0, abs=1e-9)
    assert found["oracle"]["precision"] == found["oracle"]["recall"] == 100
    distance = {name: scores["fd_random_conv"] for name, scores in found.items()}
    assert distance["noise-images"] > 3 * distance["training-images"] > 0
    assert found["training-images"]["kd_random_conv"] < found["noise-images"]["kd_random_conv"]
    assert found["noise-images"]["recall"] == 0
    assert all(v["ppl2_wend/random-conv"] > 0 for v in found.values())


def test_training_images_on_what_they_were_fitted_on_are_at_distance_0(protocol: Write) -> None:
    name = protocol(("ytf68:people/test", "ytf68:people/train"))
    plan, record = done("training-images", name)
    assert plan.splits["fit"].pixels_digest == plan.splits["test"].pixels_digest
    assert record.headline.value == pytest.approx(0, abs=1e-9)
    # in a drawn order, each once
    images = plan.cls(plan.settings)
    images.load(plan.fit_folder / "model", "cpu")
    sampled = images.generator().sample(40, seed=0).numpy()
    kept = plan.splits["fit"].images().batch(slice(None)).numpy()
    assert not np.array_equal(sampled, kept)
    assert sorted(map(bytes, sampled)) == sorted(map(bytes, kept))


def test_a_record_of_single_numbers_says_how_many_images_and_through_what(protocol: Write) -> None:
    plan, record = done("training-images", protocol())
    assert all(v.ci95 is None and v.aggregate == "single" for v in record.metrics)
    counts = {v.metric: v.n for v in record.metrics}
    assert counts["fd_random_conv"] == 40
    assert counts["precision"] == 30
    assert counts["ppl2_wend/random-conv"] == 10
    assert record.probe["features"]["name"] == "fd-random-conv"
    assert record.probe["features"]["sha256"] == RandomConvolutions().sha256()
    assert record.probe["images"] == {"real": 40, "fake": 40}
    stated = record.probe["generation"]
    assert (stated["images"], stated["ddof"], stated["flips"]) == (40, 1, False)
    assert record.probe["latents"] == "the generator's own"
    checks = verify_record(plan_record(plan))
    assert {c.state for c in checks} <= {"ok", "not here"}


def test_precision_and_recall_may_look_through_a_network_of_their_own(
    protocol: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its features are kept apart, its metrics bear its name, and its weights are pinned as well."""

    class Coarse(RandomConvolutions):
        name = "fd-coarse"
        size = 8

    def network(name: str, device: str = "cpu") -> RandomConvolutions:
        return (Coarse if name == "fd-coarse" else RandomConvolutions)(device=device)

    monkeypatch.setattr(image_generation, "feature_network", network)
    monkeypatch.setattr(feature_networks, "NAMES", (*feature_networks.NAMES, "fd-coarse"))
    own = [
        ("[generation.neighbours]", '[generation.neighbours]\nnetwork = "fd-coarse"'),
        ('id = "precision"', 'id = "precision/coarse"'),
        ('id = "recall"', 'id = "recall/coarse"'),
    ]
    plan, record = done("training-images", protocol(*own, name="two_networks"))
    _, plain = done("training-images", protocol())
    _, coarse = done(
        "training-images",
        protocol(
            ("fd-random-conv", "fd-coarse"),
            ("fd_random_conv", "fd_coarse"),
            ("kd_random_conv", "kd_coarse"),
            name="coarse",
        ),
    )
    found, one, other = values(record), values(plain), values(coarse)
    assert found["fd_random_conv"] == one["fd_random_conv"] != other["fd_coarse"]
    shared = {name: (found[f"{name}/coarse"], other[name]) for name in ("precision", "recall")}
    assert all(mine == theirs for mine, theirs in shared.values())
    assert found["precision/coarse"] != one["precision"]
    assert record.probe["neighbours_features"]["name"] == "fd-coarse"
    asked: list[int] = []
    plan.task.predict(counting(asked), "generator", plan.splits, plan.scored, tmp_path, QUIET)
    assert sum(asked) == 40 + 2 * 10  # each image once, for both networks
    assert {p.stem for p in tmp_path.glob("*fake.npy")} == {"fake", "near-fake"}
    assert record.probe["features"]["name"] == "fd-random-conv"
    with pytest.raises(ProtocolInvalid, match="'precision'"):
        done("tint", protocol(own[0], name="wrong"))


def plan_record(plan: Plan) -> Path:
    from benchmark.runner.run import record_path

    return record_path(plan)


def test_a_twin_may_be_measured_in_its_own_way(protocol: Write) -> None:
    own = f"""
[twin.generation.weights]
"PCG64(0)" = "{RANDOM}"

[twin.generation.path]
pairs = 6
distance = "random-conv"

[[twin.metrics]]
id = "ppl_zfull/random-conv"
unit = ""
better = "lower"
aggregate = "single"
"""
    name = protocol(("people = 20\n", f"people = 20\n{own}"))
    plan, record = done("tint", name)
    assert values(record).keys() == {"ppl_zfull/random-conv"}
    assert "features" not in record.probe
    assert record.protocol.digest == plan.protocol.digest() != plan.scored.digest()
    assert plan.scored.data == plan.protocol.data
    assert plan.protocol.scored(twin=False) is plan.protocol
    folder = plan.splits["fit"].folder
    assert folder == make_plan_of(protocol(name="plain")).splits["fit"].folder
    assert all(c.state != "wrong" for c in verify_record(plan_record(plan)))


def make_plan_of(name: str) -> Plan:
    return make_plan(Request(method="tint", protocol=name, twin=True, device="cpu"), QUIET)


def test_absent_weights_are_refused_with_a_cure_before_anything_is_fitted(
    protocol: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCH_WEIGHTS", raising=False)
    name = protocol(
        ("fd-random-conv", "fd-squeezenet"),
        ("fd_random_conv", "fd_squeezenet"),
        ("kd_random_conv", "kd_squeezenet"),
    )
    with pytest.raises(DataMissing, match=r"squeezenet1_1_features\.pth") as caught:
        done("tint", name)
    assert "put it at" in caught.value.cure
    assert not (home() / "fits").exists()


def test_weights_that_the_protocol_does_not_pin_are_refused(protocol: Write) -> None:
    with pytest.raises(DataAltered, match="pins none"):
        done("tint", protocol(('"PCG64(0)"', '"PCG64(1)"')))


def test_one_generated_image_is_refused(floors: Path, tmp_path: Path) -> None:
    path = tmp_path / "protocols" / "small_images" / "1.toml"
    path.parent.mkdir()
    path.write_text(SMALL_IMAGES.replace("images = 40", "images = 1"))
    with pytest.raises(ProtocolInvalid, match="at least 2 generated images"):
        read_protocol(path)


def test_a_metric_that_the_section_does_not_describe_is_refused(protocol: Write) -> None:
    with pytest.raises(ProtocolInvalid, match="als_released"):
        done("tint", protocol(('id = "kd_random_conv"', 'id = "als_released"')))
    # through random features a distance may not bear the papers' name
    with pytest.raises(ProtocolInvalid, match="'fid'"):
        done("tint", protocol(('id = "fd_random_conv"', 'id = "fid"'), name="other"))


def test_images_of_another_size_are_refused(protocol: Write) -> None:
    with pytest.raises(PluginBroken, match="generates images of 4 px"):
        done("noise", protocol())


def counting(asked: list[int]) -> Method:
    """A method that notes how many images it is asked for at a time."""

    class Counting(Method):
        gives = ("generator",)

        def fit(self, images: Images, context: FitContext) -> None:
            pass

        def generator(self) -> Generator:
            def synthesis(w: torch.Tensor, noise: int) -> torch.Tensor:
                asked.append(len(w))
                return w[:, 0, :1, None, None].tanh().expand(-1, 3, 32, 32)

            return Generator(2, 1, 32, lambda z: z[:, None], synthesis)

    found = Counting(Counting.Settings())
    found.device = "cpu"
    return found


def test_images_are_looked_at_a_few_at_a_time_and_never_kept(
    protocol: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = protocol(("images = 40", "images = 300"))
    plan = make_plan_of(name)
    asked: list[int] = []
    plan.task.predict(counting(asked), "generator", plan.splits, plan.scored, tmp_path, QUIET)
    assert sum(asked) == 300 + 2 * 10
    assert max(asked) <= BATCH
    kept = {p.name: np.load(p).shape for p in tmp_path.glob("*.npy")}
    assert kept == {"fake.npy": (300, 192), "real.npy": (40, 192), "ppl2_wend.npy": (10,)}


def test_two_networks_see_the_same_images_made_once(protocol: Write, tmp_path: Path) -> None:
    """Shown the same images, their features are to the last bit those of a pass for each network."""
    device = Generator(
        48, 1, 4, lambda z: z[:, None], lambda w, noise: w[:, 0].reshape(-1, 3, 4, 4).tanh()
    )
    networks = {name: RandomConvolutions(seed) for seed, name in enumerate(("one", "other"))}
    together = {tmp_path / f"{name}.npy": network for name, network in networks.items()}
    made: list[int] = []

    def counted() -> Iterator[torch.Tensor]:
        for images in device.stream(100, 0, batch=BATCH):
            made.append(len(images))
            yield images

    seen_features.write_features(together, counted(), 100, "float32", QUIET, "")
    assert sum(made) == 100
    for name, network in networks.items():
        alone, stream = tmp_path / "alone.npy", device.stream(100, 0, batch=BATCH)
        seen_features.write_features({alone: network}, stream, 100, "float32", QUIET, "")
        assert (tmp_path / f"{name}.npy").read_bytes() == alone.read_bytes()


def test_what_pictures_and_tables_are_made_of_is_kept_and_scored_again(
    protocol: Write, tiny_classifier: None
) -> None:
    name = protocol(
        ('\n[[metrics]]\nid = "fd_random_conv"\n', LINEARITY),
        ('id = "kd_random_conv"\nunit = "1e-3"', 'id = "als_released"\nunit = ""'),
    )
    plan, outcome = made("tint", name)
    record = outcome.record
    kept = load_arrays(plan.folder / f"{plan.run_id}.predictions.npz")
    path = "ppl2_wend/random-conv"
    assert {name: array.shape for name, array in kept.items()} == {
        path: (10,), "logits": (3, 11, 2), "mahalanobis": (40,)
    }  # fmt: skip
    assert trimmed_mean(kept[path]) == values(record)[path]
    frame = items(outcome)
    assert frame["metric"].unique().tolist() == [path]
    np.testing.assert_array_equal(frame["value"], kept[path])
    checks = {c.name: c.state for c in verify_record(outcome.path, data=True)}
    assert checks[f"score {path}"] == checks["score als_released"] == "ok"
    # 40 real images in 192 dimensions
    assert 0 < record.probe["mahalanobis"]["shrinkage"] < 1
    by_step = np.array(record.probe["linearity_by_step"])
    assert by_step.shape == (11, 2)
    assert by_step[[0, -1]] == pytest.approx(0, abs=1e-6)
    released = (by_step / record.probe["attribute_deviation"]) ** 2
    assert released.sum(axis=0).mean() == pytest.approx(values(record)["als_released"], rel=1e-3)
    folder = draw_pictures(plan, outcome)
    assert folder is not None
    assert {p.stem for p in folder.iterdir()} == {
        *(
            "generated",
            "interpolations",
            "truncation",
            "smooth_paths",
            "rough_paths",
            "far",
            "edits",
        )
    }
    page = write_page(record, plan.folder).read_text()
    assert "Linearity by attribute" in page
    assert page.count("long_hair") >= 2  # in the chart and in the table
    assert "Attributes along straight lines" in page
    for title in ("Truncation", "Paths with the largest steps", "Farthest from real images"):
        assert f"<h2>{title}</h2>" in page


def test_a_run_that_kept_nothing_more_is_drawn_without_it(protocol: Write) -> None:
    """Records from before path lengths were kept still have their page."""
    plan, outcome = made("tint", protocol())
    (plan.folder / f"{plan.run_id}.predictions.npz").unlink()
    (outcome.path.parent / f"{plan.run_id}.predictions.npz").unlink()
    folder = draw_pictures(plan, outcome)
    assert folder is not None
    assert {p.stem for p in folder.iterdir()} == {"generated", "interpolations", "truncation"}


def test_truncation_leads_from_the_mean_to_the_image(protocol: Write) -> None:
    plan, outcome = made("training-images", protocol())
    folder = draw_pictures(plan, outcome)
    assert folder is not None
    from PIL import Image

    with Image.open(folder / "truncation.png") as image:
        picture = np.asarray(image).astype(float)
    top, side = 12 + 4, 192
    tiles = [
        [picture[top + y * 208 + 14 :, 2 + x * 196 :][:side, :side] for x in range(8)]
        for y in range(4)
    ]
    for row in tiles[1:]:
        np.testing.assert_array_equal(row[0], tiles[0][0])  # the mean is the same for all
        assert np.abs(row[-1] - row[0]).mean() > 5
    device = plan.cls(plan.settings)
    device.load(plan.fit_folder / "model", "cpu")
    first = device.generator().sample(1, seed=0)[0].permute(1, 2, 0).numpy()
    wanted = np.asarray(sheet.enlarged(Image.fromarray(first)))
    np.testing.assert_array_equal(tiles[0][-1], wanted)


def test_features_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    network = RandomConvolutions()
    generator = Generator(
        48, 1, 4, lambda z: z[:, None], lambda w, noise: w[:, 0].reshape(-1, 3, 4, 4).tanh()
    )
    for batch in (1, 7, 64):
        path = tmp_path / f"{batch}.npy"
        stream = generator.stream(20, 0, batch=batch)
        seen_features.write_features({path: network}, stream, 20, "float32", QUIET, "")
    first, *others = (np.load(tmp_path / f"{b}.npy") for b in (1, 7, 64))
    for other in others:
        np.testing.assert_allclose(other, first, rtol=1e-5, atol=1e-6)


def test_real_images_are_looked_at_once_for_each_network(
    protocol: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = make_plan_of(protocol()).splits["test"]
    network = RandomConvolutions()
    first = seen_features.real_features(network, split, "float32", False, QUIET)
    monkeypatch.setattr(network, "read", None)  # any look now fails
    again = seen_features.real_features(network, split, "float32", False, QUIET)
    np.testing.assert_array_equal(first, again)
    both = seen_features.real_features(RandomConvolutions(), split, "float16", True, QUIET)
    assert both.shape == (80, 192)
    assert both.dtype == np.float16
    np.testing.assert_allclose(both[:40], first, rtol=2e-3, atol=1e-3)
    other = seen_features.real_features(RandomConvolutions(seed=1), split, "float32", False, QUIET)
    assert not np.allclose(other, first)


@pytest.mark.parametrize("dimensions", [3, 90])
def test_scores_are_those_of_the_metrics(tmp_path: Path, dimensions: int) -> None:
    """Few features go in as they are, many through their moments; both are the same distance."""
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(60, dimensions)), 1 + rng.normal(size=(50, dimensions))
    np.save(tmp_path / "real.npy", real.astype(np.float32))
    np.save(tmp_path / "fake.npy", fake.astype(np.float32))
    logits = rng.normal(size=(4, 6, 2))
    np.save(tmp_path / "logits.npy", logits)
    how = Generation.model_validate(
        {
            "images": 50,
            "network": "inception/clean",
            "ddof": 0,
            "linearity": {"walks": 4, "classifier": "mine"},
        }
    )
    asked = tuple(
        Metric(id=i, unit="", better="lower", aggregate="single") for i in ("fid", "als_mean_raw")
    )
    protocol = find_protocol("ytf68_images").model_copy(
        update={"generation": how, "metrics": asked}
    )
    found = generation_scores.generation_values(tmp_path, protocol, how, QUIET)
    stored = real.astype(np.float32), fake.astype(np.float32)
    assert found.values["fid"] == pytest.approx(frechet_distance_from_features(*stored, ddof=0))
    by_attribute = attribute_linearity(logits, "mean_raw")
    assert found.values["als_mean_raw"] == pytest.approx(by_attribute.mean())
    assert found.items == {"fid": 50, "als_mean_raw": 4}
    assert found.about["linearity_by_attribute"]["als_mean_raw"] == pytest.approx(
        by_attribute, abs=1e-6
    )


@pytest.fixture
def tiny_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    small = attribute_classifier.OnTwins(
        images=48, size=32, epochs=1, held_out=16, attributes=("long_hair", "pale_skin")
    )
    monkeypatch.setitem(attribute_classifier.OWN, "face-twin/tiny", small)


LINEARITY = """
[generation.linearity]
walks = 3
classifier = "face-twin/tiny"

[[metrics]]
id = "fd_random_conv"
"""


def test_linearity_is_read_by_a_classifier_fitted_on_demand(
    protocol: Write, tiny_classifier: None
) -> None:
    name = protocol(
        ('\n[[metrics]]\nid = "fd_random_conv"\n', LINEARITY),
        ('id = "kd_random_conv"\nunit = "1e-3"', 'id = "als_mean_normalised"\nunit = ""'),
    )
    _, record = done("training-images", name)
    value = next(v for v in record.metrics if v.metric == "als_mean_normalised")
    assert value.n == 3
    assert value.value > 0
    about = record.probe["linearity"]["classifier"]
    assert about["attributes"] == ["long_hair", "pale_skin"]
    (file,) = (home() / "weights").glob("*.safetensors")
    assert about["sha256"] == attribute_classifier.file_sha256(file)
    table = record.probe["linearity_by_attribute"]["als_mean_normalised"]
    assert np.mean(table) == pytest.approx(value.value, rel=1e-5)


def test_a_classifier_of_ones_own_must_be_there(protocol: Write) -> None:
    changed = LINEARITY.replace("face-twin/tiny", "celeba40.safetensors")
    name = protocol(('\n[[metrics]]\nid = "fd_random_conv"\n', changed))
    with pytest.raises(DataMissing, match=r"celeba40\.safetensors") as caught:
        done("tint", name)
    assert "save_attributes" in caught.value.cure
    assert not (home() / "fits").exists()


def test_a_grid_of_generated_images_is_drawn(protocol: Write) -> None:
    plan, outcome = made("training-images", protocol())
    folder = draw_pictures(plan, outcome)
    assert folder is not None
    from PIL import Image

    with Image.open(folder / "generated.png") as image:
        assert image.size == (8 * 96, 4 * 96)
        corner = np.asarray(image)[:96, :96]
    first = plan.cls(plan.settings)
    first.load(plan.fit_folder / "model", "cpu")
    two = first.generator().sample(2, seed=0).permute(0, 2, 3, 1).numpy()
    wanted = [np.asarray(sheet.enlarged(Image.fromarray(each), 96)) for each in two]
    np.testing.assert_array_equal(corner, wanted[0])
    with Image.open(folder / "interpolations.png") as image:
        row = np.asarray(image)[:96].reshape(96, 8, 96, 3).swapaxes(0, 1)
    np.testing.assert_array_equal(row[[0, -1]], wanted)  # from the first image to the second


def test_on_the_command_line(protocol: Write, bench) -> None:  # type: ignore[no-untyped-def]
    name = protocol()
    said = bench("run", "-m", "tint", "-p", name, "--twin", "--device", "cpu", "--json")
    assert said.code == 0, said.err
    page = Path(said.json["page"])
    assert "Generated images" in page.read_text()
    assert (page.parent / "pictures" / "generated.png").exists()
    assert json.loads(Path(said.json["record"]).read_text())["method"]["used"] == "generator"
    assert (
        "fd_random_conv, lower is better"
        in (Path(said.json["record"]).parent.parent / "README.md").read_text()
    )


@pytest.mark.parametrize("module", [generation_scores, sheet])
def test_examples_in_docstrings(module) -> None:  # type: ignore[no-untyped-def]
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0
