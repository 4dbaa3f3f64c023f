"""The side of the method: a process that does what bench asks for, and ends with it.

It imports contracts alone, so that an environment needs PyTorch, NumPy, pydantic and pluggy, no more.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from benchmark.contracts.arithmetic import set_arithmetic
from benchmark.contracts.errors import BenchError, PluginBroken
from benchmark.contracts.images import Images
from benchmark.contracts.keeping import logged, require_readable
from benchmark.contracts.method import Ceiling, FitContext, Method, load_from
from benchmark.contracts.predictions import Generator
from benchmark.contracts.spec import Kind
from benchmark.contracts.weights import no_weights
from benchmark.isolation.wire import Gone, Wire, plain
from benchmark.settings import validated
from benchmark.version import installed


def work(pipe: int, lifeline: int, scratch: str, implementation: str, method: str) -> None:
    """Answer until bench has ended, or ends this process."""
    threading.Thread(target=_end_with, args=(lifeline, scratch), daemon=True).start()
    worker = Worker(implementation, method)
    worker.wire = Wire(Connection(pipe), Path(scratch), "answers", "calls", worker.answer)
    try:
        worker.wire.serve()
    except Gone:
        # here too: this thread may end the process before the other one has cleared up
        shutil.rmtree(scratch, ignore_errors=True)
        sys.exit(1)


def _end_with(lifeline: int, scratch: str) -> NoReturn:
    os.read(lifeline, 1)  # nothing is written: it returns when bench is gone, however it went
    shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)
    os._exit(1)


class Worker:
    """The method and what may be asked of it: the methods whose names begin with `do_`."""

    wire: Wire

    def __init__(self, implementation: str, name: str) -> None:
        self.implementation, self.name = implementation, name
        self.method: Method
        self.made: Generator
        self.milestone: Any = None

    def answer(self, name: str, *arguments: Any) -> Any:
        """Do what is asked for."""
        return getattr(self, f"do_{name}")(*arguments)

    def _class(self) -> type[Method]:
        module, _, name = self.implementation.partition(":")
        found = getattr(import_module(module), name)
        if not (isinstance(found, type) and issubclass(found, Method)):
            raise PluginBroken(
                f"method {self.name!r}: {self.implementation} is no subclass of Method"
            )
        if issubclass(found, Ceiling):
            raise PluginBroken(
                f"method {self.name!r}: a ceiling can't have an environment of its own"
            )
        return found

    def do_settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return validated(self.name, self._class().Settings, values).model_dump(mode="json")

    def do_info(self, values: Mapping[str, Any]) -> dict[str, Any]:
        cls = self._class()
        return asdict(cls.info(cls.Settings.model_validate(dict(values))))

    def do_of_prediction(self) -> list[str]:
        return list(self._class().Settings.of_prediction())

    def do_log_to(self, path: str) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        with open(path, "ab", buffering=0) as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)

    def do_make(self, values: Mapping[str, Any], device: str, weights: Mapping[str, str]) -> None:
        cls = self._class()
        set_arithmetic()  # as in bench itself
        self.method = cls(cls.Settings.model_validate(dict(values)))
        self.method.device = device
        # bench has found and checked them
        self.method.pretrained = lambda n: Path(weights[n]) if n in weights else no_weights(n)

    def do_learn(self, what: str, images: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        if what == "initialise" and type(self.method).initialise is Method.initialise:
            raise BenchError(f"method {self.name!r} has no network to leave untrained")
        torch.manual_seed(context["seed"])
        getattr(self.method, what)(_images(images), _context(self, context))

    def do_milestone(self, folder: str) -> None:
        self.milestone(Path(folder))

    def do_save(self, folder: str) -> None:
        self.method.save(Path(folder))

    def do_load(self, folder: str, device: str) -> None:
        load_from(self.method, Path(folder), device)

    def do_predict(
        self, kind: Kind, images: torch.Tensor
    ) -> tuple[str, dict[str, Any], dict[str, float]]:
        self.method.kind = kind
        with torch.inference_mode():
            found = self.method.predict(images.to(self.method.device))
        return found.kind, found.tensors(), found.numbers()

    def do_pictures(self, images: torch.Tensor) -> Mapping[str, torch.Tensor]:
        with torch.inference_mode():
            return self.method.pictures(images.to(self.method.device))

    def do_generator(self, kind: Kind) -> tuple[int, int, int, bool]:
        self.method.kind = kind
        self.made = self.method.generator()
        made = self.made
        return made.z_dim, made.layers, made.size, made.latents is not None

    def do_mapping(self, z: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return self.made.mapping(z.to(self.method.device))

    def do_synthesis(self, w: torch.Tensor, noise: int) -> torch.Tensor:
        with torch.inference_mode():
            return self.made.synthesis(w.to(self.method.device), noise)

    def do_latents(self, seed: int, first: int, stop: int) -> torch.Tensor:
        assert self.made.latents is not None
        return self.made.latents(seed, range(first, stop))

    def do_about(self, names: list[str]) -> dict[str, Any]:
        found = {name: version for name in names if (version := installed(name))}
        return {"python": platform.python_version(), "packages": found, "peak": self._peak()}

    def _peak(self) -> int:
        if self.method.device.startswith("cuda"):
            return int(torch.cuda.max_memory_allocated(self.method.device))
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _images(about: Mapping[str, Any]) -> Images:
    arrays = {n: np.load(f, mmap_mode="r", allow_pickle=False) for n, f in about["files"].items()}
    return Images.of(arrays, about["words"])


def _context(worker: Worker, about: Mapping[str, Any]) -> FitContext:
    """A context whose every call is made in bench's process, on the context of that number there."""
    wire, number = worker.wire, about["number"]

    def called(name: str) -> Callable[..., Any]:
        return lambda *given, **named: wire.call(name, number, given, named)

    def milestone(images_seen: int, save: Any) -> None:
        worker.milestone = save
        wire.call("milestone", number, images_seen)

    @contextmanager
    def shared(name: str, identity: Mapping[str, Any]) -> Iterator[RemoteStage]:
        opened = wire.call("open_stage", number, name, dict(identity))
        yield RemoteStage(worker, opened)
        wire.call("close_stage", opened["number"])

    return FitContext(
        seed=about["seed"],
        device=about["device"],
        folder=Path(about["folder"]),
        checkpoints=RemoteCheckpoints(called),
        progress=called("progress"),
        log=lambda values: called("log")(logged(values)),
        shared=shared,
        milestone=milestone,
        weights=worker.method.pretrained,
        sample=called("sample"),
    )


class RemoteCheckpoints:
    """`Checkpoints` that bench writes and reads."""

    def __init__(self, called: Callable[[str], Callable[..., Any]]) -> None:
        self.load, self.due, self._save = called("load"), called("due"), called("save")

    def save(self, state: Mapping[str, Any], name: str = "") -> None:
        sent = plain(state)  # as it arrives: NumPy's arrays and numbers are none any more
        require_readable(sent)
        self._save(sent, name)


class RemoteStage:
    """A `SharedStage` whose folder and lock are with bench."""

    def __init__(self, worker: Worker, opened: Mapping[str, Any]) -> None:
        self.worker, self.number = worker, opened["number"]
        self.folder, self.done = Path(opened["folder"]), bool(opened["done"])
        self.context = _context(worker, opened)

    def finish(self) -> None:
        self.folder = Path(self.worker.wire.call("finish_stage", self.number))
        self.done = True
