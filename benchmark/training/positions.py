"""Where the pixels of a map lie, and points as they are seen from there.

±1 are the outer edges of the image at every side, so that a point means the same place in each map.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from benchmark.training.layers import convolution


def pixel_centres(side: int, margin: int = 0, device: torch.device | str = "cpu") -> Tensor:
    """float32 (side + 2·margin,): where the centres of a line's pixels lie, the margin beyond ±1.

    >>> pixel_centres(4).tolist()
    [-0.75, -0.25, 0.25, 0.75]
    >>> pixel_centres(2, 1).tolist()
    [-1.5, -0.5, 0.5, 1.5]
    """
    number = torch.arange(-margin, side + margin, device=device, dtype=torch.float32)
    return (2 * number + 1) / side - 1


def _full_precision(kind: str) -> AbstractContextManager[object]:
    """Half precision would leave of a phase of many turns only its coarsest part.

    Devices without it ("meta", which only counts) know no `autocast`.
    """
    known = torch.amp.is_autocast_available(kind)
    return torch.autocast(kind, enabled=False) if known else nullcontext()


class Encoding(nn.Module):
    """Sines and cosines of a linear map of where P points lie, seen from each pixel.

    Points (B, P, 2) and positions (H, W, 2) → float32 (B, 2·width, H, W). Absolute places do not
    enter: what moves points moves the maps. Both have one order of axes, which the caller chooses.
    Source: He et al. 2022 (GANSeg), eq. 5.

    Example: `Encoding(10, 64)` turns 10 points into 128 maps.
    """

    def __init__(self, points: int, width: int) -> None:
        super().__init__()
        self.linear = convolution(2 * points, width, 1)

    def forward(self, points: Tensor, where: Tensor) -> Tensor:
        """The maps of points seen from `where`, at full precision under `autocast` too."""
        apart = points[:, :, None, None].float() - where
        with _full_precision(apart.device.type):
            phase = torch.pi * self.linear(apart.permute(0, 1, 4, 2, 3).flatten(1, 2))
        return torch.cat([phase.sin(), phase.cos()], 1)
