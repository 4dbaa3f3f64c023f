from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_lead
import pytest
import torch
from bench_lead.method import Lead
from bench_lead.settings import STAGE1, LeadSettings
from pydantic import ValidationError

from benchmark.contracts import MethodSpec
from benchmark.contracts.errors import BenchError
from benchmark.contracts.images import Images
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.settings import from_words, resolve_settings
from benchmark.training.weights import save_weights

TINY: dict[str, Any] = {
    "epochs": 2.0,
    "batch": 8,
    "learning_rate": 0.01,
    "hidden": 16,
    "projection": 8,
    "crop_size": 24,
    "hypercolumn_size": 8,
    "distil_epochs": 2.0,
    "distil_batch": 4,
    "distil_learning_rate": 0.01,
    "pyramid_width": 8,
    "head_width": 8,
    "distil_queries": 16,
    "precision": "float32",
}
Make = Callable[..., Any]
WEIGHTS = {
    "none": (25284.186, 25280.025),
    "fpn": (25789.426, 25811.704),
    "pca": (25397.884, 25482.443),
    "nmf": (25341.585, 25348.823),
    "random_projection": (25983.811, 25979.650),
}
"""Of all weights with these settings and seed 0, untrained and fitted: the sum of absolute values."""
SHORT = {"distil_epochs": 0.25, "distil_learning_rate": 0.0005}
"""Of stage 2, which amplifies what is rounded: in full, even one thread and two end percents apart."""
KINDS = tuple(WEIGHTS)


def settings(reduction: str, **more: Any) -> LeadSettings:
    size = {} if reduction == "none" else {"dimension": 6}
    return LeadSettings(**TINY | {"reduction": reduction} | size | more)


def some(images: Images) -> torch.Tensor:
    return images.batch(slice(0, 3)).float().div(127.5).sub(1)


def spec() -> MethodSpec:
    found: list[MethodSpec] = []
    bench_lead.bench_methods(found.append)
    return found[0]


