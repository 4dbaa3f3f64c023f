"""Pictures that a fit keeps of itself on its way: a row in a file for each point, and all as a strip."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, unquote

import torch
from PIL import Image, ImageDraw

from benchmark.contracts.errors import PluginBroken
from benchmark.contracts.method import MOST_SAMPLES
from benchmark.files import whole_file
from benchmark.image_files import decode

HEAD = 16


def write_sample(folder: Path, stage: str, images_seen: int, pictures: torch.Tensor) -> None:
    """Write pictures, float (B, 3, s, s) in [-1, 1], side by side into one PNG, whole or not at all.

    A point that is there stays as it is. Raises `PluginBroken` for what are no such pictures.

    Example: stage "gan" after 640 images is the file "0000000640-gan.png".
    """
    target = folder / f"{images_seen:010d}-{quote(stage, safe='')}.png"
    if target.exists():
        return
    shape = tuple(pictures.shape)
    if len(shape) != 4 or shape[1] != 3 or not 0 < shape[0] <= MOST_SAMPLES:
        raise PluginBroken(
            f"context.sample: pictures are {shape}, not (B, 3, s, s) with B from 1 to {MOST_SAMPLES}",
            cure=f"give at most {MOST_SAMPLES} pictures of three colours",
        )
    if not torch.isfinite(pictures).all():
        raise PluginBroken("context.sample: pictures hold values that are not finite")
    data = pictures.detach().float().cpu().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    row = data.permute(2, 0, 3, 1).flatten(1, 2)
    with whole_file(target) as temporary, temporary.open("wb") as file:
        Image.fromarray(row.contiguous().numpy()).save(file, "PNG")


def strip(folders: Iterable[Path]) -> Image.Image | None:
    """All rows that lie in the folders, from the first to the last, each under its stage and images.

    None where there is none.
    """
    files = [file for folder in folders for file in sorted(folder.glob("*.png"))]
    if not files:
        return None
    stages = list(dict.fromkeys(_stage(file) for file in sorted(files, key=_written)))
    files.sort(key=lambda file: (stages.index(_stage(file)), file.name))
    rows = [decode(file, "RGB") for file in files]
    size = max(row.width for row in rows), sum(row.height + HEAD for row in rows)
    canvas, top = Image.new("RGB", size, (24, 24, 24)), 0
    for file, row in zip(files, rows, strict=True):
        words = f"{_stage(file)}: {int(file.name.partition('-')[0]):,} images"
        ImageDraw.Draw(canvas).text((2, top + 2), words, fill=(220, 220, 220))
        canvas.paste(row, (0, top + HEAD))
        top += row.height + HEAD
    return canvas


def _stage(file: Path) -> str:
    return unquote(file.stem.partition("-")[2])


def _written(file: Path) -> float:
    return file.stat().st_mtime
