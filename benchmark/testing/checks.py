"""What the conformance run asks of a method, one function a check; `conformance` runs them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.contracts.method import Ceiling
from benchmark.contracts.predictions import PREDICTIONS, Descriptors, Generator, Landmarks, Parts
from benchmark.method_errors import errors_of
from benchmark.settings import resolve_settings
from benchmark.testing.trial import Killed, Trial

CLOSE = 1e-4
SECONDS = 60.0


class Broken(Exception):
    """What a check found."""


@dataclass(frozen=True)
class Check:
    """A question, and of which trials it is asked."""

    name: str
    run: Callable[[Trial], str | None]
    applies: Callable[[Trial], bool] = lambda trial: True


def _require(fine: bool, otherwise: str) -> None:
    if not fine:
        raise Broken(otherwise)


def light_import(trial: Trial) -> None:
    """The registration module is imported whenever bench lists methods."""
    package = trial.spec.implementation.partition(":")[0].partition(".")[0]
    heavy = "torch numpy pandas scipy torchvision"
    code = f"import sys, {package}\nprint(*[m for m in {heavy!r}.split() if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    _require(
        done.returncode == 0, f"import {package} fails: {done.stderr.strip().splitlines()[-1:]}"
    )
    _require(not done.stdout.strip(), f"import {package} imports {done.stdout.strip()}")


def registration(trial: Trial) -> None:
    """What boards and pages show is there."""
    faults = trial.spec.problems()
    _require(not faults, "; ".join(faults))
    _require(bool(trial.spec.summary.strip()), "summary is empty")
    _require(bool(trial.spec.licence.strip()), "licence is empty")
    for preset in ["", *trial.spec.presets]:
        resolve_settings(trial.spec, trial.cls, preset, {})


def declared(trial: Trial) -> str:
    """`info` says before any work what registration and predictions then keep to."""
    extra = set(trial.info.gives) - set(trial.spec.gives)
    _require(not extra, f"info gives {', '.join(sorted(extra))}, which the registration leaves out")
    _require(bool(trial.info.gives), "info gives no prediction kind")
    for weights in trial.info.pretrained:
        pinned = len(weights.sha256) == 64 and all(c in "0123456789abcdef" for c in weights.sha256)
        _require(pinned, f"weights {weights.name} are not pinned by a sha256")
    if issubclass(trial.cls, Ceiling):
        _require(trial.spec.role == "ceiling", "it is shown labels, but its role is no ceiling")
    return ", ".join(trial.info.gives)


def fits(trial: Trial) -> str:
    """A tiny fit on the CPU ends in seconds."""
    assert trial.tiny
    seconds = trial.spent["fit"]
    _require(
        seconds < SECONDS, f"the tiny fit took {seconds:.0f} s; name smaller settings in `tiny`"
    )
    return f"{seconds:.1f} s"


def shapes(trial: Trial) -> str:
    """Declared kinds, shapes, dtype, finite, points inside the image."""
    kind, method = trial.kind, trial.method
    with trial.told_once(trial.call):
        if kind == "generator":
            generator = trial.generator(method)
            _require(
                isinstance(generator, Generator), f"generator gives {type(generator).__name__}"
            )
            images = generator.sample(3, 0)
            return f"images {tuple(images.shape)}"
        found = trial.predict(method)
        _require(
            isinstance(found, PREDICTIONS[kind]),
            f"it declares {kind} and gives {type(found).__name__}",
        )
    _require(len(found) == 8, f"{len(found)} predictions for 8 images")
    size = trial.images.size
    for name, tensor in found.tensors().items():
        _require(tensor.dtype == torch.float32, f"{name} is {tensor.dtype}, not float32")
    if isinstance(found, Landmarks):
        outside = (
            ((found.points < -0.5) | (found.points > size - 0.5)).any(-1).float().mean().item()
        )
        _require(outside == 0, f"{100 * outside:.0f} % of the points lie outside the image")
    if isinstance(found, Parts):
        shape = tuple(found.probabilities.shape[-2:])
        _require(shape == (size, size), f"parts have {shape} pixels for images of {size}")
    if isinstance(found, Descriptors):
        tiled = Descriptors.covering(found.maps[:0], size)
        same = np.allclose((found.stride, found.offset), (tiled.stride, tiled.offset))
        _require(same, "the cells do not tile the image: use Descriptors.covering")
    return ", ".join(f"{n} {tuple(t.shape)}" for n, t in found.tensors().items())


def batches(trial: Trial) -> None:
    """A prediction depends on its image alone: not on the batch, nor on the order."""
    whole = trial.outputs()
    single = [trial.predict(trial.method, [i]).arrays() for i in range(8)]
    order = [5, 2, 7, 0, 1, 6, 3, 4]
    turned = trial.predict(trial.method, order).arrays()
    for name, array in whole.items():
        alone = np.concatenate([one[name] for one in single])
        _close(alone, array, f"{name} of an image alone and in a batch of 8 differ by up to {{}}")
        _close(
            turned[name], array[order], f"another order of the batch changes {name} by up to {{}}"
        )


def samples(trial: Trial) -> None:
    """A sample depends on its seed and number alone, not on the batch size."""
    trial.outputs()
    generator = trial.generator(trial.method)
    whole = generator.sample(5, 3, batch=5).numpy().astype(float)
    single = generator.sample(5, 3, batch=1).numpy().astype(float)
    _require(np.abs(whole - single).max() <= 1, "samples depend on the batch size")
    other = generator.sample(5, 4).numpy()
    _require((other != whole).any(), "another seed gives the same samples")


def round_trip(trial: Trial) -> None:
    """save → load → predict gives what was saved."""
    method = trial.method
    folder = trial.scratch / "again"
    folder.mkdir()
    with errors_of(method, "save"):
        method.save(folder)
    before, after = trial.outputs(), trial.arrays(trial.loaded(folder))
    for name, array in before.items():
        _require(np.array_equal(after[name], array), f"{name} is another after save and load")


def repeats(trial: Trial) -> None:
    """The same seed twice gives the same method, on a CPU."""
    before, after = trial.outputs(), trial.arrays(trial.fitted("second"))
    for name, array in before.items():
        _require(np.array_equal(after[name], array), f"{name} differs between two fits of one seed")


def resumes(trial: Trial) -> str:
    """A fit that is killed on its way and begun again ends where a straight one ends."""
    straight = trial.outputs()
    with _checkpoints_always():
        for stop in (1, 3):
            try:
                trial.fitted("killed", stop_after=stop)
            except Killed:
                continue
        after = trial.arrays(trial.fitted("killed"))
    why = "(was something drawn without context.seed, or left out of the checkpoint?)"
    for name, array in straight.items():
        _close(after[name], array, f"{name} differ by up to {{}} after a kill {why}")
    return "killed twice"


def leaves_alone(trial: Trial) -> None:
    """No global generator, no number of threads, no default dtype is changed."""
    trial.outputs()
    torch.manual_seed(17)
    np.random.seed(17)
    random.seed(17)
    before = _globals()
    method = trial.fitted("quiet")
    # the runner itself seeds torch before a fit
    changed = [k for k, v in _globals().items() if v != before[k] and k != "torch's generator"]
    before = _globals()
    trial.arrays(method)
    changed += [k for k, v in _globals().items() if v != before[k]]
    _require(not changed, f"it changes {', '.join(dict.fromkeys(changed))}")


def writes_at_home(trial: Trial) -> None:
    """Files are written in the fit's folder alone."""
    trial.outputs()
    with _written() as paths:
        trial.arrays(trial.fitted("watched"))
    allowed = (trial.scratch.resolve(), Path("/dev").resolve())
    outside = [p for p in paths if not any(p.is_relative_to(a) for a in allowed)]
    caches = [p for p in outside if "__pycache__" in p.parts or p.suffix in {".pyc", ".lock"}]
    strangers = [p for p in outside if p not in caches and p.name != ""]
    _require(
        not strangers, f"it writes {strangers[0] if strangers else ''} outside the run's folder"
    )


