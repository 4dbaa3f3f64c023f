"""A tiny fit of a trial in two processes on the CPU, each of which then saves the method that it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.contracts.images import Images
from benchmark.contracts.method import Progress
from benchmark.contracts.spec import MethodSpec
from benchmark.method_errors import errors_of
from benchmark.runner.fitting import Follower, Workplace, learn
from benchmark.runner.processes import Share, joined, work_together
from benchmark.testing.trial import Trial, TrialPlace


@dataclass(frozen=True)
class TrialShare(Share):
    """A share of the fit of a trial."""

    spec: MethodSpec
    given: dict[str, Any]
    images: Images
    folder: Path

    def work(self, progress: Progress) -> None:
        trial = Trial(self.spec, self.given, self.folder)
        trial.images = self.images
        with joined(self.ranks, self.scratch):
            more: dict[str, Any] = {"progress": progress, "ranks": self.ranks}
            place: Workplace
            if self.ranks.rank:
                mine = self.scratch / str(self.ranks.rank)
                place = trial.place("together", Follower, scratch=mine, **more)
            else:
                place = trial.place("together", TrialPlace, **more)
            method = trial.cls(trial.settings)
            learn(method, place)
            saved = folder_of(self.folder, self.ranks.rank)
            saved.mkdir(parents=True)
            with errors_of(method, "save"):
                method.save(saved)


def fit_in_two(trial: Trial) -> list[Path]:
    """Where each of two processes left what `load` reads."""
    work_together(
        2,
        lambda ranks, place: TrialShare(
            ranks, place, trial.spec, trial.given, trial.images, trial.scratch
        ),
    )
    return [folder_of(trial.scratch, rank) for rank in range(2)]


def folder_of(scratch: Path, rank: int) -> Path:
    return scratch / "together" / f"process-{rank}"
