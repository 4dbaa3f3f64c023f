"""What a protocol asks of predictions: collect them once, score them as often as you like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from benchmark.contracts.errors import Incompatible, InvalidInput
from benchmark.contracts.spec import DERIVED, Kind
from benchmark.tasks.accepts import Accepts, accepts
from benchmark.tasks.collect import collect
from benchmark.tasks.groups import image_groups
from benchmark.tasks.views import ImageSet

if TYPE_CHECKING:
    from benchmark.contracts.method import Method, Progress
    from benchmark.datasets.prepared import PreparedSplit
    from benchmark.protocols import Protocol


@dataclass
class Scores:
    """What scoring returns.

    `per_item` holds by metric id the values that the metric's aggregate turns into its number, (N,)
    or (N, M) float64; `items` how many items stand behind a metric whose aggregate is "single";
    `predictions` small arrays worth keeping beside the record, `probe` what was fitted and how it
    went.
    """

    per_item: dict[str, np.ndarray]
    items: dict[str, int] = field(default_factory=dict, kw_only=True)
    predictions: dict[str, np.ndarray] = field(default_factory=dict)
    probe: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scoring:
    """How to score: the protocol (its twin's probe if it is a twin), on which images, where."""

    protocol: Protocol
    kind: Kind
    twin: bool
    on: str
    device: str
    progress: Progress


class Task(ABC):
    """One way of turning predictions and labels into per-item errors."""

    accepts: ClassVar[Accepts]
    keeps_predictions: ClassVar[bool] = False
    """Whether every record of it has kept predictions, from its first day on."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The roles of a protocol's data that it looks at, beside the one that is fitted on."""
        return self.accepts.splits

    @abstractmethod
    def require(self, splits: Mapping[str, PreparedSplit], how: Scoring) -> None:
        """Refuse, before anything is fitted, what scoring would lack later: labels, images, weights.

        What the protocol's file alone tells was checked before (`benchmark.tasks.faults`).
        """

    @abstractmethod
    def image_sets(self, splits: Mapping[str, PreparedSplit], protocol: Protocol) -> list[ImageSet]:
        """The images that predictions are asked for, in the order in which they are; empty where a task
        looks at generated images alone."""

    def predict(
        self,
        method: Method,
        kind: Kind,
        splits: Mapping[str, PreparedSplit],
        protocol: Protocol,
        store: Path,
        progress: Progress,
    ) -> None:
        """Run the method on each set of images and write what scoring needs into `store`."""
        for each in self.image_sets(splits, protocol):
            images, truth = each.images(progress), each.truth()
            folder, rule = store / each.name, protocol.landmarks
            collect(method, kind, images, truth, folder, progress, each.name, rule)

    @abstractmethod
    def score(self, store: Path, splits: Mapping[str, PreparedSplit], how: Scoring) -> Scores:
        """Errors per test item, from what `predict` wrote. Never runs the method."""

    def groups(self, split: PreparedSplit, protocol: Protocol, metric: str) -> np.ndarray | None:
        """Which items of a metric belong together, (N,) whole numbers from 0, or None where none do.

        Items are the images of the test split, unless a task says otherwise.
        """
        return image_groups(split, protocol.drawn_by)

    def errors(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        """Errors by metric from predictions kept beside a record, as far as they allow it."""
        return {}

    def rounding(
        self, kept: Mapping[str, np.ndarray], split: PreparedSplit, protocol: Protocol
    ) -> dict[str, np.ndarray]:
        """By metric, how far each of `errors` may lie from what `score` gave because predictions were
        rounded when they were kept; a metric that is not named follows to the last digit."""
        return {}


def groups_of(
    task: Task, split: PreparedSplit, protocol: Protocol, items: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """The groups of the items of each metric, by its id; left out where each item is one. `items` are
    how many each metric has; raises `InvalidInput` for another number than there are groups' items."""
    found = {}
    for metric in protocol.metrics:
        if metric.aggregate == "single":
            continue
        groups = task.groups(split, protocol, metric.id)
        if groups is None:
            continue
        if len(groups) != items[metric.id]:
            raise InvalidInput(f"{items[metric.id]} items of {metric.id}, not {len(groups)}")
        found[metric.id] = groups.astype(np.min_scalar_type(int(groups.max())))
    return found


def kind_used(gives: tuple[Kind, ...], protocol: Protocol, method: str) -> Kind:
    """The first kind in the protocol's order that the method gives, itself or derived."""
    available = {k for g in gives for k in (g, *DERIVED.get(g, ()))}
    for kind in protocol.needs:
        if kind in available:
            return kind
    raise Incompatible(
        f"protocol {protocol.name} scores {' or '.join(protocol.needs)}, but method {method!r} gives "
        f"{' and '.join(gives)}",
        cure=f"`bench ls protocols --for {method}` lists those that it can run under, `bench ls methods "
        f"--for {protocol.id}` the methods that can; other settings may give more",
    )


def predicted_kind(kind: Kind, gives: tuple[Kind, ...]) -> Kind:
    """The kind by which a method that gives these is asked for `kind`.

    >>> predicted_kind("landmarks", ("descriptors", "parts"))  # part centres are landmarks
    'parts'
    """
    return kind if kind in gives else next(g for g in gives if kind in DERIVED.get(g, ()))


def find_task(name: str) -> Task:
    """The task of that name."""
    from importlib import import_module

    module, _, cls = accepts(name).implementation.partition(":")
    make: Callable[[], Task] = getattr(import_module(module), cls)
    return make()
