"""Landmark regression from few annotated images: warped copies of them are all the probe is fitted on.

The method stays frozen; copies are images to it like any other. A metric's `on` names the number of
annotated images; its value is the mean over repeats, and how far repeats differ is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images
from benchmark.contracts.method import Progress
from benchmark.datasets.opening import split_name
from benchmark.probes.constants import require_frozen
from benchmark.protocols import Limited, Protocol
from benchmark.protocols.scoring import Rounding
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.base import Scores, Scoring, Task
from benchmark.tasks.chosen import Chosen, draw_chosen, read_chosen
from benchmark.tasks.landmark_errors import Annotation, item_values
from benchmark.tasks.landmark_regression import (
    annotation,
    probe_of,
    read_points,
    require_landmarks,
    targets,
)
from benchmark.tasks.views import ImageSet, copy_keys
from benchmark.tasks.warped import warped_images, warped_points
from benchmark.warps.random_warps import LIMITED_WARPS
from benchmark.warps.thin_plate import ThinPlateSpline

if TYPE_CHECKING:
    from benchmark.datasets.prepared import PreparedSplit


class LandmarkLimited(Task):
    """Fit the probe on copies of a few training images, measure on the test split."""

    accepts = TASKS["landmark_limited"]
    keeps_predictions = True

    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        train, limited = splits["train"], how.protocol.section(Limited)
        if max(limited.numbers) > len(train):
            raise Incompatible(
                f"{how.protocol.name} has {max(limited.numbers)} images annotated, and its training "
                f"split {split_name(how.protocol, 'train', twin=how.twin)} has {len(train)}",
            )
        chosen_rows(how.protocol, train)
        require_landmarks(splits, how, _one_set(limited, train))

    def image_sets(self, splits: Mapping[str, PreparedSplit], protocol: Protocol) -> list[ImageSet]:
        train, test = splits["train"], splits["test"]
        limited = protocol.section(Limited)
        found = []
        for (number, repeat), chosen in chosen_rows(protocol, train).items():
            name = f"{number}-{repeat}"
            rows, warps = copies_of(protocol, train, number, repeat, chosen)
            images = partial(_copies, train, rows, warps, limited.rounding, name)
            truth = partial(_copied_points, train, protocol, rows, warps)
            found.append(ImageSet(name, copy_keys(train, rows), images, truth))
        return [*found, ImageSet.of_split("test", test, partial(targets, test, protocol))]

    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        protocol, train = how.protocol, splits["train"]
        limited, probe = protocol.section(Limited), probe_of(how)
        test = annotation(splits["test"], protocol)
        require_frozen(probe, protocol)
        metrics = {metric.on: metric for metric in protocol.metrics}
        sets = {each.name: each for each in self.image_sets(splits, protocol)}
        errors: dict[str, list[np.ndarray]] = {}
        for number, repeat in chosen_rows(protocol, train):
            metric, copies = metrics[str(number)], sets[f"{number}-{repeat}"]
            truth = copies.truth()
            assert truth is not None
            annotated = Annotation(truth, None)
            (points,), about = read_points(
                store / copies.name, [store / "test"], annotated, probe, how,
                seed=protocol.evaluation_seed + repeat, sets=limited.sets,
            )  # fmt: skip
            errors.setdefault(metric.id, []).append(item_values(metric, points, test, protocol))
            how.progress("limited", number, max(limited.numbers), repeat=repeat)
        about.pop("loss_by_epoch", None)  # that of the last of many fits
        about |= {
            "copies": len(annotated.points),
            "by_repeat": {m: [round(float(e.mean()), 4) for e in es] for m, es in errors.items()},
            "population_std": {
                m: round(float(np.std([e.mean() for e in es])), 4) for m, es in errors.items()
            },
        }
        per_item = {m.id: np.mean(errors[m.id], axis=0) for m in protocol.metrics}
        by_repeat = {f"{m}_by_repeat": np.stack(es) for m, es in errors.items()}
        return Scores(per_item, predictions=by_repeat, probe=about)


def chosen_rows(protocol: Protocol, train: PreparedSplit) -> Chosen:
    """Which rows of the training split are annotated: the protocol's, or drawn for another split."""
    limited = protocol.section(Limited)
    if len(train) != limited.images:
        return draw_chosen(len(train), limited.numbers, limited.repeats, limited.seed)
    path = protocol.path.parent / limited.chosen
    return read_chosen(path, limited.chosen_sha256)


def copies_of(
    protocol: Protocol, train: PreparedSplit, number: int, repeat: int, chosen: np.ndarray
) -> tuple[np.ndarray, ThinPlateSpline]:
    """The image (V,) and the warp of each copy; every number and repeat has warps of its own."""
    limited = protocol.section(Limited)
    one_set = _one_set(limited, train)
    rows = np.resize(chosen, one_set)
    generator = np.random.Generator(np.random.PCG64([limited.seed, number, repeat]))
    warps = LIMITED_WARPS[limited.warp].draw(one_set * limited.sets, generator)
    return np.tile(rows, limited.sets), warps


def _one_set(limited: Limited, train: PreparedSplit) -> int:
    """How many copies an epoch walks through."""
    return limited.copies if len(train) == limited.images else limited.twin_copies


def _copied_points(
    train: PreparedSplit, protocol: Protocol, rows: np.ndarray, warps: ThinPlateSpline
) -> np.ndarray:
    nearest = protocol.section(Limited).points == "nearest_pixel"
    return warped_points(train.images(), targets(train, protocol), rows, warps, nearest=nearest)


def _copies(
    train: PreparedSplit,
    rows: np.ndarray,
    warps: ThinPlateSpline,
    rounding: Rounding,
    name: str,
    progress: Progress,
) -> Images:
    def rendering(done: int, total: int) -> None:
        progress(f"copies {name}", done, total)

    return warped_images(train.images(), rows, warps, rendering, rounding)
