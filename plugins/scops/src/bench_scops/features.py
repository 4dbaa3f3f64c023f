"""What parts have to explain: a frozen network's maps, and how much of each place counts.

Source: Hung et al. 2019, §3.3 and §3.4.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from bench_scops.settings import ScopsSettings
from benchmark.networks.cells import tiled
from benchmark.training.background import background
from benchmark.training.batches import resized
from benchmark.training.nmf import basis, coefficients
from benchmark.training.randomness import derived_seed, generator

STARTS, UPDATES, SOLVED = 3, 60, 40
"""Of the factors: random starts, updates of each, and updates for new images."""


class Features:
    """Maps of a frozen network; with saliency "factors" also which of two factors is background."""

    def __init__(
        self,
        settings: ScopsSettings,
        weights: Callable[[str], Path],
        seed: int,
        device: torch.device,
    ) -> None:
        self.settings, self.seed, self.device = settings, seed, device
        side = settings.features_size
        network = settings.network.build(weights, derived_seed(seed, "backbone"), side)
        self.network = network.to(device)
        self.factors: Tensor | None = None
        self.behind: Tensor | None = None

    @torch.no_grad()
    def raw(self, images: Tensor) -> Tensor:
        """Maps (B, C, h, w) of images (B, 3, S, S) in [-1, 1]: none below 0, on a grid that tiles the
        image in cells of the first layer's stride."""
        s = self.settings
        maps: list[Tensor] = self.network(resized(images, s.features_size))
        maps = [tiled(m, s.features_size, s.network.offset) for m in maps]
        side = maps[0].shape[-2:]
        joined = [functional.interpolate(m, side, mode="bilinear", antialias=True) for m in maps]
        return torch.cat(joined, 1).clamp(min=0)

    def find_factors(self, raw: Tensor) -> None:
        """Learn the two factors of raw maps (B, C, h, w), and which of them is background."""
        vectors, shape = _vectors(raw), raw.shape
        draw = generator(self.seed, "saliency", device=self.device)
        self.factors = basis(vectors, 2, draw, STARTS, UPDATES)
        shares = coefficients(vectors, self.factors, SOLVED).view(shape[0], *shape[2:], 2)
        self.behind = background(shares, "most")

    def saliency(self, raw: Tensor, silhouettes: Tensor | None) -> Tensor | None:
        """How much each place of raw maps counts, (B, 1, h, w) in [0, 1]; None where all do alike.

        `silhouettes` are uint8 (B, 1, S, S).
        """
        if silhouettes is not None:
            return functional.interpolate(silhouettes.float() / 255, raw.shape[-2:], mode="area")
        if self.factors is None or self.behind is None:
            return None
        shares = coefficients(_vectors(raw), self.factors, SOLVED)
        front = shares[:, ~self.behind] / shares.sum(1, keepdim=True).clamp(min=1e-9)
        return front.view(len(raw), 1, *raw.shape[2:])

    def explained(self, raw: Tensor, saliency: Tensor | None) -> Tensor:
        """What parts have to add up to, (B, C, h, w)."""
        if self.settings.unit_length:
            raw = functional.normalize(raw, dim=1)
        return raw if saliency is None else raw * saliency

    def first_basis(self, explained: Tensor) -> Tensor:
        """The basis (K, C) that training begins with; `explained` are maps of some images."""
        s = self.settings
        draw = generator(self.seed, "basis", device=self.device)
        if s.initial_basis == "normal":
            size = (s.parts, explained.shape[1])
            return torch.randn(size, generator=draw, device=self.device).abs()
        vectors = _vectors(explained)
        lengths = vectors.norm(dim=1)
        # as long as what they have to explain, where there is something to explain
        long = lengths.square().sum() / lengths.sum().clamp(min=1e-9)
        return basis(vectors, s.parts, draw, STARTS, UPDATES) * long


def _vectors(maps: Tensor) -> Tensor:
    """(B, C, h, w) → (B·h·w, C)."""
    return maps.movedim(1, -1).flatten(0, 2)
