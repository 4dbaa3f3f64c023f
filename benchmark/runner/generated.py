"""Generated images: the first ones as they come, and what lies between them."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.predictions import Generator
from benchmark.runner.plan import Plan
from benchmark.runner.run import loaded_method
from benchmark.tasks.image_generation import generator_of

COLUMNS, ROWS = 8, 4
SEED = 0


def generated_sheet(plan: Plan, kept: object, scores: object) -> Image.Image | None:
    """The first 32 images that the fitted method generates from seed 0, none picked."""
    generator = _generator(plan)
    if generator is None:
        return None
    with torch.inference_mode():
        parts = generator.stream(COLUMNS * ROWS, SEED, batch=COLUMNS, device=plan.device)
        images = np.concatenate([p.permute(0, 2, 3, 1).cpu().numpy() for p in parts])
    return Image.fromarray(grid(images))


def interpolation_sheet(plan: Plan, kept: object, scores: object) -> Image.Image | None:
    """Four rows, each from one generated image to the next of the first eight, in equal steps of w."""
    generator = _generator(plan)
    if generator is None:
        return None
    with torch.inference_mode():
        ends = generator.mapping(_latents(generator, 2 * ROWS).to(plan.device))
        rows = []
        for one, other in zip(ends[::2], ends[1::2], strict=True):
            steps = torch.linspace(0, 1, COLUMNS, device=one.device)[:, None, None]
            rows.append(generator.synthesis(one + steps * (other - one), SEED))
        images = torch.cat(rows).add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return Image.fromarray(grid(images.permute(0, 2, 3, 1).cpu().numpy()))


def _generator(plan: Plan) -> Generator | None:
    """None for methods that do not generate, and where the fit is not on this machine."""
    if plan.kind != "generator" or not (plan.fit_folder / "model").exists():
        return None
    with torch.inference_mode():
        return generator_of(loaded_method(plan), plan.splits["test"], plan.scored)


def _latents(generator: Generator, count: int) -> torch.Tensor:
    if generator.latents is not None:
        return generator.latents(SEED, range(count))
    normal = np.random.Generator(np.random.PCG64(SEED))
    return torch.from_numpy(normal.standard_normal((count, generator.z_dim))).float()


def grid(images: np.ndarray, columns: int = COLUMNS) -> np.ndarray:
    """Images (N, H, W, 3) uint8 in rows of `columns`, without gaps; what is left over is black.

    >>> grid(np.full((3, 2, 4, 3), 9, np.uint8), columns=2).shape
    (4, 8, 3)
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, channels), np.uint8)
    sheet[:count] = images
    laid = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return laid.reshape(rows * height, columns * width, channels)
