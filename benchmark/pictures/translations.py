"""Translated images: what went in, what came out, and how much of it was repainted."""

from __future__ import annotations

import torch
from PIL import Image

from benchmark.contracts.predictions import Translation
from benchmark.method_errors import prediction_of
from benchmark.pictures.own import tensor_pictures
from benchmark.pictures.sheet import Row, rows_sheet
from benchmark.pictures.shown import PicturedRun


def translation_sheet(run: PicturedRun) -> Image.Image | None:
    """Eight test images, below them their translations and their alpha, white where all is repainted.

    None for methods that do not translate, for ceilings, and where the fit is not on this machine.
    """
    if "translation" not in run.plan.info.gives or run.discovering is None:
        return None
    with torch.inference_mode(), prediction_of(run.discovering):
        found = run.discovering.predict(run.signed())
    return (
        rows_sheet(translation_rows(run.signed(), found))
        if isinstance(found, Translation)
        else None
    )


def translation_rows(images: torch.Tensor, found: Translation) -> list[Row]:
    """Images (B, 3, S, S) in [-1, 1], their translations and alpha, a row each."""
    alpha = found.alpha.expand(-1, 3, -1, -1) * 2 - 1
    rows = {"images": images, "translated": found.images, "alpha": alpha}
    return [(name, tensor_pictures(row)) for name, row in rows.items()]
