"""Predictions on pictures of one's own on a sheet: what the method saw, with what it found drawn in."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.images import to_bytes
from benchmark.contracts.predictions import (
    Descriptors,
    Landmarks,
    Parts,
    Prediction,
    ShapeAndPose,
    Translation,
)
from benchmark.pictures.clouds import turned
from benchmark.pictures.parts import tinted
from benchmark.pictures.points import dotted
from benchmark.pictures.sheet import (
    GUESS,
    SIDE,
    contact_sheet,
    enlarged,
    pictures_of_arrays,
    side_by_side,
)
from benchmark.runner.predict_images import Predicted

LONGEST = 30  # letters of a name that fit above a picture


def predicted_sheet(predicted: Predicted) -> Image.Image:
    """Up to 32 pictures, evenly spread over the folder, under their names.

    Landmarks are dots, parts tints; beside a picture is its translation, its cloud, or as colours
    the three directions in which its descriptors differ most.
    """
    images = predicted.images.permute(0, 2, 3, 1).numpy()
    cells = _cells(images, predicted.prediction)
    columns = min(len(cells), 8 if cells[0].width <= SIDE else 4)
    captions = [n if len(n) <= LONGEST else "…" + n[1 - LONGEST :] for n in predicted.shown]
    return contact_sheet(cells, captions, columns)


def _cells(images: np.ndarray, found: Prediction) -> list[Image.Image]:
    if isinstance(found, Landmarks):
        return dotted(images, found.arrays()["points"])
    if isinstance(found, Parts):
        labels = found.probabilities.argmax(1).numpy()
        return [enlarged(cell) for cell in tinted(images, labels, found.probabilities.shape[1] - 1)]
    pictures = [enlarged(picture) for picture in pictures_of_arrays(images)]
    others = [enlarged(other) for other in _drawings(found)]
    return [side_by_side(pair) for pair in zip(pictures, others, strict=True)]


def _drawings(found: Prediction) -> list[Image.Image]:
    if isinstance(found, Translation):
        return pictures_of_arrays(to_bytes(found.images).permute(0, 2, 3, 1).numpy())
    if isinstance(found, ShapeAndPose):
        return [turned(_unit(cloud), np.pi / 4, GUESS) for cloud in found.points.double().numpy()]
    assert isinstance(found, Descriptors)
    return pictures_of_arrays(principal_colours(found.maps))


def _unit(cloud: np.ndarray) -> np.ndarray:
    """A cloud (P, 3) in the middle, of diagonal 1."""
    low, high = cloud.min(0), cloud.max(0)
    return (cloud - (low + high) / 2) / max(float(np.linalg.norm(high - low)), 1e-9)


def principal_colours(maps: torch.Tensor) -> np.ndarray:
    """Descriptors (N, C, h, w) as colours uint8 (N, h, w, 3): their first three principal components.

    Each is stretched so that two standard deviations to either side fill the range.
    """
    count, channels, height, width = maps.shape
    cells = maps.double().permute(0, 2, 3, 1).reshape(-1, channels)
    cells = cells - cells.mean(0)
    _, axes = torch.linalg.eigh(cells.T @ cells)
    first = cells @ axes.flip(1)[:, :3]
    first = torch.nn.functional.pad(first, (0, 3 - first.shape[1]))
    scaled = first / (2 * first.square().mean(0).sqrt()).clamp(min=1e-12)
    return to_bytes(scaled.clamp(-1, 1)).reshape(count, height, width, 3).numpy()
