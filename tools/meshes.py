"""OBJ meshes, and points spread evenly over their surface."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.datasets.layout import required


class Mesh(NamedTuple):
    """Triangles: `vertices` (V, 3) float64 in the file's unit and axes, `faces` (F, 3) int64."""

    vertices: np.ndarray
    faces: np.ndarray


def read_obj(path: Path) -> Mesh:
    """The triangles of a Wavefront OBJ file.

    Of `v` lines the first three numbers count (colours may follow); `f` lines may name texture and
    normal (`7/2/5`), count from the end (`-1`) and have more than three corners, which become a fan.
    All else is passed over. Raises DataAltered, naming the line, for numbers that are none, corners
    that are not there, and files without a face.
    """
    vertices: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    text = required(path).read_text("utf-8", errors="replace")
    for line, words in enumerate((row.split() for row in text.splitlines()), start=1):
        try:
            if words[:1] == ["v"]:
                vertices.append([float(word) for word in words[1:4]])
                if len(vertices[-1]) != 3 or not np.isfinite(vertices[-1]).all():
                    raise ValueError("a vertex needs three finite numbers")
            elif words[:1] == ["f"]:
                corners = [_index(word, len(vertices)) for word in words[1:]]
                if len(corners) < 3:
                    raise ValueError("a face needs three corners")
                faces += [(corners[0], b, c) for b, c in pairwise(corners[1:])]
        except ValueError as error:
            raise DataAltered(f"{path}, line {line}: {error}") from None
    if not faces:
        raise DataAltered(f"{path} has no face")
    return Mesh(np.array(vertices), np.array(faces, np.int64))


def _index(word: str, count: int) -> int:
    number = int(word.partition("/")[0])
    index = number - 1 if number > 0 else count + number
    if number == 0 or not 0 <= index < count:
        raise ValueError(f"there is no vertex {number} among {count}")
    return index


def sample_surface(mesh: Mesh, count: int, seed: int) -> np.ndarray:
    """Points (count, 3) float32, independent and uniform over the area of all faces.

    The same seed gives the same points. Faces hidden inside count like others. Raises InvalidInput
    for a mesh without area and for a count below 1.

    >>> square = Mesh(np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]),
    ...               np.array([[0, 1, 2], [0, 2, 3]]))
    >>> sample_surface(square, 4, seed=0).shape
    (4, 3)
    """
    if count < 1:
        raise InvalidInput(f"cannot sample {count} points")
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    if not area.sum() > 0:
        raise InvalidInput(f"the {len(area)} faces of the mesh have no area")
    random = np.random.Generator(np.random.PCG64(seed))
    chosen = random.choice(len(area), size=count, p=area / area.sum())
    # the square root spreads points evenly from the first corner to the opposite edge
    out, along = np.sqrt(random.random(count))[:, None], random.random(count)[:, None]
    points = (1 - out) * a[chosen] + out * ((1 - along) * b[chosen] + along * c[chosen])
    return points.astype(np.float32)


def normalised(points: np.ndarray) -> np.ndarray:
    """Points (P, 3) as ShapeNet v1 has its models: box centred on the origin, its diagonal 1 long.

    >>> normalised(np.array([[0.0, 0, 0], [3, 0, 4]]))
    array([[-0.3,  0. , -0.4],
           [ 0.3,  0. ,  0.4]])
    """
    low, high = points.min(axis=0), points.max(axis=0)
    diagonal = np.linalg.norm(high - low)
    if not diagonal > 0:
        raise InvalidInput("all points are the same, so there is no box to scale by")
    return (points - (low + high) / 2) / diagonal
