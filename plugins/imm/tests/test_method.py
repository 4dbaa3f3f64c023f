"""IMM as a method: what it gives, keeps and refuses, and that a killed fit ends as a straight one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bench_imm
import numpy as np
import pytest
import torch
from bench_imm.method import Imm
from bench_imm.schedule import Plateau
from bench_imm.settings import ImmSettings
from bench_imm.training import clip
from torch import nn

from benchmark.contracts import MethodSpec
from benchmark.contracts.errors import BenchError, Incompatible
from benchmark.contracts.images import Images
from benchmark.testing.conformance import check_method
from benchmark.training.weights import load_notes, save_weights

TINY: dict[str, Any] = {
    "landmarks": 4, "layout": "released", "size": 32, "width": 4, "blocks": 3, "sigma": 0.3,
    "perceptual": "none", "depth": 0, "margin": True, "steps": 6, "batch": 8,
    "schedule": "cosine",
}  # fmt: skip
Make = Callable[..., Any]


def settings(**more: Any) -> ImmSettings:
    return ImmSettings(**TINY | more)


def some(images: Images) -> torch.Tensor:
    return images.batch(slice(0, 3)).float().div(127.5).sub(1)


def spec() -> MethodSpec:
    found: list[MethodSpec] = []
    bench_imm.bench_methods(found.append)
    return found[0]


def test_registration_is_whole_and_light() -> None:
    assert spec().problems() == []
    code = "import bench_imm, sys; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("preset", ["paper", "released", "small", "demo"])
def test_presets_are_settings(preset: str) -> None:
    for renderer in ("bilinear", "transposed"):
        for landmarks in (5, 10, 30):
            ImmSettings(**spec().presets[preset], renderer=renderer, landmarks=landmarks)


def test_paper_and_released_differ_where_the_codes_do() -> None:
    paper, released = (ImmSettings(**spec().presets[p]) for p in ("paper", "released"))
    assert (paper.schedule, paper.plateau_factor, paper.weight_decay) == ("plateau", 0.5, 5e-4)
    assert (paper.clip_by, paper.clip, paper.weighting) == ("all", 1.0, "fixed")
    assert (released.schedule, released.decay_factor, released.decay_steps) == (
        "decay", 0.95, 100_000,
    )  # fmt: skip
    assert (released.clip_by, released.weighting, released.batch) == ("variable", "running", 50)
    assert paper.weights == released.weights == (100.0, 1.6, 2.3, 1.8, 2.8, 100.0)


def test_weights_of_the_loss_are_declared() -> None:
    assert Imm.info(settings()).pretrained == ()
    assert Imm.info(settings(perceptual="untrained", depth=1)).pretrained == ()
    (file,) = Imm.info(ImmSettings(**spec().presets["small"])).pretrained
    assert file.name == "squeezenet1_1_features.pth"
    (file,) = Imm.info(ImmSettings(**spec().presets["paper"])).pretrained
    assert file.name == "vgg16-397923af.pth"
    assert len(file.sha256) == 64


def test_fit_predict_save_load(images: Images, tmp_path: Path, make_context: Make) -> None:
    method = Imm(settings())
    method.fit(images, make_context(tmp_path / "run"))
    with torch.inference_mode():
        found = method.predict(some(images))
    assert found.points.shape == (3, 4, 2)
    assert ((found.points > 0) & (found.points < 31)).all()
    folder = tmp_path / "weights"
    folder.mkdir()
    method.save(folder)
    loaded = Imm(settings())
    loaded.load(folder, "cpu")
    with torch.inference_mode():
        assert torch.equal(loaded.predict(some(images)).points, found.points)
        picture = loaded.render(some(images), some(images))
    assert picture.shape == (3, 3, 32, 32)
    assert float(picture.abs().max()) <= 1


def test_initialise_is_where_fit_starts(images: Images, tmp_path: Path, make_context: Make) -> None:
    def points(seed: int) -> torch.Tensor:
        method = Imm(settings())
        method.initialise(images, make_context(tmp_path / str(seed), seed=seed))
        return method.predict(some(images)).points

    assert torch.equal(points(0), points(0))
    assert not torch.equal(points(0), points(1))
    context = make_context(tmp_path / "run")
    Imm(settings()).fit(images, context)
    kept = dict(context.seen.milestones)
    first = Imm(settings())
    first.load(kept[0], "cpu")
    assert torch.equal(first.predict(some(images)).points, points(0))


def test_milestones_are_what_load_reads(images: Images, tmp_path: Path, make_context: Make) -> None:
    context = make_context(tmp_path / "run")
    method = Imm(settings())
    method.fit(images, context)
    kept = dict(context.seen.milestones)
    assert max(kept) == 6 * 8
    last = Imm(settings())
    last.load(kept[48], "cpu")
    assert torch.equal(last.predict(some(images)).points, method.predict(some(images)).points)


@pytest.mark.parametrize(
    "change",
    [
        {"schedule": "plateau", "plateau_steps": 2},
        {"perceptual": "untrained", "depth": 1, "renderer": "transposed", "clip_by": "variable"},
        {"pairs": "views"},
    ],
)
def test_killed_and_resumed_is_bit_identical(
    change: dict[str, Any], images: Images, tmp_path: Path, make_context: Make
) -> None:
    choice = settings(**change)
    seen = Images(images.pixels, images.size, "x", objects=np.arange(len(images)) // 2)
    straight = Imm(choice)
    straight.fit(seen, make_context(tmp_path / "straight"))
    for kill in (True, True, False):
        resumed = Imm(choice)
        context = make_context(tmp_path / "killed", every=1, kill_after=1 if kill else 0)
        context = replace(context, log=lambda row: None)
        if kill:
            with pytest.raises(KeyboardInterrupt):
                resumed.fit(seen, context)
        else:
            resumed.fit(seen, context)
    expected, found = straight.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_the_loss_falls(images: Images, tmp_path: Path, make_context: Make) -> None:
    context = make_context(tmp_path / "run")
    Imm(settings(steps=60, learning_rate=3e-3)).fit(images, context)
    rows = [r for r in context.seen.log if "pixels" in r]
    assert rows[-1]["pixels"] < 0.7 * rows[0]["pixels"]


def test_pairs_of_views_need_a_grant(images: Images, tmp_path: Path, make_context: Make) -> None:
    with pytest.raises(Incompatible, match="does not grant"):
        Imm(settings(pairs="views")).fit(images, make_context(tmp_path))


def test_predicting_before_fitting_is_refused() -> None:
    with pytest.raises(BenchError, match="no weights yet"):
        Imm(settings()).predict(torch.zeros(1, 3, 32, 32))


def test_the_rate_halves_when_the_mean_loss_no_longer_falls() -> None:
    plateau = Plateau(1e-3, 3e-4, 0.5, steps=2)
    rates = [plateau.add(loss) for loss in (5, 5, 4, 4, 4, 4, 3, 3, 9, 9, 9, 9)]
    assert rates == [1e-3] * 5 + [5e-4] * 4 + [3e-4] * 3
    again = Plateau(1e-3, 3e-4, 0.5, steps=2)
    again.load_state_dict(plateau.state_dict())
    assert again.add(1) == plateau.add(1)


def test_gradients_are_clipped_together_or_one_by_one() -> None:
    def clipped(by: str) -> list[float]:
        pair = nn.ParameterList([nn.Parameter(torch.zeros(1)) for _ in range(2)])
        pair[0].grad, pair[1].grad = torch.tensor([3.0]), torch.tensor([4.0])
        clip(pair, 1.0, by)
        return [float(p.grad) for p in pair]

    assert clipped("all") == pytest.approx([0.6, 0.8], abs=1e-4)
    assert clipped("variable") == pytest.approx([1.0, 1.0], abs=1e-4)


def test_it_keeps_the_contract() -> None:
    assert [o for o in check_method("imm") if o.state != "passed"] == []


def size_of(weights: dict[str, torch.Tensor]) -> float:
    """The sum of all weights' absolute values."""
    return sum(float(value.double().abs().sum()) for value in weights.values())


def test_a_seed_gives_the_weights_it_always_gave(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    """Numbers of the first version: with others, fits of that version would have another identity."""
    method = Imm(settings())
    method.initialise(images, make_context(tmp_path / "initialise"))
    assert size_of(method.network.state_dict()) == pytest.approx(1199.68208, rel=1e-6)
    method.fit(images, make_context(tmp_path / "fit"))
    assert size_of(method.network.state_dict()) == pytest.approx(1240.96065, rel=1e-4)


def test_fits_from_before_the_size_was_noted_are_read(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    method = Imm(settings())
    method.initialise(images, make_context(tmp_path / "run"))
    save_weights(tmp_path, method.network.state_dict())
    assert load_notes(tmp_path) == {}
    old = Imm(settings())
    old.load(tmp_path, "cpu")
    assert torch.equal(old.predict(some(images)).points, method.predict(some(images)).points)
