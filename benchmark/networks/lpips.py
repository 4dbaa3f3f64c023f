"""LPIPS: how different two images look, through a frozen trunk and weights fitted to judgements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.contracts.weights import Weights
from benchmark.networks import trunks, weights

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
"""Of RGB in [-1, 1]; LPIPS' own, close to ImageNet's."""

EPSILON = 1e-10
"""Added to the length of a feature vector before it divides; other copies add 1e-8 under the root."""


@dataclass(frozen=True)
class Variant:
    """Which trunk, read at which layers, and the heads fitted on them."""

    trunk: str
    layers: tuple[str, ...]
    heads: Weights


VARIANTS = {
    "lpips-vgg": Variant(
        "vgg16", ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"), weights.LPIPS_VGG
    ),
    "lpips-squeeze": Variant(
        "squeezenet",
        ("relu1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9"),
        weights.LPIPS_SQUEEZE,
    ),
}


class Lpips(nn.Module):
    """LPIPS v0.1 of pairs of images: two (B, 3, H, W) in [-1, 1] to float (B,); 0 when equal.

    variant: `lpips-vgg`, which PPL takes, or `lpips-squeeze`. Images are neither resized nor
    clamped. Gradients flow to the images. It is a squared quantity already, and no metric in the
    mathematical sense. trunk, heads: the weight files or their folders; the heads come with the
    Python package lpips. Errors as `benchmark.networks.weights.find`, and `InvalidInput` for images
    of other shapes or dtypes, and of unequal shapes.

    Source: Zhang et al. 2018; richzhang/PerceptualSimilarity@082bb24, version 0.1, whose features are
    divided by their length + 1e-10. torchmetrics divides by the root of squared length + 1e-8: the same
    for lengths above 0.3 in float32, 0.9950 for 1 at a length of 1e-3.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self,
        variant: str = "lpips-vgg",
        trunk: str | Path | None = None,
        heads: str | Path | None = None,
    ) -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise UnknownName("LPIPS variant", variant, VARIANTS)
        self.variant = VARIANTS[variant]
        self.name = variant
        self.maps = trunks.trunk(self.variant.trunk, self.variant.layers, trunk)
        state = weights.load(self.variant.heads, heads)
        for i in range(len(self.variant.layers)):
            self.register_buffer(f"head{i}", state[f"lin{i}.model.1.weight"].flatten())
        self.register_buffer("shift", torch.tensor(SHIFT)[:, None, None])
        self.register_buffer("scale", torch.tensor(SCALE)[:, None, None])
        self.requires_grad_(False).eval()

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.by_layer(first, second).sum(dim=1)

    def by_layer(self, first: Tensor, second: Tensor) -> Tensor:
        """What each layer adds to the sum: (B, layers)."""
        if first.shape != second.shape:
            raise InvalidInput(
                f"two batches of one shape, got {tuple(first.shape)} and {tuple(second.shape)}"
            )
        sides = [
            self.maps((trunks.require_signed(images) - self.shift) / self.scale)
            for images in (first, second)
        ]
        apart = []
        for i, (one, other) in enumerate(zip(*sides, strict=True)):
            squared = (_unit(one) - _unit(other)).square()
            head = getattr(self, f"head{i}")
            apart.append((squared * head[:, None, None]).sum(dim=1).mean(dim=(1, 2)))
        return torch.stack(apart, dim=1)

    def identity(self) -> dict[str, object]:
        """What a number measured through this network depends on."""
        files = trunks.TRUNKS[self.variant.trunk].weight, self.variant.heads
        return {
            "name": self.name,
            "version": "0.1",
            "sha256": {file.name: file.sha256 for file in files},
            "resize": "none",
            "input": "RGB in [-1, 1], shifted and scaled as LPIPS does",
            "unit": "x / (|x| + 1e-10)",
        }


def _unit(maps: Tensor) -> Tensor:
    """Feature vectors (B, C, H, W) over their length; 0 where that is 0, and so is the gradient."""
    squared = maps.square().sum(dim=1, keepdim=True)
    # The gradient of a root is infinite at 0: that place gets another root, which nothing reads.
    length = squared.where(squared > 0, 1.0).sqrt().where(squared > 0, 0.0)
    return maps / (length + EPSILON)
