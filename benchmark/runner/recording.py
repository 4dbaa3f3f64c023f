"""What a run leaves behind, from its plan, its fit and its scores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from benchmark.files import read_json
from benchmark.records.identity import IDENTITY_VERSION
from benchmark.records.machine import hardware, packages, peak_memory_bytes
from benchmark.records.model import (
    DRAFT,
    GROUPS,
    DataPart,
    FittedPart,
    MethodPart,
    ProtocolPart,
    Record,
    StagePart,
)
from benchmark.records.values import value_of, write_artefact
from benchmark.registry.protocols import is_draft
from benchmark.runner.plan import Plan
from benchmark.tasks.base import Scores, groups_of


def record_of(
    plan: Plan, scores: Scores, fitted: dict[str, Any] | None, score_seconds: float, started: str
) -> Record:
    """The record of a run that is scored; its arrays are written into the run's folder.

    `fitted` is what the fit says of itself, None where predictions were made elsewhere; `started` the
    moment at which the run was first begun, UTC.
    """
    groups = groups_of(
        plan.task, plan.splits["test"], plan.scored, {k: len(v) for k, v in scores.per_item.items()}
    )
    kept = scores.per_item | {GROUPS + name: array for name, array in groups.items()}
    errors = write_artefact(plan.folder / f"{plan.run_id}.errors.npz", kept)
    artefacts = [errors]
    if scores.predictions:
        artefacts.append(
            write_artefact(plan.folder / f"{plan.run_id}.predictions.npz", scores.predictions)
        )
    store = plan.folder / "predictions"
    again = f"delete {store} and run the same command again"
    timing = read_json(store / "made.json", again, "seconds")
    stages = {
        **(_stages_of_fit(fitted) if fitted else {}),
        "predict": StagePart(seconds=round(timing["seconds"], 3)),
        "score": StagePart(seconds=round(score_seconds, 3)),
    }
    return Record(
        identity_version=IDENTITY_VERSION,
        run_id=plan.run_id,
        fit_id=plan.fit_id,
        method=_method_part(plan),
        protocol=ProtocolPart(
            id=plan.protocol.id,
            version=plan.protocol.version,
            digest=plan.protocol.digest(),
            twin=plan.request.twin,
            on=plan.request.on,
        ),
        data=_data_parts(plan),
        seed=plan.request.seed,
        evaluation_seed=plan.protocol.evaluation_seed,
        metrics=[
            value_of(
                m,
                scores.per_item[m.id],
                errors.path,
                items=scores.items.get(m.id),
                groups=groups.get(m.id),
            )
            for m in plan.scored.metrics
        ],
        drawn_by=plan.protocol.drawn_by,
        probe=scores.probe,
        deterministic=_deterministic(plan, fitted),
        code=plan.code,
        packages=packages((plan.distribution,) if plan.distribution else ()),
        hardware=hardware(plan.device),
        fitted=_fitted_part(fitted) if fitted else None,
        external=plan.external,
        stages=stages,
        throughput=fitted["throughput"] if fitted else {},
        peak_memory_bytes=max(
            peak_memory_bytes(plan.device), fitted["peak_memory_bytes"] if fitted else 0
        ),
        artefacts=artefacts,
        notes=[
            n
            for n in (plan.info.notes, *scores.notes, *_shared_images(plan), *_draft_protocol(plan))
            if n
        ],
        started=started,
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _method_part(plan: Plan) -> MethodPart:
    return MethodPart(
        id=plan.spec.id,
        version=plan.spec.version,
        plugin=plan.plugin,
        role=plan.spec.role,
        origin="external" if plan.external else plan.spec.origin,
        preset=plan.preset,
        settings_given=dict(plan.request.given),
        settings=plan.settings.model_dump(mode="json"),
        at_prediction=list(plan.at_prediction),
        gives=list(plan.info.gives),
        used=plan.kind,
        supervision=plan.info.supervision,
        pretrained=[
            {"name": w.name, "source": w.source, "sha256": w.sha256} for w in plan.info.pretrained
        ],
        known_failures=dict(plan.spec.known_failures),
    )


def _data_parts(plan: Plan) -> dict[str, DataPart]:
    seen = plan.images.digest
    return {
        name: DataPart(
            split=plan.sources[name],
            source=s.source or "",
            images=len(s),
            pixels=s.pixels_digest,
            labels=s.labels_digest,
            granted=seen if name == "fit" and seen != s.pixels_digest else "",
            shared=plan.shared.get(name, 0),
        )
        for name, s in plan.splits.items()
    }


def _deterministic(plan: Plan, fitted: dict[str, Any] | None) -> bool:
    """One CPU process adds in one order; GPUs and sums over processes need not."""
    parts = (fitted, *fitted["parts"].values()) if fitted else ()
    made = [part["hardware"] for part in parts if "hardware" in part]
    return plan.device == "cpu" and all(
        (h["device"], h.get("devices", 1)) == ("cpu", 1) for h in made
    )


def _shared_images(plan: Plan) -> Iterator[str]:
    """That images were fitted on, or trained with, and scored."""
    for name, count in plan.shared.items():
        yield (
            f"{count:,} of the {len(plan.splits['test']):,} images scored are in {plan.sources[name]} "
            f"({name}) too: {plan.protocol.data.shared}"
        )


def _draft_protocol(plan: Plan) -> Iterator[str]:
    """That the protocol is installed nowhere."""
    if is_draft(plan.protocol):
        yield f"{DRAFT}{plan.protocol.path.name} is no installed protocol; on no board"


def _stages_of_fit(fitted: dict[str, Any]) -> dict[str, StagePart]:
    parts = {
        f"fit/{name}": StagePart(
            seconds=part["seconds"],
            reused=part["reused"] or fitted["reused"],
            attempts=part["attempts"],
        )
        for name, part in fitted["parts"].items()
    }
    whole = StagePart(
        seconds=fitted["seconds"], reused=fitted["reused"], attempts=fitted["attempts"]
    )
    return {"fit": whole, **parts}


def _fitted_part(fitted: dict[str, Any]) -> FittedPart:
    return FittedPart(
        code=fitted["code"],
        hardware=fitted["hardware"],
        environment=fitted.get("environment"),
    )
