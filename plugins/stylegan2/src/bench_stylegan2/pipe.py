"""The pipe "bgc" of StyleGAN2-ADA: blitting, geometry and colour of what a discriminator sees.

One affine map of each image's plane, carried out once between two passes of an orthogonal wavelet's
low-pass filter, and one of its colours. Source: Karras et al. 2020 (StyleGAN2-ADA), appendix B, with
the constants of stylegan2-ada-pytorch d72cc7d, training/augment.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from benchmark.training.adaptive import augmented, sampled

SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
"""The low-pass filter of the wavelet "symlet 6" (Daubechies 1992); its sum is √2."""


class Dice:
    """Draws for each image: with probability `p` what was drawn, else what changes nothing."""

    def __init__(self, count: int, p: Tensor | float, draw: torch.Generator) -> None:
        self.count, self.p, self.draw = count, p, draw

    def uniform(self) -> Tensor:
        """(B,) in [0, 1)."""
        return torch.rand(self.count, generator=self.draw, device=self.draw.device)

    def normal(self) -> Tensor:
        """(B,)."""
        return torch.randn(self.count, generator=self.draw, device=self.draw.device)

    def one_of(self, count: int) -> Tensor:
        """(B,): 0 … count - 1."""
        return (self.uniform() * count).floor()

    def angle(self) -> Tensor:
        """(B,) in ±π."""
        return (2 * self.uniform() - 1) * math.pi

    def chosen(self, values: Tensor, otherwise: float, p: Tensor | float | None = None) -> Tensor:
        """`values` for the images that are hit, `otherwise` for others."""
        return torch.where(self.uniform() < (self.p if p is None else p), values, otherwise)


def bgc(images: Tensor, p: Tensor | float, draw: torch.Generator) -> Tensor:
    """Images (B, 3, S, S) in [-1, 1], each changed by every transformation with probability `p`.

    In this order: mirrored; turned by 0, 90, 180 or 270°; moved by whole pixels, up to S/8; scaled by
    2^N(0, 0.2²); turned; stretched by 2^N(0, 0.2²); turned again; moved by N(0, S/8); then brightness,
    contrast, luma inverted, hue and saturation. Of the two turns each has probability 1 - √(1 - p).
    Gradients pass, twice too. An image that nothing hits comes back as it is.
    """
    dice = Dice(len(images), p, draw)
    matrix = placement(dice, images.shape[-1])
    touched = (matrix != torch.eye(3, device=images.device)).flatten(1).any(1)
    moved = images
    if bool(touched.any()):
        moved = torch.where(touched[:, None, None, None], resampled(images, matrix), images)
    return augmented(moved, p, draw, ("colour",))


def placement(dice: Dice, side: int) -> Tensor:
    """(B, 3, 3): where each pixel comes from, in pixels from the image's centre, x to the right."""
    device = dice.draw.device
    turn = 1 - (1 - torch.as_tensor(dice.p, device=device)).clamp(0, 1).sqrt()
    one = torch.ones(dice.count, device=device)
    found = scaling(dice.chosen(1 - 2 * dice.one_of(2), 1.0), one)
    found = found @ rotation(dice.chosen(dice.one_of(4) * (math.pi / 2), 0.0)).round()
    hit = dice.uniform() < dice.p
    right, down = (
        torch.where(hit, (2 * dice.uniform() - 1) / 8 * side, 0).round() for _ in range(2)
    )
    found = found @ translation(right, down)
    scale = dice.chosen(torch.exp2(0.2 * dice.normal()), 1.0)
    found = found @ scaling(scale, scale)
    found = found @ rotation(dice.chosen(dice.angle(), 0.0, turn))
    stretch = dice.chosen(torch.exp2(0.2 * dice.normal()), 1.0)
    found = found @ scaling(stretch, 1 / stretch)
    found = found @ rotation(dice.chosen(dice.angle(), 0.0, turn))
    hit = dice.uniform() < dice.p
    right, down = (torch.where(hit, dice.normal() / 8 * side, 0) for _ in range(2))
    return found @ translation(right, down)


def _matrices(rows: list[list[Tensor | float]], like: Tensor) -> Tensor:
    filled = [[torch.as_tensor(v, device=like.device).expand_as(like) for v in row] for row in rows]
    return torch.stack([torch.stack(row, -1) for row in filled], -2).float()


def scaling(x: Tensor, y: Tensor) -> Tensor:
    """(B, 3, 3): where pixels come from when the image grows by `x` and `y`."""
    return _matrices([[1 / x, 0.0, 0.0], [0.0, 1 / y, 0.0], [0.0, 0.0, 1.0]], x)


def rotation(angle: Tensor) -> Tensor:
    """(B, 3, 3): where pixels come from when the image turns by `angle`, in radians."""
    cos, sin = angle.cos(), angle.sin()
    return _matrices([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]], angle)


def translation(right: Tensor, down: Tensor) -> Tensor:
    """(B, 3, 3): where pixels come from when the image moves."""
    return _matrices([[1.0, 0.0, -right], [0.0, 1.0, -down], [0.0, 0.0, 1.0]], right)


def resampled(images: Tensor, matrix: Tensor) -> Tensor:
    """Each image at the places that `matrix` (B, 3, 3) names, without aliasing.

    Enlarged to twice the side through `SYM6`, sampled bilinearly there, brought back through the same
    filter. Beyond the border pixels' centres lies the mirror image, half a side of it at least, and
    mirror images of all that further out.
    """
    side, half = images.shape[-1], len(SYM6) // 2
    around = min(side - 1, max(2 * half, side // 2))
    fine = _enlarged(functional.pad(images, (around,) * 4, mode="reflect"))
    # the fine pixels that the filter takes on the way back; its middle lies on every second one
    taken = torch.arange(1 - half, 2 * side + half - 1, device=images.device)
    place = taken / 2 - (side - 1) / 2
    y, x = torch.meshgrid(place, place, indexing="ij")
    at = torch.einsum("bij,jhw->bihw", matrix, torch.stack([x, y, torch.ones_like(x)]))
    column, row = ((at[:, i] + (side - 1) / 2 + around) * 2 for i in (0, 1))
    return _reduced(sampled(fine, column, row))


def _enlarged(x: Tensor) -> Tensor:
    """Twice the side: pixel i goes to the fine pixels 2i - 5 … 2i + 6."""
    side = x.shape[-1]
    banded = 2 * _banded(2 * side, side, x, lambda fine, pixel: fine - 2 * pixel + 5)
    return banded @ x @ banded.T


def _reduced(x: Tensor) -> Tensor:
    """Half the side, less what the filter takes: the transpose of `_enlarged`, to its scale."""
    side = x.shape[-1]
    banded = _banded(side // 2 - 5, side, x, lambda pixel, fine: fine - 2 * pixel)
    return banded @ x @ banded.T


def _banded(
    rows: int, columns: int, like: Tensor, tap: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """(rows, columns): the filter's tap of that number, over their sum, and 0 where there is none."""
    row, column = torch.arange(rows)[:, None], torch.arange(columns)
    number, taps = tap(row, column), torch.tensor(SYM6, dtype=torch.float64)
    inside = (number >= 0) & (number < len(SYM6))
    found = torch.where(inside, taps[number.clamp(0, len(SYM6) - 1)] / taps.sum(), 0.0)
    return found.to(like)
