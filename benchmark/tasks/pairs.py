"""Landmark-matching tests as data: which image pairs, and how each image is warped.

The references draw their warps while they evaluate, so that a score depends on PyTorch's version or
on the number of workers. Here everything random is drawn once from a pinned NumPy generator into
plain arrays with a digest, which a protocol can state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.warps.random_warps import WarpStrength
from benchmark.warps.thin_plate import ThinPlateSpline, Transported, WarpChain

Layout = Literal["dve", "paper"]

# jamt9000/DVE@2085144 test_matching.py: half of its training values, for both warps of an image.
MATCHING_STRENGTH = WarpStrength(0.0005, 0.005, 0.05, 0.05, 2.5)

_DTYPES = {"views": "<i4", "pairs": "<i4", "same": "|b1", "weights": "<f4", "affine": "<f4"}


@dataclass(frozen=True, eq=False)
class MatchingPairs:
    """Pairs of views of images between which landmarks are to be matched.

    A view is an image under two warps in turn: `views` (V, 3) int32 holds the image index and two
    rows of the table of warps, whose row 0 is the identity. `pairs` (P, 2) int32 holds the source
    and the target view of each pair, `same` (P,) bool whether both show the same image. The table:
    `weights` (M, 100, 2) and `affine` (M, 3, 2), float32, for a `ThinPlateSpline`.
    """

    views: np.ndarray
    pairs: np.ndarray
    same: np.ndarray
    weights: np.ndarray
    affine: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in _DTYPES.items():
            if getattr(self, name).dtype != np.dtype(dtype):
                raise InvalidInput(
                    f"{name} of matching pairs must be {np.dtype(dtype)}, got "
                    f"{getattr(self, name).dtype}"
                )
        v, p, m = len(self.views), len(self.pairs), len(self.weights)
        shapes = (self.views.shape, self.pairs.shape, self.same.shape, self.affine.shape)
        if shapes != ((v, 3), (p, 2), (p,), (m, 3, 2)):
            raise InvalidInput(f"matching pairs have shapes that do not fit together: {shapes}")
        for name, highest in (("pairs", v), ("views", m)):
            index = self.pairs if name == "pairs" else self.views[:, 1:]
            if index.size and not (index.min() >= 0 and index.max() < highest):
                raise InvalidInput(f"{name} of matching pairs point outside their {highest} rows")

    def arrays(self) -> dict[str, np.ndarray]:
        """The plain arrays by name, to be stored with `np.savez`."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], expected_digest: str = ""
    ) -> MatchingPairs:
        """The pairs back from `arrays`; raises `DataAltered` where the digest is another."""
        pairs = cls(**{name: np.asarray(arrays[name], dtype) for name, dtype in _DTYPES.items()})
        if expected_digest and pairs.digest != expected_digest:
            raise DataAltered(
                f"matching pairs have digest {pairs.digest}, the protocol states {expected_digest}",
                cure="restore the stored file, or draw the pairs again with the stated seed",
            )
        return pairs

    @property
    def digest(self) -> str:
        """sha256 of names, types, shapes and values, the same on every machine."""
        digest = hashlib.sha256()
        for name, dtype in _DTYPES.items():
            array = np.ascontiguousarray(getattr(self, name), dtype)
            digest.update(f"{name} {dtype} {array.shape}\n".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def chain(self, views: Sequence[int] | np.ndarray) -> WarpChain:
        """The two warps of each of these views."""
        first, second = self.views[np.asarray(views), 1:].T
        return WarpChain(self._warp(first), self._warp(second))

    def render(self, views: Sequence[int] | np.ndarray, images: Tensor) -> Tensor:
        """These views of their images (B, C, H, W), floating point, same shape.

        As in the reference each warp interpolates in turn, with zeros from outside; the corners are
        aligned, so that pixels and points agree. `images[i]` is image `self.views[views[i], 0]`.
        """
        chain = self.chain(views)
        return chain.second.warp(chain.first.warp(images))

    def landmarks(
        self, views: Sequence[int] | np.ndarray, points: Tensor, height: int, width: int
    ) -> Transported:
        """Where landmarks (B, K, 2) of the images lie in these views, exactly, and whether visible."""
        return self.chain(views).points_forward(points, height, width)

    def landmarks_to_pixels(
        self, views: Sequence[int] | np.ndarray, points: Tensor, height: int, width: int
    ) -> Tensor:
        """The same by DVE's rule: nearest pixel after each warp, (B, K, 2) whole numbers."""
        first, second = self.views[np.asarray(views), 1:].T
        moved = self._warp(first).nearest_pixels(points, height, width)
        return self._warp(second).nearest_pixels(moved, height, width)

    def _warp(self, rows: np.ndarray) -> ThinPlateSpline:
        weights, affine = self.weights[rows], self.affine[rows]
        return ThinPlateSpline(torch.from_numpy(weights), torch.from_numpy(affine))


def float32_grid(pixels: Tensor, side: int) -> Tensor:
    """Whole pixels (…) of an axis of `side` pixels as DVE's grid of positions holds them, float32.

    The grid runs from -1 to 1 in float32 steps, is brought back to pixels in float32, and misses
    some whole numbers by up to 4e-6 pixels: half of 39 is then below 19.5, and rounds to 19 where
    half of exactly 39 rounds to 20. Source: jamt9000/DVE@2085144 utils/tps.py, on the `linspace` of
    today's PyTorch, which steps from both ends and rounds once; one that steps from the first end
    alone misses other numbers.

    >>> [round(float(p), 6) for p in float32_grid(torch.tensor([58, 59]), 136) - 20]
    [38.0, 38.999996]
    """
    step = torch.tensor(2.0 / (side - 1), dtype=torch.float32).double()
    place = pixels.double()
    ends = torch.where(place < side // 2, step * place - 1, 1 - step * (side - 1 - place))
    return (ends.float() + 1) / 2 * (side - 1)


def draw_matching_pairs(
    images: int,
    seed: int,
    *,
    count: int = 500,
    layout: Layout = "dve",
    identities: Sequence[str] | None = None,
    strength: WarpStrength = MATCHING_STRENGTH,
) -> MatchingPairs:
    """`count` pairs of the same image, then `count` pairs of different identities.

    Source i is image 2i and its different partner image 2i + 1, as in DVE. Where a person has
    several images, give `identities`, one per image: then sources are drawn without repetition, and
    partners among the images of other identities.

    `layout` says which sides are warped. "dve" (jamt9000/DVE@2085144 test_matching.py): the source
    is warped twice, the same target once (its first warp), the different target by a warp of its
    own. "paper" (as SCE-MAE words it: the original image and its warped copy): only the same
    target is warped, once. Random numbers are PCG64's of `seed` alone.

    Example: `draw_matching_pairs(1000, seed=0)` has 1,500 views, 1,000 pairs and 1,501 warps.
    """
    if strength.variant != "dve":
        raise InvalidInput("matching pairs are warped with the dve variant of the spline")
    if layout not in ("dve", "paper"):
        raise InvalidInput(f"there is no layout {layout!r} of matching pairs: dve, paper")
    generator = np.random.Generator(np.random.PCG64(seed))
    source, partner = _choose(images, count, identities, generator)
    warps = strength.draw(3 * count, generator)
    identity = ThinPlateSpline.identity()

    view = np.arange(count)
    once, again, other = 1 + view, 1 + count + view, 1 + 2 * count + view
    none = np.zeros(count, dtype=int)
    if layout == "dve":
        columns = [(source, once, again), (source, once, none), (partner, other, none)]
    else:
        columns = [(source, none, none), (source, once, none), (partner, none, none)]
    views = np.concatenate([np.stack(c, axis=1) for c in columns])
    pairs = np.concatenate(
        [np.stack([view, count + view], axis=1), np.stack([view, 2 * count + view], axis=1)]
    )
    table = warps.weights if layout == "dve" else warps.weights[:count]
    affine = torch.cat([identity.affine, warps.affine[: len(table)]])
    weights = torch.cat([torch.zeros_like(table[:1]), table])
    return MatchingPairs(
        views=views.astype("<i4"),
        pairs=pairs.astype("<i4"),
        same=np.arange(2 * count) < count,
        weights=weights.numpy().astype("<f4"),
        # A cosine may differ in its last bit between machines; rounded, it does not.
        affine=affine.numpy().round(9).astype("<f4"),
    )


def _choose(
    images: int, count: int, identities: Sequence[str] | None, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Image indices (count,) of the sources and of their partners, which are of other identities."""
    if count < 1:
        raise InvalidInput(f"at least one pair must be drawn, not {count}")
    if identities is None:
        if 2 * count > images:
            raise InvalidInput(
                f"{count} pairs of neighbours need {2 * count} images, got {images}",
                cure="draw fewer pairs, or give identities: then partners may repeat",
            )
        source = 2 * np.arange(count)
        return source, source + 1
    names = np.asarray(identities)
    if names.shape != (images,):
        raise InvalidInput(f"{images} images need as many identities, got {names.shape}")
    if count > images or len(np.unique(names)) < 2:
        raise InvalidInput(
            f"{count} pairs need as many images, of two identities or more; got {images} images of "
            f"{len(np.unique(names))}"
        )
    # Ranks and remainders of raw 64-bit words: no library's way of shuffling decides the choice.
    words = generator.bit_generator.random_raw(images + count)
    source = np.argsort(words[:images], kind="stable")[:count]
    partner = np.empty(count, dtype=int)
    for i, (chosen, word) in enumerate(zip(source, words[images:], strict=True)):
        others = np.flatnonzero(names != names[chosen])
        partner[i] = others[int(word) % len(others)]
    return source, partner
