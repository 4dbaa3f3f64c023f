"""Landmark regression over scale: fitted on some sizes of faces, scored on these and on larger ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.contracts.images import Images
from benchmark.contracts.method import Progress
from benchmark.probes.constants import require_frozen
from benchmark.protocols import Metric, Protocol, Zoom
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.base import Scores, Scoring, Task
from benchmark.tasks.landmark_errors import Annotation, item_values, moved_by_rounding
from benchmark.tasks.landmark_regression import (
    probe_of,
    read_points,
    require_landmarks,
    targets,
)
from benchmark.tasks.views import ImageSet
from benchmark.tasks.warped import warped_images, warped_points
from benchmark.warps.thin_plate import ThinPlateSpline

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit

SETS = {"train": "train", "seen": "test", "unseen": "test"}
"""What is zoomed, and the split it is made of; each draws factors of its own."""


class LandmarkScale(Task):
    """Fit the probe on zoomed training images, measure on the test split zoomed twice."""

    accepts = TASKS["landmark_scale"]
    keeps_predictions = True

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        require_landmarks(splits, how, len(splits["train"]))

    def image_sets(self, splits: Mapping[str, PreparedSplit], protocol: Protocol) -> list[ImageSet]:
        return [
            ImageSet(
                view,
                splits[name].keys,
                partial(_zoomed, splits[name], protocol, view),
                partial(zoomed_points, splits[name], protocol, view),
            )
            for view, name in SETS.items()
        ]

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        protocol, probe = how.protocol, probe_of(how)
        require_frozen(probe, protocol)
        truth = {
            view: Annotation(zoomed_points(splits[name], protocol, view), None)
            for view, name in SETS.items()
        }
        tests = ["seen", "unseen"]
        found, about = read_points(
            store / "train", [store / view for view in tests], truth["train"], probe, how
        )
        points = dict(zip(tests, found, strict=True))
        per_item = {
            metric.id: item_values(metric, points[metric.on], truth[metric.on], protocol)
            for metric in protocol.metrics
        }
        kept = {f"points_{view}": array.astype(np.float32) for view, array in points.items()}
        return Scores(per_item, predictions=kept, probe=about)

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        return self._of_kept(item_values, kept, split, protocol)

    def rounding(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        return self._of_kept(moved_by_rounding, kept, split, protocol)

    def _of_kept(
        self,
        found: Callable[[Metric, np.ndarray, Annotation, Protocol], np.ndarray],
        kept: Mapping[str, np.ndarray],
        split: PreparedSplit,
        protocol: Protocol,
    ) -> dict[str, np.ndarray]:
        views = {m.on for m in protocol.metrics}
        truth = {v: Annotation(zoomed_points(split, protocol, v), None) for v in views}
        return {
            m.id: found(m, kept[f"points_{m.on}"], truth[m.on], protocol) for m in protocol.metrics
        }


def _zoomed(split: PreparedSplit, protocol: Protocol, view: str, progress: Progress) -> Images:
    images = split.images()
    warps = zooms(protocol, view, len(images))
    return warped_images(
        images, np.arange(len(images)), warps, lambda n, of: progress(f"zoom {view}", n, of)
    )


def zooms(protocol: Protocol, view: str, count: int) -> ThinPlateSpline:
    """How each image of a set is enlarged."""
    zoom = protocol.section(Zoom)
    generator = np.random.Generator(np.random.PCG64([zoom.seed, list(SETS).index(view)]))
    low, high = zoom.unseen if view == "unseen" else zoom.seen
    factors = low + (high - low) * generator.random(count)
    return ThinPlateSpline.similarity(np.zeros((count, 2)), 1 / factors, np.zeros(count))


def zoomed_points(split: PreparedSplit, protocol: Protocol, view: str) -> np.ndarray:
    """Where the landmarks of a set lie in its images' middle squares, (N, K, 2) float32."""
    points = targets(split, protocol)
    warps = zooms(protocol, view, len(points))
    return warped_points(split.images(), points, np.arange(len(points)), warps)
