"""How long runs of a method took, as records say."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from benchmark.boards.entries import read_entries
from benchmark.protocols import Protocol


def cpu_seconds(method: str, protocol: Protocol) -> dict[str, float]:
    """By preset, the median seconds of a method's runs on CPUs under a protocol, its twin's included;
    runs that found their fit made before tell nothing and are left out.

    Example: `cpu_seconds("lead", find_protocol("ytf5"))["small"]` is 770.0.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for twin in (False, True):
        for entry in read_entries(protocol, twin=twin)[0]:
            record = entry.record
            hardware = record.fitted.hardware if record.fitted else record.hardware
            if record.method.id != method or not str(hardware.get("device", "")).startswith("cpu"):
                continue
            if not any(stage.reused for stage in record.stages.values()):
                spent = sum(stage.seconds for stage in record.stages.values())
                found[record.method.preset].append(spent)
    return {preset: median(seconds) for preset, seconds in found.items()}
