"""Asking a reader for its samples: what it gives is held to the contract, errors are told as its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import DataAltered, PluginBroken
from benchmark.method_errors import errors_of

MEND = "mend the reader; --debug shows the whole traceback"
FARTHEST = 1e6  # pixels; no picture that is decoded is as wide


def samples_of(reader: Reader, split: str, dataset_id: str) -> list[Sample]:
    """The samples of a split, each as `Sample` says it is.

    Raises `PluginBroken` where the reader fails or gives something else, `DataAltered` for a split
    without samples. Errors that the reader words itself pass as they are.
    """
    call = f"samples({split!r})"
    with errors_of(reader, call, MEND):
        found = list(reader.samples(split))
    if not found:
        raise DataAltered(
            f"{dataset_id}:{split} has no samples",
            cure="put the publisher's files there again, or mend the reader: "
            f"{type(reader).__name__}.{call} gave an empty list",
        )
    if faults := [*_faults(found)]:
        raise PluginBroken(
            f"{type(reader).__name__}.{call}: {faults[0]}",
            cure="put the publisher's annotations there again, or mend the reader",
        )
    return found


def mask_of(reader: Reader, sample: Sample) -> np.ndarray:
    """The sample's mask; errors as `samples_of`."""
    call = f"mask(<{sample.key}>)"
    with errors_of(reader, call, MEND):
        mask = reader.mask(sample)
    if not isinstance(mask, np.ndarray) or mask.dtype not in (np.uint8, np.bool_):
        given = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
        raise PluginBroken(
            f"{type(reader).__name__}.{call} gave {given}, not an array of uint8",
            cure="mend the reader: `Reader.mask` says what it is to give",
        )
    return mask


def cloud_of(reader: Reader, sample: Sample) -> np.ndarray | None:
    """The cloud of the object that the sample shows; errors as `samples_of`."""
    with errors_of(reader, f"cloud(<{sample.key}>)", MEND):
        return reader.cloud(sample)


def _faults(samples: list[Sample]) -> list[str]:
    strange = next((s for s in samples if not isinstance(s, Sample)), None)
    if strange is not None:
        return [f"it gave {type(strange).__name__}, not Sample"]
    ((key, times),) = Counter(s.key for s in samples).most_common(1)
    if times > 1:
        return [f"the key {key!r} comes {times} times; keys are unique in a data set"]
    return [f"{s.key}: {fault}" for s in samples if (fault := _fault(s))]


def _fault(sample: Sample) -> str:
    """What is wrong with one sample, or nothing."""
    if not isinstance(sample.key, str) or not isinstance(sample.path, Path):
        return "key must be a string and path a pathlib.Path"
    points, visible = sample.points, sample.visible
    if sample.mirrored and any(label is not None for label in (points, sample.box, sample.mask)):
        return "mirrored pictures have no points, box or mask"
    if points is None:
        return ""
    if not isinstance(points, np.ndarray) or points.ndim != 2 or points.shape[1] != 2:
        return f"points must be an array (K, 2), not {_shape(points)}"
    shown = np.ones(len(points), bool) if visible is None else visible
    if not isinstance(shown, np.ndarray) or shown.shape != points.shape[:1]:
        return f"visible must be an array ({len(points)},), not {_shape(visible)}"
    if shown.dtype != np.bool_:
        return f"visible must be bool, not {shown.dtype}"
    # NaN compares as False, so it is beyond everything here
    beyond = np.flatnonzero(shown & ~(np.abs(points) < FARTHEST).all(axis=1))
    if beyond.size:
        x, y = points[beyond[0]]
        return (
            f"point {beyond[0]} is ({x:.6g}, {y:.6g}), which is no place in a picture; a point that is "
            "not annotated has visible False"
        )
    return ""


def _shape(value: object) -> str:
    return str(value.shape) if isinstance(value, np.ndarray) else type(value).__name__
