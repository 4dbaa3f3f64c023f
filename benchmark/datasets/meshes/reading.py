"""A mesh from its file, by the ending of the name."""

from __future__ import annotations

from pathlib import Path

from benchmark.contracts.errors import DataAltered
from benchmark.datasets.meshes.glb import read_glb
from benchmark.datasets.meshes.mesh import Mesh
from benchmark.datasets.meshes.obj import read_obj

READERS = {".obj": read_obj, ".glb": read_glb}


def read_mesh(path: Path, most_faces: int = 1_000_000) -> Mesh:
    """The mesh in an .obj or .glb file; raises `DataAltered` for one that can't be read."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataAltered(f"{path} is no mesh that is read: {', '.join(READERS)}")
    return reader(path, most_faces)


def meshes_in(folder: Path) -> dict[str, Path]:
    """The meshes in a folder and those below it, by their names without ending, in order.

    Raises `DataAltered` where two have one name.
    """
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in READERS):
        if path.stem in found:
            raise DataAltered(
                f"{found[path.stem]} and {path} have one name",
                cure="give each mesh a name of its own: it becomes the model's",
            )
        found[path.stem] = path
    return found
