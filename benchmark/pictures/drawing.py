"""All pictures of a run: drawn once it is scored, for a person to judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.files import load_arrays, sweep, whole_file
from benchmark.metrics.aggregates import by_item
from benchmark.pictures.clouds import cloud_sheet, turntable_sheet
from benchmark.pictures.edits import edits_sheet
from benchmark.pictures.far import far_sheet
from benchmark.pictures.generated import generated_sheet, interpolation_sheet, truncation_sheet
from benchmark.pictures.matches import match_sheet
from benchmark.pictures.outlines import outlines_sheet
from benchmark.pictures.own import own_sheet
from benchmark.pictures.parts import part_sheet
from benchmark.pictures.paths import rough_paths_sheet, smooth_paths_sheet
from benchmark.pictures.points import milestones_sheet, points_sheet
from benchmark.pictures.predictions import predictions_sheet
from benchmark.pictures.samples import samples_sheet
from benchmark.pictures.shown import ItemScores, PicturedRun
from benchmark.pictures.translations import translation_sheet
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan
from benchmark.runner.run import run_lock

DRAWN: dict[str, Callable[[PicturedRun], Image.Image | None]] = {
    "predictions": predictions_sheet,
    "outlines": outlines_sheet,
    "points": points_sheet,
    "points_by_step": milestones_sheet,
    "parts": part_sheet,
    "translations": translation_sheet,
    "matches": match_sheet,
    "clouds": cloud_sheet,
    "turntable": turntable_sheet,
    "generated": generated_sheet,
    "interpolations": interpolation_sheet,
    "truncation": truncation_sheet,
    "smooth_paths": smooth_paths_sheet,
    "rough_paths": rough_paths_sheet,
    "far": far_sheet,
    "edits": edits_sheet,
    "samples": samples_sheet,
    "own": own_sheet,
}
"""Each gives None for a run that has nothing of its kind to show."""


def draw_pictures(plan: Plan, outcome: Outcome) -> Path | None:
    """Write what is missing of `pictures/NAME.png` into the run's folder and return that folder.

    Names, titles and words are those of `benchmark.boards.pictures`. What a run kept is enough for
    most; parts and generated images need the fit on this machine. None where there is nothing to
    show. The pictures stay in the run's folder: most data sets don't allow them to be published.
    """
    folder = plan.folder / "pictures"
    kept = _arrays(plan, outcome, f"{plan.run_id}.predictions.npz")
    run = PicturedRun(plan, kept, _scores(plan, outcome), outcome.record.probe)
    with run_lock(plan.folder, wait=True):
        sweep(folder)
        for name, drawn in DRAWN.items():
            target = folder / f"{name}.png"
            if not target.exists() and (picture := drawn(run)) is not None:
                with whole_file(target) as temporary, temporary.open("wb") as file:
                    picture.save(file, "PNG", compress_level=3)  # 9 % larger, a third of the time
    return folder if folder.exists() else None


def _arrays(plan: Plan, outcome: Outcome, name: str) -> dict[str, np.ndarray]:
    """The arrays of an artefact: from the run's folder, or beside the record it was found by."""
    for folder in (plan.folder, outcome.path.parent):
        if (folder / name).exists():
            return load_arrays(folder / name)
    return {}


def _scores(plan: Plan, outcome: Outcome) -> ItemScores:
    """What each test item scored in the first metric that has items; empty where none has."""
    value = outcome.record.by_item
    if value is None:
        return ItemScores(np.empty(0), outcome.record.headline.better)
    errors = _arrays(plan, outcome, value.per_item).get(value.metric)
    found = np.empty(0) if errors is None else by_item(errors, value.aggregate)
    return ItemScores(found, value.better)
