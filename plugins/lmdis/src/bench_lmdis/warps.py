"""Images padded, and the warps that points have to follow.

Source: YutingZhang/lmdis-rep 2d3830e, exp-ae-celeba-mafl-10.py.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench_lmdis.settings import LmdisSettings
from benchmark.warps.control_points import controls, spline_through
from benchmark.warps.thin_plate import ThinPlateSpline

CONTROLS = 7


def with_border(images: Tensor, border: int) -> Tensor:
    """Images (B, 3, S, S) with their outermost pixels repeated `border` times on each side."""
    return functional.pad(images, [border] * 4, mode="replicate") if border else images


def draw_warps(
    count: int, settings: LmdisSettings, draw: np.random.Generator, device: torch.device
) -> ThinPlateSpline:
    """`count` splines through moved control points, then shifted, turned and scaled."""
    s = settings
    offsets = draw.normal(0.0, s.bend, (count, CONTROLS**2, 2))
    shift = draw.uniform(-s.shift, s.shift, (count, 2))
    turn = draw.normal(0.0, s.rotation, count)
    scale = np.exp(draw.normal(0.0, np.log(s.scale), count))
    targets = controls(CONTROLS) + torch.from_numpy(offsets)
    moved = ThinPlateSpline.similarity(shift, scale, turn).evaluate(targets)
    return spline_through(moved).to(device)
