"""Parts as colours over images, and generated images that are changed in one thing."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from bench_ganseg.generator import Codes, GanSeg
from benchmark.colours import colours

STRENGTH, DARKNESS = 0.55, 0.35
MOVED = 0.3
"""How far a part is moved to the right, in half sides."""


def tinted(images: Tensor, masks: Tensor) -> Tensor:
    """Images (B, 3, S, S) in [-1, 1] under the colours of their most probable parts.

    `masks` (B, K + 1, S, S), channel 0 the background, which turns dark.
    """
    tints = torch.tensor(colours(masks.shape[1] - 1), device=images.device) / 127.5 - 1
    label = masks.argmax(1)
    tint = tints[(label - 1).clamp(min=0)].permute(0, 3, 1, 2)
    mixed = (1 - STRENGTH) * images + STRENGTH * tint
    return torch.where(label[:, None] > 0, mixed, DARKNESS * (images + 1) - 1)


def edited(net: GanSeg, z: Tensor) -> dict[str, Tensor]:
    """Images of z, and what becomes of them: the largest part moved, another's background or looks."""
    codes = net.codes(z)
    found: dict[str, Tensor] = {}
    masks = _add(found, "generated", net, codes)
    if net.settings.use_points:
        largest = masks[:, 1:].sum((2, 3)).argmax(1)
        right = codes.points.new_tensor([0.0, MOVED])
        _add(
            found,
            "generated, its largest part moved to the right",
            net,
            codes.moved(largest, right),
        )
    behind = replace(codes, background=codes.background.roll(-1, 0), place=codes.place.roll(-1, 0))
    _add(found, "generated, with the background of the next", net, behind, parts=False)
    looks = replace(codes, looks=codes.looks.roll(-1, 0))
    _add(found, "generated, with the looks of the next", net, looks, parts=False)
    return found


def _add(
    found: dict[str, Tensor], name: str, net: GanSeg, codes: Codes, parts: bool = True
) -> Tensor:
    made = net.made(codes)
    images = made.images.clamp(-1, 1)
    found[name] = images
    if parts:
        found[f"{name}: parts"] = tinted(images, made.masks)
    return made.masks
