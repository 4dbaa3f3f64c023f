"""The fit stage: a folder that a kill at any moment leaves usable, and that equal fits find again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import torch

from benchmark.contracts.errors import DataAltered, PluginBroken
from benchmark.contracts.images import Images
from benchmark.contracts.keeping import logged
from benchmark.contracts.method import FitContext, Method, Progress, load_from
from benchmark.contracts.weights import no_weights
from benchmark.files import (
    held,
    naming_a_full_disk,
    read_json,
    sweep,
    whole_folder,
    write_json,
)
from benchmark.home import home
from benchmark.isolation.proxy import Isolated
from benchmark.method_errors import errors_of
from benchmark.records.code import code_state
from benchmark.records.identity import shared_stage_id
from benchmark.records.machine import hardware, peak_memory_bytes
from benchmark.records.model import CodePart
from benchmark.runner.checkpoints import FolderCheckpoints, Ranks, Stopwatch
from benchmark.runner.samples import write_sample

if TYPE_CHECKING:
    from benchmark.runner.plan import Plan


@dataclass
class Workplace:
    """A folder in which something is fitted: checkpoint, log, time, and `done.json` at the end."""

    folder: Path
    images: Images
    seed: int
    device: str
    progress: Progress
    home: Path
    method: tuple[str, int]
    """Whose code fits, and its version: methods that run one code share its stages."""
    run: str
    weights: Callable[[str], Path] = no_weights
    ranks: Ranks = field(default_factory=Ranks)
    code: CodePart = field(default_factory=code_state)

    @cached_property
    def watch(self) -> Stopwatch:
        """Starts when it is first asked for: once the folder's lock is held."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sweep(self.folder)
        sweep(self.folder / "milestones")
        sweep(self.folder / "samples")
        return Stopwatch(self.folder)

    @property
    def done(self) -> bool:
        return (self.folder / "done.json").exists()

    def context(self) -> FitContext:
        """What the method gets."""
        return FitContext(
            seed=self.seed,
            device=self.device,
            folder=self.folder,
            checkpoints=FolderCheckpoints(self.folder, self.watch, self.ranks),
            progress=self._progress,
            log=self._log,
            shared=self._shared,
            milestone=self._milestone,
            weights=self.weights,
            sample=self._sample,
            rank=self.ranks.rank,
            devices=self.ranks.count,
        )

    def store(self, method: Method) -> None:
        """Save what was fitted, and finish."""
        with errors_in(self.folder, method, "save"), whole_folder(self.folder / "model") as folder:
            method.save(folder)
        if not isinstance(method, Isolated):
            self.require_loadable(method)
        self.finish(method.ran_in() if isinstance(method, Isolated) else {})

    def require_loadable(self, method: Method) -> None:
        """What can't be loaded is not done: with `save` mended, the fit goes on where it was."""
        with errors_in(self.folder, method, "load"):
            again = type(method)(method.settings)
            again.pretrained = self.weights
            load_from(again, self.folder / "model", "cpu")

    def finish(self, process: Mapping[str, Any] | None = None) -> None:
        """Say that all is there, and where it was made; the checkpoint is no longer needed.

        `process` is what a process of the method's own says of itself.
        """
        self.watch.pause()
        made = {
            "run": self.run,
            "code": self.code.model_dump(),
            "hardware": hardware(self.device) | {"devices": self.ranks.count},
            "peak_memory_bytes": peak_memory_bytes(self.device),
        }
        made |= process or {}
        write_json(self.folder / "done.json", self.watch.summary() | made)
        FolderCheckpoints(self.folder, self.watch, self.ranks).clear()

    def _progress(self, stage: str, step: int, total: int, **values: float) -> None:
        if "images_per_second" in values:
            self.watch.throughput[stage] = round(values["images_per_second"], 1)
        self.progress(stage, step, total, **values)

    def _log(self, values: Mapping[str, Any]) -> None:
        line = json.dumps(logged(values))
        path = self.folder / "log.jsonl"
        with naming_a_full_disk(path), path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _milestone(self, images_seen: int, save: Any) -> None:
        target = self.folder / "milestones" / str(images_seen)
        if not target.exists():
            with whole_folder(target) as folder:
                save(folder)

    def _sample(self, stage: str, images_seen: int, pictures: torch.Tensor) -> None:
        write_sample(self.folder / "samples", stage, images_seen, pictures)

    def _locked(self, folder: Path) -> AbstractContextManager[None]:
        return waiting_lock(folder, self.progress)

    @contextmanager
    def _shared(self, name: str, identity: Mapping[str, Any]) -> Iterator[StageFolder]:
        key = shared_stage_id(
            method=self.method[0],
            method_version=self.method[1],
            name=name,
            identity=identity,
            images=self.images.digest,
            seed=self.seed,
        )
        folder = self.home / "fits" / "parts" / f"{name}-{key}"
        self.watch.pause()
        try:
            with self._locked(folder):
                place = replace(self, folder=folder)
                before, context = self.ranks.agree(place.done), place.context()
                yield StageFolder(folder if before else context.folder, before, context, place)
                if place.done:
                    about = read_done(folder)
                    if name not in self.watch.parts:
                        # a part that this run had made before a kill is its own
                        reused = before and about["run"] != self.run
                        self.watch.parts[name] = {**about, "folder": folder.name, "reused": reused}
                    self.watch.throughput.update(about["throughput"])
                    self.watch.write()
        finally:
            self.watch.go_on()


