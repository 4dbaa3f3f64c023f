"""Layers of networks that play against each other, with He's first weights for LeakyReLU 0.2.

Source of the weights: He et al. 2015, eq. 15.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.contracts.errors import InvalidInput

SLOPE = 0.2
Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


def leaky(x: Tensor) -> Tensor:
    """LeakyReLU with a slope of 0.2, for any shape.

    >>> leaky(torch.tensor([-1.0, 2.0])).tolist()
    [-0.20000000298023224, 2.0]
    """
    return functional.leaky_relu(x, SLOPE)


def with_he_weights(layer: Layer) -> Layer:
    """The layer, its weights normal with variance 2 / ((1 + 0.2²) · inputs), its bias 0.

    Example: a 3 × 3 convolution of 64 channels has 576 inputs, so its weights deviate by 0.0578.
    """
    nn.init.kaiming_normal_(layer.weight, SLOPE)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def convolution(inward: int, outward: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """Maps (B, inward, H, W) → (B, outward, H / stride, W / stride), with He's weights; odd kernels.

    Example: `convolution(3, 64)` keeps the side, `convolution(64, 128, stride=2)` halves it.
    """
    return with_he_weights(nn.Conv2d(inward, outward, kernel, stride, padding=kernel // 2))


def dense(inward: int, outward: int) -> nn.Linear:
    """A linear layer (B, inward) → (B, outward) with He's weights.

    Example: `dense(512, 1)` scores what a discriminator has found.
    """
    return with_he_weights(nn.Linear(inward, outward))


def perceptron(inward: int, width: int, outward: int, depth: int) -> nn.Sequential:
    """`depth` linear layers, LeakyReLU between them: (B, inward) → (B, outward).

    Example: `perceptron(256, 512, 20, 3)` has widths 256, 512, 512, 20.
    """
    widths = [inward, *[width] * (depth - 1), outward]
    layers: list[nn.Module] = []
    for first, second in pairwise(widths):
        layers += [dense(first, second), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers[:-1])


def cropped(x: Tensor, margin: int) -> Tensor:
    """Maps (B, C, H, W) without `margin` pixels on each side.

    Example: of 20 × 20 pixels a margin of 2 leaves 16 × 16.
    """
    return x[..., margin:-margin, margin:-margin] if margin else x


def doubled(x: Tensor, margin: int = 0) -> Tensor:
    """Maps (B, C, H, W) at twice the side, bilinear, the margin as many pixels wide as before.

    Example: 8 pixels with a margin of 2 on each side (12) become 16 with a margin of 2 (20).
    """
    return cropped(functional.interpolate(x, scale_factor=2.0, mode="bilinear"), margin)


def with_spread(x: Tensor, group: int, sets: int = 1) -> Tensor:
    """One map more: how much images differ within their group, the same number everywhere.

    Of a batch (N, C, H, W) the images n, n + N/group, … are a group, all N where `group` is beyond it;
    with `sets`, x holds so many batches one after the other, which don't mix. Source: Karras et al.
    2018, §3. Raises `InvalidInput` where groups don't divide a batch.

    Example: a group of equal images has 0.0001 (√1e-8) there.
    """
    count = len(x) // sets
    group = min(group, count)
    if count % group:
        raise InvalidInput(f"groups of {group} don't divide a batch of {count}")
    apart = x.to(torch.promote_types(x.dtype, torch.float32)).view(
        sets, group, count // group, *x.shape[1:]
    )
    apart = (apart - apart.mean(1, keepdim=True)).square().mean(1)
    spread = (apart + 1e-8).sqrt().mean((2, 3, 4)).to(x.dtype)
    more = spread[:, None].expand(-1, group, -1).reshape(-1, 1, 1, 1)
    return torch.cat([x, more.expand(-1, 1, *x.shape[2:])], 1)
