"""A loop over steps that can be killed at any time and goes on where it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from benchmark.contracts.errors import TrainingFailed
from benchmark.contracts.method import FitContext
from benchmark.training.meters import Rate, peak_memory
from benchmark.training.randomness import derived_seed
from benchmark.training.together import mean_over_processes


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
    parts: Mapping[str, Stateful],
    update: Callable[[int], Mapping[str, torch.Tensor | float]],
    log_every: int = 20,
    milestones: Sequence[int] = (),
    save_milestone: Callable[[Path], None] | None = None,
    evaluate: Callable[[], Mapping[str, float]] | None = None,
    evaluate_at: Sequence[int] = (),
) -> None:
    """Call `update(step)` for every step that is not done yet, and keep what it takes to go on.

    `update` does one optimiser step and returns named values, "loss" among them; everything it
    draws must follow from the step (`benchmark.training.randomness`), the global generator is
    seeded for each step. `parts` are all things that change, by name. `milestones` are steps at
    which `save_milestone` keeps a copy, `evaluate_at` steps at which what `evaluate` returns is
    logged; both count steps done, so 0 is before training.

    Of several processes (`FitContext.devices`) all make the same steps: `images_per_step` counts the
    images of all, what `update` returns is logged as the mean over them, and each has draws of its
    own: those of process 0 are those of a fit in one process, others join their rank to the seed.

    Raises `TrainingFailed` when the loss is not finite.
    """
    device = torch.device(context.device)
    first = _resume(context, stage, steps, parts)
    rate = Rate()
    sums: dict[str, torch.Tensor] = {}
    waiting = 0
    stops = {*milestones, *evaluate_at}
    others = [context.rank] if context.rank else []

    def save(done: int) -> None:
        state = {name: dict(part.state_dict()) for name, part in parts.items()}
        context.checkpoints.save({"stage": stage, "steps": steps, "step": done, "parts": state})

    def at(done: int) -> None:
        if evaluate is not None and done in evaluate_at:
            images = done * images_per_step
            context.log({"stage": stage, "step": done, "images": images, **evaluate()})
        if save_milestone is not None and done in milestones:
            context.milestone(done * images_per_step, save_milestone)

    if first == 0:
        at(0)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        for step in range(first, steps):
            torch.manual_seed(derived_seed(context.seed, stage, step, *others))
            values = update(step)
            rate.add(images_per_step)
            waiting += 1
            for name, value in values.items():
                known = torch.as_tensor(value, dtype=torch.float32).detach()
                sums[name] = sums[name] + known if name in sums else known
            done = step + 1
            if done % log_every == 0 or done == steps or done in stops:
                means = {name: float(total) / waiting for name, total in sums.items()}
                if context.devices > 1:
                    means = mean_over_processes(means)
                _require_finite(means, stage, done, waiting)
                speed = rate.read()
                context.progress(stage, done, steps, **means, images_per_second=speed)
                context.log(
                    {"stage": stage, "step": done, "images": done * images_per_step, **means}
                    | {"images_per_second": speed, "peak_memory_bytes": peak_memory(device)}
                )
                sums, waiting = {}, 0
                at(done)
            if done < steps and waiting == 0 and context.checkpoints.due():
                save(done)
    if first < steps:
        save(steps)


def _resume(context: FitContext, stage: str, steps: int, parts: Mapping[str, Stateful]) -> int:
    """Load the newest checkpoint of this stage into `parts`; the number of steps done."""
    state = context.checkpoints.load()
    if state is None or state["stage"] != stage:
        return 0
    if state["steps"] != steps or set(state["parts"]) != set(parts):
        raise TrainingFailed(
            f"the checkpoint of {stage} is of a run of {state['steps']} steps with "
            f"{', '.join(sorted(state['parts']))}; this one has {steps} steps with "
            f"{', '.join(sorted(parts))}",
            cure="remove the checkpoint folder of this run to start afresh",
        )
    for name, part in parts.items():
        part.load_state_dict(state["parts"][name])
    return int(state["step"])


def _require_finite(means: Mapping[str, float], stage: str, done: int, waiting: int) -> None:
    broken = [name for name, value in means.items() if not math.isfinite(value)]
    if broken:
        raise TrainingFailed(
            f"{', '.join(broken)} of {stage} became not finite between steps "
            f"{done - waiting} and {done}",
            cure="lower the learning rate, or lengthen its warm-up",
        )
