"""What a record says it measured, held against the protocol that it names.

Ids and digests do not cover these: whoever reads a record asks before its numbers are taken for the
protocol's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmark.contracts.errors import DataAltered
from benchmark.protocols.model import Metric, Protocol
from benchmark.records.identity import IDENTITY_VERSION
from benchmark.records.model import GROUPS, Record, Value

PREDICTIONS = ".predictions.npz"
SHA256 = re.compile("[0-9a-f]{64}")


def value_faults(record: Record, protocol: Protocol) -> list[str]:
    """What a record scored on test images says of its values otherwise than its protocol does: metrics
    and their order, units, directions, aggregates, numbers of items. Empty where all agree.

    Example: `value_faults(record, find_protocol("mafl_scale"))` of a record without the headline is
    ["its metrics are nme_iod_unseen, not nme_iod_seen, nme_iod_unseen"].
    """
    return list(_value_faults(record, protocol.scored(twin=record.protocol.twin)))


def data_faults(record: Record, protocol: Protocol) -> list[str]:
    """The same of its splits, by their use, and its evaluation seed."""
    found = []
    asked = [name for name in protocol.data.domain_roles if name not in record.data]
    if asked:
        found.append(f"it names no images of {', '.join(asked)}")
    for role, part in record.data.items():
        split = f"twin:{role}" if record.protocol.twin else protocol.data.split(role)
        if part.split != split:
            found.append(f"its {role} images are {part.split}, not {split or 'asked for'}")
    data = record.data
    fitted_on_test = "fit" in data and data["fit"].pixels == data["test"].pixels
    if fitted_on_test and protocol.data.split("fit") != protocol.data.split("test"):
        found.append("it was fitted on the images that it is scored on")
    if record.drawn_by not in ("", protocol.drawn_by):
        found.append(f"its items are drawn by {record.drawn_by}, not {protocol.drawn_by}")
    if record.evaluation_seed != protocol.evaluation_seed:
        seeds = f"{record.evaluation_seed}, not {protocol.evaluation_seed}"
        found.append(f"its evaluation seed is {seeds}")
    return found


def field_faults(record: Record) -> list[str]:
    """What no run leaves behind, whatever it ran: times that are none, negative seconds, digests that
    are none, ids by a rule that bench never had.

    Example: of a record that was finished on "banana" it is ["finished is 'banana', no time"].
    """
    return list(_field_faults(record))


def _field_faults(record: Record) -> Iterator[str]:
    if record.identity_version != IDENTITY_VERSION:
        yield f"identity_version is {record.identity_version}, not {IDENTITY_VERSION}"
    edits = {f"edit {i}": edit.when for i, edit in enumerate(record.edits, start=1)}
    for name, said in {"started": record.started, "finished": record.finished, **edits}.items():
        if (fault := _time_fault(said)) is not None:
            yield f"{name} is {said!r}, {fault}"
    for name, stage in record.stages.items():
        if stage.seconds < 0 or stage.attempts < 1:
            yield f"stage {name} took {stage.seconds} s in {stage.attempts} attempts"
    numbers = {f"{name} images per second": v for name, v in record.throughput.items()}
    numbers |= {"peak_memory_bytes": record.peak_memory_bytes}
    numbers |= {f"bytes of {a.path}": a.bytes for a in record.artefacts}
    numbers |= {f"images of {role}": part.images for role, part in record.data.items()}
    yield from (f"{name} is {number}" for name, number in numbers.items() if number < 0)
    digests = {"protocol": record.protocol.digest}
    digests |= {a.path: a.sha256 for a in record.artefacts}
    digests |= {f"{role} pixels": part.pixels for role, part in record.data.items()}
    digests |= {f"{role} labels": part.labels for role, part in record.data.items()}
    for name, digest in digests.items():
        if not SHA256.fullmatch(digest):
            yield f"the digest of {name} is {digest!r}, no sha256"
    for role, part in record.data.items():
        if part.shared > record.data["test"].images:
            yield f"{part.shared} of {record.data['test'].images} scored images are in {role} too"


def _time_fault(said: str) -> str | None:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        return "no time"
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return "which is yet to come" if moment > datetime.now(UTC) + timedelta(days=1) else None


def borrowed(record: Record, other: Record) -> bool:
    """Whether one of two records, of different methods on the same images, shows the other's predictions
    as its own, to the last bit.

    Floors that see nothing (a mean shape, the full frame) may well agree.
    """
    different = record.method.id != other.method.id
    learned = {record.method.role, other.method.role} - {"floor"}
    same = _predictions(record) & _predictions(other)
    return different and bool(learned) and bool(same)


def _predictions(record: Record) -> set[str]:
    return {a.sha256 for a in record.artefacts if a.path.endswith(PREDICTIONS)}


def _value_faults(record: Record, protocol: Protocol) -> Iterator[str]:
    asked = [metric.id for metric in protocol.metrics]
    named = [value.metric for value in record.metrics]
    if named != asked:
        yield f"its metrics are {', '.join(named)}, not {', '.join(asked)}"
        return
    images = record.data["test"].images
    for metric, value in zip(protocol.metrics, record.metrics, strict=True):
        for name in ("unit", "better", "aggregate"):
            recorded, wanted = getattr(value, name), getattr(metric, name)
            if recorded != wanted:
                yield f"{name} of {metric.id} is {recorded!r}, not {wanted!r}"
        items = _items(protocol, metric, images)
        if items not in (None, value.n):
            yield f"{metric.id} is made from {value.n} items; {images} test images give {items}"


def _items(protocol: Protocol, metric: Metric, images: int) -> int | None:
    """How many items a metric has for so many test images; None where these do not decide it."""
    if metric.aggregate == "single":
        return None
    if protocol.pairs is not None:
        return protocol.pairs.count if protocol.pairs.count <= images else images // 2
    # a model without a true cloud has no Chamfer distance
    return None if metric.id.startswith("chamfer") else images


def item_groups(arrays: Mapping[str, np.ndarray], value: Value) -> np.ndarray | None:
    """Which of a metric's items belong together, from the arrays of its errors' artefact: (N,) int64
    from 0, or None where each is on its own. Raises `DataAltered` where they are not as many groups as
    the record says.

    Example: 857 errors with 69 groups have numbers from 0 to 68.
    """
    groups, items = arrays.get(GROUPS + value.metric), len(arrays[value.metric])
    if groups is None:
        fits = value.groups in (None, items)
    else:
        fits = groups.dtype.kind in "iu" and groups.shape == (items,)
        fits = fits and np.array_equal(np.unique(groups), np.arange(value.groups or 0))
    if not fits and value.aggregate != "single":
        raise DataAltered(
            f"items of {value.metric} are not kept in the {value.groups} groups that the record says"
        )
    return None if groups is None else groups.astype(np.int64)
