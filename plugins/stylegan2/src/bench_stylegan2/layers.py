"""The layers that StyleGAN2's networks are made of, with its scaling of weights at run time.

Parameters and their names are those of the official release (`weight`, `bias`, `affine`,
`noise_strength`), so that its generators can be loaded. Source: Karras et al. 2020 (StyleGAN2), §2 and
appendix B; facts of the release: stylegan2-ada-pytorch d72cc7d.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE, GAIN = 0.2, math.sqrt(2)
"""Of the leaky rectifier, and what keeps the size of what passes it."""
CLAMP = 256.0
"""Activations in half precision stay within this."""


def is_half(x: Tensor) -> bool:
    """Whether values may overflow."""
    return x.dtype in (torch.float16, torch.bfloat16)


def active(x: Tensor, gain: float = GAIN) -> Tensor:
    """The leaky rectifier, times `gain`; in half precision within ±`CLAMP` times gain over `GAIN`."""
    x = functional.leaky_relu(x, SLOPE) * gain
    if not is_half(x):
        return x
    limit = CLAMP * gain / GAIN
    return x.clamp(-limit, limit)


class Dense(nn.Module):
    """A linear layer; `rate` is how much slower than others it learns.

    >>> Dense(4, 2, start=1.0)(torch.zeros(1, 4)).tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self,
        inward: int,
        outward: int,
        *,
        active: bool = False,
        rate: float = 1.0,
        start: float = 0.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outward, inward) / rate)
        self.bias = nn.Parameter(torch.full((outward,), start))
        self.active, self.rate, self.scale = active, rate, rate / math.sqrt(inward)

    def forward(self, x: Tensor) -> Tensor:
        bias = self.bias.to(x.dtype)
        if self.rate != 1.0:
            bias = bias * self.rate
        x = functional.linear(x, self.weight.to(x.dtype) * self.scale, bias)
        return functional.leaky_relu(x, SLOPE) * GAIN if self.active else x


class Convolution(nn.Module):
    """A convolution with "same" padding; with `down` it halves the side behind the filter `blurred`."""

    def __init__(
        self,
        inward: int,
        outward: int,
        kernel: int,
        *,
        bias: bool = True,
        active: bool = True,
        down: bool = False,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outward, inward, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outward)) if bias else None
        self.active, self.down, self.gain = active, down, gain
        self.scale = 1 / math.sqrt(inward * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.weight.shape[-1]
        weight = self.weight.to(x.dtype) * (self.scale * (1.0 if self.active else self.gain))
        bias = None if self.bias is None else self.bias.to(x.dtype)
        if not self.down:
            x = functional.conv2d(x, weight, bias, padding=kernel // 2)
        elif kernel == 1:
            # only every second pixel is needed
            x = functional.conv2d(blurred(x, 1)[:, :, ::2, ::2], weight, bias)
        else:
            x = functional.conv2d(blurred(x, kernel // 2 + 1), weight, bias, stride=2)
        return active(x, GAIN * self.gain) if self.active else x


def blurred(x: Tensor, pad: int, gain: float = 1.0) -> Tensor:
    """(B, C, H, W) → (B, C, H + 2·pad - 3, …): [1, 3, 3, 1] / 8 along both axes, zeros around.

    >>> blurred(torch.ones(1, 1, 4, 4), 0).tolist()
    [[[[1.0]]]]
    """
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 8
    kernel = (gain * taps[:, None] * taps).expand(x.shape[1], 1, 4, 4)
    return functional.conv2d(x, kernel, padding=pad, groups=x.shape[1])


def enlarged(x: Tensor) -> Tensor:
    """(B, C, H, W) to twice the side: zeros between and around, then the filter with gain 4.

    Inside the image that is bilinear interpolation.

    >>> enlarged(torch.ones(1, 1, 2, 2))[0, 0, 1].tolist()
    [0.75, 1.0, 1.0, 0.75]
    """
    around = functional.pad(x, (1, 1, 1, 1))
    return functional.interpolate(around, scale_factor=2, mode="bilinear")[..., 2:-2, 2:-2]
