"""Generated images: the first ones as they come, and what lies between them."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from benchmark.contracts.images import to_bytes
from benchmark.contracts.predictions import Generator
from benchmark.pictures.sheet import COLUMNS, ROWS, contact_sheet, pictures_of_arrays
from benchmark.pictures.shown import PicturedRun
from benchmark.tasks.image_generation import generator_of

SEED = 0


def generated_sheet(run: PicturedRun) -> Image.Image | None:
    """The first 32 images that the fitted method generates from seed 0, none picked."""
    generator = _generator(run)
    if generator is None:
        return None
    device = run.plan.device
    with torch.inference_mode():
        parts = list(generator.stream(COLUMNS * ROWS, SEED, batch=COLUMNS, device=device))
    return _grid(torch.cat(parts))


def interpolation_sheet(run: PicturedRun) -> Image.Image | None:
    """Four rows, each from one generated image to the next of the first eight, in equal steps of w."""
    generator = _generator(run)
    if generator is None:
        return None
    with torch.inference_mode():
        ends = generator.mapping(_latents(generator, 2 * ROWS).to(run.plan.device))
        rows = []
        for one, other in zip(ends[::2], ends[1::2], strict=True):
            steps = torch.linspace(0, 1, COLUMNS, device=one.device)[:, None, None]
            rows.append(generator.synthesis(one + steps * (other - one), SEED))
    return _grid(to_bytes(torch.cat(rows)))


def _generator(run: PicturedRun) -> Generator | None:
    """None for methods that do not generate, and where the fit is not on this machine."""
    if run.plan.kind != "generator" or run.method is None:
        return None
    with torch.inference_mode():
        return generator_of(run.method, run.test, run.plan.scored)


def _grid(images: torch.Tensor) -> Image.Image:
    """Images (N, 3, H, W) uint8 in rows, without gaps."""
    return contact_sheet(pictures_of_arrays(images.permute(0, 2, 3, 1).cpu().numpy()), gap=0)


def _latents(generator: Generator, count: int) -> torch.Tensor:
    if generator.latents is not None:
        return generator.latents(SEED, range(count))
    normal = np.random.Generator(np.random.PCG64(SEED))
    return torch.from_numpy(normal.standard_normal((count, generator.z_dim))).float()
