"""Landmark regression: a small probe from frozen predictions to annotated points, and its errors.

Descriptors go through a soft-argmax probe, landmarks (also part centres) through a linear one; the
protocol names both, and may name other linear probes for single metrics. Points that are not annotated
are left out of the linear fit and of the error.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.contracts.errors import DataAltered, Incompatible, InvalidInput
from benchmark.datasets.opening import split_name
from benchmark.metrics.landmarks import inter_ocular_distance, normalised_point_errors
from benchmark.probes.constants import require_frozen
from benchmark.probes.softargmax_presets import softargmax_settings
from benchmark.protocols import LandmarkRule, Metric, Probe, Protocol
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.base import Scores, Scoring, Task
from benchmark.tasks.landmark_errors import Annotation, item_values, moved_by_rounding
from benchmark.tasks.landmark_rule import landmarks_of
from benchmark.tasks.views import ImageSet

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit


class LandmarkRegression(Task):
    """Fit the probe on the train split, measure on the test split."""

    accepts = TASKS["landmark_regression"]
    keeps_predictions = True

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        require_landmarks(splits, how, len(splits["train"]))

    def image_sets(self, splits: Mapping[str, PreparedSplit], protocol: Protocol) -> list[ImageSet]:
        return [
            ImageSet.of_split(name, splits[name], partial(targets, splits[name], protocol))
            for name in self.splits
        ]

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        train, test = (annotation(splits[name], how.protocol) for name in self.splits)
        headline = probe_of(how)
        fitted: dict[str, np.ndarray] = {}
        abouts: dict[str, dict[str, Any]] = {}
        per_item = {}
        for metric in how.protocol.metrics:
            probe = Probe(name=metric.probe) if metric.probe else headline
            if probe.name not in fitted:
                require_frozen(probe, how.protocol)
                (fitted[probe.name],), abouts[probe.name] = read_points(
                    store / "train", [store / "test"], train, probe, how
                )
            per_item[metric.id] = item_values(metric, fitted[probe.name], test, how.protocol)
        points, about = fitted[headline.name], abouts[headline.name]
        if (eyes := how.protocol.section(LandmarkRule).eyes) and test.visibility().all():
            unit = inter_ocular_distance(test.points, eyes)
            by_point = np.asarray(normalised_point_errors(points, test.points, unit))
            about["error_by_point"] = [round(float(e), 4) for e in by_point.mean(0)]
        about |= {"also": sorted(fitted.keys() - {headline.name})} if len(fitted) > 1 else {}
        return Scores(per_item, predictions={"points": points.astype(np.float32)}, probe=about)

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        test = annotation(split, protocol)
        return {
            m.id: item_values(m, kept["points"], test, protocol) for m in _of_headline(protocol)
        }

    def rounding(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        test, points = annotation(split, protocol), kept["points"]
        own = _of_headline(protocol)
        return {m.id: moved_by_rounding(m, points, test, protocol) for m in own}


def _of_headline(protocol: Protocol) -> list[Metric]:
    """The metrics read with the headline's probe, whose points are kept."""
    return [metric for metric in protocol.metrics if not metric.probe]


def probe_of(how: Scoring) -> Probe:
    """The probe for the kind of prediction at hand; a twin may name a cheaper one for descriptors."""
    twin = how.protocol.twin
    if how.twin and how.kind == "descriptors" and twin is not None and twin.probe is not None:
        return twin.probe
    return how.protocol.probes[how.kind]


def targets(split: PreparedSplit, protocol: Protocol) -> np.ndarray:
    """The asked points (N, K, 2) float32 of a split."""
    if split.points is None:
        raise DataAltered(
            f"the images in {split.folder} carry no points, and {protocol.name} asks for them",
            cure="name a split whose samples have points, or a task that needs none",
        )
    try:
        return landmarks_of(split.points, protocol.section(LandmarkRule))
    except InvalidInput as error:
        raise InvalidInput(
            f"{protocol.name}: {error.message} per image in {split.folder}",
            cure="state in [landmarks] how many points the data set's images have",
        ) from None


def annotation(split: PreparedSplit, protocol: Protocol) -> Annotation:
    """The asked points of a split, and which of them are annotated."""
    visible = split.labels.get("visible")
    points = targets(split, protocol)
    return Annotation(points, None if visible is None else np.asarray(visible))


