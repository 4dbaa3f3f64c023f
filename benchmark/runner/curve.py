"""The error against the images seen: milestones of a fit, scored on people set aside for validation.

The method never learns what comes out here: it left copies of itself while it was fitted, and they are
scored after the run. Their probe is trained on the development people and scored on the validation
people, both cut from the training people, so nothing of the test part is looked at.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

from benchmark.contracts.errors import Incompatible
from benchmark.contracts.method import Progress
from benchmark.contracts.record import CurvePoint, Record
from benchmark.datasets.opening import open_split
from benchmark.files import write_json
from benchmark.home import home
from benchmark.runner.plan import Plan
from benchmark.runner.run import Outcome, loaded_method, publish, record_path
from benchmark.tasks.base import Scoring


def milestones(plan: Plan) -> dict[int, Path]:
    """Images seen → folder, of the fit itself and of the parts it shares with others."""
    about = json.loads((plan.fit_folder / "done.json").read_text("utf-8"))
    parts = [home() / "fits" / "parts" / p["folder"] for p in about["parts"].values()]
    found = [f for place in (*parts, plan.fit_folder) for f in place.glob("milestones/*")]
    return {int(f.name): f for f in sorted(found, key=lambda f: int(f.name)) if f.name.isdigit()}


def add_curve(plan: Plan, outcome: Outcome, progress: Progress) -> Outcome:
    """Measure the curve, unless it is in the record already, and write the record again with it."""
    if outcome.record.curve:
        return outcome
    if not (plan.protocol.data.validation and plan.protocol.data.development):
        raise Incompatible(
            f"protocol {plan.protocol.name} sets no validation part aside for a curve"
        )
    found = milestones(plan)
    if not found:
        raise Incompatible(f"method {plan.spec.id!r} left no milestones to draw a curve from")
    splits = {
        name: open_split(plan.protocol, role, twin=plan.request.twin, progress=progress)
        for name, role in (("train", "development"), ("test", "validation"))
    }
    kept = plan.folder / "curve.json"
    points = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    for images, folder in found.items():
        if str(images) in points:
            continue
        points[str(images)] = _score(plan, folder, splits, _at(images, progress))
        write_json(kept, points)
    curve = [CurvePoint(images=int(k), value=v) for k, v in sorted(points.items(), key=_images)]
    record: Record = outcome.record.model_copy(update={"curve": curve})
    write_json(plan.folder / "record.json", record.model_dump(mode="json"))
    if plan.request.on == "test":
        record_path(plan).unlink(missing_ok=True)
        publish(plan, record)
    return Outcome(record, outcome.path, outcome.found)


def _at(images: int, progress: Progress) -> Progress:
    def told(stage: str, step: int, total: int, **values: float) -> None:
        progress(f"curve at {images:,} images: {stage}", step, total, **values)

    return told


def _images(item: tuple[str, float]) -> int:
    return int(item[0])


def _score(plan: Plan, folder: Path, splits: dict, progress: Progress) -> float:
    method = loaded_method(plan, folder)
    how = Scoring(
        protocol=plan.protocol,
        kind=plan.kind,
        twin=plan.request.twin,
        device=plan.device,
        progress=progress,
    )
    with tempfile.TemporaryDirectory(prefix=".curve.", dir=plan.folder) as store:
        plan.task.predict(method, plan.kind, splits, plan.protocol, Path(store), progress)
        scores = plan.task.score(Path(store), splits, how)
    return float(np.mean(scores.per_item[plan.protocol.metrics[0].id], dtype=np.float64))