def test_registration_is_whole_and_light() -> None:
    assert spec().problems() == []
    code = (
        "import bench_lead, sys; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("preset", ["paper", "small", "demo"])
@pytest.mark.parametrize("reduction", KINDS)
def test_presets_are_settings(preset: str, reduction: str) -> None:
    made = LeadSettings(**spec().presets[preset], reduction=reduction)
    assert made.dimension == (None if reduction == "none" else 64)


def test_dimension_without_reduction_is_refused() -> None:
    with pytest.raises(ValidationError, match="whole hypercolumn"):
        LeadSettings(reduction="none", dimension=64)


def test_stage_1_does_not_depend_on_what_follows() -> None:
    assert settings("none").of_stage1() == settings("fpn", dimension=9, temperature=0.1).of_stage1()
    assert settings("none").of_stage1() != settings("none", epochs=3.0).of_stage1()
    later = {"reduction", "dimension", "hypercolumn_size", "temperature", "pyramid_width"}
    later |= {"head_width", "unit_length", "projector_scale", "spatial_softmax"} | {
        n for n in LeadSettings.model_fields if n.startswith("distil_")
    }
    assert set(STAGE1) | later == set(LeadSettings.model_fields)


@pytest.mark.parametrize("reduction", KINDS)
def test_fit_predict_save_load(
    reduction: str, images: Images, tmp_path: Path, make_context: Make
) -> None:
    method = Lead(settings(reduction))
    method.fit(images, make_context(tmp_path / "run"))
    with torch.inference_mode():
        found = method.predict(some(images))
    assert found.maps.shape == (3, 360 if reduction == "none" else 6, 8, 8)
    assert (found.stride, found.offset) == (4.0, 1.5)
    folder = tmp_path / "weights"
    folder.mkdir()
    method.save(folder)
    loaded = Lead(settings(reduction))
    loaded.load(folder, "cpu")
    with torch.inference_mode():
        assert torch.equal(loaded.predict(some(images)).maps, found.maps)


@pytest.mark.parametrize("reduction", KINDS)
def test_initialise_is_a_function_of_the_seed(
    reduction: str, images: Images, tmp_path: Path, make_context: Make
) -> None:
    def maps(seed: int) -> torch.Tensor:
        method = Lead(settings(reduction))
        method.initialise(images, make_context(tmp_path / str(seed), seed=seed))
        return method.predict(some(images)).maps

    assert torch.equal(maps(0), maps(0))
    assert not torch.equal(maps(0), maps(1))


def test_stage_1_is_trained_once(images: Images, tmp_path: Path, make_context: Make) -> None:
    first, second = make_context(tmp_path / "a"), make_context(tmp_path / "b")
    Lead(settings("none")).fit(images, first)
    Lead(settings("fpn")).fit(images, second)
    assert {row["stage"] for row in first.seen.log} == {"stage1"}
    assert {row["stage"] for row in second.seen.log} == {"stage2"}


def test_milestones_are_what_the_hypercolumn_loads(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    context = make_context(tmp_path / "run")
    method = Lead(settings("none"))
    method.fit(images, context)
    kept = dict(context.seen.milestones)
    assert list(kept) == [0, 8, 16, 40, 80]
    untrained, last = Lead(settings("none")), Lead(settings("none"))
    untrained.load(kept[0], "cpu")
    last.load(kept[80], "cpu")
    start = Lead(settings("none"))
    start.initialise(images, make_context(tmp_path / "other"))
    assert torch.equal(untrained.predict(some(images)).maps, start.predict(some(images)).maps)
    assert torch.equal(last.predict(some(images)).maps, method.predict(some(images)).maps)


@pytest.mark.parametrize("reduction", ["none", "fpn"])
@pytest.mark.long
def test_killed_and_resumed_is_bit_identical(
    reduction: str, images: Images, tmp_path: Path, make_context: Make
) -> None:
    choice = settings(reduction, epochs=5.0, distil_epochs=5.0)
    straight = Lead(choice)
    straight.fit(images, make_context(tmp_path / "straight" / "run"))
    for kill in (True, True, False):
        resumed = Lead(choice)
        context = make_context(tmp_path / "killed" / "run", every=1, kill_after=1 if kill else 0)
        if kill:
            with pytest.raises(KeyboardInterrupt):
                resumed.fit(images, context)
        else:
            resumed.fit(images, context)
    expected = straight.predict(some(images)).maps
    assert torch.equal(resumed.predict(some(images)).maps, expected)


@pytest.mark.long
def test_stage_2_comes_closer_to_the_teacher(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    context = make_context(tmp_path / "run")
    Lead(settings("fpn", distil_epochs=40.0, distil_optimiser="adamw")).fit(images, context)
    rows = [r for r in context.seen.log if "held_out_loss" in r]
    gaps = [r["held_out_loss"] - r["held_out_entropy"] for r in rows]
    assert all(gap > -1e-4 for gap in gaps)
    assert gaps[-1] < 0.75 * gaps[0]
    assert rows[0]["held_out_entropy"] == pytest.approx(rows[-1]["held_out_entropy"], abs=1e-5)


def test_unit_length_changes_lengths_only(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    found = []
    for unit in (False, True):
        method = Lead(settings("none", unit_length=unit))
        method.initialise(images, make_context(tmp_path / str(unit)))
        found.append(method.predict(some(images)).maps)
    torch.testing.assert_close(found[1].norm(dim=1), torch.ones(3, 8, 8))
    torch.testing.assert_close(found[1] * found[0].norm(dim=1, keepdim=True), found[0])


def test_no_pretrained_weights() -> None:
    info = Lead.info(settings("none"))
    assert info.pretrained == ()
    assert info.supervision == "none"


def test_predicting_before_fitting_is_refused() -> None:
    with pytest.raises(BenchError, match="no weights yet"):
        Lead(settings("none")).predict(torch.zeros(1, 3, 32, 32))


def size_of(weights: dict[str, torch.Tensor]) -> float:
    """The sum of all weights' absolute values."""
    return sum(float(value.double().abs().sum()) for value in weights.values())


@pytest.mark.parametrize("reduction", KINDS)
def test_a_seed_gives_the_weights_it_always_gave(
    reduction: str, images: Images, tmp_path: Path, make_context: Make
) -> None:
    """Numbers of the first version: with others, fits of that version would have another identity."""
    method = Lead(settings(reduction, **SHORT))
    method.initialise(images, make_context(tmp_path / "initialise" / "run"))
    untrained = size_of(method.network.state_dict())
    method.fit(images, make_context(tmp_path / "fit" / "run"))
    fitted = size_of(method.network.state_dict())
    assert (untrained, fitted) == pytest.approx(WEIGHTS[reduction], rel=1e-4)


@pytest.mark.parametrize("reduction", KINDS)
def test_fits_from_before_the_size_was_noted_are_read(
    reduction: str, images: Images, tmp_path: Path, make_context: Make
) -> None:
    method = Lead(settings(reduction))
    method.initialise(images, make_context(tmp_path / "run"))
    net = method.network
    weights = {f"network.{k}": v for k, v in net.network.state_dict().items()}
    weights |= {f"reduction.{k}": v for k, v in net.reduction.named_buffers()}
    save_weights(tmp_path, weights)
    old = Lead(settings(reduction))
    old.load(tmp_path, "cpu")
    assert torch.equal(old.predict(some(images)).maps, method.predict(some(images)).maps)


@pytest.mark.parametrize("word", ["reduction=none", 'reduction="none"'])
def test_the_word_none_asks_for_the_hypercolumn(word: str) -> None:
    """None must not be taken for "not given", which would be a student."""
    given = from_words([word])
    for name, preset, on_top in (
        ("lead", "small", given),
        ("random-features", "lead-small", {"settings": given}),
    ):
        spec = plugins().method(name)
        _, settings = resolve_settings(spec, implementation(spec), preset, on_top)
        found = settings.model_dump()
        found = found.get("settings", found)
        assert (found["reduction"], found["dimension"]) == ("none", None)
