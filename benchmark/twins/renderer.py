"""Scenes to arrays: colour, parts, depth, landmarks with visibility, cameras, surface points."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benchmark.contracts.errors import InvalidInput
from benchmark.twins import shading
from benchmark.twins.raycast import FAR, Hits, Rays, cast
from benchmark.twins.scene import Array, Camera, Scene, Solids, quaternion
from benchmark.twins.surface import surface_points

Floats = npt.NDArray[np.float32]

SMALLEST = 16  # pixels; below this a face's features are smaller than a pixel


class Recipe(Protocol):
    """What the renderer needs of a recipe."""

    @property
    def name(self) -> str: ...

    @property
    def part_names(self) -> tuple[str, ...]: ...

    @property
    def attribute_names(self) -> tuple[str, ...]: ...

    @property
    def landmark_names(self) -> tuple[str, ...]: ...

    def scene(self, seed: int, index: int, size: int) -> Scene:
        """Scene `index` of the series `seed`, framed for a picture `size` pixels wide."""
        ...


@dataclass(frozen=True)
class TwinBatch:
    """N pictures and everything that is known about them.

    Points are (x, y) pixels, the centre of the top-left pixel at (0, 0). Camera-frame coordinates
    are `rotation(quaternion) @ object + translation`; pixels are `intrinsics @ camera / depth`.
    """

    images: npt.NDArray[np.uint8]  #: (N, H, W, 3)
    landmarks: Floats  #: (N, K, 2) pixels, may lie outside the picture
    visible: npt.NDArray[np.bool_]  #: (N, K) inside the picture and nothing in front
    parts: npt.NDArray[np.uint8]  #: (N, H, W) index into `part_names`, 0 is the background
    foreground: npt.NDArray[np.bool_]  #: (N, H, W) parts != 0
    depth: Floats  #: (N, H, W) camera-frame z in object units, inf on the background
    identity: npt.NDArray[np.int64]  #: (N,)
    attributes: Floats  #: (N, A), yes and no as 1 and 0
    landmarks_3d: Floats  #: (N, K, 3) object frame
    quaternions: Floats  #: (N, 4) object to camera, (w, x, y, z), w >= 0
    translations: Floats  #: (N, 3) object to camera
    intrinsics: Floats  #: (N, 3, 3)
    clouds: Floats  #: (N, P, 3) points on the outer surface, object frame; P = 0 unless asked
    part_names: tuple[str, ...]
    attribute_names: tuple[str, ...]
    landmark_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def attribute(self, name: str) -> Floats:
        """One attribute (N,) by name; a name that is not there raises ValueError."""
        return self.attributes[:, self.attribute_names.index(name)]


def render(
    recipe: Recipe,
    count: int,
    size: int,
    seed: int,
    *,
    first: int = 0,
    cloud: int = 0,
    threads: int = 1,
) -> TwinBatch:
    """Render pictures `first` to `first + count - 1` of a recipe's series `seed`.

    Picture i is a function of (recipe, size, seed, i) alone: not of the count, the order or the
    number of threads. `cloud` asks for that many surface points per scene.
    """
    for what, value, least in (
        ("count", count, 0),
        ("size", size, SMALLEST),
        ("seed", seed, 0),
        ("first", first, 0),
        ("cloud", cloud, 0),
        ("threads", threads, 1),
    ):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InvalidInput(
                f"{recipe.name} twin: {what} must be an integer of at least {least}, got {value!r}",
                cure=f"give {what}={least} or more",
            )
    landmarks, attributes = len(recipe.landmark_names), len(recipe.attribute_names)
    batch = TwinBatch(
        images=np.empty((count, size, size, 3), dtype=np.uint8),
        landmarks=np.empty((count, landmarks, 2), dtype=np.float32),
        visible=np.empty((count, landmarks), dtype=np.bool_),
        parts=np.empty((count, size, size), dtype=np.uint8),
        foreground=np.empty((count, size, size), dtype=np.bool_),
        depth=np.empty((count, size, size), dtype=np.float32),
        identity=np.empty(count, dtype=np.int64),
        attributes=np.empty((count, attributes), dtype=np.float32),
        landmarks_3d=np.empty((count, landmarks, 3), dtype=np.float32),
        quaternions=np.empty((count, 4), dtype=np.float32),
        translations=np.empty((count, 3), dtype=np.float32),
        intrinsics=np.empty((count, 3, 3), dtype=np.float32),
        clouds=np.empty((count, cloud, 3), dtype=np.float32),
        part_names=recipe.part_names,
        attribute_names=recipe.attribute_names,
        landmark_names=recipe.landmark_names,
    )

    def one(row: int) -> None:
        scene = recipe.scene(seed, first + row, size)
        _fill(batch, row, scene, size)
        if cloud:
            random = np.random.Generator(np.random.PCG64([seed, first + row, 3]))
            batch.clouds[row] = surface_points(scene.solids, cloud, random)

    _each(one, count, threads)
    return batch


def _each(work: Callable[[int], None], count: int, threads: int) -> None:
    if threads == 1:
        for row in range(count):
            work(row)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, range(count)):
            pass


def _fill(batch: TwinBatch, row: int, scene: Scene, size: int) -> None:
    middles = np.arange(size, dtype=np.float64)
    camera = scene.camera
    centres = Rays(camera, middles, middles, grid=True)
    hits = cast(scene.solids, camera, centres)
    labels = shading.parts(scene, hits, centres)
    batch.parts[row] = labels
    batch.foreground[row] = labels != 0
    batch.depth[row] = np.where(labels != 0, hits.depth, np.float32(np.inf))
    batch.images[row] = _colour(scene, size)
    batch.landmarks_3d[row] = scene.landmarks
    pixels = camera.project(scene.landmarks)
    batch.landmarks[row] = pixels
    batch.visible[row] = visible(scene, pixels, size)
    batch.identity[row] = scene.identity
    batch.attributes[row] = scene.attributes
    batch.quaternions[row] = quaternion(camera.rotation)
    batch.translations[row] = camera.translation
    batch.intrinsics[row] = camera.intrinsics


def _colour(scene: Scene, size: int) -> npt.NDArray[np.uint8]:
    """The picture: four rays per pixel, averaged in linear light, over the backdrop."""
    quarters = np.arange(2 * size) / 2 - 0.25
    rays = Rays(scene.camera, quarters, quarters, grid=True)
    hits = cast(scene.solids, scene.camera, rays)
    picture = _quartered(shading.colours(scene, hits, rays))
    empty = _quartered((hits.solid < 0).astype(np.float32))
    picture += empty * shading.backdrop(scene.backdrop, size)
    return shading.to_bytes(picture, scene.grain, scene.grain_seed)


def _quartered(fine: Floats) -> Floats:
    total = fine[..., 0::2, :] + fine[..., 1::2, :]
    total = total[..., 0::2] + total[..., 1::2]
    total *= np.float32(0.25)
    return total


def visible(scene: Scene, pixels: Array, size: int) -> npt.NDArray[np.bool_]:
    """Which landmarks (K,) are inside the picture with no surface in front of them."""
    hits = at_points(scene.solids, scene.camera, pixels)
    depth = scene.camera.seen(scene.landmarks)[:, 2]
    inside = ((pixels >= -0.5) & (pixels < size - 0.5)).all(axis=1)
    return inside & (hits.depth >= depth - scene.buried)


def at_points(solids: Solids, camera: Camera, pixels: Array) -> Hits:
    """First hits of the rays through single pixels (K, 2)."""
    return cast(solids, camera, Rays(camera, pixels[:, 0], pixels[:, 1], grid=False))


def attach(solids: Solids, camera: Camera, points: Array) -> Array:
    """Object points (K, 3) moved along the camera's rays onto the surface it sees.

    A ray that meets nothing leaves its point where it was.
    """
    pixels = camera.project(points)
    depth = at_points(solids, camera, pixels).depth.astype(np.float64)
    seen = camera.seen(points)
    depth = np.where(depth < FAR, depth, seen[:, 2])
    return (seen * (depth / seen[:, 2])[:, None] - camera.translation) @ camera.rotation
