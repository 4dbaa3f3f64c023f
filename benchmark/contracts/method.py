"""The contract of a method: five calls, of which the smallest methods write one line each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from benchmark.contracts.spec import Kind
from benchmark.contracts.weights import Weights, no_weights

if TYPE_CHECKING:
    import torch

    from benchmark.contracts.images import Images
    from benchmark.contracts.predictions import Generator, Prediction

Supervision = Literal["none", "labels"]
Told = Literal["clouds"]


AT_PREDICTION = "at_prediction"


def at_prediction(default: Any, **more: Any) -> Any:
    """A setting of prediction alone: part of the run's identity, and not of the fit's.

    Runs that differ in it alone share a fit, which sees its default. `more` is what pydantic's `Field`
    takes: bounds, a description.

    Example: `truncation: float = at_prediction(0.7, ge=0, le=1)` in the method's `Settings`.
    """
    return Field(default, json_schema_extra={AT_PREDICTION: True}, **more)


class MethodSettings(BaseModel):
    """Base of a method's settings: frozen, unknown keys refused, every value part of the run id.

    A line in three quotes below a setting says what it means, and `bench show method` shows it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of_prediction(cls) -> tuple[str, ...]:
        """The names of the settings that are of prediction alone."""
        marks = {name: field.json_schema_extra for name, field in cls.model_fields.items()}
        return tuple(
            n for n, mark in marks.items() if isinstance(mark, dict) and AT_PREDICTION in mark
        )


@dataclass(frozen=True)
class MethodInfo:
    """What a method is with these settings, known before any data is read.

    `input_size` is the side of the images it wants, None where any will do; `milestones` says that the
    fit leaves copies of itself that `load` reads with these settings; `pretrained` lists every weight
    not learned in this run (empty: it starts from random numbers); `data_parallel` says that `fit` may
    run in several processes at once, each of which takes its share of every batch.
    """

    gives: tuple[Kind, ...]
    """Prediction kinds, of those that the registration names."""
    input_size: int | None = None
    sizes: tuple[int, ...] = ()
    """The sides that it can take, where not every one will do and none is wanted."""
    points: int | None = None
    """How many points or parts it gives, where that is known: some protocols score so many at most."""
    supervision: Supervision = "none"
    """Whether the method is given labels: ceilings are, and what is `told` something."""
    pretrained: tuple[Weights, ...] = ()
    milestones: bool = False
    data_parallel: bool = False
    domains: tuple[str, ...] = ()
    """Other images that it learns from beside those it is fitted on: keys of `images.domains`."""
    told: tuple[Told, ...] = ()
    """What floors and references see, beside what the protocol grants, of the images that they are
    fitted on: "clouds", `images.clouds`. Their supervision is "labels"."""
    notes: str = ""
    """A sentence for the record."""
    runs: str = ""
    """Id of the method whose code this one runs, if that is another's: a record names that code, and
    both find each other's shared stages."""


class Checkpoints(Protocol):
    """Where a fit in progress stores what it needs to resume after a kill.

    There is one checkpoint without a name, which each save replaces, and one for each name: for a stage
    that has ended, say, which is not written again.
    """

    def load(self, name: str = "") -> dict[str, Any] | None:
        """The newest whole checkpoint of that name, or None at the start."""

    def save(self, state: Mapping[str, Any], name: str = "") -> None:
        """Write `state` (tensors, numbers, strings, lists and dicts of them) whole or not at all."""

    def due(self) -> bool:
        """Whether it is time to save again (about every half minute)."""


class SharedStage(Protocol):
    """A stage of a fit that several settings share (a first one, say): fitted once, then reused."""

    folder: Path
    """Where the stage's files lie."""
    done: bool
    """Whether an earlier fit has finished it."""
    context: FitContext
    """What the stage is fitted with: its own checkpoints, progress and folder."""

    def finish(self) -> None:
        """Declare `folder` complete; from now on it is reused, not fitted."""


class Progress(Protocol):
    """Show how far a stage is: `context.progress("k-means", 3, 30, inertia=0.7)`.

    Called with the stage's name, how many steps are done and how many there are, and numbers to
    show; `step == total` ends the stage's line. `images_per_second` goes into the record.
    """

    def __call__(self, stage: str, step: int, total: int, **values: float) -> None: ...


class Sample(Protocol):
    """Store pictures of a fit in progress for the run's page: `context.sample("gan", 640, pictures)`.

    Called with the stage's name, the images seen so far, and at most `MOST_SAMPLES` pictures, float
    (B, 3, s, s) in [-1, 1]. Pictures that an attempt stored before it was killed stay.
    """

    def __call__(self, stage: str, images_seen: int, pictures: torch.Tensor) -> None: ...


MOST_SAMPLES = 16


def _no_samples(stage: str, images_seen: int, pictures: torch.Tensor) -> None:
    """Store none."""


