"""Augmentation of what a discriminator sees, as strong as it needs to be.

Source: Karras et al. 2020 (StyleGAN2-ADA), §2 and §3. Strengths are theirs; the resampling is bilinear
without their filters, as it is meant for small images and CPUs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from benchmark.contracts.errors import UnknownName
from benchmark.training.players import Numbers
from benchmark.training.together import mean

KINDS = ("flip", "shift", "scale", "turn", "colour")
INTERVAL = 4


class Adaptive(Numbers):
    """The probability `p` of each augmentation, from how sure a discriminator is; goes into the `state`
    of `train`.

    Every four batches `p` goes up where the mean sign of the scores on real images, over them, lies
    above `target`, down otherwise, by the share of `images` that they are; it stays in [0, 1].
    `p` is a tensor, to be handed to `augmented`.

    Example: with `images=500_000` and batches of 64, 256 images seen as real by all move p by 0.000512.
    """

    p: Tensor
    signs: Tensor
    batches: Tensor

    def __init__(self, target: float = 0.6, images: float = 500_000) -> None:
        super().__init__(p=0.0, signs=0.0, batches=0.0)
        self.target, self.images = target, images

    @torch.no_grad()
    def observe(self, real: Tensor, batch: int) -> None:
        """Scores on a batch's real images; `batch` counts the images of all processes."""
        self.signs += mean(real.detach().double().sign().mean()).to(self.signs)
        self.batches += 1
        if self.batches < INTERVAL:
            return
        direction = (self.signs / self.batches - self.target).sign()
        self.p = (self.p + direction * batch * INTERVAL / self.images).clamp(0, 1)
        self.signs.zero_()
        self.batches.zero_()


def augmented(
    images: Tensor, p: Tensor | float, draw: torch.Generator, kinds: Sequence[str] = KINDS
) -> Tensor:
    """Images, each augmented by every kind with probability `p`; gradients pass, twice too.

    Real and generated images must both be shown so. "flip" mirrors half of those chosen; "shift" moves
    by N(0, 0.125²) of the side, "scale" by 2^N(0, 0.2²), "turn" by any angle, as one resampling
    that reflects at the borders; "colour" changes brightness N(0, 0.2²), contrast 2^N(0, 0.5²),
    luma (inverted or not), hue (any) and saturation 2^N(0, 1).

    Args:
        images: float (B, 3, S, S) in [-1, 1], on the device of `draw`.
        p: in [0, 1]; at 0 the images come back as they are, to the bit.
        kinds: some of `KINDS`.

    Returns: float (B, 3, S, S); colours are not clamped. Raises `UnknownName` for another kind.

    Example: `augmented(fake, ada.p, generator(seed, "augment", step, device=device))`.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownName("augmentation", kind, KINDS)
    dice = _Dice(len(images), p, draw)
    moved = _moved(images, dice, kinds)
    return _coloured(moved, dice) if "colour" in kinds else moved


class _Dice:
    """Draws for each image, of which about the share `p` counts and the rest is `otherwise`."""

    def __init__(self, count: int, p: Tensor | float, draw: torch.Generator) -> None:
        self.count, self.p, self.draw = count, p, draw
        self.touched = torch.zeros(count, dtype=torch.bool, device=draw.device)

    def uniform(self) -> Tensor:
        return torch.rand(self.count, generator=self.draw, device=self.draw.device)

    def normal(self) -> Tensor:
        return torch.randn(self.count, generator=self.draw, device=self.draw.device)

    def chosen(self, value: Tensor, otherwise: float) -> Tensor:
        hit = self.uniform() < self.p
        self.touched = self.touched | hit
        return torch.where(hit, value, otherwise)


def _moved(images: Tensor, dice: _Dice, kinds: Sequence[str]) -> Tensor:
    """Each image under one affine map of its plane."""
    one, none = torch.ones(dice.count, device=images.device), torch.zeros_like(dice.uniform())
    mirror, angle, zoom, right, down = one, none, one, none, none
    if "flip" in kinds:
        mirror = dice.chosen(1 - 2 * (dice.uniform() < 0.5).float(), 1.0)
    if "turn" in kinds:
        angle = dice.chosen((2 * dice.uniform() - 1) * math.pi, 0.0)
    if "scale" in kinds:
        zoom = dice.chosen(torch.exp2(0.2 * dice.normal()), 1.0)
    if "shift" in kinds:
        right, down = dice.chosen(dice.normal() / 8, 0.0), dice.chosen(dice.normal() / 8, 0.0)
    side = images.shape[-1]
    at = (torch.arange(side, device=images.device) + 0.5) / side - 0.5
    y, x = torch.meshgrid(at, at, indexing="ij")
    x, y = x - right[:, None, None], y - down[:, None, None]
    cos, sin = ((f(angle) / zoom)[:, None, None] for f in (torch.cos, torch.sin))
    source = (cos * x + sin * y) * mirror[:, None, None], cos * y - sin * x
    found = sampled(images, *((s + 0.5) * side - 0.5 for s in source))
    moved, dice.touched = dice.touched, torch.zeros_like(dice.touched)
    return torch.where(moved[:, None, None, None], found, images)


def sampled(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Images (B, C, S, S) at positions `x` to the right and `y` down, (B, h, w) in pixels, bilinear.

    Beyond the border pixels' outer edges lie mirror images. Returns (B, C, h, w).

    torch's own sampling has no second derivative, which R1 of what a discriminator sees takes.
    """
    side = images.shape[-1]
    flat = images.flatten(2)
    left, top = x.floor(), y.floor()
    total = flat.new_zeros(())
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        column, row = _reflected(left + dx, side), _reflected(top + dy, side)
        weight = (1 - (x - left - dx).abs()) * (1 - (y - top - dy).abs())
        place = (row * side + column).flatten(1)[:, None].expand(-1, flat.shape[1], -1)
        total = total + flat.gather(2, place) * weight.flatten(1)[:, None].to(flat)
    return total.view(*images.shape[:2], *x.shape[1:])


