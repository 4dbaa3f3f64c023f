"""What the rooms say to each other, and all that a method author needs.

`from benchmark.contracts import Method, MethodSpec, Landmarks, hookimpl` works without naming the
modules; each name is imported when it is first asked for, so that a plugin's registration module
stays light (no torch).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    **dict.fromkeys(("hookimpl", "Register"), "hooks"),
    **dict.fromkeys(("Environment", "Kind", "MethodSpec", "KINDS"), "spec"),
    **dict.fromkeys(("CommandSpec", "LauncherSpec"), "extension"),
    **dict.fromkeys(("DatasetSpec", "Reader", "Sample"), "dataset"),
    **dict.fromkeys(("Images", "Cameras", "to_bytes", "to_signed"), "images"),
    **dict.fromkeys(
        (
            "Descriptors",
            "Generator",
            "Landmarks",
            "Parts",
            "Prediction",
            "ShapeAndPose",
            "Translation",
        ),
        "predictions",
    ),
    **dict.fromkeys(
        ("Ceiling", "FitContext", "Method", "MethodInfo", "MethodSettings", "at_prediction"),
        "method",
    ),
    "RecipeSpec": "twin",
    "Weights": "weights",
    **dict.fromkeys(("BenchError", "Incompatible", "InvalidInput", "TrainingFailed"), "errors"),
}

if TYPE_CHECKING:
    from benchmark.contracts.dataset import DatasetSpec, Reader, Sample
    from benchmark.contracts.errors import (
        BenchError,
        Incompatible,
        InvalidInput,
        TrainingFailed,
    )
    from benchmark.contracts.extension import CommandSpec, LauncherSpec
    from benchmark.contracts.hooks import Register, hookimpl
    from benchmark.contracts.images import Cameras, Images, to_bytes, to_signed
    from benchmark.contracts.method import (
        Ceiling,
        FitContext,
        Method,
        MethodInfo,
        MethodSettings,
        at_prediction,
    )
    from benchmark.contracts.predictions import (
        Descriptors,
        Generator,
        Landmarks,
        Parts,
        Prediction,
        ShapeAndPose,
        Translation,
    )
    from benchmark.contracts.spec import KINDS, Environment, Kind, MethodSpec
    from benchmark.contracts.twin import RecipeSpec
    from benchmark.contracts.weights import Weights

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"benchmark.contracts has no {name!r}")
    return getattr(import_module(f"benchmark.contracts.{_HOME[name]}"), name)
