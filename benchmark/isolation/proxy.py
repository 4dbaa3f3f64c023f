"""A method that lives in its own process, as the harness sees it: a `Method` like any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import ConfigDict, model_validator

from benchmark.contracts.images import Images
from benchmark.contracts.method import (
    FitContext,
    Method,
    MethodInfo,
    MethodSettings,
    SharedStage,
)
from benchmark.contracts.predictions import PREDICTIONS, Generator, Prediction
from benchmark.contracts.spec import MethodSpec
from benchmark.contracts.weights import Weights
from benchmark.files import save_array
from benchmark.isolation.process import Process, refuse

ALWAYS = ("torch", "numpy", "pydantic", "structbench")
"""Packages of the process that a record names beside those of the environment's file."""


class Isolated(Method):
    """The method of `spec`. A process is started when there is something to do, and ends with this."""

    spec: ClassVar[MethodSpec]

    def __init__(self, settings: MethodSettings) -> None:
        super().__init__(settings)
        self._process: Process | None = None

    @classmethod
    def info(cls, settings: Any) -> MethodInfo:
        return MethodInfo(**_info(cls.spec.id, json.dumps(settings.model_dump(mode="json"))))

    def fit(self, images: Images, context: FitContext) -> None:
        self._learn("fit", images, context)

    def initialise(self, images: Images, context: FitContext) -> None:
        self._learn("initialise", images, context)

    def predict(self, images: torch.Tensor) -> Prediction:
        kind, tensors, numbers = self._call("predict", self.kind, images)
        there = {name: tensor.to(images.device) for name, tensor in tensors.items()}
        return PREDICTIONS[kind](**there, **numbers)

    def pictures(self, images: torch.Tensor) -> Mapping[str, torch.Tensor]:
        found = self._call("pictures", images)
        return {name: tensor.to(images.device) for name, tensor in found.items()}

    def generator(self) -> Generator:
        z_dim, layers, size, latents = self._call("generator", self.kind)
        return Generator(
            z_dim,
            layers,
            size,
            mapping=lambda z: self._call("mapping", z).to(z.device),
            synthesis=lambda w, noise: self._call("synthesis", w, noise).to(w.device),
            latents=(lambda seed, rows: self._call("latents", seed, rows.start, rows.stop))
            if latents
            else None,
        )

    def save(self, folder: Path) -> None:
        self._call("save", folder)

    def load(self, folder: Path, device: str) -> None:
        self.device = device
        self._ready().log_to(folder.parent / "process.log")
        self._call("load", folder, device)

    def ran_in(self) -> dict[str, Any]:
        """What a record says of the environment, and the peak memory of the process in bytes."""
        process = self._ready()
        about = self._call("about", sorted({*ALWAYS, *process.environment.packages}))
        where = {
            "digest": process.environment.digest,
            "alone": process.environment.alone,
            "python": about["python"],
            "packages": about["packages"],
        }
        return {"environment": where, "peak_memory_bytes": about["peak"]}

    def _learn(self, what: str, images: Images, context: FitContext) -> None:
        self.device = context.device
        process = self._ready()
        process.log_to(context.folder / "process.log")
        try:
            with ExitStack() as stack:
                contexts = _FitContexts(process, context, stack)
                process.wire.answer = contexts.answer
                process.call("learn", what, _sent(images, process.scratch), contexts.about(0))
        except BaseException:
            process.close()
            raise
        process.wire.answer = refuse

    def _ready(self) -> Process:
        if self._process is None:
            declared = {
                w.name: self.pretrained(w.name) for w in self.info(self.settings).pretrained
            }
            self._process = Process(self.spec)
            values = self.settings.model_dump(mode="json")
            self._process.call("make", values, self.device, declared)
        return self._process

    def _call(self, name: str, *arguments: Any) -> Any:
        return self._ready().call(name, *arguments)


