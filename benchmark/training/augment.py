"""Random crops of whole batches on the device, drawn from an explicit generator.

Every image of a batch gets its own parameters. `windows` and `mirrored` move pixels and change none;
`random_crop` makes what contrastive methods compare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.images import to_signed


def windows(images: Tensor, size: int, draw: torch.Generator) -> Tensor:
    """One random `size` × `size` window of each image, evenly from all places that lie inside.

    Args:
        images: uint8 (B, C, H, H), with their margin; on the device of `draw`.

    Returns: float32 (B, C, size, size) in [-1, 1]. Raises `InvalidInput` where `size` is beyond H.

    Example: of 136-pixel pictures, `windows(pixels, 96, draw)` is one of 41 × 41 windows each.
    """
    slack = images.shape[-1] - size
    if slack < 0:
        raise InvalidInput(f"images of {size + slack} pixels hold no window of {size}")
    if not slack:
        return to_signed(images)
    corner = torch.randint(0, slack + 1, (2, len(images), 1), generator=draw, device=draw.device)
    place = torch.arange(size, device=draw.device)
    rows, columns = corner + place
    which = torch.arange(len(images), device=draw.device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=draw.device)[:, None, None]
    return to_signed(images[which, channel, rows[:, None, :, None], columns[:, None, None]])


def mirrored(images: Tensor, draw: torch.Generator, probability: float = 0.5) -> Tensor:
    """Each image (B, C, H, W) as it is or, with `probability`, its mirror image, left for right.

    Example: `mirrored(windows(pixels, 64, draw), draw)`.
    """
    chosen = torch.rand(len(images), generator=draw, device=draw.device) < probability
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


#: RGB to luma and two chroma axes (YIQ, NTSC); hue is the angle between the last two.
_YIQ = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))


@dataclass(frozen=True)
class CropSettings:
    """Strengths of one kind of crop: its place, and what changes its colours.

    `area` is the range of the share of the image that a crop covers, `aspect` the largest ratio of
    its sides. Brightness, contrast, saturation and hue are drawn from ± their value (hue in turns)
    with probability `colour`. `blur_sigma` is in pixels of the crop and
    `blur` its probability.
    """

    size: int
    area: tuple[float, float] = (0.08, 1.0)
    aspect: float = 4 / 3
    flip: float = 0.5
    colour: float = 0.8
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.2
    hue: float = 0.1
    grayscale: float = 0.2
    blur: float = 0.5
    blur_sigma: tuple[float, float] = (0.1, 2.0)
    solarise: float = 0.0


class _Draw:
    """Uniform numbers, one per image."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator = count, generator

    def uniform(self, low: float, high: float) -> Tensor:
        device = self.generator.device
        return torch.rand(self.count, generator=self.generator, device=device) * (high - low) + low

    def chance(self, probability: float) -> Tensor:
        return self.uniform(0.0, 1.0) < probability


def random_crop(images: Tensor, settings: CropSettings, generator: torch.Generator) -> Tensor:
    """One random resized crop of each image, its colours changed at random.

    Args:
        images: (B, 3, H, W), uint8, or float in [0, 1]; on the device of `generator`.

    Returns: float32 (B, 3, size, size) in [-1, 1], channels last.

    Example: `random_crop(batch, CropSettings(size=48), torch.Generator().manual_seed(0))`.
    """
    if images.dtype == torch.uint8:
        images = images.float().div_(255)
    draw = _Draw(len(images), generator)
    out = _resample(images, settings, draw)
    out = _colour(out, settings, draw)
    if settings.solarise:
        chosen = draw.chance(settings.solarise)[:, None, None, None]
        out = torch.where(chosen & (out >= 0.5), 1 - out, out)
    return out.mul(2).sub(1).contiguous(memory_format=torch.channels_last)


def _resample(images: Tensor, settings: CropSettings, draw: _Draw) -> Tensor:
    """Random resized crops, some mirrored, some blurred.

    All of that is linear and separable, so each image has one matrix (size, H) for its rows and one
    (size, W) for its columns: a triangle filter (antialiased where the crop is shrunk), then a
    Gaussian of `blur_sigma` pixels of the crop.
    """
    height, width = images.shape[-2:]
    area = draw.uniform(*settings.area)
    stretch = torch.exp(draw.uniform(-1, 1) * math.log(settings.aspect))
    wide = width * (area * stretch).sqrt().clamp(max=1)
    high = height * (area / stretch).sqrt().clamp(max=1)
    left = draw.uniform(0, 1) * (width - wide)
    top = draw.uniform(0, 1) * (height - high)
    mirror = draw.chance(settings.flip)
    sigma = draw.uniform(*settings.blur_sigma)
    blurred = draw.chance(settings.blur)

    rows = _interpolation(top, high, height, settings.size)
    columns = _interpolation(left, wide, width, settings.size)
    columns = torch.where(mirror[:, None, None], columns.flip(1), columns)
    if settings.blur:
        chosen = blurred.nonzero().flatten()
        place = torch.arange(settings.size, device=images.device)
        distance = (place[:, None] - place)[None] / sigma[chosen, None, None]
        smooth = torch.exp(-0.5 * distance**2)
        smooth /= smooth.sum(-1, keepdim=True)
        rows[chosen] = smooth @ rows[chosen]
        columns[chosen] = smooth @ columns[chosen]
    count, size = len(images), settings.size
    narrowed = torch.bmm(images.reshape(count, 3 * height, width), columns.transpose(1, 2))
    narrowed = narrowed.view(count, 3, height, size)
    return torch.matmul(rows[:, None], narrowed)


def _interpolation(start: Tensor, extent: Tensor, pixels: int, size: int) -> Tensor:
    """(B, size, pixels): weights that resample [start, start + extent) of a line to `size` pixels."""
    scale = extent / size
    place = torch.arange(size, device=start.device) + 0.5
    centre = start[:, None] + place * scale[:, None] - 0.5
    distance = (torch.arange(pixels, device=start.device) - centre[..., None]).abs()
    weights = (1 - distance / scale.clamp(min=1)[:, None, None]).clamp_(min=0)
    return weights / weights.sum(-1, keepdim=True)


def _colour(images: Tensor, settings: CropSettings, draw: _Draw) -> Tensor:
    """Brightness, contrast, saturation, hue and grayscale: one affine map of colours per image.

    Contrast moves colours away from the image's mean luma; hue turns and saturation scales the
    chroma plane of YIQ. Values are clamped once, at the end.
    """
    on = draw.chance(settings.colour).float()

    def about(centre: float, strength: float) -> Tensor:
        return centre + on * draw.uniform(-strength, strength)

    brightness = about(1.0, settings.brightness)
    contrast = about(1.0, settings.contrast)
    saturation = about(1.0, settings.saturation)
    angle = about(0.0, settings.hue) * 2 * math.pi
    saturation = saturation * (~draw.chance(settings.grayscale)).float()

    yiq = torch.tensor(_YIQ, device=images.device)
    turn = torch.zeros(len(images), 3, 3, device=images.device)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos() * saturation
    turn[:, 2, 1] = angle.sin() * saturation
    turn[:, 1, 2] = -turn[:, 2, 1]
    matrix = (torch.linalg.inv(yiq) @ turn @ yiq) * (brightness * contrast)[:, None, None]
    luma = images.mean((2, 3)) @ yiq[0]
    shift = ((1 - contrast) * luma * brightness)[:, None, None].expand(-1, 3, 1)
    return torch.baddbmm(shift, matrix, images.flatten(2)).view_as(images).clamp_(0, 1)
