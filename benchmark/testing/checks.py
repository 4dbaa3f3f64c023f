"""What the conformance run asks of a method, one function a check; `conformance` runs them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmark.contracts.method import Ceiling, Method
from benchmark.contracts.predictions import (
    PREDICTIONS,
    Descriptors,
    Generator,
    Landmarks,
    Parts,
    Prediction,
)
from benchmark.method_errors import errors_of
from benchmark.settings import resolve_settings
from benchmark.testing.together import fit_in_two
from benchmark.testing.trial import Happens, Killed, Trial, call
from benchmark.testing.watching import files_written, global_state

CLOSE = 1e-4
SECONDS = 60.0


class Broken(Exception):
    """What a check found, and what mends it where that is one thing."""

    def __init__(self, found: str, cure: str = "") -> None:
        super().__init__(found)
        self.cure = cure


@dataclass(frozen=True)
class Check:
    """A question, and of which trials it is asked."""

    name: str
    run: Callable[[Trial], str | None]
    applies: Callable[[Trial], bool] = lambda trial: True


def _require(fine: bool, otherwise: str, cure: str = "") -> None:
    if not fine:
        raise Broken(otherwise, cure)


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
    for name, example in {"summary": "points near a grid", "licence": "Apache-2.0"}.items():
        said = bool(getattr(trial.spec, name).strip())
        _require(said, f"{name} is empty", f'MethodSpec(…, {name}="{example}") says it')
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
    """Every declared kind: shapes, dtype, finite, points inside the image."""
    method = trial.method
    shapes = []
    for kind in trial.kinds:
        with trial.failing_once(call(kind)):
            if kind == "generator":
                shapes.append(_generated(trial, method))
                continue
            found = trial.predict(method, kind)
            _require(
                isinstance(found, PREDICTIONS[kind]),
                f"asked for {kind}, which it declares, it gives {type(found).__name__}",
            )
        _require_shapes(found, trial.images.size)
        _require_count(found, trial.info.points)
        shapes += [f"{trial.named(kind, n)} {tuple(t.shape)}" for n, t in found.tensors().items()]
    return ", ".join(shapes)


def _generated(trial: Trial, method: Method) -> str:
    generator = trial.generator(method)
    _require(isinstance(generator, Generator), f"generator gives {type(generator).__name__}")
    return f"images {tuple(generator.sample(3, 0).shape)}"


def _require_shapes(found: Prediction, size: int) -> None:
    _require(len(found) == 8, f"{len(found)} predictions for 8 images")
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


def _require_count(found: Prediction, points: int | None) -> None:
    if isinstance(found, Parts):
        given = found.probabilities.shape[1] - 1
    elif isinstance(found, Landmarks):
        given = found.points.shape[1]
    else:
        return
    _require(points in (None, given), f"info says {points} points, a prediction has {given}")


def batches(trial: Trial) -> None:
    """A prediction depends on its image alone: not on the batch, nor on the order."""
    trial.outputs()
    order = [5, 2, 7, 0, 1, 6, 3, 4]
    for kind in trial.predicts:
        whole = trial.predict(trial.method, kind).arrays()
        single = [trial.predict(trial.method, kind, [i]).arrays() for i in range(8)]
        turned = trial.predict(trial.method, kind, order).arrays()
        for name, array in whole.items():
            alone, shapes = np.concatenate([one[name] for one in single]), trial.named(kind, name)
            _close(
                alone, array, f"{shapes} of an image alone and in a batch of 8 differ by up to {{}}"
            )
            _close(
                turned[name],
                array[order],
                f"another order of the batch changes {shapes} by up to {{}}",
            )


def samples(trial: Trial) -> None:
    """A sample depends on its seed and number alone, not on the batch size."""
    trial.outputs()
    generator = trial.generator(trial.method)
    whole = generator.sample(5, 3, batch=5).numpy().astype(float)
    single = generator.sample(5, 3, batch=1).numpy().astype(float)
    _require(np.abs(whole - single).max() <= 1, "samples depend on the batch size")
    other = generator.sample(5, 4).numpy()
    # a ceiling gives back the images it was shown, whichever the seed
    _require(not trial.fits or (other != whole).any(), "another seed gives the same samples")


def pictures(trial: Trial) -> str:
    """What it shows of images are pictures of them: (B, 3, s, s), floating point, in [-1, 1]."""
    method = trial.method
    with torch.inference_mode(), errors_of(method, "pictures"):
        shown = dict(method.pictures(trial.pictures()))
    for name, images in shown.items():
        _require(isinstance(name, str) and bool(name.strip()), f"a picture is named {name!r}")
        if not isinstance(images, torch.Tensor):
            raise Broken(f"the pictures {name!r} are {type(images).__name__}, not a tensor")
        shape = tuple(images.shape)
        fine = len(shape) == 4 and shape[:2] == (8, 3) and shape[2] == shape[3]
        _require(fine, f"the pictures {name!r} have shape {shape}, not (8, 3, s, s)")
        _require(images.is_floating_point(), f"the pictures {name!r} are {images.dtype}")
        _require(bool((images.abs() <= 1 + CLOSE).all()), f"the pictures {name!r} leave [-1, 1]")
    return ", ".join(shown)


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
    """A fit that is killed on its way, in every stage and after checkpoints, and begun again each time
    ends where a straight one ends."""
    straight = trial.outputs()
    killed = 0
    with _checkpoints_always():
        for place, ends in (("stopped", _in_stages(trial.stages)), ("saved", [_at_save] * KILLS)):
            for end in ends[:KILLS]:
                try:
                    trial.fit(place, end)
                except Killed:
                    killed += 1
            after = trial.arrays(trial.fitted(place))
            for name, array in straight.items():
                _close(after[name], array, f"{name} differ by up to {{}} after a kill {WHY}")
    stages = f", in {len(trial.stages)} stages" if len(trial.stages) > 1 else ""
    return f"killed {killed} times{stages}"


WHY = "(was something drawn without context.seed, or left out of the checkpoint?)"
KILLS = 12


def _in_stages(stages: Mapping[str, Sequence[int]]) -> list[Happens]:
    """Ends in each stage: when its second step is told, and its last."""
    return [
        partial(_at_step, stage, step)
        for stage, steps in stages.items()
        for step in dict.fromkeys((steps[:2][-1], steps[-1]))
    ]


def _at_step(stage: str, step: int, what: str, where: str, done: int) -> None:
    if what == "progress" and where == stage and done >= step:
        raise Killed


def _at_save(what: str, stage: str, step: int) -> None:
    if what == "save":
        raise Killed


def two_processes(trial: Trial) -> str:
    """Two processes that fit it together, as it claims they may, end with one and the same method."""
    assert trial.tiny
    first, second = (trial.arrays(trial.loaded(folder)) for folder in fit_in_two(trial))
    for name, array in first.items():
        same = np.array_equal(second[name], array)
        _require(
            same,
            f"{name} differs between the two processes of one fit: what they learn is not shared",
        )
    return ", ".join(first)


def leaves_alone(trial: Trial) -> None:
    """No global generator, no number of threads, no default dtype is changed."""
    trial.outputs()
    torch.manual_seed(17)
    np.random.seed(17)
    random.seed(17)
    before = global_state()
    method = trial.fitted("quiet")
    # the runner itself seeds torch before a fit
    changed = [k for k, v in global_state().items() if v != before[k] and k != "torch's generator"]
    before = global_state()
    trial.arrays(method)
    changed += [k for k, v in global_state().items() if v != before[k]]
    _require(not changed, f"it changes {', '.join(dict.fromkeys(changed))}")


def writes_at_home(trial: Trial) -> None:
    """Files are written in the fit's folder alone."""
    trial.outputs()
    with files_written() as paths:
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
    Check("batch and order", batches, lambda t: bool(t.predicts)),
    Check("samples", samples, lambda t: "generator" in t.kinds),
    Check("pictures", pictures, lambda t: t.shows),
    Check("save and load", round_trip),
    Check("same seed", repeats, lambda t: t.fits),
    Check("kill and resume", resumes, lambda t: t.fits),
    Check("two processes", two_processes, lambda t: t.data_parallel),
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
