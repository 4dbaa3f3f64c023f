"""Random warps for training: known deformations whose effect on every point is known exactly.

Methods that learn from equivariance (DVE, IMM and their kin) warp a whole batch on its device:

    generator = warp_generator(seed=0, step=17)
    warps = draw_warps(len(images), generator, "dve-second", device=images.device)
    warped = warps.warp(images)                                  # (N, 3, H, W)
    landed, valid = warps.points_forward(points, 96, 96)         # (N, P, 2), (N, P)

The geometry is `benchmark.warps.thin_plate`, which evaluation uses as well: training and
matching tests cannot disagree about where a point went.
"""

from __future__ import annotations

import numpy as np
import torch

from benchmark.contracts.errors import UnknownName
from benchmark.training.randomness import derived_seed
from benchmark.warps.random_warps import FEW_LABELS, WarpStrength
from benchmark.warps.thin_plate import ThinPlateSpline, Transported, Warp, WarpChain

__all__ = [
    "STRENGTHS",
    "ThinPlateSpline",
    "Transported",
    "Warp",
    "WarpChain",
    "WarpStrength",
    "draw_warps",
    "warp_generator",
]

# DVE: jamt9000/DVE@2085144 utils/tps.py, `Warper` defaults (its first warp bends half as much) and
# `WarperSingle` (few-label regression; half of the weights become zero). IMM: tomasjakab/imm@0fee6b2
# imm/datasets/tps_dataset.py: the target is a warp of the image, the source a further warp of that.
STRENGTHS: dict[str, WarpStrength] = {
    "dve-first": WarpStrength(0.0005, 0.005, 0.1, 0.1, 5.0),
    "dve-second": WarpStrength(0.001, 0.01, 0.1, 0.1, 5.0),
    "dve-few-labels": FEW_LABELS,
    "imm-target": WarpStrength(0.001, 0.005, 0.1, 0.0, 0.0, variant="imm"),
    "imm-source": WarpStrength(0.001, 0.01, 0.1, 0.1, 5.0, variant="imm"),
}


def warp_generator(seed: int, step: int = 0) -> np.random.Generator:
    """The PCG64 stream of one training step: the same after a restart, on any device or PyTorch."""
    return np.random.Generator(np.random.PCG64(derived_seed(seed, "warp", step)))


def draw_warps(
    count: int,
    generator: np.random.Generator,
    preset: str | WarpStrength,
    device: torch.device | str = "cpu",
) -> ThinPlateSpline:
    """`count` random warps on `device`, drawn on the host from `generator`.

    `preset` is a name of `STRENGTHS` or a strength of your own.

    Example: `draw_warps(8, warp_generator(0), "imm-target").warp(images)` for images (8, 3, H, W).
    """
    if isinstance(preset, str):
        if preset not in STRENGTHS:
            raise UnknownName("warp preset", preset, STRENGTHS)
        preset = STRENGTHS[preset]
    return preset.draw(count, generator).to(device)
