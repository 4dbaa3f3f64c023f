"""What is wrong with the splits a protocol names: data sets, readers, crops; no data is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmark.contracts.dataset import Reader
from benchmark.contracts.errors import BenchError, UnknownName
from benchmark.datasets.crops import read_crops
from benchmark.datasets.places import reader_class
from benchmark.protocols import Protocol
from benchmark.protocols.data import ROLES
from benchmark.registry.plugins import plugins
from benchmark.tasks.accepts import Accepts

READ_BY = {"masks": "mask", "clouds": "cloud"}
"""The labels that a method of the reader gives."""


def data_faults(protocol: Protocol, task: Accepts, folder: Path | None) -> Iterator[str]:
    """A sentence for each; `folder` holds the files beside the protocol, unless it is None."""
    yield from _roles(protocol, task)
    readers: dict[str, Any] = {}
    for name in protocol.data.datasets():
        known = list(plugins().datasets)
        try:
            if name not in known:
                raise UnknownName("data set", name, known)
            readers[name] = reader_class(name)
        except BenchError as error:
            yield f"data: {error.sentence}"
    for role in (*ROLES, *protocol.data.domain_roles):
        dataset, _, split = protocol.data.split(role).partition(":")
        reader = readers.get(dataset)
        # a reader that names no splits has them made as they are asked for
        if reader is not None and reader.splits and split not in reader.splits:
            yield f"data.{role}: {UnknownName(f'split of {dataset}', split, reader.splits).sentence}"
    yield from _readable(protocol, task, readers)
    for dataset, geometry in protocol.geometry.items():
        if geometry.crops and folder is not None:
            try:
                read_crops(folder / geometry.crops, geometry.crops_sha256)
            except BenchError as error:
                yield f"geometry.{dataset}.crops: {error.sentence}"


def _roles(protocol: Protocol, task: Accepts) -> Iterator[str]:
    data = protocol.data
    for role in ("fit", *task.splits):
        if not getattr(data, role):
            yield f"data.{role} is lacking: {protocol.task} looks at it"
    if not (task.compares_with_fit or data.shared):
        for role in ("fit", "train", *data.domain_roles):
            if data.test and data.split(role) == data.test:
                yield f"data.{role} is data.test: images that are scored may not be learned from"
    if "validation" not in task.splits and bool(data.validation) != bool(data.development):
        yield "data.validation and data.development go together: the one is what the other leaves"


def _readable(protocol: Protocol, task: Accepts, readers: dict[str, Any]) -> Iterator[str]:
    for role in task.splits:
        dataset = getattr(protocol.data, role).partition(":")[0]
        reader = readers.get(dataset)
        for label, method in READ_BY.items():
            if reader is None or label not in protocol.data.labels:
                continue
            if getattr(reader, method) is getattr(Reader, method):
                yield f"data.labels: the reader of {dataset} gives no {label!r}, which data.{role} needs"
