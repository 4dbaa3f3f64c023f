"""What the harness adds to a fit: `bench run` against the method's own training loop.

    BENCH_DATA=... python perf/overhead.py [--method dve] [--preset small] [--set steps=100] [--pairs 3]

*Bare* calls the method's `fit` with the same images, settings and seed, and keeps nothing: no
checkpoints, curves, progress, locks or record of the machine. *bench* is the fit of `bench run`,
with all of these, the model stored and loaded again. Both leave the same weights, or the script
stops. Pairs take turns, in one process. What a run does beside its fit (planning, predicting,
scoring) is no part of it; planning is timed apart. Beside the two times stands what bench's own
calls take within its fit, which tells small shares on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmark.contracts.method import FitContext
from benchmark.files import file_sha256
from benchmark.home import home
from benchmark.interface.progress import Silent
from benchmark.runner.fitting import Workplace, fit, workplace
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.settings import from_words


class NoCheckpoints:
    def load(self, name: str = "") -> None:
        return None

    def save(self, state: Mapping[str, Any], name: str = "") -> None:
        pass

    def due(self) -> bool:
        return False


@dataclass
class Unshared:
    folder: Path
    context: FitContext
    done: bool = False

    def finish(self) -> None:
        self.done = True


def context_of(plan: Plan, folder: Path) -> FitContext:
    @contextmanager
    def shared(name: str, identity: Mapping[str, Any]) -> Iterator[Unshared]:
        yield Unshared(folder / name, context_of(plan, folder / name))

    folder.mkdir(parents=True, exist_ok=True)
    return FitContext(
        seed=plan.request.seed,
        device=plan.device,
        folder=folder,
        checkpoints=NoCheckpoints(),
        progress=lambda *given, **values: None,
        log=lambda values: None,
        shared=shared,
        milestone=lambda images_seen, save: None,
        weights=plan.weights,
    )


def bare(plan: Plan) -> Path:
    method = plan.cls(plan.fit_settings)
    method.device, method.pretrained = plan.device, plan.weights
    torch.manual_seed(plan.request.seed)
    method.fit(plan.images, context_of(plan, home() / "bare" / str(plan.request.seed)))
    folder = home() / "bare" / f"{plan.request.seed}-model"
    folder.mkdir()
    method.save(folder)
    return folder


class Clock:
    """Processor seconds within some calls."""

    seconds = 0.0

    def within(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **more: Any) -> Any:
            began = time.process_time()
            try:
                return call(*given, **more)
            finally:
                self.seconds += time.process_time() - began

        return timed


class Timed(Workplace):
    """The usual place of a fit, which counts what its own calls take."""

    clock: Clock

    def context(self) -> FitContext:
        usual = super().context()
        for name in ("load", "save", "due"):
            own = getattr(usual.checkpoints, name)
            setattr(usual.checkpoints, name, self.clock.within(own))
        calls = {n: self.clock.within(getattr(usual, n)) for n in ("progress", "log", "milestone")}
        return replace(usual, **calls)


inside: list[float] = []
"""Of each fit by bench the share of its processor seconds that are bench's own, in percent."""


def by_bench(plan: Plan) -> Path:
    Timed.clock, whole = Clock(), Clock()
    method, whole_fit = plan.cls(plan.fit_settings), Clock()
    method.fit = whole_fit.within(method.fit)  # type: ignore[method-assign]
    whole.within(fit)(method, workplace(plan, Silent(), Timed))
    own = whole.seconds - whole_fit.seconds + Timed.clock.seconds
    inside.append(round(100 * own / (whole.seconds - own), 2))
    return plan.fit_folder / "model"


def digests(folder: Path) -> dict[str, str]:
    return {f.name: file_sha256(f) for f in sorted(folder.rglob("*")) if f.is_file()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--method", default="dve")
    parser.add_argument("--protocol", default="ytf5")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--pairs", type=int, default=3)
    given = parser.parse_args()
    settings = from_words(tuple(given.settings or ["steps=100"]))
    ways: dict[str, Callable[[Plan], Path]] = {"bare": bare, "bench": by_bench}
    wall: dict[str, list[float]] = {way: [] for way in ways}
    processor: dict[str, list[float]] = {way: [] for way in ways}
    planning = []
    prepared = home() / "prepared"
    with tempfile.TemporaryDirectory() as place:
        if prepared.exists():
            (Path(place) / "prepared").symlink_to(prepared)
        os.environ["BENCH_HOME"] = place
        for pair in range(-1, given.pairs):
            request = Request(given.method, given.protocol, given.preset, settings, max(pair, 0))
            if pair < 0:  # what is done once in a process is no part of either way
                once = replace(request, given={**settings, "steps": 2}, seed=10**6)
                bare(make_plan(once, Silent()))
                continue
            began = time.monotonic()
            plan = make_plan(request, Silent())
            planning.append(round(time.monotonic() - began, 3))
            left = []
            for way in list(ways)[:: 1 if pair % 2 else -1]:
                began, used = time.monotonic(), time.process_time()
                left.append(digests(ways[way](plan)))
                wall[way].append(round(time.monotonic() - began, 3))
                processor[way].append(round(time.process_time() - used, 3))
            assert left[0] == left[1], "the two ways learned different weights"
    ratios = [b / a for a, b in zip(processor["bare"], processor["bench"], strict=True)]
    walls = [b / a for a, b in zip(wall["bare"], wall["bench"], strict=True)]
    found = {
        "fit": [given.method, given.protocol, given.preset, settings],
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "machine": platform.processor() or platform.machine(),
        "seconds": wall,
        "processor_seconds": processor,
        "planning_seconds": planning,
        "own_calls_percent": inside,
        "overhead_percent": round(100 * (statistics.median(walls) - 1), 2),
        "overhead_percent_of_processor_seconds": round(100 * (statistics.median(ratios) - 1), 2),
    }
    path = Path(__file__).parent / "results" / "overhead.json"
    path.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
