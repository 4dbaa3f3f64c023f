"""Layers: their first weights, sides and widths, and how much a batch varies."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmark.contracts.errors import InvalidInput
from benchmark.training.batches import resized
from benchmark.training.layers import convolution, cropped, dense, doubled, perceptron, with_spread


@pytest.mark.parametrize("layer, inputs", [(convolution(64, 96), 576), (dense(512, 200), 512)])
def test_first_weights_keep_the_size_of_what_passes(
    layer: nn.Conv2d | nn.Linear, inputs: int
) -> None:
    assert layer.weight.std().item() == pytest.approx((2 / (1.04 * inputs)) ** 0.5, rel=0.02)
    assert layer.bias is not None
    assert not layer.bias.any()


@pytest.mark.parametrize("kernel, stride, side", [(1, 1, 8), (3, 1, 8), (3, 2, 4), (1, 2, 4)])
def test_convolutions_keep_or_divide_the_side(kernel: int, stride: int, side: int) -> None:
    assert convolution(3, 5, kernel, stride)(torch.zeros(2, 3, 8, 8)).shape == (2, 5, side, side)


def test_a_perceptron_has_so_many_linear_layers_and_ends_in_one() -> None:
    net = perceptron(4, 7, 2, 3)
    widths = [(m.in_features, m.out_features) for m in net if isinstance(m, nn.Linear)]
    assert widths == [(4, 7), (7, 7), (7, 2)]
    assert isinstance(net[-1], nn.Linear)
    assert len(perceptron(4, 7, 2, 1)) == 1


def test_doubled_maps_keep_the_width_of_their_margin() -> None:
    """A ramp over 12 pixels, of which 2 on each side are margin, goes on at half the step."""
    ramp = torch.arange(12.0).expand(1, 1, 12, 12)
    found = doubled(ramp, 2)
    assert found.shape == (1, 1, 20, 20)
    torch.testing.assert_close(found[0, 0, 0], 0.75 + torch.arange(20) / 2)
    assert cropped(found, 2).shape == (1, 1, 16, 16)
    assert cropped(found, 0) is found


def test_resized_images_have_the_side_asked_for_and_their_means() -> None:
    images = torch.rand(2, 3, 8, 8)
    assert resized(images, 8) is images
    torch.testing.assert_close(resized(images, 32).mean((2, 3)), images.mean((2, 3)))
    assert resized(images, 4).shape == (2, 3, 4, 4)


def test_the_spread_of_a_group_does_not_mix_batches() -> None:
    torch.manual_seed(0)
    x = torch.randn(8, 2, 4, 4)
    found = with_spread(x, 4)
    assert found.shape == (8, 3, 4, 4)
    group = x[[0, 2, 4, 6]]  # images n, n + 2, …
    wanted = ((group - group.mean(0)).square().mean(0) + 1e-8).sqrt().mean()
    torch.testing.assert_close(found[[0, 2, 4, 6], 2], wanted.expand(4, 4, 4))
    both = with_spread(torch.cat([x, 3 * x]), 4, sets=2)
    torch.testing.assert_close(both[:8], found)
    torch.testing.assert_close(both[8:], with_spread(3 * x, 4))
    with pytest.raises(InvalidInput, match="groups of 3"):
        with_spread(x, 3)


def test_one_image_and_equal_images_do_not_vary() -> None:
    x = torch.randn(1, 2, 3, 3)
    for same in (x, x.expand(4, -1, -1, -1)):
        torch.testing.assert_close(with_spread(same, 4)[:, 2], torch.full((len(same), 3, 3), 1e-4))
