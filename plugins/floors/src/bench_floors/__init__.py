"""Floors, references and ceilings: registration only."""

from typing import Any

from benchmark.contracts import KINDS, MethodSpec, hookimpl
from benchmark.contracts.hooks import Register
from benchmark.contracts.spec import Kind, Role

FLOORS: dict[str, tuple[str, list[Kind], str]] = {
    "mean-shape": (
        "mean_shape:MeanShape",
        ["landmarks"],
        "the mean of the training labels, whatever the image",
    ),
    "full-frame": ("regions:FullFrame", ["parts"], "all of the picture is foreground"),
    "centre-disc": ("regions:CentreDisc", ["parts"], "a disc in the middle is foreground"),
    "random-features": (
        "random_features:RandomFeatures",
        list(KINDS),  # what the other method gives
        "another method's network before any training",
    ),
    "ellipsoid-cloud": (
        "ellipsoid_cloud:EllipsoidCloud",
        ["shape_and_pose"],
        "one ellipsoid for every image, seen from a direction drawn at random",
    ),
    "training-clouds": (
        "told_clouds:TrainingClouds",
        ["shape_and_pose"],
        "the clouds of all models fitted on, mixed, whatever the image",
    ),
    "training-cloud": (
        "told_clouds:TrainingCloud",
        ["shape_and_pose"],
        "the cloud of one model fitted on, whatever the image",
    ),
    "image-grid": (
        "image_grid:ImageGrid",
        ["landmarks", "parts", "descriptors"],
        "a grid of points, its cells as parts, or positions as descriptors",
    ),
    "training-images": (
        "shown_images:TrainingImages",
        ["generator"],
        "the images fitted on, given back as if generated",
    ),
    "noise-images": (
        "shown_images:NoiseImages",
        ["generator"],
        "uniform noise, whatever was fitted on",
    ),
    "oracle": (
        "oracle:Oracle",
        ["landmarks", "descriptors", "parts", "shape_and_pose", "generator"],
        "the labels themselves through the same probe or scoring",
    ),
}
"""Id → (module:class, what it gives, summary)."""

ROLES: dict[str, Role] = {"training-images": "reference", "oracle": "ceiling"}
"""What is no floor."""

PRESETS: dict[str, dict[str, Any]] = {
    "random-features": {
        "imitates": True,
        "default_preset": "lead-paper",
        "twin_preset": "lead-small",
    },
    "image-grid": {"presets": {"parts": {"kind": "parts"}, "positions": {"kind": "descriptors"}}},
    "oracle": {"presets": {"matching": {"kind": "descriptors", "shape": "bump", "cells": 48}}},
}


@hookimpl
def bench_methods(register: Register) -> None:
    """Register them all."""
    for name, (implementation, gives, summary) in FLOORS.items():
        register(
            MethodSpec(
                id=name,
                implementation=f"bench_floors.{implementation}",
                gives=gives,
                summary=summary,
                role=ROLES.get(name, "floor"),
                origin="official",
                licence="Apache-2.0",
                **PRESETS.get(name, {}),
            )
        )
