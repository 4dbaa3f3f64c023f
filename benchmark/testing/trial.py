"""A method under the conformance run: fitted on a tiny twin, and what it predicts there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contracts.clouds import Clouds
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import (
    Ceiling,
    Checkpoints,
    FitContext,
    Method,
    MethodInfo,
    load_from,
)
from benchmark.contracts.predictions import Generator, Prediction, ShapeAndPose
from benchmark.contracts.spec import Kind, MethodSpec
from benchmark.datasets.prepared import array_digest
from benchmark.method_errors import errors_of, prediction_of
from benchmark.networks.weights import finder
from benchmark.registry.implementations import implementation
from benchmark.runner.fitting import Workplace, fit
from benchmark.settings import merge, resolve_settings
from benchmark.twins import FaceRecipe, render
from benchmark.twins.renderer import TwinBatch

COUNT, SIZE, MARGIN = 48, 96, 20


class Killed(BaseException):
    """Stands for a kill in the middle of a fit."""


Happens = Callable[[str, str, int], None]
"""Called with what happens in a fit, "progress" (with its stage and step) or "save"; may end it."""


@dataclass
class TrialPlace(Workplace):
    """Where the fits of a trial are made; whether they can be loaded is a question of its own there."""

    happens: Happens = lambda what, stage, step: None

    def require_loadable(self, method: Method) -> None:
        pass

    def context(self) -> FitContext:
        context = super().context()
        return replace(context, checkpoints=Watched(context.checkpoints, self.happens))


@dataclass(eq=False)  # the loop keeps what it knows of checkpoints by their identity
class Watched:
    """Checkpoints that say when one was saved."""

    checkpoints: Checkpoints
    happens: Happens

    def load(self, *name: str) -> dict[str, Any] | None:
        return self.checkpoints.load(*name)

    def save(self, state: Mapping[str, Any], *name: str) -> None:
        self.checkpoints.save(state, *name)
        self.happens("save", "", 0)

    def due(self) -> bool:
        return self.checkpoints.due()


class CheckSkipped(Exception):
    """What a check builds on failed in an earlier one, which reports it in full."""


@dataclass
class Trial:
    """A method under check: what it is, fitted once, with what it predicted of every kind it gives.

    `stages` are those of its first fit, with the steps that progress was told of.

    What all checks build on is reported once: the first that needs it fails, later ones are skipped.
    """

    spec: MethodSpec
    given: dict[str, Any]
    scratch: Path
    spent: dict[str, float] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    stages: dict[str, list[int]] = field(default_factory=dict)

    @contextmanager
    def failing_once(self, what: str) -> Iterator[None]:
        """Do `what` many checks build on; where it fails, the next ones only say that it did."""
        if what in self.failed:
            raise CheckSkipped(f"{what} failed")
        try:
            yield
        except Exception:
            self.failed.add(what)
            raise

    @cached_property
    def cls(self) -> type[Method]:
        with self.failing_once("the import of its class"):
            return implementation(self.spec)

    @cached_property
    def settings(self) -> Any:
        cls, values = self.cls, merge(dict(self.spec.tiny), self.given)
        with self.failing_once("the check of its settings"):
            return resolve_settings(self.spec, cls, "", values, twin=True)[1]

    @cached_property
    def info(self) -> MethodInfo:
        cls, settings = self.cls, self.settings
        with self.failing_once("info"):
            return cls.info(settings)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All that it is asked for; the registration says it where `info` fails."""
        try:
            return tuple(self.info.gives)
        except Exception:
            return tuple(self.spec.gives)

    @property
    def predicts(self) -> tuple[Kind, ...]:
        """The kinds of which it gives a prediction for each image."""
        return tuple(kind for kind in self.kinds if kind != "generator")

    @property
    def data_parallel(self) -> bool:
        """Whether it claims that several processes may fit it."""
        try:
            return self.info.data_parallel and self.shares_a_process
        except Exception:
            return False

    @property
    def shows(self) -> bool:
        """Whether it has pictures of its own."""
        try:
            return self.cls.pictures is not Method.pictures
        except Exception:
            return False

    @cached_property
    def images(self) -> Images:
        """Pictures with views and silhouettes, which a protocol may grant beside them."""
        size = self.info.input_size or SIZE
        batch = _faces(size + 2 * MARGIN, 0)
        domains = {name: _domain(size, i) for i, name in enumerate(self.info.domains, start=1)}
        clouds = _clouds() if "clouds" in self.info.told else None
        return Images(
            batch.images,
            size,
            array_digest(batch.images),
            objects=batch.identity,
            silhouettes=_covered(batch),
            domains=domains,
            clouds=clouds,
        )

    def labels(self, kind: Kind, rows: slice | list[int]) -> Any:
        """What a ceiling that is asked for `kind` is shown: points, masks, or clouds with poses."""
        draw, size = torch.Generator().manual_seed(0), self.images.size
        if kind == "shape_and_pose":
            turns = torch.nn.functional.normalize(torch.randn(8, 4, generator=draw), dim=1)
            return ShapeAndPose(torch.randn(8, 50, 3, generator=draw)[rows], turns[rows])
        if kind in ("parts", "translation"):
            return (torch.rand(8, size, size, generator=draw) < 0.5).to(torch.uint8)[rows]
        return (torch.rand(8, 5, 2, generator=draw) * (size - 1))[rows]

    @property
    def fits(self) -> bool:
        """Whether there is something to fit without labels."""
        return self.spec.role != "ceiling"

    @property
    def shares_a_process(self) -> bool:
        """Whether it lives in this process, where what it does besides can be seen."""
        return self.spec.environment is None

    def pictures(self) -> torch.Tensor:
        """Eight images as they reach `predict`."""
        return to_signed(self.images.batch(slice(0, 8)))

    def fitted(self, place: str) -> Method:
        """A method fitted in a folder of that name (found there if it was)."""
        return self.loaded(self.fit(place))

    def fit(self, place: str, happens: Happens | None = None) -> Path:
        """Where a fit in a folder of that name left what `load` reads; `happens` hears of it."""

        def watch(stage: str, step: int, total: int, **values: float) -> None:
            if happens is not None:
                happens("progress", stage, step)

        more = {} if happens is None else {"happens": happens}
        work = self.place(place, TrialPlace, progress=watch, **more)
        fit(self.cls(self.settings), work)
        return work.folder / "model"

    def place(self, name: str, kind: type[Workplace], **more: Any) -> Workplace:
        """A workplace of that kind in a folder of that name; `more` are fields of it."""
        home = self.scratch / name
        return kind(
            folder=home / "fits" / "trial",
            images=self.images,
            seed=0,
            device="cpu",
            home=home,
            method=(self.spec.id, self.spec.version),
            run="check",
            weights=finder(self.info.pretrained),
            **more,
        )

    def loaded(self, folder: Path) -> Method:
        """A method that reads what was saved in `folder`."""
        method = self.cls(self.settings)
        method.pretrained = finder(self.info.pretrained)
        with errors_of(method, "load"):
            load_from(method, folder, "cpu")
        return method

    @cached_property
    def tiny(self) -> Path:
        """Where the first fit left the method."""
        assert self.images is not None  # rendered before the clock starts
        with self.failing_once("the tiny fit"):
            wall, worked = time.monotonic(), time.process_time()
            found = self.fit("first", self._note)
            wall, worked = time.monotonic() - wall, time.process_time() - worked
            # what others do on a busy machine does not count, nor do several threads at once
            self.spent["fit"] = min(wall, worked) if self.shares_a_process else wall
            return found

    def _note(self, what: str, stage: str, step: int) -> None:
        if what == "progress":
            self.stages.setdefault(stage, []).append(step)

    @cached_property
    def method(self) -> Method:
        """What the first fit left, loaded."""
        folder = self.tiny
        with self.failing_once("load"):
            return self.loaded(folder)

    def predict(
        self, method: Method, kind: Kind, rows: slice | list[int] = slice(None)
    ) -> Prediction:
        """Predictions of that kind of (some of) the eight pictures."""
        method.kind = kind
        with torch.inference_mode(), prediction_of(method):
            if isinstance(method, Ceiling):
                return method.predict_from_labels(self.pictures()[rows], self.labels(kind, rows))
            return method.predict(self.pictures()[rows])

    def generator(self, method: Method) -> Generator:
        """The generator that a method makes; a ceiling is shown images."""
        method.kind = "generator"
        with errors_of(method, "generator"):
            if isinstance(method, Ceiling):
                return method.generator_from_images(self.images)
            return method.generator()

    def arrays(self, method: Method) -> dict[str, np.ndarray]:
        """All that a method gives, as arrays by name; of several kinds each name begins with its own."""
        found: dict[str, np.ndarray] = {}
        for kind in self.kinds:
            found |= self._arrays(method, kind)
        return found

    def outputs(self) -> dict[str, np.ndarray]:
        """`arrays` of the method that the first fit left."""
        method = self.method
        found: dict[str, np.ndarray] = {}
        for kind in self.kinds:
            with self.failing_once(call(kind)):
                found |= self._arrays(method, kind)
        return found

    def _arrays(self, method: Method, kind: Kind) -> dict[str, np.ndarray]:
        if kind == "generator":
            arrays = {"images": self.generator(method).sample(4, 0).numpy()}
        else:
            arrays = self.predict(method, kind).arrays()
        return {self.named(kind, name): array for name, array in arrays.items()}

    def named(self, kind: Kind, name: str) -> str:
        """What a tensor of a prediction is called; with its kind, where there are several."""
        return f"{kind}: {name}" if len(self.kinds) > 1 else name


def call(kind: Kind) -> str:
    """The call that gives a kind."""
    return "generator" if kind == "generator" else "predict"


def _clouds() -> Clouds:
    """Two objects of 300 points, shown in turn."""
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (600, 3)).astype(np.float32)
    return Clouds(points, np.array([[300 * (i % 2), 300] for i in range(COUNT)]))


@cache
def _faces(side: int, seed: int) -> TwinBatch:
    return render(FaceRecipe(range(12)), COUNT, side, seed=seed)


def _domain(size: int, seed: int) -> Images:
    """Other pictures than those fitted on, with their silhouettes."""
    batch = _faces(size + 2 * MARGIN, seed)
    return Images(batch.images, size, array_digest(batch.images), silhouettes=_covered(batch))


def _covered(batch: TwinBatch) -> np.ndarray:
    """How much of each pixel is face, uint8 (N, H, W): all of it or nothing."""
    return np.where(batch.foreground, 255, 0).astype(np.uint8)
