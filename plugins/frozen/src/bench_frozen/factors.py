"""Deep feature factorisation: parts are the factors of a frozen network's maps.

Source: Collins, Achanta and Süsstrunk 2018, §3; edocollins/DFF a8161ed. There test images are part of
the factorisation; here the basis comes from training images alone, and a new image is solved for.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench_frozen.descriptors import OfBackbone
from bench_frozen.settings import FactorSettings
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext
from benchmark.contracts.predictions import Parts
from benchmark.training.nmf import basis, coefficients
from benchmark.training.randomness import generator
from benchmark.training.weights import load_weights

BATCH = 16


class DeepFeatureFactorisation(OfBackbone):
    """Parts of each image: how much of each factor a place holds."""

    Settings = FactorSettings
    gives = ("parts",)
    settings: FactorSettings
    basis: Tensor
    """(K, C), rows of length 1."""
    behind: Tensor
    """bool (K,): which factors are background."""

    def fit(self, images: Images, context: FitContext) -> None:
        """Factor the maps of some training images, and find the background among the factors."""
        super().fit(images, context)
        s = self.settings
        draw = generator(context.seed, "factors", device=context.device)
        chosen = np.random.Generator(np.random.PCG64(context.seed)).permutation(len(images))
        chosen = np.sort(chosen[: s.fitted])
        found = []
        with torch.inference_mode():
            for first in range(0, len(chosen), BATCH):
                batch = images.batch(chosen[first : first + BATCH]).to(context.device)
                found.append(self.vectors(to_signed(batch)))
                done = min(first + BATCH, len(chosen))
                context.progress("maps", done, len(chosen))
            grids = torch.cat(found)
            self.basis = basis(grids.flatten(0, 2), s.parts, draw, s.starts, s.updates)
            shares = coefficients(grids.flatten(0, 2), self.basis, s.solved)
        self.behind = background(shares.view(*grids.shape[:3], -1), s.background)

    def vectors(self, images: Tensor) -> Tensor:
        """(B, h, w, C), none below 0, on the grid of the first layer."""
        maps = self.maps(images)
        side = maps[0].shape[-2:]
        joined = torch.cat(
            [functional.interpolate(m, side, mode="bilinear", antialias=True) for m in maps], 1
        ).clamp(min=0)
        if self.settings.unit_length:
            joined = functional.normalize(joined, dim=1)
        return joined.permute(0, 2, 3, 1)

    def predict(self, images: Tensor) -> Parts:
        grids = self.vectors(images)
        shares = coefficients(grids.flatten(0, 2), self.basis, self.settings.solved)
        shares = shares.view(*grids.shape[:3], -1).permute(0, 3, 1, 2)
        behind = shares[:, self.behind].sum(1, keepdim=True)
        found = torch.cat([behind, shares[:, ~self.behind]], 1)
        found = functional.interpolate(found, images.shape[-2:], mode="bilinear").clamp(min=0)
        return Parts(found / found.sum(1, keepdim=True).clamp(min=1e-9))

    def kept(self) -> dict[str, Tensor]:
        return {"basis": self.basis, "behind": self.behind}

    def load(self, folder: Path, device: str) -> None:
        super().load(folder, device)
        found = load_weights(folder)
        self.basis, self.behind = found["basis"].to(device), found["behind"].to(device)


def background(shares: Tensor, which: str) -> Tensor:
    """bool (K,): which factors are background, from how much of each lies where, (B, h, w, K).

    A factor's mean along the border (an eighth of the side) over its mean in the middle (half the side)
    says how much it is background. "most" takes the one with the most, "all" every further one above 1
    too; one is left a part. It looks at no label.

    >>> shares = torch.zeros(1, 8, 8, 2)
    >>> shares[:, 2:6, 2:6, 0], shares[:, 0, :, 1] = 1.0, 1.0
    >>> background(shares, "most").tolist()
    [False, True]
    """
    high, wide = shares.shape[1:3]
    edge_high, edge_wide = max(1, high // 8), max(1, wide // 8)
    border = torch.ones(high, wide, dtype=torch.bool, device=shares.device)
    border[edge_high : high - edge_high, edge_wide : wide - edge_wide] = False
    middle = torch.zeros_like(border)
    middle[high // 4 : high - high // 4, wide // 4 : wide - wide // 4] = True
    means = [shares[:, where].mean((0, 1)) for where in (border, middle)]
    outside = (means[0] + 1e-9) / (means[1] + 1e-9)
    found = outside > 1 if which == "all" else torch.zeros_like(outside, dtype=torch.bool)
    order = outside.argsort(descending=True, stable=True)
    found[order[0]], found[order[-1]] = True, False
    return found
