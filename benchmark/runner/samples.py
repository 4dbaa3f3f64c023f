"""Pictures that a fit keeps of itself on its way: a row in a file for each point."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import torch
from PIL import Image

from benchmark.contracts.errors import PluginBroken
from benchmark.contracts.images import to_bytes
from benchmark.contracts.method import MOST_SAMPLES
from benchmark.files import whole_file


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
    row = to_bytes(pictures.detach().cpu()).permute(2, 0, 3, 1).flatten(1, 2)
    with whole_file(target) as temporary, temporary.open("wb") as file:
        Image.fromarray(row.contiguous().numpy()).save(file, "PNG")