@dataclass
class StageFolder:
    """A `SharedStage`: the folder that fits of equal identity share, under its lock."""

    folder: Path
    done: bool
    context: FitContext
    place: Workplace

    def finish(self) -> None:
        self.place.finish()
        self.place.ranks.agree(None)
        self.folder, self.done = self.place.folder, True


@dataclass
class Follower(Workplace):
    """The place of the other processes of a fit: they learn along, process 0 alone leaves things.

    What the method writes into its folder lands in `scratch`, which is thrown away.
    """

    scratch: Path = field(kw_only=True)

    @cached_property
    def watch(self) -> Stopwatch:
        mine = self.scratch / self.folder.name
        mine.mkdir(parents=True, exist_ok=True)
        return Stopwatch(mine)

    def context(self) -> FitContext:
        dropped: dict[str, Any] = dict.fromkeys(("progress", "log", "milestone", "sample"), _drop)
        return replace(super().context(), folder=self.watch.path.parent, **dropped)

    def store(self, method: Method) -> None:
        pass

    def finish(self, process: Mapping[str, Any] | None = None) -> None:
        pass

    def _locked(self, folder: Path) -> AbstractContextManager[None]:
        return nullcontext()


def _drop(*_: Any, **__: Any) -> None:
    """What the other processes log and keep."""


@contextmanager
def waiting_lock(folder: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of a folder, waiting for another process that fits the same."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    file = Path(f"{folder}.lock")
    try:
        lock = held(file, wait=False)
    except filelock.Timeout:
        progress("wait for another process that fits the same", 0, 1)
        lock = held(file)
    with lock:
        yield


@contextmanager
def errors_in(folder: Path, method: Method, call: str) -> Iterator[None]:
    """`errors_of` the call, but for those of a folder that was removed meanwhile: no method's fault."""
    try:
        with errors_of(method, call):
            yield
    except PluginBroken:
        if folder.exists():
            raise
        raise DataAltered(
            f"{folder} was removed while it was worked on", cure="the same command begins it anew"
        ) from None


def read_done(folder: Path) -> dict[str, Any]:
    """What a finished fit, or part of one, says of itself."""
    again = f"delete {folder}; the same command fits it again"
    about: dict[str, Any] = read_json(folder / "done.json", again, "run", "parts", "throughput")
    if "hardware" not in about:
        raise DataAltered(f"{folder} was fitted by an older bench", cure=again)
    return about


def workplace(
    plan: Plan, progress: Progress, kind: type[Workplace] = Workplace, **more: Any
) -> Workplace:
    """Where the fit of a plan is made; `more` are fields of that kind of place."""
    usual: dict[str, Any] = {
        "folder": plan.fit_folder,
        "images": plan.images,
        "seed": plan.request.seed,
        "device": plan.device,
        "progress": progress,
        "home": home(),
        "method": (plan.maker.id, plan.maker.version),
        "run": plan.run_id,
        "weights": plan.weights,
        "code": plan.code,
    }
    return kind(**usual | more)


def fit(method: Method, place: Workplace) -> bool:
    """Fit `method` in `place`, or find it fitted. True when it was found.

    Afterwards `place.folder/model` holds what `method.load` reads.
    """
    with waiting_lock(place.folder, place.progress):
        if place.done:
            return True
        learn(method, place)
        return False


def learn(method: Method, place: Workplace) -> None:
    """Fit `method` in `place`, whose lock this process, or the one that started it, holds."""
    place.watch.write()
    torch.manual_seed(place.seed)
    method.device, method.pretrained = place.device, place.weights
    with errors_in(place.folder, method, "fit"):
        method.fit(place.images, place.context())
    place.store(method)
