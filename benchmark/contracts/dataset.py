"""A data set: its description, which is light to import, and a reader of its publisher's layout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from benchmark.contracts.names import id_faults, name_faults, reference_faults, text_faults

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class DatasetSpec:
    """One data set: data only. `implementation` ("module:Class") is imported when it is read.

    `obtain` says where to get it and how; `layout` what the reader expects under the data root; `terms`
    the conditions of use, and `publishable` whether these allow example pictures on a public page;
    `expected` the counts that `bench data verify` checks.
    """

    id: str
    """Lower case; the folder's name under a data root, unless `folder` gives another."""
    implementation: str
    summary: str
    """One line."""
    homepage: str
    """Its publisher's page."""
    terms: str
    obtain: str
    layout: str
    version: int = 1
    """Raise it when the reader comes to give other samples."""
    downloadable: bool = False
    """Whether `bench data get` may fetch it."""
    publishable: bool = False
    expected: Mapping[str, int] = field(default_factory=dict)
    folder: str = ""
    """Its folder's name, where that is not the id: several data sets may be read from one folder."""

    def problems(self) -> list[str]:
        """What is wrong with this registration, in words; empty when nothing is."""
        texts = ("summary", "homepage", "terms", "obtain", "layout")
        return [
            *id_faults("id", self.id),
            *reference_faults("implementation", self.implementation),
            *(name_faults("folder", self.folder) if self.folder else ()),
            *(f for n in texts for f in text_faults(n, getattr(self, n), lines=n != "summary")),
        ]


@dataclass(frozen=True)
class Sample:
    """One annotated image. `key` is unique in the data set; `points` (K, 2) float64 source pixels.

    `box` is (x_min, y_min, x_max, y_max) where the data set gives one. `points` may be None for
    images that are only looked at. `visible` (K,) bool says which points are annotated: what the others
    hold, NaN or any place, counts nowhere, not in a crop made from the points, in no probe and no error;
    a protocol on such a data set has "visible" among its labels. A `mirrored` picture without points,
    box and mask is turned left for right once it is cut and resized. `mask` names the file of the
    foreground, which `Reader.mask` reads; `extra` holds further arrays by name ("attributes", say),
    each of one shape over the data set.
    """

    key: str
    path: Path
    """The image's file; it may go on inside a zip, `faces.zip/00/a.png`."""
    identity: str = ""
    """The person or object shown."""
    points: np.ndarray | None = None
    box: tuple[float, float, float, float] | None = None
    visible: np.ndarray | None = None
    mask: Path | None = None
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)
    mirrored: bool = False
    """Whether it is the mirror image that is meant."""


def _untold(done: int, total: int) -> None:
    """Nobody asked how far it is."""


class Reader(ABC):
    """Reads a data set in its publisher's layout; `splits` names those that it knows.

    One that has to make something first calls `progress(done, total)` of itself as it goes on.
    """

    splits: ClassVar[tuple[str, ...]] = ()
    progress: Callable[[int, int], None] = staticmethod(_untold)

    def __init__(self, root: Path) -> None:
        self.root = root

    @abstractmethod
    def samples(self, split: str) -> list[Sample]:
        """The samples of a split, in an order that never changes."""

    def cloud(self, sample: Sample) -> np.ndarray | None:
        """float32 (P, 3), the surface of the object shown; None where the publisher gives none.

        Samples of one `identity` share it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no clouds")

    def mask(self, sample: Sample) -> np.ndarray:
        """The sample's mask in pixels of its image, uint8, as the geometry's `masks` reads it.

        (H, W) labels (1 foreground, 0 background, 255 not scored) or the publisher's grey values, or
        (H, W, 3) the publisher's colours.
        """
        raise NotImplementedError(f"{type(self).__name__} has no masks")
