"""Registration of the fake methods: light, as a plugin's must be."""

from __future__ import annotations

import os
from pathlib import Path

from benchmark.contracts import MethodSpec, hookimpl


def _spec(name: str, cls: str, gives: list, **more) -> MethodSpec:  # type: ignore[no-untyped-def]
    return MethodSpec(
        id=name,
        implementation=f"tests_fake_methods:{cls}",
        gives=gives,
        summary=f"fake {name}",
        **more,
    )


SPECS = [
    _spec("grid", "Grid", ["landmarks"], presets={"nine": {"points": 9}}),
    _spec("halves", "Halves", ["parts"]),
    _spec("pixels", "Pixels", ["descriptors"]),
    _spec("noise", "Noise", ["generator"]),
    _spec("tint", "Tint", ["generator"]),
    _spec("cube", "Cube", ["shape_and_pose"]),
    _spec("negative", "Negative", ["translation"]),
    _spec("repaint", "Repaint", ["translation"], licence="none"),
    _spec("both", "Both", ["landmarks", "descriptors"], licence="CC0-1.0"),
    _spec("drifting", "Drifting", ["landmarks"], presets={"paper": {"steps": 2}}),
    _spec("weighty", "Weighty", ["landmarks"]),
    _spec("broken-numbers", "BrokenNumbers", ["landmarks"]),
    _spec("slow", "Slow", ["descriptors"]),
    _spec("slow-again", "SlowAgain", ["descriptors"]),
    _spec("descent", "Descent", ["descriptors"]),
    _spec("peeping", "Peeping", ["landmarks"]),
    _spec("missing-class", "NotThere", ["landmarks"]),
]


@hookimpl
def bench_methods(register):  # type: ignore[no-untyped-def]
    """Register them all."""
    for spec in SPECS:
        register(spec)


@hookimpl
def bench_protocols(register):  # type: ignore[no-untyped-def]
    """The protocols of the test at hand."""
    register(Path(os.environ["FAKE_PROTOCOLS"]))
