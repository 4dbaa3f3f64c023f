"""Wavefront OBJ files with their materials: v, vt, f, mtllib, usemtl; Kd and map_Kd."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmark.contracts.errors import DataAltered
from benchmark.datasets.layout import text_of
from benchmark.datasets.meshes.mesh import Mesh
from benchmark.image_files import decode

GREY = (0.7, 0.7, 0.7)
"""The colour of what names no material."""


@dataclass
class _Material:
    colour: tuple[float, ...] = GREY
    picture: Path | None = None


@dataclass
class _Content:
    """What the lines of a file say; a face is (material, three vertices, three places on a texture)."""

    vertices: list[list[float]] = field(default_factory=list)
    places: list[list[float]] = field(default_factory=list)
    faces: list[tuple[int, list[int], list[int]]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    materials: dict[str, _Material] = field(default_factory=dict)


def read_obj(path: Path, most_faces: int) -> Mesh:
    """The triangles of an OBJ file; a face of more corners becomes a fan around its first.

    NaN is kept, for the mesh to be refused by; colours of vertices, normals and curves are passed over.
    Raises `DataAltered`, with the line, for what can't be read, for a texture that is not there, and
    as soon as there are more than `most_faces` triangles.
    """
    content, current = _Content(), -1
    for number, line in enumerate(text_of(path).splitlines(), start=1):
        word, _, rest = line.strip().partition(" ")
        try:
            if word == "v":
                content.vertices.append([float(x) for x in rest.split()[:3]])
                if len(content.vertices[-1]) != 3:
                    raise ValueError("a vertex needs three numbers")
            elif word == "vt":
                content.places.append([float(x) for x in rest.split()[:2]])
                if len(content.places[-1]) != 2:
                    raise ValueError("a place on a texture needs two numbers")
            elif word == "f":
                _add_face(content, rest.split(), current)
                if len(content.faces) > most_faces:
                    raise ValueError(f"more than {most_faces:,} faces")
            elif word == "mtllib":
                content.materials |= _materials(path.parent / rest.strip())
            elif word == "usemtl":
                current = content.names.setdefault(rest.strip(), len(content.names))
        except ValueError as error:
            raise DataAltered(f"{path}, line {number}: {error}") from None
    return _mesh(path, content)


def _add_face(content: _Content, words: list[str], material: int) -> None:
    if len(words) < 3:
        raise ValueError("a face needs three corners")
    corners, places = [], []
    for word in words:
        vertex, _, rest = word.partition("/")
        place = rest.partition("/")[0]
        corners.append(_index(vertex, len(content.vertices)))
        places.append(_index(place, len(content.places)) if place else -1)
    for k in range(1, len(words) - 1):
        content.faces.append(
            (material, [corners[i] for i in (0, k, k + 1)], [places[i] for i in (0, k, k + 1)])
        )


def _index(word: str, count: int) -> int:
    """From 1, or from the end where negative, to a number from 0."""
    index = int(word)
    index = index - 1 if index > 0 else count + index
    if not 0 <= index < count:
        raise ValueError(f"{word} names none of the {count} given so far")
    return index


def _materials(path: Path) -> dict[str, _Material]:
    found: dict[str, _Material] = {}
    last = _Material()
    for line in text_of(path).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "newmtl":
            last = found[rest.strip()] = _Material()
        elif word == "Kd":
            last.colour = tuple(float(x) for x in rest.split()[:3])
        elif word == "map_Kd":
            last.picture = path.parent / rest.strip().replace("\\", "/")
    return found


def _mesh(path: Path, content: _Content) -> Mesh:
    if not content.faces:
        return Mesh.plain(np.zeros((0, 3, 3)))
    used = [content.materials.get(name, _Material()) for name in content.names]
    pictures = list(dict.fromkeys(m.picture for m in used if m.picture is not None))
    textures = tuple(np.asarray(decode(p, "RGB", what=f"texture of {path.name}")) for p in pictures)
    material, vertices, places = zip(*content.faces, strict=True)
    rows = np.array(material)
    colours = np.array([*(m.colour for m in used), GREY])
    worn = np.array([*(-1 if m.picture is None else pictures.index(m.picture) for m in used), -1])
    where = np.array([*content.places, (0.0, 0.0)])
    lacking = (np.array(places) < 0).any(axis=1)
    return Mesh(
        np.array(content.vertices)[np.array(vertices)],
        colours[rows],
        where[np.array(places)],
        np.where(lacking, -1, worn[rows]),
        textures,
    )