CALLS: Mapping[str, Callable[[FitContext], Callable[..., Any]]] = {
    "progress": lambda context: context.progress,
    "log": lambda context: context.log,
    "sample": lambda context: context.sample,
    "load": lambda context: context.checkpoints.load,
    "save": lambda context: context.checkpoints.save,
    "due": lambda context: context.checkpoints.due,
}
"""What a context does as it is called."""
OWN = ("milestone", "open_stage", "finish_stage", "close_stage")
"""What `_FitContexts` does itself."""


class _FitContexts:
    """The contexts of a fit and of its shared stages, by number, for the process that fits."""

    def __init__(self, process: Process, context: FitContext, stack: ExitStack) -> None:
        self.process, self.stack = process, stack
        self.contexts = [context]
        self.stages: dict[int, tuple[SharedStage, ExitStack]] = {}

    def answer(self, name: str, *arguments: Any) -> Any:
        """What the process may ask for while it fits; nothing else."""
        if name in CALLS:
            number, given, named = arguments
            return CALLS[name](self.contexts[number])(*given, **named)
        if name not in OWN:
            refuse(name)
        return getattr(self, name)(*arguments)

    def about(self, number: int) -> dict[str, Any]:
        context = self.contexts[number]
        return {
            "number": number,
            "seed": context.seed,
            "device": context.device,
            "folder": context.folder,
        }

    def milestone(self, number: int, images_seen: int) -> None:
        self.contexts[number].milestone(images_seen, lambda f: self.process.call("milestone", f))

    def open_stage(self, number: int, name: str, identity: Mapping[str, Any]) -> dict[str, Any]:
        inner = self.stack.enter_context(ExitStack())
        stage = inner.enter_context(self.contexts[number].shared(name, identity))
        self.contexts.append(stage.context)
        mine = len(self.contexts) - 1
        self.stages[mine] = (stage, inner)
        return {**self.about(mine), "folder": stage.folder, "done": stage.done}

    def finish_stage(self, number: int) -> str:
        stage, _ = self.stages[number]
        stage.finish()
        return str(stage.folder)

    def close_stage(self, number: int) -> None:
        self.stages.pop(number)[1].close()


def _sent(images: Images, scratch: Path) -> dict[str, Any]:
    """The label-free view as files of its own: the process never learns where the labels lie."""
    files = {}
    for name, array in images.arrays().items():
        files[name] = scratch / f"{name.replace('/', '.')}.npy"
        save_array(files[name], array)
    return {"files": files, "words": images.words()}


def _desk(method: str) -> Process:
    """A process that answers questions about settings, until bench ends."""
    process = _desks.get(method)
    if process is None or not process.close.alive:
        process = _desks[method] = Process(_classes[method].spec)
    return process


@cache
def _settings(method: str, values: str) -> str:
    return json.dumps(_desk(method).call("settings", json.loads(values)))


@cache
def _info(method: str, values: str) -> dict[str, Any]:
    about = _desk(method).call("info", json.loads(values))
    weights = tuple(Weights(**w) for w in about["pretrained"])
    # one process fits: those that fit together are started by bench, with bench's Python
    return {**about, "pretrained": weights, "data_parallel": False}


_classes: dict[str, type[Isolated]] = {}
_desks: dict[str, Process] = {}


def isolated(spec: MethodSpec) -> type[Method]:
    """The class that stands for a method with an environment of its own."""
    known = _classes.get(spec.id)
    if known is not None and known.spec == spec:
        return known

    class Settings(MethodSettings):
        """What the method's own model makes of the values; it is asked in the method's process."""

        model_config = ConfigDict(extra="allow", frozen=True)

        @model_validator(mode="before")
        @classmethod
        def _resolve(cls, given: Any) -> Any:
            return json.loads(_settings(spec.id, json.dumps(given, default=str)))

        @classmethod
        def of_prediction(cls) -> tuple[str, ...]:
            return tuple(_desk(spec.id).call("of_prediction"))

    body = {"spec": spec, "gives": tuple(spec.gives), "Settings": Settings}
    _classes[spec.id] = type(spec.id, (Isolated,), body)
    _desks.pop(spec.id, None)
    _settings.cache_clear()
    _info.cache_clear()
    return _classes[spec.id]
