"""The warps that parts have to follow, and the colours of what is warped.

Source: NVlabs/SCOPS 05da7e4, tps and exps/SCOPS_K8_retrain.json.
"""

from __future__ import annotations

import numpy as np
import torch

from bench_scops.settings import ScopsSettings
from benchmark.training.augment import CropSettings
from benchmark.warps.control_points import controls, spline_through
from benchmark.warps.thin_plate import ThinPlateSpline

CONTROLS = 5


def draw_warps(
    count: int, settings: ScopsSettings, draw: np.random.Generator, device: torch.device
) -> ThinPlateSpline:
    """`count` splines; control points are moved, and all is shifted, turned and scaled, evenly within
    bounds.

    Scales are drawn as the picture is read, evenly between one over each bound.
    """
    s = settings
    offsets = draw.uniform(-s.bend, s.bend, (count, CONTROLS**2, 2))
    shift = draw.uniform(-s.shift, s.shift, (count, 2))
    turn = draw.uniform(-s.rotation, s.rotation, count)
    scale = draw.uniform(1 / s.scales[1], 1 / s.scales[0], count)
    moved = controls(CONTROLS) + torch.from_numpy(offsets)
    return spline_through(ThinPlateSpline.similarity(shift, scale, turn).evaluate(moved)).to(device)


def colours(settings: ScopsSettings) -> CropSettings:
    """The whole image in other colours."""
    brightness, contrast, saturation, hue = settings.colour
    return CropSettings(
        settings.size, area=(1.0, 1.0), aspect=1.0, flip=0.0, colour=1.0, brightness=brightness,
        contrast=contrast, saturation=saturation, hue=hue, grayscale=0.0, blur=0.0,
    )  # fmt: skip
