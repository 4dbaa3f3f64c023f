"""Shapes and numbers of parameters of the released networks, and how they begin."""

from __future__ import annotations

import pytest
import torch
from bench_aist.networks import Both, Skip, discriminator, generator, initialise
from torch import nn


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_parameters_are_those_of_the_stock_networks() -> None:
    """Counted layer by layer from its description: k·k·in·out + out."""
    with torch.device("meta"):
        resnet9, patches = generator(64, 9, 0.0), discriminator(64, 3)
    outer = (3 * 49 * 64 + 64) + (64 * 49 * 3 + 3)
    down = (64 * 9 * 128 + 128) + (128 * 9 * 256 + 256)
    up = (256 * 9 * 128 + 128) + (128 * 9 * 64 + 64)
    assert parameters(resnet9) == outer + down + up + 18 * (256 * 9 * 256 + 256) == 11_378_179
    assert parameters(patches) == 2_764_737


def test_shapes_are_those_of_256_pixels() -> None:
    with torch.device("meta"):
        images = torch.empty(1, 3, 256, 256)
        assert generator(64, 9, 0.01)(images).shape == images.shape
        assert generator(64, 9, 0.01)[:10](images).shape == (1, 256, 64, 64)
        assert discriminator(64, 3)(images).shape == (1, 1, 30, 30)


@pytest.mark.parametrize("layers, field", [(1, 16), (2, 34), (3, 70)])
def test_a_patch_has_the_field_of_its_layers(layers: int, field: int) -> None:
    judge = nn.Sequential(
        *(m for m in discriminator(2, layers) if not isinstance(m, nn.InstanceNorm2d))
    )
    for parameter in judge.parameters():
        nn.init.ones_(parameter)
    images = torch.ones(1, 3, 128, 128, requires_grad=True)
    scores = judge(images)
    middle = scores.shape[-1] // 2
    (seen,) = torch.autograd.grad(scores[0, 0, middle, middle], images)
    assert (seen[0].abs().sum(0) > 0).any(0).sum().item() == field


def test_instance_norm_has_no_scales_and_the_last_layers_are_plain_or_normed() -> None:
    for make in (lambda last: generator(2, 1, 0.01, last), lambda last: discriminator(2, 2, last)):
        plain, normed = make("plain"), make("normed")
        assert parameters(plain) == parameters(normed)
        norms = [
            sum(isinstance(m, nn.InstanceNorm2d) for m in n.modules()) for n in (plain, normed)
        ]
        assert norms[1] == norms[0] + 1
    assert not any("running" in name for name in generator(2, 1, 0.01).state_dict())


def test_weights_begin_normal_and_biases_at_zero() -> None:
    torch.manual_seed(0)
    network = generator(16, 2, 0.01)
    initialise(network, 0.02)
    weights = torch.cat([p.flatten() for p in network.parameters() if p.ndim > 1])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.02)
    assert all(not p.any() for p in network.parameters() if p.ndim == 1)


def test_with_a_skip_the_output_begins_as_the_input_and_the_layers_are_the_same() -> None:
    torch.manual_seed(0)
    layers = generator(4, 1, 0.01)
    skip, images = Skip(layers), torch.rand(2, 3, 16, 16) * 2 - 1
    found = torch.tanh(layers[:-1](images) + torch.atanh(0.98 * images))
    torch.testing.assert_close(skip(images), found)
    for parameter in layers.parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(skip(images), 0.98 * images)
    assert parameters(skip) == parameters(layers)


def test_slopes_are_of_the_rectifiers_below_zero() -> None:
    slopes = {
        m.negative_slope for m in generator(2, 2, 0.01).modules() if hasattr(m, "negative_slope")
    }
    assert slopes == {0.01}
    assert {m.negative_slope for m in discriminator(2, 2) if hasattr(m, "negative_slope")} == {0.2}


def test_each_way_has_a_network_of_its_own() -> None:
    both = Both(nn.Identity(), nn.Flatten())
    images = torch.zeros(1, 3, 2, 2)
    assert both(images, "there").shape == (1, 3, 2, 2)
    assert both(images, "back").shape == (1, 12)
