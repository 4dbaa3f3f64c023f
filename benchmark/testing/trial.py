"""A method under the conformance run: fitted on a tiny twin, and what it predicts there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import Ceiling, Method, MethodInfo
from benchmark.contracts.predictions import Prediction
from benchmark.contracts.spec import MethodSpec
from benchmark.datasets.prepared import array_digest
from benchmark.datasets.twins import FaceRecipe, render
from benchmark.plugins import implementation
from benchmark.runner.fitting import Workplace, fit
from benchmark.settings import merge, resolve_settings

COUNT, SIZE, MARGIN = 48, 96, 20


class Killed(BaseException):
    """Stands for a kill in the middle of a fit."""


@dataclass
class Trial:
    """A method under check: what it is, fitted once, with what it predicted."""

    spec: MethodSpec
    given: dict[str, Any]
    scratch: Path
    spent: dict[str, float] = field(default_factory=dict)

    @cached_property
    def cls(self) -> type[Method]:
        return implementation(self.spec)

    @cached_property
    def settings(self) -> Any:
        return resolve_settings(
            self.spec, self.cls, "", merge(dict(self.spec.tiny), self.given), twin=True
        )[1]

    @cached_property
    def info(self) -> MethodInfo:
        return self.cls.info(self.settings)

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
        return not issubclass(self.cls, Ceiling)

    @property
    def shares_a_process(self) -> bool:
        """Whether it lives in this process, where what it does besides can be seen."""
        return self.spec.environment is None

    def pictures(self) -> torch.Tensor:
        """Eight images as they reach `predict`."""
        return to_signed(self.images.batch(slice(0, 8)))

    def fitted(self, place: str, stop_after: int | None = None) -> Method:
        """A method fitted in a folder of that name (found there if it was)."""
        calls = 0

        def watch(stage: str, step: int, total: int, **values: float) -> None:
            nonlocal calls
            calls += 1
            if stop_after is not None and calls > stop_after:
                raise Killed

        home = self.scratch / place
        work = Workplace(
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
        method = self.cls(self.settings)
        method.load(work.folder / "model", "cpu")
        method.device = "cpu"
        return method

    @cached_property
    def method(self) -> Method:
        began = time.monotonic()
        found = self.fitted("first")
        self.spent["fit"] = time.monotonic() - began
        return found

    def predict(self, method: Method, rows: slice | list[int] = slice(None)) -> Prediction:
        """Predictions of (some of) the eight pictures."""
        with torch.inference_mode():
            if isinstance(method, Ceiling):
                return method.predict_from_labels(self.pictures()[rows], self.labels[rows])
            return method.predict(self.pictures()[rows])

    def arrays(self, method: Method) -> dict[str, np.ndarray]:
        """What a method gives, as arrays, whichever kind it is."""
        if self.info.gives[0] == "generator":
            return {"images": method.generator().sample(4, 0).numpy()}
        return self.predict(method).arrays()


@cache
def _pictures(side: int) -> np.ndarray:
    return render(FaceRecipe(range(12)), COUNT, side, seed=0).images
