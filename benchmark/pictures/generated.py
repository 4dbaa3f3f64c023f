"""Generated images: the first ones as they come, what lies between them, and nearer to the mean."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from benchmark.contracts.images import to_bytes
from benchmark.contracts.predictions import Generator
from benchmark.pictures.own import tensor_pictures
from benchmark.pictures.sheet import (
    COLUMNS,
    ROWS,
    Row,
    contact_sheet,
    pictures_of_arrays,
    readable,
    rows_sheet,
    titled,
)
from benchmark.pictures.shown import PicturedRun

SEED = 0
MAPPED = 10_000
"""z that the mean of w is taken over."""
NUMBERS = 2**27
"""Of w at most, so that a mean over wide ones takes seconds: fewer z are mapped for these."""


def generated_sheet(run: PicturedRun) -> Image.Image | None:
    """The first 32 images that the fitted method generates from seed 0, none picked."""
    if run.generator is None:
        return None
    device = run.plan.device
    with torch.inference_mode():
        parts = list(run.generator.stream(COLUMNS * ROWS, SEED, batch=COLUMNS, device=device))
    return _grid(torch.cat(parts))


def interpolation_sheet(run: PicturedRun) -> Image.Image | None:
    """Four rows, each from one generated image to the next of the first eight, in equal steps of w."""
    generator = run.generator
    if generator is None:
        return None
    with torch.inference_mode():
        ends = _first_codes(generator, 2 * ROWS, run.plan.device)
        rows = []
        for one, other in zip(ends[::2], ends[1::2], strict=True):
            steps = torch.linspace(0, 1, COLUMNS, device=one.device)[:, None, None]
            rows.append(generator.synthesis(one + steps * (other - one), SEED))
    return _grid(to_bytes(torch.cat(rows)))


def truncation_sheet(run: PicturedRun) -> Image.Image | None:
    """The first four generated images at ψ = 0, 1/7, …, 1: at mean + ψ (w − mean), from the mean of w to
    the image itself. The mean is over 10,000 z, or as many as the line above says."""
    generator = run.generator
    if generator is None:
        return None
    with torch.inference_mode():
        codes = _first_codes(generator, ROWS, run.plan.device)
        mean, count = mean_code(generator, run.plan.device, MAPPED, NUMBERS // codes[0].numel())
        psi = torch.linspace(0, 1, COLUMNS, device=mean.device)[:, None, None]
        rows: list[Row] = [
            (
                f"image {i}, psi 0 to 1",
                tensor_pictures(generator.synthesis(mean + psi * (code - mean), SEED)),
            )
            for i, code in enumerate(codes)
        ]
    return titled(rows_sheet(rows), f"The mean of w is over {count:,} z of seed {SEED}.")


def mean_code(
    generator: Generator, device: str, count: int, at_most: int
) -> tuple[torch.Tensor, int]:
    """The mean w (layers, w_dim) of the first `count` z, no more than `at_most`, and of how many it is.

    Example: of a generator whose w is z, `mean_code(generator, "cpu", 10_000, 10_000)` is about 0.
    """
    count = max(1, min(count, at_most))
    sums = []
    for draw in generator.draws(count, SEED):
        codes = generator.mapping(draw.z.to(device))
        sums.append(codes.double().sum(dim=0))
    return (torch.stack(sums).sum(dim=0) / count).to(codes.dtype), count


def made_again(generator: Generator, rows: Sequence[int], seed: int, device: str) -> torch.Tensor:
    """The images of these numbers in the stream of a seed, in this order: uint8 (N, 3, H, W).

    Example: of rows [7, 2] and seed 0, images 7 and 2 of `generator.sample(8, 0)`.
    """
    found: dict[int, torch.Tensor] = {}
    for draw in generator.draws(max(rows) + 1, seed):
        if here := sorted(set(rows) & set(draw.rows)):
            z = draw.z[[row - draw.rows.start for row in here]]
            images = generator.synthesis(generator.mapping(z.to(device)), draw.noise)
            found |= zip(here, to_bytes(images).cpu(), strict=True)
    return torch.stack([found[row] for row in rows])


def _first_codes(generator: Generator, count: int, device: str) -> torch.Tensor:
    return generator.mapping(next(generator.draws(count, SEED)).z.to(device))


def _grid(images: torch.Tensor) -> Image.Image:
    """Images (N, 3, H, W) uint8 in rows, without gaps."""
    pictures = pictures_of_arrays(images.permute(0, 2, 3, 1).cpu().numpy())
    return contact_sheet([readable(picture) for picture in pictures], gap=0)
