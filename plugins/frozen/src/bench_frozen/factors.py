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
from benchmark.networks.cells import tiled
from benchmark.training.background import background
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
        s = self.settings
        maps = [tiled(m, s.size, s.network.offset) for m in self.maps(images)]
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