def require_landmarks(splits: Mapping[str, PreparedSplit], how: Scoring, rows: int) -> None:
    """Refuse splits without the asked points, or whose points give an error no unit or no row to fit,
    and fewer `rows` to fit on than the probe takes at once."""
    protocol = how.protocol
    require_frozen(probe_of(how), protocol)
    for name in ("train", "test"):
        truth = annotation(splits[name], protocol)
        unseen = np.flatnonzero(~truth.visibility().any(axis=0))
        if unseen.size:
            raise DataAltered(
                f"no image of {split_name(protocol, name, twin=how.twin)} shows point "
                f"{', '.join(map(str, unseen))}, counted from 0",
                cure="ask for points that are annotated, or score other images",
            )
    rule = protocol.section(LandmarkRule)
    measures = [TASKS[protocol.task].measure(m.measured) for m in protocol.metrics]
    if rule.eyes and any(m is not None and m.unit_points for m in measures):
        truth = annotation(splits["test"], protocol)
        known = truth.visibility()[:, list(rule.eyes)].all(axis=1)
        if not known.any():
            raise DataAltered(
                f"no test image of {protocol.name} shows both points {list(rule.eyes)}, whose distance "
                "is the unit",
                cure="name two others as landmarks.eyes",
            )
        inter_ocular_distance(truth.points[known], rule.eyes)
    if how.kind == "descriptors":
        _require_batch(probe_of(how), rows)


def _require_batch(probe: Probe, rows: int) -> None:
    settings = dataclasses.replace(softargmax_settings(probe.name), **probe.settings)
    if settings.drop_last and rows < settings.batch:
        raise Incompatible(
            f"{probe.name} takes batches of {settings.batch} annotated images, none of them short, "
            f"and there are {rows}",
            cure="score more images, or state batch or drop_last in the probe's settings",
        )


def read_points(
    train: Path,
    tests: Sequence[Path],
    labels: Annotation,
    probe: Probe,
    how: Scoring,
    *,
    seed: int | None = None,
    sets: int = 1,
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Fit the probe on what lies in `train`; points (N, K, 2) for each of `tests`, and how it went.

    `seed` is the protocol's evaluation seed unless given; `sets` says in how many equal parts, one per
    epoch in turn, a soft-argmax probe walks through the rows.
    """
    seed = how.protocol.evaluation_seed if seed is None else seed
    if how.kind == "descriptors":
        return _softargmax(train, tests, labels, probe, how, seed, sets)
    return _linear(train, tests, labels, probe, how)


def _softargmax(
    train: Path,
    tests: Sequence[Path],
    labels: Annotation,
    probe: Probe,
    how: Scoring,
    seed: int,
    sets: int,
) -> tuple[list[np.ndarray], dict[str, Any]]:
    from benchmark.probes.softargmax import SoftargmaxProbe

    settings = dataclasses.replace(softargmax_settings(probe.name), **probe.settings)
    maps = np.load(train / "maps.npy", mmap_mode="r")

    def progress(epoch: int, loss: float) -> None:
        how.progress("probe", epoch + 1, settings.epochs, loss=loss)

    fitted = SoftargmaxProbe(settings, how.protocol.size, device=how.device).fit(
        maps, labels.points, seed=seed, progress=progress, sets=sets
    )
    points = [fitted.predict(np.load(t / "maps.npy", mmap_mode="r")).numpy() for t in tests]
    about = {
        "name": probe.name,
        "settings": dataclasses.asdict(settings),
        "channels": int(maps.shape[1]),
        "map": list(maps.shape[2:]),
        "loss_by_epoch": [round(float(v), 6) for v in fitted.history],
    }
    return points, about


def _linear(
    train: Path, tests: Sequence[Path], labels: Annotation, probe: Probe, how: Scoring
) -> tuple[list[np.ndarray], dict[str, Any]]:
    from benchmark.probes.linear import linear_probe

    size = float(how.protocol.size)
    given = np.load(train / "points.npy")
    fitted = linear_probe(probe.name, (size, size), **probe.settings).fit(
        given, labels.points, labels.visible
    )
    about = {
        "name": probe.name,
        "settings": dict(probe.settings),
        "landmarks": int(given.shape[1]),
    }
    return [np.asarray(fitted.predict(np.load(t / "points.npy"))) for t in tests], about
