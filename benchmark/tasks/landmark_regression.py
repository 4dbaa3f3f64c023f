"""Landmark regression: a small probe from frozen predictions to annotated points, error by the eyes.

Descriptors go through a soft-argmax probe, landmarks (also part centres) through a linear one; the
protocol names both. The error of a face is the mean distance of its points divided by the distance of
its eyes, in percent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.contracts.errors import BenchError, DataAltered
from benchmark.contracts.method import Method, Progress
from benchmark.contracts.spec import Kind
from benchmark.datasets.landmarks import landmarks_of
from benchmark.metrics.landmarks import (
    inter_ocular_distance,
    normalised_mean_error,
    normalised_point_errors,
)
from benchmark.probes.constants import require_frozen
from benchmark.protocols import Probe, Protocol
from benchmark.tasks.base import Scores, Scoring, Task
from benchmark.tasks.collect import collect

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit


class LandmarkRegression(Task):
    """Fit the probe on the train split, measure on the test split."""

    def predict(
        self,
        method: Method,
        kind: Kind,
        splits: Mapping[str, PreparedSplit],
        protocol: Protocol,
        store: Path,
        progress: Progress,
    ) -> None:
        for name in self.splits:
            labels = targets(splits[name], protocol)
            collect(method, kind, splits[name].images(), labels, store / name, progress, name)

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        train, test = (targets(splits[name], how.protocol) for name in self.splits)
        probe = probe_of(how)
        require_frozen(probe, how.protocol)
        if how.kind == "descriptors":
            points, about = _softargmax(store, train, probe, how)
        else:
            points, about = _linear(store, train, probe, how)
        unit = _unit(test, how.protocol)
        errors = np.asarray(normalised_mean_error(points, test, unit))
        by_point = np.asarray(normalised_point_errors(points, test, unit))
        about["error_by_point"] = [round(float(e), 4) for e in by_point.mean(0)]
        return Scores({"nme_iod": errors}, {"points": points.astype(np.float32)}, about)

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        test = targets(split, protocol)
        errors = normalised_mean_error(kept["points"], test, _unit(test, protocol))
        return {"nme_iod": np.asarray(errors)}


def _unit(points: np.ndarray, protocol: Protocol) -> np.ndarray:
    assert protocol.landmarks is not None
    return np.asarray(inter_ocular_distance(points, protocol.landmarks.eyes))


def probe_of(how: Scoring) -> Probe:
    """The probe for the kind of prediction at hand; a twin may name a cheaper one for descriptors."""
    twin = how.protocol.twin
    if how.twin and how.kind == "descriptors" and twin is not None and twin.probe is not None:
        return twin.probe
    if how.kind not in how.protocol.probes:
        raise BenchError(f"protocol {how.protocol.name} names no probe for {how.kind}")
    return how.protocol.probes[how.kind]


def targets(split: PreparedSplit, protocol: Protocol) -> np.ndarray:
    """The asked points (N, K, 2) float32 of a split."""
    if split.points is None or protocol.landmarks is None:
        raise DataAltered(f"{split.folder} of {protocol.name} carries no landmarks")
    return landmarks_of(split.points, protocol.landmarks)


def _softargmax(
    store: Path, train: np.ndarray, probe: Probe, how: Scoring
) -> tuple[np.ndarray, dict[str, Any]]:
    from benchmark.probes.softargmax import SoftargmaxProbe, softargmax_settings

    settings = dataclasses.replace(softargmax_settings(probe.name), **probe.settings)
    maps = {name: np.load(store / name / "maps.npy", mmap_mode="r") for name in ("train", "test")}

    def progress(epoch: int, loss: float) -> None:
        how.progress("probe", epoch + 1, settings.epochs, loss=loss)

    fitted = SoftargmaxProbe(settings, how.protocol.size, device=how.device).fit(
        maps["train"], train, seed=how.protocol.evaluation_seed, progress=progress
    )
    points = fitted.predict(maps["test"]).numpy()
    about = {
        "name": probe.name,
        "settings": dataclasses.asdict(settings),
        "channels": int(maps["train"].shape[1]),
        "map": list(maps["train"].shape[2:]),
        "loss_by_epoch": [round(float(v), 6) for v in fitted.history],
    }
    return points, about


def _linear(
    store: Path, train: np.ndarray, probe: Probe, how: Scoring
) -> tuple[np.ndarray, dict[str, Any]]:
    from benchmark.probes.linear import linear_probe

    points = {name: np.load(store / name / "points.npy") for name in ("train", "test")}
    size = float(how.protocol.size)
    fitted = linear_probe(probe.name, (size, size), **probe.settings).fit(points["train"], train)
    about = {
        "name": probe.name,
        "settings": dict(probe.settings),
        "landmarks": int(points["train"].shape[1]),
    }
    return np.asarray(fitted.predict(points["test"])), about
