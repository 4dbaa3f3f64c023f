"""Values of the losses on fixed tensors, against formulas written out for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from bench_aist import EXPERIMENT2, EXPERIMENT3, loss
from bench_aist.networks import Both
from bench_aist.settings import AistSettings
from bench_aist.training import Training
from torch import nn

Make = Callable[..., Training]


def both_ways() -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return {way: torch.rand(2, 3, 16, 16, generator=draw) * 2 - 1 for way in ("there", "back")}


class Shift(nn.Module):
    """Adds a number to each pixel, which is known without any network."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images + self.by


def test_the_two_readings_of_a_squared_l1_norm() -> None:
    draw = np.random.default_rng(0)
    a, b = draw.normal(size=(2, 3, 1, 5, 7))
    apart = {
        name: loss.apart(torch.tensor(a), torch.tensor(b), name).item()  # type: ignore[arg-type]
        for name in ("squared_mean", "mean_square")
    }
    sums = np.abs(a - b).reshape(3, -1).sum(1)
    assert apart["squared_mean"] == pytest.approx(np.mean((sums / 35) ** 2))
    assert apart["mean_square"] == pytest.approx(((a - b) ** 2).sum() / 105)


def test_discriminators_minimise_halved_least_squares() -> None:
    real, fake = torch.tensor([0.0, 2.0, 1.0]), torch.tensor([1.0, -1.0, 0.5])
    wanted = 0.5 * ((1 + 1 + 0) / 3) + 0.5 * ((1 + 1 + 0.25) / 3)
    assert loss.judge_loss(real, fake, 0.5).item() == pytest.approx(wanted)


def test_terms_of_the_generators_are_the_thesis_formulas(training: Make, tmp_path: Path) -> None:
    by, back = 0.25, -0.5
    found = training(tmp_path, Both(Shift(by), Shift(back)), alpha="soft", cycle_weight=(10.0, 6.0),
                     alpha_weight=(2.0, 3.0))  # fmt: skip
    real = {way: images.clamp(-1, 0.7) for way, images in both_ways().items()}
    fake = {"there": real["there"] + by, "back": real["back"] + back}
    terms = {name: term.item() for name, term in found.terms(real, fake).items()}  # type: ignore[arg-type]
    # there and back again each image has moved by the sum of both
    assert terms["cycle"] == pytest.approx((10 + 6) * abs(by + back), rel=1e-5)
    # λ_A λ_idt |x - F(x)| + λ_B λ_idt |y - G(y)|
    assert terms["identity"] == pytest.approx(10 * 0.1 * abs(back) + 6 * 0.1 * abs(by), rel=1e-5)
    alpha = 0.0
    for weight, way in ((2.0, "there"), (3.0, "back")):
        x, y = real[way].double().numpy(), fake[way].double().numpy()
        step = (x.max(1) > -1 + 1 / 255).astype(float)
        soft = 1 / (1 + np.exp(-(y.max(1) + 1 - 0.04) / 0.02))
        alpha += weight * np.mean(np.abs(step - soft).mean((1, 2)) ** 2)
    assert terms["alpha"] == pytest.approx(alpha, rel=1e-4)
    scores = {way: found.judges(fake[way], way) for way in fake}
    game = sum(((1 - s) ** 2).mean().item() for s in scores.values())
    assert terms["game"] == pytest.approx(game, rel=1e-5)


def test_the_identity_map_costs_nothing_but_the_game(training: Make, tmp_path: Path) -> None:
    for alpha in ("step", "exact"):
        found = training(
            tmp_path / alpha, Both(Shift(0.0), Shift(0.0)), alpha=alpha,
            features="squeezenet", feature_layer="fire2", features_trained=False,
        )  # fmt: skip
        real = {way: found.batches[way](0) / 127.5 - 1 for way in ("there", "back")}
        terms = found.terms(real, real)  # type: ignore[arg-type]
        nothing = {name: float(term) for name, term in terms.items() if name != "game"}
        assert set(nothing) == {"cycle", "identity", "features"} | (
            {"alpha"} if alpha == "step" else set()
        )
        assert nothing == pytest.approx(dict.fromkeys(nothing, 0.0), abs=1e-12)
        assert float(terms["game"]) > 0


def test_the_step_moves_no_generator_and_the_soft_alpha_does(
    training: Make, tmp_path: Path
) -> None:
    for alpha, moves in (("step", False), ("soft", True)):
        found = training(
            tmp_path / alpha, alpha=alpha, cycle_weight=(0.0, 0.0), distance="mean_square",
        )  # fmt: skip
        real = both_ways()
        fake = {way: found.makes(images, way) for way, images in real.items()}
        term = found.terms(real, fake)["alpha"]  # type: ignore[arg-type]
        assert float(term) >= 0
        assert term.requires_grad == moves


def test_features_are_those_of_the_network_and_have_no_part_in_learning(
    training: Make, tmp_path: Path
) -> None:
    found = training(
        tmp_path, features="squeezenet", feature_layer="fire2", features_trained=False,
        feature_weight=(1.0, 3.0), feature_scale="signed", cycle_weight=(0.0, 0.0),
    )  # fmt: skip
    real, fake = both_ways(), both_ways()
    fake = {way: images.flip(-1) for way, images in fake.items()}
    assert found.features is not None
    wanted = 0.0
    for weight, way in ((1.0, "there"), (3.0, "back")):
        a, b = (found.features.maps(images)[0] for images in (real[way], fake[way]))
        wanted += weight * float((a - b).abs().flatten(1).mean(1).square().mean())
    assert float(found.terms(real, fake)["features"]) == pytest.approx(wanted, rel=1e-5)  # type: ignore[arg-type]
    assert not any(p.requires_grad for p in found.features.parameters())


def test_presets_are_table_6_1_of_the_thesis() -> None:
    two, three = AistSettings(**EXPERIMENT2), AistSettings(**EXPERIMENT3)
    for settings, alpha, features in ((two, 2.0, 1.75), (three, 1.0, 1.25)):
        assert settings.cycle_weight == (10.0, 10.0)
        assert settings.identity_weight == 0.1
        assert settings.alpha_weight == (alpha, alpha)
        assert settings.feature_weight == (features, features)
        assert (settings.batch, settings.pool, settings.learning_rate) == (4, 50, 2e-4)
        assert (settings.epochs, settings.cooling, settings.judge_share) == (44.0, 0.0, 0.5)
        assert (settings.features, settings.feature_layer) == ("resnet18", "layer4")
