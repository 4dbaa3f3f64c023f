"""The error against the images seen: milestones of a fit, scored on images set aside for validation.

The method never learns what comes out here: it left copies of itself while it was fitted, and they are
scored after the run. Their probe is trained on the development images and scored on the validation
images, both cut from the training images, so nothing of the test split is looked at.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from benchmark.contracts.errors import Incompatible
from benchmark.contracts.method import Progress
from benchmark.contracts.names import only_fitted
from benchmark.datasets.opening import open_split
from benchmark.files import read_json, write_json, write_text
from benchmark.home import home
from benchmark.metrics.aggregates import aggregate
from benchmark.records.model import CurvePoint
from benchmark.records.reading import read_record, record_text
from benchmark.runner.fitting import read_done
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, roles
from benchmark.runner.run import loaded_method, publish, run_lock


def milestones(plan: Plan) -> dict[int, Path]:
    """Images seen → folder, of the fit itself and of the parts it shares with others."""
    found = [f for place in milestone_folders(plan) for f in place.glob("*")]
    # what a kill left half-written has another name
    counted = {int(f.name): f for f in found if f.name.isdecimal()}
    return dict(sorted(counted.items()))


def milestone_folders(plan: Plan) -> list[Path]:
    """Where milestones of a fit lie, whether there are any or not: a record that came with a clone has
    its fit elsewhere."""
    if not (plan.fit_folder / "done.json").exists():
        return [plan.fit_folder / "milestones"]
    about = read_done(plan.fit_folder)
    parts = [home() / "fits" / "parts" / p["folder"] for p in about["parts"].values()]
    return [place / "milestones" for place in (*parts, plan.fit_folder)]


def require_possible(plan: Plan) -> None:
    """Refuse a curve that could not be made, before the run is begun."""
    if not (plan.protocol.data.validation and plan.protocol.data.development):
        raise Incompatible(
            f"protocol {plan.protocol.name} sets no validation part aside for a curve"
        )
    if not plan.info.milestones:
        raise Incompatible(
            f"method {plan.spec.id!r} with these settings leaves no milestones for a curve",
            cure=f"leave --curve out, or take settings with which it does (`bench show method "
            f"{plan.spec.id}` lists them): a method says so in `info`, by `milestones=True`",
        )


def add_curve(plan: Plan, outcome: Outcome, progress: Progress) -> Outcome:
    """Measure the curve, unless it is in the record already, and write the record again with it."""
    if outcome.record.curve:
        return outcome
    require_possible(plan)
    own = plan.folder / "record.json"
    if not own.exists():
        raise Incompatible(
            f"run {plan.run_id} was found on the board, its milestones are not on this machine",
            cure=f"delete {outcome.path} to run it here, or restore BENCH_HOME",
        )
    with run_lock(plan.folder):
        found = milestones(plan)
        if not found:
            raise Incompatible(f"the fit {plan.fit_id} holds no milestones to draw a curve from")
        splits = {
            name: open_split(plan.protocol, role, twin=plan.request.twin, progress=progress)
            for name, role in roles(plan.protocol, "validation", plan.task).items()
            if not only_fitted(name)
        }
        for split in splits.values():
            split.check()
        kept = plan.folder / "curve.json"
        points = read_json(kept, f"delete {kept}") if kept.exists() else {}
        for images, folder in found.items():
            if str(images) not in points:
                points[str(images)] = _score(plan, folder, splits, _at(images, progress))
                write_json(kept, points)
        ordered = sorted((int(k), v) for k, v in points.items())
        curve = [CurvePoint(images=images, value=value) for images, value in ordered]
        record = read_record(own).model_copy(update={"curve": curve})
        write_text(own, record_text(record))
        return replace(outcome, record=publish(plan, record))


def _at(images: int, progress: Progress) -> Progress:
    def report(stage: str, step: int, total: int, **values: float) -> None:
        progress(f"curve at {images:,} images: {stage}", step, total, **values)

    return report


def _score(plan: Plan, folder: Path, splits: dict, progress: Progress) -> float:
    method = loaded_method(plan, folder)
    headline = plan.scored.metrics[0]
    # the other numbers of a protocol can cost more than this one (path lengths of generators)
    alone = plan.scored.model_copy(update={"metrics": plan.scored.metrics[:1]})
    how = replace(plan.scoring(progress), on="validation", protocol=alone)
    with tempfile.TemporaryDirectory(prefix=".curve.", dir=plan.folder) as store:
        plan.task.predict(method, plan.kind, splits, alone, Path(store), progress)
        scores = plan.task.score(Path(store), splits, how)
    return aggregate(scores.per_item[headline.id], headline.aggregate)
