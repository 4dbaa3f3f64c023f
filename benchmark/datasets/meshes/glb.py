"""Binary glTF 2.0 files: the triangles of a scene in their places, base colours and textures."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from benchmark.contracts.errors import DataAltered
from benchmark.datasets.layout import required
from benchmark.datasets.meshes.mesh import Mesh
from benchmark.image_files import decode_held

_DTYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TRIANGLES = 4
_DEEPEST = 64  # nodes below nodes; a file whose nodes go round has no end
_JSON, _BIN = 0x4E4F534A, 0x004E4942

Piece = tuple[np.ndarray, np.ndarray, np.ndarray, int]
"""Corners (F, 3, 3), places on the texture (F, 3, 2), base colour (3,), image or -1."""


def read_glb(path: Path, most_faces: int) -> Mesh:
    """The triangles of a GLB file; points and lines in it are passed over.

    Raises `DataAltered` for what is no whole GLB of version 2, needs an extension (as compressed meshes
    do), keeps buffers or pictures in other files, or has more than `most_faces` triangles.
    """
    data = required(path).read_bytes()
    try:
        about, binary = _chunks(data)
        if needed := about.get("extensionsRequired"):
            raise ValueError(f"it needs the extension {needed[0]}")
        pieces = list(_pieces(about, binary, most_faces))
        images = list(dict.fromkeys(p[3] for p in pieces if p[3] >= 0))
        textures = tuple(_picture(path, about, binary, i) for i in images)
    except (ValueError, KeyError, IndexError, TypeError, OSError, struct.error) as error:
        said = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise DataAltered(f"{path} can't be read as GLB: {said}") from None
    if not pieces:
        return Mesh.plain(np.zeros((0, 3, 3)))
    each = [len(p[0]) for p in pieces]
    worn = [images.index(p[3]) if p[3] >= 0 else -1 for p in pieces]
    return Mesh(
        np.concatenate([p[0] for p in pieces]),
        np.repeat(np.array([p[2] for p in pieces]), each, axis=0),
        np.concatenate([p[1] for p in pieces]),
        np.repeat(np.array(worn), each),
        textures,
    )


def _chunks(data: bytes) -> tuple[dict[str, Any], bytes]:
    magic, version, length = struct.unpack_from("<4sII", data)
    if magic != b"glTF" or version != 2 or length > len(data):
        raise ValueError("no whole binary glTF of version 2")
    found: dict[int, bytes] = {}
    at = 12
    while at < length:
        size, kind = struct.unpack_from("<II", data, at)
        found.setdefault(kind, data[at + 8 : at + 8 + size])
        at += 8 + size
    return json.loads(found[_JSON]), found.get(_BIN, b"")


def _pieces(about: dict[str, Any], binary: bytes, most_faces: int) -> Iterator[Piece]:
    total = 0
    for number, place in _placed(about):
        for part in about["meshes"][number]["primitives"]:
            if part.get("mode", _TRIANGLES) != _TRIANGLES:
                continue
            points = _array(about, binary, part["attributes"]["POSITION"]).astype(np.float64)
            order = np.arange(len(points))
            if "indices" in part:
                order = _array(about, binary, part["indices"]).ravel().astype(np.int64)
            faces = order[: len(order) // 3 * 3].reshape(-1, 3)
            total += len(faces)
            if total > most_faces:
                raise ValueError(f"more than {most_faces:,} faces")
            colour, image = _worn(about, part.get("material"))
            uv = np.zeros((len(points), 2))
            if image >= 0 and "TEXCOORD_0" in part["attributes"]:
                uv = _array(about, binary, part["attributes"]["TEXCOORD_0"]).astype(np.float64)
                uv[:, 1] = 1 - uv[:, 1]  # glTF counts from the top
            else:
                image = -1
            moved = points @ place[:3, :3].T + place[:3, 3]
            yield moved[faces], uv[faces], colour, image


def _placed(about: dict[str, Any]) -> Iterator[tuple[int, np.ndarray]]:
    """The meshes of the scene, each with the matrix (4, 4) that puts it in its place."""
    nodes = about.get("nodes", [])
    scenes = about.get("scenes")
    top = scenes[about.get("scene", 0)].get("nodes", []) if scenes else range(len(nodes))
    waiting = [(int(n), np.eye(4), 0) for n in top]
    while waiting:
        number, above, depth = waiting.pop(0)
        if depth > _DEEPEST:
            raise ValueError("its nodes lie too deep in each other")
        node = nodes[number]
        place = above @ _matrix(node)
        if "mesh" in node:
            yield node["mesh"], place
        waiting += [(int(n), place, depth + 1) for n in node.get("children", [])]


def _matrix(node: dict[str, Any]) -> np.ndarray:
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T  # columns first
    found = np.eye(4)
    turn = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix()
    found[:3, :3] = turn * np.array(node.get("scale", [1, 1, 1]), np.float64)
    found[:3, 3] = node.get("translation", [0, 0, 0])
    return found


def _array(about: dict[str, Any], binary: bytes, number: int) -> np.ndarray:
    """An accessor's values (N, width), as they are, or in [0, 1] where it says so."""
    accessor = about["accessors"][number]
    if "sparse" in accessor or "bufferView" not in accessor:
        raise ValueError("sparse accessors are not read")
    dtype, width = np.dtype(_DTYPES[accessor["componentType"]]), _WIDTHS[accessor["type"]]
    part = _view(about, binary, accessor["bufferView"])
    stride = about["bufferViews"][accessor["bufferView"]].get("byteStride", dtype.itemsize * width)
    count, start = accessor["count"], accessor.get("byteOffset", 0)
    if start + (count - 1) * stride + dtype.itemsize * width > len(part):
        raise ValueError("an accessor reaches beyond its buffer")
    values = np.ndarray((count, width), dtype, part, start, (stride, dtype.itemsize))
    return values / np.iinfo(dtype).max if accessor.get("normalized") else values


def _view(about: dict[str, Any], binary: bytes, number: int) -> bytes:
    view = about["bufferViews"][number]
    if "uri" in about["buffers"][view["buffer"]]:
        raise ValueError("its buffers lie in other files")
    start = view.get("byteOffset", 0)
    return binary[start : start + view["byteLength"]]


def _worn(about: dict[str, Any], number: int | None) -> tuple[np.ndarray, int]:
    """The base colour and the number of the picture, or -1, of a material."""
    given = {} if number is None else about["materials"][number].get("pbrMetallicRoughness", {})
    colour = np.array(given.get("baseColorFactor", [1, 1, 1, 1])[:3], np.float64)
    if "baseColorTexture" not in given:
        return colour, -1
    return colour, int(about["textures"][given["baseColorTexture"]["index"]]["source"])


def _picture(path: Path, about: dict[str, Any], binary: bytes, number: int) -> np.ndarray:
    image = about["images"][number]
    if "bufferView" not in image:
        raise ValueError("its pictures lie in other files")
    content = _view(about, binary, image["bufferView"])
    return np.asarray(decode_held(content, "RGB", f"texture {number} of {path}"))
