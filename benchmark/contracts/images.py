"""What a method may see: pixels, never labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmark.contracts.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence


def to_signed(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 (..., H, W) → float32 in [-1, 1]; 0 → -1, 255 → 1."""
    return pixels.float().div_(127.5).sub_(1.0)


@dataclass(frozen=True)
class Cameras:
    """Where each image was taken from, granted only by protocols that say so.

    `rotation` (N, 4) float32 unit quaternions (w, x, y, z), world to camera; `translation` (N, 3).
    """

    rotation: np.ndarray
    translation: np.ndarray


class Images:
    """A set of images without labels: all that `Method.fit` is given.

    `pixels` is uint8 (N, S + 2m, S + 2m, 3), usually memory-mapped. The middle S × S pixels are
    what predictions are asked on; the margin m around them (often 0) exists so that crops and warps
    need not invent pixels. The object holds no annotation and no identity: a method that keeps to it
    can't help being unsupervised.

    What a protocol grants beside pixels is here too, and None where it does not: `cameras`; `objects`
    int64 (N,), equal numbers for views of one object or frames of one clip; `silhouettes` uint8
    (N, S + 2m, S + 2m), how much of each pixel the object covers (255 all of it).

    `len(images)` is N. Example: 3,375 faces of the protocol `ytf5` are (3375, 136, 136, 3) with size 96,
    margin 20.
    """

    pixels: np.ndarray
    """uint8 (N, S + 2m, S + 2m, 3), read-only; `batch` gives tensors."""
    size: int
    """S, the side of what predictions are asked on, in pixels."""
    margin: int
    """m, the pixels around that on each side."""
    digest: str
    """sha256 of all that is seen here; it joins the identity of a fit."""
    cameras: Cameras | None
    objects: np.ndarray | None
    silhouettes: np.ndarray | None

    def __init__(
        self,
        pixels: np.ndarray,
        size: int,
        digest: str,
        cameras: Cameras | None = None,
        objects: np.ndarray | None = None,
        silhouettes: np.ndarray | None = None,
    ) -> None:
        if pixels.ndim != 4 or pixels.shape[-1] != 3 or pixels.dtype != np.uint8:
            raise InvalidInput(
                f"images must be uint8 (N, H, W, 3), got {pixels.dtype} {pixels.shape}"
            )
        height, width = pixels.shape[1:3]
        if height != width or height < size or (height - size) % 2:
            raise InvalidInput(
                f"images of {width}×{height} pixels cannot hold a centred square of {size}"
            )
        if objects is not None and objects.shape != pixels.shape[:1]:
            raise InvalidInput(f"objects must be {pixels.shape[:1]}, got {objects.shape}")
        if silhouettes is not None and (
            silhouettes.shape != pixels.shape[:3] or silhouettes.dtype != np.uint8
        ):
            raise InvalidInput(
                f"silhouettes must be uint8 {pixels.shape[:3]}, got {silhouettes.dtype} "
                f"{silhouettes.shape}"
            )
        self.pixels = pixels
        self.size = size
        self.margin = (height - size) // 2
        self.digest = digest
        self.cameras = cameras
        self.objects = objects
        self.silhouettes = silhouettes

    def __len__(self) -> int:
        return len(self.pixels)

    def batch(
        self, indices: Sequence[int] | np.ndarray | slice, *, margin: bool = False
    ) -> torch.Tensor:
        """uint8 (B, 3, S, S), or with `margin=True` (B, 3, S + 2m, S + 2m)."""
        chosen = self.pixels[indices]
        if not margin and self.margin:
            m = self.margin
            chosen = chosen[:, m:-m, m:-m]
        # a copy: the memory map is read-only, and a tensor must not be
        return torch.from_numpy(np.array(chosen, order="C")).permute(0, 3, 1, 2)

    def tensor(self, *, margin: bool = True) -> torch.Tensor:
        """All images at once, uint8 (N, 3, H, W); for sets that fit in memory."""
        return self.batch(slice(None), margin=margin)
