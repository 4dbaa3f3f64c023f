"""What makes two runs the same: computed alike before a run and from its record after it.

Only what can change the numbers counts: not the device, workers, batch of prediction, or machine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from benchmark.contracts.names import only_fitted
from benchmark.protocols import canonical_digest
from benchmark.records.model import Record

IDENTITY_VERSION = 1
LENGTH = 16


def fit_id(
    *, method: str, method_version: int, settings: Mapping[str, Any], images: str, seed: int
) -> str:
    """Identity of a fit: method, version, the settings it depends on, digest of the pixels seen, seed.

    Protocols that fit on the same pixels share it, so `ytf68` reuses what `ytf5` has fitted.
    """
    content = {
        "identity": IDENTITY_VERSION,
        "method": method,
        "method_version": method_version,
        "settings": dict(settings),
        "images": images,
        "seed": seed,
    }
    return canonical_digest(content)[:LENGTH]


def shared_stage_id(
    *,
    method: str,
    method_version: int,
    name: str,
    identity: Mapping[str, Any],
    images: str,
    seed: int,
) -> str:
    """Identity of a part of a fit that several settings of a method share."""
    content = {
        "identity": IDENTITY_VERSION,
        "method": method,
        "method_version": method_version,
        "part": name,
        "content": dict(identity),
        "images": images,
        "seed": seed,
    }
    return canonical_digest(content)[:LENGTH]


def predictions_id(sha256: str) -> str:
    """What takes the place of a fit's identity where predictions come from a file: that of its bytes."""
    return canonical_digest({"identity": IDENTITY_VERSION, "predictions": sha256})[:LENGTH]


def run_id(
    *,
    fit: str,
    protocol: str,
    protocol_digest: str,
    twin: bool,
    on: str,
    data: Mapping[str, tuple[str, str]],
    evaluation_seed: int,
    metrics: Mapping[str, int],
    settings: Mapping[str, Any],
) -> str:
    """Identity of a run: its fit, the protocol's digest, and the digests of the data it is scored on.

    `data` maps "train" and "test" to the digests of pixels and labels, `metrics` each metric to its
    version; versions above the first count, so that a corrected metric makes another run. `settings` are
    those of prediction alone, which count where a method has some.
    """
    content: dict[str, Any] = {
        "identity": IDENTITY_VERSION,
        "fit": fit,
        "protocol": protocol,
        "protocol_digest": protocol_digest,
        "twin": twin,
        "on": on,
        "data": {name: list(digests) for name, digests in data.items()},
        "evaluation_seed": evaluation_seed,
    }
    if later := {name: number for name, number in metrics.items() if number > 1}:
        content["metrics"] = later
    if settings:
        content["settings"] = dict(settings)
    return canonical_digest(content)[:LENGTH]


def parted(
    settings: Mapping[str, Any], at_prediction: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings that a fit depends on, and those that prediction alone does."""
    return (
        {name: value for name, value in settings.items() if name not in at_prediction},
        {name: value for name, value in settings.items() if name in at_prediction},
    )


def ids_from_record(record: Record) -> tuple[str, str]:
    """The fit id and run id that a record's own content gives; equal to those written in it."""
    fitted, predicted = parted(record.method.settings, record.method.at_prediction)
    if record.external is not None:
        fit = predictions_id(record.external.sha256)
    else:
        fit = fit_id(
            method=record.method.id,
            method_version=record.method.version,
            settings=fitted,
            images=record.data["fit"].granted or record.data["fit"].pixels,
            seed=record.seed,
        )
    run = run_id(
        fit=fit,
        protocol=f"{record.protocol.id}@{record.protocol.version}",
        protocol_digest=record.protocol.digest,
        twin=record.protocol.twin,
        on=record.protocol.on,
        data={n: (d.pixels, d.labels) for n, d in record.data.items() if not only_fitted(n)},
        evaluation_seed=record.evaluation_seed,
        metrics={v.metric: v.version for v in record.metrics},
        settings=predicted,
    )
    return fit, run