def _reflected(place: Tensor, side: int) -> Tensor:
    """Whole numbers brought into 0 … side - 1 by mirrors behind the border pixels' outer edges."""
    folded = place.long().remainder(2 * side)
    return torch.minimum(folded, 2 * side - 1 - folded)


def _coloured(images: Tensor, dice: _Dice) -> Tensor:
    """Each image's colours under one affine map."""
    eye = torch.eye(3, device=images.device).expand(dice.count, 3, 3)
    axis = torch.full((3,), 3**-0.5, device=images.device)
    grey = axis[:, None] * axis
    cross = torch.linalg.cross(torch.eye(3, device=images.device), axis.expand(3, 3))

    def wide(values: Tensor) -> Tensor:
        return values[:, None, None]

    brightness = dice.chosen(0.2 * dice.normal(), 0.0)
    contrast = dice.chosen(torch.exp2(0.5 * dice.normal()), 1.0)
    inverted = dice.chosen((dice.uniform() < 0.5).float(), 0.0)
    angle = dice.chosen((2 * dice.uniform() - 1) * math.pi, 0.0)
    saturation = dice.chosen(torch.exp2(dice.normal()), 1.0)
    turned = wide(angle.cos()) * (eye - grey) + wide(angle.sin()) * cross
    matrix = wide(1 - 2 * inverted) * grey + wide(saturation) * turned
    shift = wide(brightness) * (1 - 2 * wide(inverted)) * torch.ones(3, 1, device=images.device)
    matrix = matrix * wide(contrast)
    shift = (shift * wide(contrast)).to(images)
    found = torch.baddbmm(shift, matrix.to(images), images.flatten(2)).view_as(images)
    return torch.where(dice.touched[:, None, None, None], found, images)