@dataclass
class FitContext:
    """All that a fit is given besides the images.

    `milestone(images_seen, save)` stores a copy of the model, from which the run's page draws the error
    against the images seen; the method never learns these errors.
    `shared(name, identity)` opens a `SharedStage`; the method (the one that `MethodInfo.runs` names),
    the images' digest and the seed join its identity by themselves.

    This process is number `rank` of `devices` that fit together. All of them make the same calls in the
    same order: `checkpoints.load`, `shared` and `SharedStage.finish` wait for all. What processes other
    than number 0 write, log and save is dropped, so a method need not check its rank first.
    """

    seed: int
    """The only source of randomness."""
    device: str
    """Where to fit: "cpu", "cuda:0"."""
    folder: Path
    """Scratch space of this fit."""
    checkpoints: Checkpoints
    progress: Progress
    """Call it as often as you like."""
    log: Callable[[Mapping[str, Any]], None]
    """Log a line of numbers: `log({"step": 20, "images": 640, "loss": 0.5})`. Each (a tensor of one
    number too) is drawn on the run's page against `images` (seen so far), else `step`; `stage` tells
    stages apart."""
    shared: Callable[[str, Mapping[str, Any]], AbstractContextManager[SharedStage]]
    milestone: Callable[[int, Callable[[Path], None]], None]
    weights: Callable[[str], Path] = no_weights
    """The path of a file of weights that `MethodInfo.pretrained` declares, by its name; its sha256 has
    been checked. Open weights in no other way, so that records name what was used."""
    sample: Sample = _no_samples
    """Store pictures for the run's page: `sample("gan", 640, pictures)`."""
    rank: int = 0
    devices: int = 1


class Method(ABC):
    """A method under test. Subclass it, register it with a `MethodSpec`, and it can be run.

    The harness calls, in this order: `info(settings)`; the constructor; `fit` with images that carry
    no labels; `save`; and, maybe in another process, `load` and then `predict` or `generator`. `gives`
    names the prediction kinds where settings do not change them. A method of several kinds is fitted
    once and predicts each of them: before `predict` or `generator` the harness sets `kind`.
    """

    Settings: ClassVar[type[MethodSettings]] = MethodSettings
    """The model of its settings, a class beside or inside this one."""
    gives: ClassVar[tuple[Kind, ...]] = ()
    settings: Any
    """An instance of the class's `Settings`."""
    device: str
    """Where to fit and predict: "cpu", "cuda:0"; the harness sets it before `fit` and before `load`."""
    kind: Kind
    """The kind to predict, one of those that `info` gives; no fit may depend on it."""
    pretrained: Callable[[str], Path]
    """As `FitContext.weights`, for `load` and `predict`."""

    def __init__(self, settings: MethodSettings) -> None:
        self.settings = settings
        self.device = "cpu"
        self.pretrained = no_weights
        if self.gives:
            self.kind = self.gives[0]

    @classmethod
    def info(cls, settings: Any) -> MethodInfo:
        """What this method is with these settings."""
        return MethodInfo(gives=cls.gives)

    def initialise(self, images: Images, context: FitContext) -> None:  # noqa: B027
        """Build the untrained network from `context.seed`; `fit` starts from the same one.

        The floor `random-features` calls this instead of `fit`.
        """

    @abstractmethod
    def fit(self, images: Images, context: FitContext) -> None:
        """Learn from images without labels."""

    def predict(self, images: torch.Tensor) -> Prediction:
        """A prediction of `self.kind` for images (B, 3, S, S), float32 in [-1, 1], on `self.device`.

        Called in batches of 64 or fewer, under `torch.inference_mode()`: no gradients.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no predictions on images")

    def generator(self) -> Generator:
        """The generator, for methods that give one."""
        raise NotImplementedError(f"{type(self).__name__} is no generator")

    def pictures(self, images: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Pictures for the run's page, made from images (B, 3, S, S), float in [-1, 1].

        Name → pictures (B, 3, s, s) in [-1, 1], of any size s: a reconstruction, say. No number is
        made from them.
        """
        return {}

    def save(self, folder: Path) -> None:  # noqa: B027
        """Write what `load` needs into an empty folder."""

    def load(self, folder: Path, device: str) -> None:  # noqa: B027
        """Read what `save` wrote; afterwards `predict` works on `device`, which `self.device` is too."""


class Ceiling(Method):
    """A method that is given the labels, as an upper bound of a metric; boards mark it."""

    @classmethod
    def info(cls, settings: Any) -> MethodInfo:
        """Like `Method.info`, with supervision "labels"."""
        return MethodInfo(gives=cls.gives, supervision="labels")

    def fit(self, images: Images, context: FitContext) -> None:
        """Nothing to learn."""

    @abstractmethod
    def predict_from_labels(self, images: torch.Tensor, labels: Any) -> Prediction:
        """A prediction from the truth itself, `labels` as the task gives them.

        Points (B, K, 2) float32, masks (B, S, S) uint8 (1 foreground, 255 not scored), or clouds and
        poses as a `ShapeAndPose`.
        """

    def generator_from_images(self, images: Images) -> Generator:
        """A generator from the truth itself: the images that others are compared with."""
        raise NotImplementedError(f"{type(self).__name__} is no generator")


def load_from(method: Method, folder: Path, device: str) -> None:
    """Make `method` ready to predict on `device` from what `save` wrote: as the harness does."""
    method.device = device
    method.load(folder, device)
