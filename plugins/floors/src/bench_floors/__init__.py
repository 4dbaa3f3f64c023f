"""Floors and ceilings: registration only."""

from benchmark.contracts import KINDS, MethodSpec, hookimpl


@hookimpl
def bench_methods(register):  # type: ignore[no-untyped-def]
    """Register them all."""
    register(
        MethodSpec(
            id="mean-shape",
            implementation="bench_floors.mean_shape:MeanShape",
            gives=["landmarks"],
            summary="the mean of the training labels, whatever the image",
            role="floor",
            origin="official",
            licence="Apache-2.0",
        )
    )
    register(
        MethodSpec(
            id="full-frame",
            implementation="bench_floors.regions:FullFrame",
            gives=["parts"],
            summary="all of the picture is foreground",
            role="floor",
            origin="official",
            licence="Apache-2.0",
        )
    )
    register(
        MethodSpec(
            id="centre-disc",
            implementation="bench_floors.regions:CentreDisc",
            gives=["parts"],
            summary="a disc in the middle is foreground",
            role="floor",
            origin="official",
            licence="Apache-2.0",
        )
    )
    register(
        MethodSpec(
            id="random-features",
            implementation="bench_floors.random_features:RandomFeatures",
            gives=list(KINDS),  # what the other method gives
            summary="another method's network before any training",
            role="floor",
            origin="official",
            licence="Apache-2.0",
            presets={
                "lead-small": {"of": "lead:small"},
                "lead-demo": {"of": "lead:demo"},
                "lead-paper": {"of": "lead:paper"},
                "imm-small": {"of": "imm:small"},
                "imm-demo": {"of": "imm:demo"},
                "imm-released": {"of": "imm:released"},
                "imm-paper": {"of": "imm:paper"},
            },
            default_preset="lead-paper",
            twin_preset="lead-small",
        )
    )
    register(
        MethodSpec(
            id="ellipsoid-cloud",
            implementation="bench_floors.ellipsoid_cloud:EllipsoidCloud",
            gives=["shape_and_pose"],
            summary="one ellipsoid for every image, seen from a direction drawn at random",
            role="floor",
            origin="official",
            licence="Apache-2.0",
        )
    )
    register(
        MethodSpec(
            id="image-grid",
            implementation="bench_floors.image_grid:ImageGrid",
            gives=["landmarks", "parts", "descriptors"],
            summary="a grid of points, its cells as parts, or positions as descriptors",
            role="floor",
            origin="official",
            licence="Apache-2.0",
            presets={"parts": {"kind": "parts"}, "positions": {"kind": "descriptors"}},
        )
    )
    register(
        MethodSpec(
            id="training-images",
            implementation="bench_floors.shown_images:TrainingImages",
            gives=["generator"],
            summary="the images fitted on, given back as if generated",
            role="floor",
            origin="official",
            licence="Apache-2.0",
        )
    )
    register(
        MethodSpec(
            id="noise-images",
            implementation="bench_floors.shown_images:NoiseImages",
            gives=["generator"],
            summary="uniform noise, whatever was fitted on",
            role="floor",
            origin="official",
            licence="Apache-2.0",
        )
    )
    register(
        MethodSpec(
            id="oracle",
            implementation="bench_floors.oracle:Oracle",
            gives=["landmarks", "descriptors", "parts", "shape_and_pose", "generator"],
            summary="the labels themselves through the same probe or scoring",
            role="ceiling",
            origin="official",
            licence="Apache-2.0",
            presets={"matching": {"kind": "descriptors", "shape": "bump", "cells": 48}},
        )
    )
