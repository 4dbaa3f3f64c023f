"""What a run can show: predictions on test images, drawn once it is scored, for a person to judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.files import load_arrays, sweep, whole_file
from benchmark.metrics.aggregates import by_item
from benchmark.runner.cloud_pictures import cloud_sheet, turntable_sheet
from benchmark.runner.fitting import read_done
from benchmark.runner.generated import generated_sheet, interpolation_sheet
from benchmark.runner.match_pictures import match_sheet
from benchmark.runner.part_pictures import part_sheet
from benchmark.runner.plan import Plan
from benchmark.runner.point_pictures import milestones_sheet, points_sheet
from benchmark.runner.run import Outcome, run_lock
from benchmark.runner.sample_pictures import strip
from benchmark.runner.sheets import (
    ItemScores,
    from_best_to_worst,
    masks_drawn,
    points_drawn,
    sheet,
)
from benchmark.tasks.foreground import true_masks, unpacked
from benchmark.tasks.landmark_regression import annotation
from benchmark.tasks.landmark_scale import zoomed_points, zooms
from benchmark.tasks.warped import warped_images


def draw_pictures(plan: Plan, outcome: Outcome) -> Path | None:
    """Write what is missing of `pictures/NAME.png` into the run's folder and return that folder.

    Names, titles and words are those of `benchmark.boards.pictures`. What a run kept is enough for
    most; parts and generated images need the fit on this machine. None where there is nothing to
    show. The pictures stay in the run's folder: most data sets forbid to publish them.
    """
    folder = plan.folder / "pictures"
    kept = _arrays(plan, outcome, f"{plan.run_id}.predictions.npz")
    scores = _scores(plan, outcome)
    with run_lock(plan.folder, wait=True):
        sweep(folder)
        for name, drawn in DRAWN.items():
            target = folder / f"{name}.png"
            if not target.exists() and (picture := drawn(plan, kept, scores)) is not None:
                with whole_file(target) as temporary, temporary.open("wb") as file:
                    picture.save(file, "PNG")
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


Kept = dict[str, np.ndarray]
"""The small predictions that a run keeps, as its task names them."""


def predictions_sheet(plan: Plan, kept: Kept, scores: ItemScores) -> Image.Image | None:
    """32 test images from the best to the worst, truth in green, prediction in red.

    Rings and dots for landmarks that are annotated, outline and tint for masks.
    """
    split, protocol = plan.splits["test"], plan.protocol
    values = scores.values
    if values.shape != (len(split),) or not np.isfinite(values).any():
        return None
    chosen = from_best_to_worst(scores)
    images = split.images()
    if "points" in kept and protocol.landmarks is not None:
        known = annotation(split, protocol)
        draw = points_drawn(
            known.points[chosen], kept["points"][chosen], split.size, known.shown()[chosen]
        )
    elif protocol.zoom is not None and (view := plan.scored.metrics[0].on):
        truth, warps = zoomed_points(split, protocol, view), zooms(protocol, view, len(split))
        draw = points_drawn(truth[chosen], kept[f"points_{view}"][chosen], split.size)
        images = warped_images(images, chosen, warps[chosen.tolist()], lambda *_: None)
        chosen, values = np.arange(len(chosen)), values[chosen]
    elif "foreground" in kept:
        inside, scored = true_masks(split, protocol)
        draw = masks_drawn(inside[chosen], unpacked(kept)[chosen], scored[chosen])
    else:
        return None
    return sheet(images.batch(chosen).permute(0, 2, 3, 1).numpy(), values[chosen], draw)


def sample_folders(plan: Plan) -> list[Path]:
    """Where the fit and the parts of it that others share kept pictures along training."""
    parts = plan.fit_folder.parent / "parts"
    done = plan.fit_folder / "done.json"
    about = read_done(plan.fit_folder)["parts"] if done.exists() else {}
    shared = [parts / part["folder"] / "samples" for part in about.values() if "folder" in part]
    return [folder for folder in [*shared, plan.fit_folder / "samples"] if folder.exists()]


DRAWN: dict[str, Callable[[Plan, Kept, ItemScores], Image.Image | None]] = {
    "predictions": predictions_sheet,
    "points": lambda plan, kept, scores: points_sheet(plan),
    "points_by_step": lambda plan, kept, scores: milestones_sheet(plan),
    "parts": part_sheet,
    "matches": match_sheet,
    "clouds": cloud_sheet,
    "turntable": turntable_sheet,
    "generated": generated_sheet,
    "interpolations": interpolation_sheet,
    "samples": lambda plan, kept, scores: strip(sample_folders(plan)),
}
"""Each gives None for a run that has nothing of its kind to show."""
