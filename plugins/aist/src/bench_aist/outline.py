"""Outlines that are read from pixels: an image lies on pure black, and no pixel of the object is black.

Images are float (B, 3, H, W) in [-1, 1], where -1 is black. Source: the thesis, 4.1.1.
"""

from __future__ import annotations

import torch
from torch import Tensor

BLACK = -1 + 1 / 255
"""Half a grey level above black: what lies below is rounded to 0."""
DARKEST = -1 + 2 / 255
"""The grey level 1, as dark as an object can be."""


def step_alpha(images: Tensor) -> Tensor:
    """(B, 1, H, W): 1 where any channel is above black, else 0. It has no gradient.

    "Above black" is above half a grey level, which for images of whole levels is the thesis' "strictly
    greater than -1", and for what tanh gives is what is left of it when the picture is stored.

    >>> step_alpha(torch.tensor([-1.0, -1.0, -0.9]).view(1, 3, 1, 1)).item()
    1.0
    """
    return (images.amax(1, keepdim=True) > BLACK).to(images.dtype)


def soft_alpha(images: Tensor, level: float, width: float) -> Tensor:
    """(B, 1, H, W) in (0, 1): sigmoid((max RGB + 1 - level) / width), ½ at `level` above black.

    >>> soft_alpha(torch.full((1, 3, 1, 1), -0.96), level=0.04, width=0.02).item()
    0.5
    """
    return torch.sigmoid((images.amax(1, keepdim=True) + 1 - level) / width)


def outlined(images: Tensor, alpha: Tensor) -> Tensor:
    """`images` within `alpha` (B, 1, H, W; 0 or 1), black outside; inside nothing is darker than grey 1.

    Then `step_alpha` of it is `alpha`.
    """
    dark = images.amax(1, keepdim=True) < DARKEST
    return torch.where(alpha > 0, torch.where(dark, DARKEST, images), -1.0)