CHECKS = (
    Check("light import", light_import),
    Check("registration", registration),
    Check("declared", declared),
    Check("tiny fit", fits),
    Check("shapes", shapes),
    Check("batch and order", batches, lambda t: t.kind != "generator"),
    Check("samples", samples, lambda t: t.kind == "generator"),
    Check("save and load", round_trip),
    Check("same seed", repeats, lambda t: t.fits),
    Check("kill and resume", resumes, lambda t: t.fits),
    Check("leaves alone", leaves_alone, lambda t: t.shares_a_process),
    Check("writes at home", writes_at_home, lambda t: t.shares_a_process),
)


def _close(found: np.ndarray, wanted: np.ndarray, otherwise: str) -> None:
    """`otherwise` has a {} for how far they are apart."""
    scale = max(1.0, float(np.abs(wanted).max()))
    far = float(np.abs(found.astype(np.float64) - wanted).max()) if wanted.size else 0.0
    _require(far <= CLOSE * scale, otherwise.format(f"{far:.2g}"))


@contextmanager
def _checkpoints_always() -> Iterator[None]:
    before = os.environ.get("BENCH_CHECKPOINT_SECONDS")
    os.environ["BENCH_CHECKPOINT_SECONDS"] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ["BENCH_CHECKPOINT_SECONDS"]
        else:
            os.environ["BENCH_CHECKPOINT_SECONDS"] = before


def _globals() -> dict[str, Any]:
    numpys = np.random.get_state()
    return {
        "torch's generator": torch.get_rng_state().numpy().tobytes(),
        "NumPy's generator": repr([getattr(p, "tolist", lambda p=p: p)() for p in numpys]),
        "Python's generator": str(random.getstate()),
        "the number of threads": torch.get_num_threads(),
        "the default dtype": torch.get_default_dtype(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
    }


_watching: list[list[Path]] = []
_hooked = threading.Event()


@contextmanager
def _written() -> Iterator[list[Path]]:
    """The files that this process opens for writing meanwhile."""
    if not _hooked.is_set():
        # an audit hook can't be taken away again, so there is one, which mostly sleeps
        sys.addaudithook(_note)
        _hooked.set()
    found: list[Path] = []
    _watching.append(found)
    try:
        yield found
    finally:
        _watching.remove(found)


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or event != "open":
        return
    path, mode, flags = arguments
    writes = (isinstance(mode, str) and set(mode) & set("wxa+")) or (
        mode is None and isinstance(flags, int) and flags & 0b11
    )
    if writes and isinstance(path, str | Path):
        for found in _watching:
            found.append(Path(path).absolute())
