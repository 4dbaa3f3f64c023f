"""A loop over steps that can be killed at any time and goes on where it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch

from benchmark.contracts.errors import InvalidInput, TrainingFailed
from benchmark.contracts.method import Checkpoints, FitContext
from benchmark.training.meters import Means, Rate, peak_memory
from benchmark.training.randomness import derived_seed
from benchmark.training.together import gathered, require_equal


class Stateful(Protocol):
    """What a checkpoint can hold: networks, optimisers and the like."""

    def state_dict(self) -> dict[str, Any]:
        """All that it needs to go on."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Go on from there."""


def spaced(total: int, count: int) -> list[int]:
    """0, then `count` values up to `total`, each twice the one before.

    Example: `spaced(1000, 3)` is [0, 250, 500, 1000].
    """
    return sorted({0, *(round(total * 0.5**i) for i in range(count))})


def train(
    context: FitContext,
    stage: str,
    *,
    steps: int,
    images_per_step: int,
    state: Mapping[str, Stateful],
    update: Callable[[int], Mapping[str, torch.Tensor | float]],
    log_every: int = 20,
    milestones: Sequence[int] = (),
    save_milestone: Callable[[Path], None] | None = None,
    evaluate: Callable[[], Mapping[str, float]] | None = None,
    evaluate_at: Sequence[int] = (),
    samples: Callable[[], torch.Tensor] | None = None,
    samples_at: Sequence[int] = (),
) -> None:
    """Call `update(step)` for every step that is not done yet, and keep what it takes to go on.

    `update` does one optimiser step and returns named values, "loss" among them; everything it
    draws must follow from the step (`benchmark.training.randomness`), the global generator is
    seeded for each step. `state` is all that changes, by name. `milestones` are steps at
    which `save_milestone` keeps a copy, `evaluate_at` steps at which what `evaluate` returns is
    logged, `samples_at` steps at which the pictures that `samples` returns, float (B, 3, s, s) in
    [-1, 1], are kept for the run's page; all count steps done, so 0 is before training.

    A value that is returned on some steps only is logged as the mean over those. A fit may train
    several stages one after the other, each under a name of its own: one that has ended is kept as it
    ended, so a fit that was killed goes on in the stage in which it was.

    Of several processes (`FitContext.devices`) all make the same steps: `images_per_step` counts the
    images of all, what `update` returns is logged as the mean over them, and each has draws of its
    own: those of process 0 are those of a fit in one process, others join their rank to the seed.
    All must hold the same `state`, to the bit, whenever it is saved and at the end.

    Raises `TrainingFailed` when the loss is not finite, or when the processes' states differ.
    """
    device = torch.device(context.device)
    _require_new(context.checkpoints, stage)
    first = _resume(context, stage, steps, state)
    rate = Rate()
    means = Means()
    waiting = 0
    stops = {*milestones, *evaluate_at, *samples_at}
    others = [context.rank] if context.rank else []

    def save(done: int) -> None:
        saved = {name: dict(entry.state_dict()) for name, entry in state.items()}
        if context.devices > 1:
            require_equal(saved, stage)
        checkpoint = {"stage": stage, "steps": steps, "step": done, "parts": saved}
        context.checkpoints.save(checkpoint, stage if done == steps else "")

    def at(done: int) -> None:
        if evaluate is not None and done in evaluate_at:
            images = done * images_per_step
            context.log({"stage": stage, "step": done, "images": images, **evaluate()})
        if save_milestone is not None and done in milestones:
            context.milestone(done * images_per_step, save_milestone)
        if samples is not None and done in samples_at:
            with torch.no_grad():
                context.sample(stage, done * images_per_step, samples())

    if first == 0:
        at(0)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        for step in range(first, steps):
            torch.manual_seed(derived_seed(context.seed, stage, step, *others))
            values = update(step)
            rate.add(images_per_step)
            waiting += 1
            means.add(values)
            done = step + 1
            if done % log_every == 0 or done == steps or done in stops:
                found = means.read(context.devices)
                _require_finite(found, stage, done, waiting)
                speed = rate.read()
                context.progress(stage, done, steps, **found, images_per_second=speed)
                context.log(
                    {"stage": stage, "step": done, "images": done * images_per_step, **found}
                    | {"images_per_second": speed, "peak_memory_bytes": peak_memory(device)}
                )
                waiting = 0
                at(done)
            if done < steps and waiting == 0 and _due(context):
                save(done)
    if first < steps:
        save(steps)


def _due(context: FitContext) -> bool:
    """Whether to save: process 0 knows, and all compare what they hold when it does."""
    due = context.checkpoints.due()
    return any(gathered(due)) if context.devices > 1 else due


_begun: WeakKeyDictionary[Checkpoints, set[str]] = WeakKeyDictionary()


def _require_new(checkpoints: Checkpoints, stage: str) -> None:
    names = _begun.setdefault(checkpoints, set())
    if stage in names:
        raise InvalidInput(
            f"two stages of one fit are named {stage!r}: the second would be taken for the first",
            cure="give every call of `train` in a fit a name of its own",
        )
    names.add(stage)


def _resume(context: FitContext, stage: str, steps: int, state: Mapping[str, Stateful]) -> int:
    """Load what this stage ended with, or its newest checkpoint; the number of steps done."""
    checkpoint = context.checkpoints.load(stage) or context.checkpoints.load()
    if checkpoint is None or checkpoint.get("stage") != stage:
        return 0
    saved = checkpoint["parts"]  # the key of old checkpoints, which are still read
    if checkpoint["steps"] != steps or set(saved) != set(state):
        raise TrainingFailed(
            f"the checkpoint of {stage} is of a run of {checkpoint['steps']} steps with "
            f"{', '.join(sorted(saved))}; this one has {steps} steps with {', '.join(sorted(state))}",
            cure="remove the checkpoint folder of this run to start afresh",
        )
    for name, entry in state.items():
        entry.load_state_dict(saved[name])
    return int(checkpoint["step"])


def _require_finite(means: Mapping[str, float], stage: str, done: int, waiting: int) -> None:
    broken = [name for name, value in means.items() if not math.isfinite(value)]
    if broken:
        raise TrainingFailed(
            f"{', '.join(broken)} of {stage} became not finite between steps "
            f"{done - waiting} and {done}",
            cure="lower the learning rate, or lengthen its warm-up",
        )
