"""Rendering and scoring of shapes: views a second, and what 7,500 predicted clouds cost.

    BENCH_DATA=... python perf/shape_scoring.py [--models 3] [--views 10] [--clouds 100] [--points 8000]

Cars of Kenney's kit (the folder `cars` in BENCH_DATA) are drawn at 128 pixels with 2 × 2 samples, as
`cc0_cars` has them. Clouds of points drawn evenly from their surfaces are scored against true clouds
made as those of ShapeNet: Chamfer distance, and the outline by the rule of `cc0_cars_outlines`. Seconds
of the processor; 7,500 clouds, five views of ShapeNet's 1,500 test cars, are extrapolated.

Writes `perf/results/shape_scoring.json` unless told `--dry`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmark.datasets.meshes.mesh import Mesh
from benchmark.datasets.meshes.raster import draw
from benchmark.datasets.meshes.reading import meshes_in, read_mesh
from benchmark.datasets.meshes.rendering import Rendering
from benchmark.datasets.meshes.surface import true_cloud
from benchmark.metrics.camera import camera_rotation
from benchmark.metrics.points import chamfer
from benchmark.metrics.pose import rotate
from benchmark.metrics.silhouette import cloud_silhouette
from benchmark.registry.protocols import find_protocol

CARS = ("sedan", "van", "suv", "taxi", "police", "race")
ALL = 7500


def worked(task: Callable[[], object]) -> float:
    """Seconds of processor that a task takes, of all threads."""
    began = time.process_time()
    task()
    return time.process_time() - began


def on_surface(mesh: Mesh, count: int, seed: int) -> np.ndarray:
    """Points (count, 3) drawn evenly from a mesh."""
    random = np.random.default_rng(seed)
    a, b, c = mesh.corners.transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = mesh.corners[random.choice(len(mesh), count, p=area / area.sum())]
    points: np.ndarray = np.einsum("nc,ncd->nd", random.dirichlet(np.ones(3), count), chosen)
    return points


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, value in (("models", 3), ("views", 10), ("clouds", 100), ("points", 8000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--dry", action="store_true", help="write no file")
    given = parser.parse_args()
    found = meshes_in(Path(os.environ["BENCH_DATA"]) / "cars" / "Models" / "OBJ format")
    chosen = CARS[: given.models]
    meshes = {model: read_mesh(found[model]).in_shapenet_frame() for model in chosen}
    how = Rendering(views=given.views, size=128)
    rotations = {model: camera_rotation(how.positions(model)) for model in chosen}

    def render() -> None:
        for model, mesh in meshes.items():
            for rotation in rotations[model]:
                draw(mesh, rotate(rotation, np.eye(3)).T, how.size, samples=how.samples)

    drawn = worked(render)
    truths: list[np.ndarray] = []
    made = worked(lambda: truths.extend(true_cloud(mesh) for mesh in meshes.values()))
    clouds = [
        on_surface(meshes[chosen[i % len(chosen)]], given.points, i) for i in range(given.clouds)
    ]

    def score() -> None:
        for i, cloud in enumerate(clouds):
            chamfer(cloud, truths[i % len(truths)])

    foreground = find_protocol("cc0_cars_outlines").foreground
    assert foreground is not None
    assert foreground.clouds is not None
    rule = foreground.clouds

    def outline() -> None:
        for i, cloud in enumerate(clouds):
            turned = rotate(rotations[chosen[i % len(chosen)]][0], cloud)
            cloud_silhouette(
                turned, 64, grid=rule.grid, radius=rule.radius, threshold=rule.threshold,
                focal=rule.focal, distance=rule.distance,
            )  # fmt: skip

    scored, outlined = worked(score), worked(outline)
    views = given.models * given.views
    result = {
        "machine": platform.processor() or platform.machine(), "numpy": np.__version__,
        "models": given.models, "views": views, "size": how.size, "clouds": given.clouds,
        "points": given.points, "true_points": [len(cloud) for cloud in truths],
        "triangles": [len(mesh) for mesh in meshes.values()],
        "views_per_second": round(views / drawn, 2),
        "seconds_per_true_cloud": round(made / given.models, 3),
        "chamfer_seconds": round(scored, 3), "outline_seconds": round(outlined, 3),
        "chamfer_seconds_of_7500": round(scored / given.clouds * ALL, 1),
        "outline_seconds_of_7500": round(outlined / given.clouds * ALL, 1),
    }  # fmt: skip
    if not given.dry:
        path = Path(__file__).parent / "results" / "shape_scoring.json"
        path.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
