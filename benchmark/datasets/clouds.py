"""True point clouds of any length, kept once per object and written without holding them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmark.contracts.clouds import Clouds
from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.files import save_array

POINTS, EXTENT = "clouds.npy", "cloud_extent.npy"
FLOAT = np.dtype("<f4")


def load_clouds(folder: Path) -> Clouds:
    """Open what `write_clouds` wrote; ValueError if the two files do not fit each other."""
    points = np.load(folder / POINTS, mmap_mode="r", allow_pickle=False)
    extent = np.load(folder / EXTENT, allow_pickle=False)
    if points.ndim != 2 or extent.ndim != 2 or (extent.sum(1) > len(points)).any():
        raise ValueError(f"{EXTENT} reaches beyond {POINTS}")
    return Clouds(points, extent)


def write_clouds(
    folder: Path, objects: Sequence[str], read: Callable[[int], np.ndarray | None]
) -> Clouds:
    """Write the clouds of images that show `objects`, each object's once, and open them.

    `read(i)` gives the cloud of the object in image i, (P, 3), or None; it is asked at the first
    image of an object only. Memory holds one cloud at a time. Raises DataAltered for NaN and other
    shapes, InvalidInput when no object has a cloud.
    """
    extents: dict[str, tuple[int, int]] = {}
    total = 0
    with (folder / POINTS).open("wb") as file:
        body = _header(file, 0)
        for image, name in enumerate(objects):
            if name in extents:
                continue
            cloud = read(image)
            if cloud is None:
                extents[name] = (0, 0)
                continue
            cloud = np.ascontiguousarray(cloud, FLOAT)
            if cloud.ndim != 2 or cloud.shape[1] != 3 or not len(cloud):
                raise DataAltered(f"the cloud of {name} has shape {cloud.shape}, not (points, 3)")
            if not np.isfinite(cloud).all():
                raise DataAltered(f"the cloud of {name} has NaN or infinity")
            extents[name] = (total, len(cloud))
            file.write(cloud.tobytes())
            total += len(cloud)
        file.seek(0)
        # NumPy leaves room in a header for its first number to grow
        if _header(file, total) != body:
            raise RuntimeError("the header of clouds.npy does not fit where it was begun")
    if not total:
        raise InvalidInput("none of the objects has a point cloud")
    save_array(folder / EXTENT, np.array([extents[name] for name in objects], np.int64))
    return load_clouds(folder)


def _header(file, count: int) -> int:  # type: ignore[no-untyped-def]
    content = {"descr": FLOAT.str, "fortran_order": False, "shape": (count, 3)}
    np.lib.format.write_array_header_1_0(file, content)
    return int(file.tell())
