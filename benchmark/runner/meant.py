"""Which fits are meant for a GPU: those of the preset `paper`, what a paper trained. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmark.contracts.spec import MethodSpec

if TYPE_CHECKING:
    from benchmark.runner.plan import Plan, Resolved

PAPER = "paper"
SHORTER = ("small", "demo")
"""Presets that end on a CPU in minutes, the better one first."""


def shorter(spec: MethodSpec) -> list[str]:
    """Which of a method's presets end on a CPU in minutes.

    >>> shorter(plugins().method("lead"))
    ['small', 'demo']
    """
    return [preset for preset in SHORTER if preset in spec.presets]


def can_take_days(found: Resolved) -> bool:
    """Whether a run would train what is meant for a GPU on a CPU."""
    return found.preset == PAPER and found.device == "cpu" and found.spec.role == "method"


def begun(plan: Plan) -> bool:
    """Whether the fit of a run is there, or would go on from a checkpoint."""
    from benchmark.runner.checkpoints import checkpoint_files

    return (plan.fit_folder / "done.json").exists() or bool(checkpoint_files(plan.fit_folder))
