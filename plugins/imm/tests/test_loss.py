"""The loss against loops over numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bench_imm.loss import DifferenceWeights, Features, differences
from bench_imm.method import Imm
from bench_imm.settings import ImmSettings

from benchmark.contracts.errors import DataMissing, PluginBroken
from benchmark.networks.trunks import TRUNKS

PLAIN: dict[str, Any] = {"perceptual": "none", "depth": 0}


def test_differences_are_masked_means_of_squares() -> None:
    draw = np.random.default_rng(0)
    wanted, found = draw.normal(size=(2, 2, 3, 4, 4)).astype(np.float32)
    mask = draw.uniform(size=(2, 1, 4, 4)).astype(np.float32)
    total = 0.0
    for b in range(2):
        for c in range(3):
            for i in range(4):
                for j in range(4):
                    total += mask[b, 0, i, j] * (wanted[b, c, i, j] - found[b, c, i, j]) ** 2
    pair = [torch.from_numpy(wanted)], [torch.from_numpy(found)]
    assert float(differences(*pair, torch.from_numpy(mask))) == pytest.approx(total / 96, rel=1e-5)
    plain = float(((wanted - found) ** 2).mean())
    assert float(differences(*pair, None)) == pytest.approx(plain, rel=1e-5)


def test_the_mask_is_resized_to_each_map() -> None:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    ones, nothing = torch.ones(1, 5, 2, 2), torch.zeros(1, 5, 2, 2)
    assert float(differences([ones], [nothing], mask)) == pytest.approx(0.5)


def test_running_weights_are_the_average_of_what_was_seen() -> None:
    settings = ImmSettings(perceptual="untrained", depth=2, weights=(100.0, 1.6, 2.3))
    weights = DifferenceWeights(settings).train()
    average = np.array([100.0, 1.6, 2.3])
    draw = np.random.default_rng(0)
    for _ in range(20):
        seen = draw.uniform(0.1, 5, 3)
        average = 0.99 * average + 0.01 * seen
        value = weights(torch.tensor(seen, dtype=torch.float32))
        assert float(value) == pytest.approx(float((seen / average).sum()), rel=1e-5)
    weights.eval()(torch.ones(3))
    assert weights.values.tolist() == pytest.approx(average.tolist(), rel=1e-5)


def test_fixed_weights_stay() -> None:
    settings = ImmSettings(**PLAIN | {"weighting": "fixed", "weights": (4.0, 2.0)})
    weights = DifferenceWeights(settings).train()
    assert float(weights(torch.tensor([6.0]))) == 1.5
    assert weights.values.tolist() == [4.0]


def test_no_gradient_flows_through_the_weights() -> None:
    seen = torch.tensor([3.0], requires_grad=True)
    weights = DifferenceWeights(ImmSettings(**PLAIN)).train()
    weights(seen).backward()
    assert seen.grad is not None
    assert float(seen.grad) == pytest.approx(1 / float(weights.values))


def test_pixels_are_compared_in_256_steps() -> None:
    (white,) = Features("none", 0)(torch.ones(1, 3, 4, 4))
    (black,) = Features("none", 0)(-torch.ones(1, 3, 4, 4))
    assert float(differences([white], [black], None)) == 255.0**2


def test_features_let_gradients_to_images_only() -> None:
    features = Features("untrained", 3).eval()
    images = torch.zeros(1, 3, 64, 64, requires_grad=True)
    found = features(images)
    assert [tuple(f.shape[1:3]) for f in found] == [(3, 64), (64, 31), (128, 15), (256, 7)]
    sum(f.sum() for f in found).backward()
    assert images.grad is not None
    assert all(p.grad is None for p in features.parameters())


def test_untrained_features_are_the_same_everywhere() -> None:
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    before = torch.random.get_rng_state()
    first, second = (Features("untrained", 1)(images)[1] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert 0.1 < float(first.std()) < 10  # neither dies nor explodes


def test_weights_are_asked_for_by_the_name_that_is_declared(tmp_path: Path) -> None:
    asked: list[str] = []

    def missing(name: str) -> Path:
        asked.append(name)
        raise DataMissing(f"no {name}")

    with pytest.raises(DataMissing, match=r"vgg16-397923af\.pth"):
        Features("vgg16", 5, missing)
    (declared,) = Imm.info(ImmSettings(**PLAIN | {"perceptual": "vgg16", "depth": 5})).pretrained
    assert asked == [declared.name]
    with pytest.raises(PluginBroken, match="does not declare the weights"):
        Features("squeezenet", 1)


def test_layers_are_the_second_convolutions() -> None:
    depths = TRUNKS["vgg16"].layers
    chosen = [depths[f"relu{stage}_2"] for stage in range(1, 6)]
    assert chosen == [3, 8, 13, 20, 27]
