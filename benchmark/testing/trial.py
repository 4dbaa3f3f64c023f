"""A method under the conformance run: fitted on a tiny twin, and what it predicts there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import Ceiling, Method, MethodInfo, load_from
from benchmark.contracts.predictions import Generator, Prediction
from benchmark.contracts.spec import Kind, MethodSpec
from benchmark.datasets.prepared import array_digest
from benchmark.method_errors import errors_of, prediction_of
from benchmark.registry.implementations import implementation
from benchmark.runner.fitting import Workplace, fit
from benchmark.settings import merge, resolve_settings
from benchmark.twins import FaceRecipe, render

COUNT, SIZE, MARGIN = 48, 96, 20


class Killed(BaseException):
    """Stands for a kill in the middle of a fit."""


class TrialPlace(Workplace):
    """Where the fits of a trial are made; whether they can be loaded is a question of its own there."""

    def require_loadable(self, method: Method) -> None:
        pass


class NotAsked(Exception):
    """What a check builds on failed in an earlier one, where it is told in full."""


@dataclass
class Trial:
    """A method under check: what it is, fitted once, with what it predicted.

    What all checks build on is told once: the first that needs it gets the error, later ones `NotAsked`.
    """

    spec: MethodSpec
    given: dict[str, Any]
    scratch: Path
    spent: dict[str, float] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    @contextmanager
    def told_once(self, what: str) -> Iterator[None]:
        """Do `what` many checks build on; where it fails, the next is told only that it did."""
        if what in self.failed:
            raise NotAsked(f"{what} failed")
        try:
            yield
        except Exception:
            self.failed.add(what)
            raise

    @cached_property
    def cls(self) -> type[Method]:
        with self.told_once("the import of its class"):
            return implementation(self.spec)

    @cached_property
    def settings(self) -> Any:
        cls, values = self.cls, merge(dict(self.spec.tiny), self.given)
        with self.told_once("the check of its settings"):
            return resolve_settings(self.spec, cls, "", values, twin=True)[1]

    @cached_property
    def info(self) -> MethodInfo:
        cls, settings = self.cls, self.settings
        with self.told_once("info"):
            return cls.info(settings)

    @property
    def kind(self) -> Kind:
        """What is checked of its predictions; the registration says it where `info` fails."""
        try:
            return self.info.gives[0]
        except Exception:
            return self.spec.gives[0]

    @cached_property
    def images(self) -> Images:
        size = self.info.input_size or SIZE
        pixels = _pictures(size + 2 * MARGIN)
        return Images(pixels, size, array_digest(pixels))

    @cached_property
    def labels(self) -> torch.Tensor:
        """What a ceiling is shown."""
        draw = torch.Generator().manual_seed(0)
        return torch.rand(8, 5, 2, generator=draw) * (self.images.size - 1)

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

    def fitted(self, place: str, stop_after: int | None = None) -> Method:
        """A method fitted in a folder of that name (found there if it was)."""
        return self.loaded(self.fit(place, stop_after))

    def fit(self, place: str, stop_after: int | None = None) -> Path:
        """Where a fit in a folder of that name left what `load` reads."""
        calls = 0

        def watch(stage: str, step: int, total: int, **values: float) -> None:
            nonlocal calls
            calls += 1
            if stop_after is not None and calls > stop_after:
                raise Killed

        home = self.scratch / place
        work = TrialPlace(
            folder=home / "fits" / "trial",
            images=self.images,
            seed=0,
            device="cpu",
            progress=watch,
            home=home,
            method=(self.spec.id, self.spec.version),
            run="check",
        )
        fit(self.cls(self.settings), work)
        return work.folder / "model"

    def loaded(self, folder: Path) -> Method:
        """A method that reads what was saved in `folder`."""
        method = self.cls(self.settings)
        with errors_of(method, "load"):
            load_from(method, folder, "cpu")
        return method

    @cached_property
    def tiny(self) -> Path:
        """Where the first fit left the method."""
        assert self.images is not None  # rendered before the clock starts
        with self.told_once("the tiny fit"):
            began = time.monotonic()
            found = self.fit("first")
            self.spent["fit"] = time.monotonic() - began
            return found

    @cached_property
    def method(self) -> Method:
        """What the first fit left, loaded."""
        folder = self.tiny
        with self.told_once("load"):
            return self.loaded(folder)

    def predict(self, method: Method, rows: slice | list[int] = slice(None)) -> Prediction:
        """Predictions of (some of) the eight pictures."""
        with torch.inference_mode(), prediction_of(method):
            if isinstance(method, Ceiling):
                return method.predict_from_labels(self.pictures()[rows], self.labels[rows])
            return method.predict(self.pictures()[rows])

    def generator(self, method: Method) -> Generator:
        """The generator that a method makes."""
        with errors_of(method, "generator"):
            return method.generator()

    def arrays(self, method: Method) -> dict[str, np.ndarray]:
        """What a method gives, as arrays, whichever kind it is."""
        if self.kind == "generator":
            return {"images": self.generator(method).sample(4, 0).numpy()}
        return self.predict(method).arrays()

    def outputs(self) -> dict[str, np.ndarray]:
        """`arrays` of the method that the first fit left."""
        method = self.method
        with self.told_once(self.call):
            return self.arrays(method)

    @property
    def call(self) -> str:
        """The call that gives what is checked."""
        return "generator" if self.kind == "generator" else "predict"


@cache
def _pictures(side: int) -> np.ndarray:
    return render(FaceRecipe(range(12)), COUNT, side, seed=0).images
