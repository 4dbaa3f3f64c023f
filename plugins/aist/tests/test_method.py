"""AIST as a method: what it predicts, refuses and goes on with; one step of its training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from bench_aist import DEMO, EXPERIMENT2, EXPERIMENT3, SMALL
from bench_aist.method import Aist
from bench_aist.outline import step_alpha
from bench_aist.training import Training, steps_of

from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images, to_signed
from benchmark.registry.plugins import plugins
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.testing.standin import make_context

Make = Callable[..., Training]


@pytest.fixture
def fitted(tiny: dict[str, Any], images: Images) -> Callable[..., Aist]:
    def fit(folder: Path, **given: Any) -> Aist:
        method = Aist(Aist.Settings(**{**tiny, "steps": 2} | given))
        method.fit(images, make_context(folder))
        return method

    return fit


@pytest.mark.parametrize("preset", [EXPERIMENT2, EXPERIMENT3, SMALL, DEMO])
def test_presets_can_be_read(preset: dict[str, Any]) -> None:
    settings = Aist.Settings(**preset)
    names = [weight.name for weight in Aist.info(settings).pretrained]
    usual = {True: ["resnet18-f37072fd.pth"], False: ["squeezenet1_1_features.pth"]}
    assert names == (usual["features" not in preset] if settings.features_trained else [])


def test_exact_translations_have_the_outline_of_what_was_given(
    fitted: Callable[..., Aist], images: Images, tmp_path: Path
) -> None:
    shown = to_signed(images.tensor())
    for alpha in ("exact", "soft", "step"):
        method = fitted(tmp_path / alpha, alpha=alpha)
        with torch.inference_mode():
            found = method.predict(shown)
        assert found.images.shape == shown.shape
        assert float(found.images.abs().max()) <= 1
        if alpha == "exact":
            assert torch.equal(found.alpha, step_alpha(shown))
        if alpha != "soft":
            assert torch.equal(found.alpha, step_alpha(found.images))
        assert not torch.equal(found.images, shown)


def test_a_step_moves_generators_and_discriminators_of_both_ways(
    training: Make, tiny: dict[str, Any], tmp_path: Path
) -> None:
    method = Aist(Aist.Settings(**tiny, steps=4))
    found = training(tmp_path, method.build(16), alpha="exact")
    before = [p.clone() for p in (*found.makes.parameters(), *found.judges.parameters())]
    values = found.update(0)
    after = [*found.makes.parameters(), *found.judges.parameters()]
    moved = [not torch.equal(a, b) for a, b in zip(before, after, strict=True) if a.ndim > 1]
    assert all(moved)
    terms = {"game", "cycle", "identity"}
    assert set(values) == {"loss", "judges", *terms}
    assert float(values["loss"]) == pytest.approx(sum(float(values[t]) for t in terms), rel=1e-5)
    assert [len(pool.images) for pool in found.pools.values()] == [2, 2]
    assert found.samples().shape == (12, 3, 16, 16)


def test_the_domains_are_drawn_in_orders_of_their_own(training: Make, tmp_path: Path) -> None:
    found = training(tmp_path)
    orders = [
        [order.indices(step).tolist() for step in range(40)]
        for order in (found.batches[way].order for way in ("there", "back"))
    ]
    assert orders[0] != orders[1]


def test_the_rate_is_constant_or_falls_at_the_end(training: Make, tmp_path: Path) -> None:
    def rates(**given: Any) -> list[float]:
        found = training(tmp_path / str(given), **given)
        seen = []
        for step in range(4):
            found.update(step)
            seen.append(found.makes.optimiser.param_groups[0]["lr"])
        return seen

    assert rates() == [2e-4] * 4
    assert rates(cooling=0.5) == pytest.approx([2e-4, 2e-4, 2e-4, 1e-4])


def test_an_epoch_is_as_long_as_the_larger_domain(tiny: dict[str, Any], images: Images) -> None:
    fewer = Images(images.pixels[:2], 16, "0" * 64, domains=images.domains)
    assert steps_of(Aist.Settings(**tiny, epochs=3.0), fewer) == 6
    assert steps_of(Aist.Settings(**tiny, steps=5), fewer) == 5


@pytest.mark.parametrize(
    "given, said",
    [
        ({"features": "resnet19"}, "resnet19"),
        ({"feature_layer": "layer9"}, "no layers"),
        ({"features": "timm/resnet18", "feature_layer": "4"}, "features: "),
        ({"alpha_weight": (-1.0, 0.0)}, "0 or more"),
        ({"alpha": "sharp"}, "alpha"),
    ],
)
def test_impossible_settings_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Aist.Settings(**given)


@pytest.mark.parametrize("size, said", [(18, "multiple of 4"), (4, "multiple of 4"), (8, "judge")])
def test_images_of_other_sides_are_refused(tiny: dict[str, Any], size: int, said: str) -> None:
    with pytest.raises(Incompatible) as caught:
        Aist(Aist.Settings(**tiny | {"judge_layers": 2})).build(size)
    assert said in f"{caught.value.message} {caught.value.cure}"


def test_a_protocol_without_the_domain_is_refused_plainly() -> None:
    request = Request("aist", "stanford_cars_masks", twin=True, device="cpu")
    said = "'aist' learns from images of photographs, which protocol stanford_cars_masks@1 does not"
    with pytest.raises(Incompatible, match=said):
        make_plan(request, lambda *a, **k: None)  # type: ignore[arg-type]
    assert "aist" in plugins().methods


@pytest.mark.long
def test_a_fit_that_was_killed_ends_in_the_same_bits(
    fitted: Callable[..., Aist], tiny: dict[str, Any], images: Images, tmp_path: Path
) -> None:
    """The pool is full and is exchanged with after the kill."""

    class Killed(Exception):
        pass

    given = {"steps": 8, "pool": 3, "mirror": True, "alpha": "exact"}
    whole = fitted(tmp_path / "whole", **given)
    method = Aist(Aist.Settings(**tiny | given))
    context = make_context(tmp_path / "killed")

    def kill(stage: str, step: int, total: int, **values: float) -> None:
        if step == 4:
            raise Killed

    context.progress = kill
    context.checkpoints.due = lambda: True  # type: ignore[method-assign]
    with pytest.raises(Killed):
        method.fit(images, context)
    again = Aist(method.settings)
    again.fit(images, make_context(tmp_path / "killed"))
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name
