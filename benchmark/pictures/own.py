"""What a method has to show of test images: its own pictures, of whatever kind it is."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from PIL import Image

from benchmark.contracts.errors import PluginBroken
from benchmark.contracts.images import to_bytes
from benchmark.contracts.method import Method
from benchmark.method_errors import errors_of
from benchmark.pictures.sheet import Row, pictures_of_arrays, rows_sheet
from benchmark.pictures.shown import PicturedRun


def own_sheet(run: PicturedRun) -> Image.Image | None:
    """Eight test images, and below them a row for each name that `Method.pictures` gives.

    None for methods that show nothing, and where the fit is not on this machine. Raises `PluginBroken`
    where a row is no picture of each image.
    """
    if run.method is None:
        return None
    with torch.inference_mode(), errors_of(run.method, "pictures"):
        found = run.method.pictures(run.signed())
        rows = own_rows(run.method, found, len(run.some))
    images = pictures_of_arrays(run.some.permute(0, 2, 3, 1).numpy())
    return rows_sheet([("test images", images), *rows]) if rows else None


def own_rows(method: Method, found: Mapping[str, torch.Tensor], count: int) -> list[Row]:
    """Pictures (B, 3, s, s) in [-1, 1] by name, as rows."""
    rows: list[Row] = []
    for name, images in found.items():
        shape = tuple(images.shape)
        if len(shape) != 4 or shape[:2] != (count, 3) or shape[2] != shape[3]:
            raise PluginBroken(
                f"{type(method).__name__}.pictures gave {shape} for {name!r}, not ({count}, 3, s, s)"
            )
        if not bool(torch.isfinite(images).all()):
            raise PluginBroken(
                f"{type(method).__name__}.pictures gave NaN or infinity for {name!r}"
            )
        rows.append((name, tensor_pictures(images)))
    return rows


def tensor_pictures(images: torch.Tensor) -> list[Image.Image]:
    """Images (B, 3, s, s) in [-1, 1] as pictures."""
    return pictures_of_arrays(to_bytes(images).permute(0, 2, 3, 1).cpu().numpy())
