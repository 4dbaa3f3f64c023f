"""Meshes made into the layout of differentiable point clouds: views, cameras, depth, clouds, lists."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from benchmark.contracts.errors import DataAltered, DataMissing, InvalidInput
from benchmark.datasets.meshes.mesh import Mesh, fault
from benchmark.datasets.meshes.raster import DISTANCE, FOCAL, draw
from benchmark.datasets.meshes.reading import read_mesh
from benchmark.datasets.meshes.surface import NEW_VERTICES, VOXEL, true_cloud
from benchmark.datasets.readers.cameras import looking_at_origin
from benchmark.files import whole_folder, write_json, write_text

PARTS = {"train": "train", "validation": "val", "test": "test"}
"""The splits, and what their lists are called."""

FARTHEST = 10.0
"""The depth that is 65,535 in a picture of depth, which is that of nothing too."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Rendering:
    """How meshes are drawn; the defaults are those of the renders of differentiable point clouds.

    Azimuth and elevation of a view are whole degrees, drawn evenly from `azimuth` and `elevation` (the
    upper ends are left out) by the `seed` and the model's name. `focal` is in widths of the picture,
    `size` in pixels, `distance` in diagonals of the model; `new_vertices` and `voxel` are those of
    `true_cloud`, `most_faces` and `most_non_manifold` those of `fault`.
    """

    views: int = 5
    size: int = 224
    focal: float = FOCAL
    distance: float = DISTANCE
    azimuth: tuple[int, int] = (-180, 180)
    elevation: tuple[int, int] = (-20, 40)
    samples: int = 2
    new_vertices: int = NEW_VERTICES
    voxel: float = VOXEL
    most_faces: int = 1_000_000
    most_non_manifold: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("views", "size", "samples"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be 1 or more, got {getattr(self, name)}")
        for name in ("azimuth", "elevation"):
            low, high = getattr(self, name)
            if not low < high:
                raise InvalidInput(f"{name} must rise, got {low} to {high}")
        low, high = self.elevation
        if low <= -90 or high > 90:
            raise InvalidInput(
                f"elevation must stay within -90 and 90 degrees, got {low} to {high}"
            )
        if not (self.focal > 0 and self.voxel > 0 and self.distance > 0.5):
            raise InvalidInput(
                "focal length and voxel must be above 0, and the distance above 0.5, half a model"
            )

    def positions(self, model: str) -> np.ndarray:
        """Where the cameras of a model stand, float64 (views, 3), in the renderer's world (z up).

        >>> Rendering(views=3, distance=2.0).positions("sedan").shape
        (3, 3)
        """
        named = int.from_bytes(hashlib.sha256(model.encode()).digest()[:8], "big")
        random = np.random.Generator(np.random.PCG64([self.seed, named]))
        azimuth = np.radians(random.integers(*self.azimuth, self.views))
        elevation = np.radians(random.integers(*self.elevation, self.views))
        across = np.cos(elevation)
        return self.distance * np.stack(
            [across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation)], axis=1
        )


@dataclass(frozen=True)
class Rendered:
    """What came of meshes: the models of each split, and why others were left out, by name."""

    splits: Mapping[str, Sequence[str]]
    left_out: Mapping[str, str] = field(default_factory=dict)


def render_meshes(
    meshes: Mapping[str, Path],
    out: Path,
    how: Rendering,
    *,
    name: str = "models",
    splits: Mapping[str, Sequence[str]] | None = None,
    progress: Progress | None = None,
) -> Rendered:
    """Draw meshes, given by their models' names, into the new folder `out`, whole or not at all.

    It then holds what `benchmark.datasets.readers.model_views` describes, `name` in the place of a
    synset, and `rendering.json`, which says how it was made. Each model is brought into ShapeNet's frame
    first. What can't be read or drawn is left out, and listed in `left_out.csv` with the reason. The
    splits are those given (train, validation, test) without what was left out, or `drawn_split`.
    Raises `InvalidInput` where no mesh can be drawn, or the folder is there already.
    """
    if out.exists():
        raise InvalidInput(f"{out} is there already", cure="name a new folder")
    left_out: dict[str, str] = {}
    with whole_folder(out) as folder:
        for done, (model, path) in enumerate(meshes.items(), start=1):
            try:
                _render(model, path, folder, how, name)
            except (DataAltered, DataMissing, InvalidInput) as error:
                left_out[model] = error.message
            if progress:
                progress(done, len(meshes))
        drawn = [model for model in meshes if model not in left_out]
        if not drawn:
            first = next(iter(left_out.values()), "there are none")
            raise InvalidInput(f"none of {len(meshes):,} meshes can be drawn: {first}")
        kept = splits or drawn_split(drawn, how.seed)
        kept = {part: [m for m in kept[part] if m in drawn] for part in PARTS}
        for part, word in PARTS.items():
            write_text(
                folder / "splits" / f"{name}_{word}.txt", "".join(f"{m}\n" for m in kept[part])
            )
        with (folder / "left_out.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("model", "reason"), *left_out.items()])
        write_json(folder / "rendering.json", asdict(how))
    return Rendered(kept, left_out)


def drawn_split(models: Sequence[str], seed: int) -> dict[str, list[str]]:
    """Models into train, validation and test: 70, 10 and 20 of 100, in an order drawn from the seed.

    Source: the rule of the lists of shubhtuls/drc; the order is another generator's.

    >>> {part: len(models) for part, models in drawn_split("abcdefghij", 0).items()}
    {'train': 7, 'validation': 1, 'test': 2}
    """
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(models))
    shuffled = [models[i] for i in order]
    first, second = 7 * len(models) // 10, 8 * len(models) // 10
    return {
        "train": shuffled[:first],
        "validation": shuffled[first:second],
        "test": shuffled[second:],
    }


def _render(model: str, path: Path, folder: Path, how: Rendering, name: str) -> None:
    mesh = read_mesh(path, how.most_faces)
    why = fault(mesh, most_faces=how.most_faces, most_non_manifold=how.most_non_manifold)
    if why:
        raise DataAltered(f"{path}: {why}")
    mesh = mesh.in_shapenet_frame()
    cloud = true_cloud(mesh, how.new_vertices, how.voxel)
    with whole_folder(folder / "renders" / name / model) as views:
        _views(mesh, model, views, how)
    truth = folder / "gt" / "downsampled" / name
    truth.mkdir(parents=True, exist_ok=True)
    savemat(truth / f"{model}.mat", {"points": cloud})


def _views(mesh: Mesh, model: str, folder: Path, how: Rendering) -> None:
    # readers take the files in the order of their names
    digits = len(str(how.views - 1))
    middle, focal = how.size / 2, how.focal * how.size
    lens = np.array([[focal, 0, middle], [0, focal, middle], [0, 0, 1]])
    for view, position in enumerate(how.positions(model)):
        drawn = draw(
            mesh, looking_at_origin(position), how.size,
            focal=how.focal, distance=how.distance, samples=how.samples,
        )  # fmt: skip
        number = f"{view:0{digits}}"
        Image.fromarray(drawn.rgba).save(folder / f"render_{number}.png")
        depth = np.round(np.minimum(drawn.depth, FARTHEST) * (65535 / FARTHEST))
        Image.fromarray(depth.astype(np.uint16)).save(folder / f"depth_{number}.png")
        savemat(folder / f"camera_{number}.mat", {"pos": position[None], "K": lens})
