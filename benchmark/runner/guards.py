"""What is refused once a run's data is open and before anything is fitted: training on what is scored,
and scoring points that the data set says are not annotated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmark.datasets.prepared import PreparedSplit
from benchmark.protocols import Protocol, ProtocolInvalid
from benchmark.tasks.base import Task


def shared_rows(seen: PreparedSplit, scored: PreparedSplit) -> list[int]:
    """Rows of `scored` whose image is also in `seen`: the same key of one data set, file, or pixels.

    Pixels tell equal images under one geometry alone, whatever they are called; names tell them under
    any. About 0.3 s for 200,000 images in each.
    """
    found: set[int] = set()
    for names in (_keys, _files, _pixels):
        known = set(names(seen))
        found.update(i for i, name in enumerate(names(scored)) if name in known)
    return sorted(found)


def _keys(split: PreparedSplit) -> list[tuple[str, str]]:
    return [(split.dataset, key) for key in split.keys]


def _files(split: PreparedSplit) -> list[tuple[str, str]]:
    return [(split.root, file) for file in split.files]


def _pixels(split: PreparedSplit) -> list[bytes]:
    if split.image_digests is None:
        return []
    each = np.ascontiguousarray(split.image_digests)
    digests: list[bytes] = each.view(f"V{each.shape[1]}").ravel().tolist()
    return digests


def shared_images(
    protocol: Protocol, task: Task, splits: Mapping[str, PreparedSplit], sources: Mapping[str, str]
) -> dict[str, int]:
    """How many of the scored images are in each other split, where the protocol says why some may be.

    Raises `ProtocolInvalid` where some are and it does not. Empty for tasks that compare with the images
    fitted on.
    """
    if task.accepts.compares_with_fit:
        return {}
    counts = {}
    for name, split in splits.items():
        if name == "test" or not (rows := shared_rows(split, splits["test"])):
            continue
        if not protocol.data.shared:
            _refuse(protocol, sources[name], sources["test"], splits["test"], rows)
        counts[name] = len(rows)
    return counts


def require_hidden_left_out(
    protocol: Protocol, task: Task, splits: Mapping[str, PreparedSplit], sources: Mapping[str, str]
) -> None:
    """Refuse to score points that are not annotated."""
    hiding = [n for n in task.splits if n in splits and splits[n].hidden]
    if protocol.landmarks is None or not hiding:
        return
    hidden, name = splits[hiding[0]].hidden, sources[hiding[0]]
    if "visible" not in task.accepts.also:
        raise ProtocolInvalid(
            f"{hidden:,} points of {name} are not annotated, and the task {protocol.task} of "
            f"{protocol.name} scores every point",
            cure="choose a task that leaves them out (landmark_regression), or a split without them",
        )
    if "visible" not in protocol.data.labels:
        raise ProtocolInvalid(
            f"{hidden:,} points of {name} are not annotated, and protocol {protocol.name} would score "
            "them as if they were",
            cure='write labels = ["visible"] into its [data]',
        )


def _refuse(
    protocol: Protocol, seen: str, scored: str, split: PreparedSplit, rows: list[int]
) -> None:
    raise ProtocolInvalid(
        f"protocol {protocol.name}: {len(rows):,} of the {len(split):,} images of {scored} are also in "
        f"{seen}, {split.keys[rows[0]]} first",
        cure="name splits without a common image; where they must share some, say why in the "
        'protocol\'s [data]: shared = "…" (each record then says how many)',
    )
