"""Training: points of images and of warps of them, and the images drawn again from their points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from bench_lmdis.loss import concentration, equivariance, reconstruction, separation
from bench_lmdis.networks import Networks
from bench_lmdis.points import spots
from bench_lmdis.settings import LmdisSettings
from bench_lmdis.warps import draw_warps, with_border
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.training.augment import CropSettings, random_crop
from benchmark.training.batches import Batches, Order, Pixels
from benchmark.training.device import make_fabric, prepare
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import make_optimiser, set_learning_rate
from benchmark.training.randomness import generator
from benchmark.training.warp import warp_generator


def colours(size: int, strength: float) -> CropSettings:
    """The whole image, its brightness and contrast changed by ± `strength`."""
    return CropSettings(
        size, area=(1.0, 1.0), aspect=1.0, flip=0.0, colour=1.0, brightness=strength,
        contrast=strength, saturation=0.0, hue=0.0, grayscale=0.0, blur=0.0,
    )  # fmt: skip


def fit(
    networks: Networks,
    images: Images,
    context: FitContext,
    settings: LmdisSettings,
    save: Callable[[Path], None],
) -> None:
    """Train `networks` in place; milestones keep what `save` writes."""
    s = settings
    fabric = make_fabric(context.device, s.precision)
    optimiser = make_optimiser("adam", [networks], s.learning_rates[0], s.weight_decay)
    learner, optimiser = prepare(fabric, networks, optimiser)
    pixels = Pixels(images, fabric.device, margin=False, size=s.size)
    batches = Batches(pixels, Order(len(images), s.batch, context.seed))
    seen = colours(s.size, s.colour)

    def update(step: int) -> dict[str, Tensor | float]:
        stretch = s.stretch(step)
        set_learning_rate(optimiser, s.learning_rates[stretch])
        draw = generator(context.seed, "colours", step, device=fabric.device)
        shown = random_crop(batches(step), seen, draw)
        padded = with_border(shown, s.border)
        warp = draw_warps(s.batch, s, warp_generator(context.seed, step), fabric.device)
        both = torch.cat([padded, warp.warp(padded, padding="border")])
        maps, rendered = learner(both.contiguous(memory_format=torch.channels_last))
        found = spots(maps[:, :-1])
        (points, warped), (spread, spread_warped) = (part.chunk(2) for part in found)
        bandwidth = s.separation_bandwidth * s.size / s.padded
        parts = {
            "concentration": concentration(spread) + concentration(spread_warped),
            "separation": separation(points, bandwidth) + separation(warped, bandwidth),
            "equivariance": equivariance(points, warped, warp, s.padded),
            "reconstruction": reconstruction(rendered, (shown + 1) / 2),
        }
        weights = (s.concentration, s.separation, s.equivariance, s.reconstruction[stretch])
        terms = [w * p for w, p in zip(weights, parts.values(), strict=True)]
        loss = torch.stack(terms).sum()
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        return {name: value.detach() for name, value in ({"loss": loss} | parts).items()}

    networks.train()
    train(
        context,
        "lmdis",
        steps=s.steps,
        images_per_step=s.batch,
        state={"networks": networks, "optimiser": optimiser},
        update=update,
        milestones=spaced(s.steps, 6),
        save_milestone=save,
    )
    networks.cpu().to(memory_format=torch.contiguous_format)
