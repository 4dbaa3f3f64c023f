"""Which segmentations are good enough: the filters of annotation-invariant style transfer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from benchmark.contracts.errors import InvalidInput
from benchmark.datasets.cutouts.segmentations import Segmentation

FILTERS = ("label", "confidence", "size", "fill", "grey", "occlusion", "cropping")
"""In the order in which they are asked; what one of them takes out no later one sees."""


@dataclass(frozen=True)
class Filters:
    """What a segmentation has to be; the defaults are those of the thesis (its chapter 3).

    A detector's `labels` and least `confidence`, which masks without a detector's word are not
    asked for; the least root of the area of its box in pixels (`side`), and the least share of that
    box which it covers (`fill`). The box is the detector's, or the mask's own. A photograph is grey
    where the channels of no pixel differ by more than `grey` (None: grey ones stay). An object in
    more than one piece, of `connectivity` 4 or 8, is taken for occluded, unless all other pieces
    together hold no more than the share `specks` of it. It is taken for cropped where it covers
    more than `covered` of a strip along one `border`, as wide as `strip` of that side: of the
    "photograph", or of the "cutout" itself; the thesis does not say which.

    Source: B. Jourdan, Annotation Invariant Style Transfer (2020), 3.1 and 3.2.
    """

    labels: tuple[str, ...] = ("car", "truck")
    confidence: float = 0.7
    side: float = 128.0
    fill: float = 0.5
    grey: int | None = 0
    connectivity: Literal[4, 8] = 8
    specks: float = 0.0
    border: Literal["photograph", "cutout"] = "photograph"
    strip: float = 0.02
    covered: float = 1 / 3

    def __post_init__(self) -> None:
        for name in ("confidence", "fill", "specks", "strip", "covered"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInput(f"{name} is a share from 0 to 1, got {getattr(self, name)}")
        if self.side < 0:
            raise InvalidInput(f"side must be 0 or more pixels, got {self.side}")


def fault(found: Segmentation, mask: np.ndarray, photograph: np.ndarray, want: Filters) -> str:
    """The first of `FILTERS` that a segmentation does not pass; "" where it passes all.

    mask: bool (H, W); photograph: uint8 (H, W, 3). A mask without a pixel fails "size".

    >>> mask, grey = np.ones((4, 4), bool), np.zeros((4, 4, 3), np.uint8)
    >>> fault(Segmentation("a", Path("a.jpg"), Path("a.png")), mask, grey, Filters(side=2))
    'grey'
    """
    if found.label and found.label not in want.labels:
        return "label"
    if found.confidence is not None and found.confidence < want.confidence:
        return "confidence"
    if not mask.any():
        return "size"
    area = _area(found, mask)
    if area < want.side**2:
        return "size"
    if mask.sum() < want.fill * area:
        return "fill"
    if want.grey is not None and _is_grey(photograph, want.grey):
        return "grey"
    if _in_pieces(mask, want):
        return "occlusion"
    within = mask if want.border == "photograph" else mask[rectangle(mask)]
    return "cropping" if _touches_a_border(within, want) else ""


def rectangle(mask: np.ndarray) -> tuple[slice, slice]:
    """The smallest rectangle (rows, columns) around a mask that holds a pixel."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _area(found: Segmentation, mask: np.ndarray) -> float:
    if found.box is None:
        return float(mask[rectangle(mask)].size)
    x_min, y_min, x_max, y_max = found.box
    return max(0.0, x_max - x_min) * max(0.0, y_max - y_min)


def _is_grey(photograph: np.ndarray, most: int) -> bool:
    channels = photograph.astype(np.int16)
    return bool((channels.max(-1) - channels.min(-1)).max() <= most)


def _in_pieces(mask: np.ndarray, want: Filters) -> bool:
    around = ndimage.generate_binary_structure(2, 1 if want.connectivity == 4 else 2)
    pieces, count = ndimage.label(mask, around)
    if count < 2:
        return False
    sizes = np.bincount(pieces.ravel())[1:]
    return bool(sizes.sum() - sizes.max() > want.specks * sizes.sum())


def _touches_a_border(mask: np.ndarray, want: Filters) -> bool:
    height, width = (max(1, round(want.strip * side)) for side in mask.shape)
    strips = mask[:height], mask[-height:], mask[:, :width], mask[:, -width:]
    return any(strip.mean() > want.covered for strip in strips)
