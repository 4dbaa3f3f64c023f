"""Training: two views of each image by known warps, and the loss that matches them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bench_dve.loss import match_cost, of_length
from bench_dve.networks import biases
from bench_dve.settings import DveSettings
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.training.augment import CropSettings, random_crop
from benchmark.training.batches import Batches, Order, Pixels
from benchmark.training.correspondence import cells
from benchmark.training.device import make_fabric, prepare
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import set_learning_rate
from benchmark.training.randomness import generator
from benchmark.training.warp import draw_warps, warp_generator

#: Pixels of the image for each cell of the map.
STRIDE = 2


class Pair(NamedTuple):
    """Two views float (B, 3, S, S) in [0, 1], and where each cell of the first lies in the second.

    `wanted` (B, (S / 2)², 2) float64, pixels of the view; beyond it for cells that left it.
    """

    first: Tensor
    second: Tensor
    wanted: Tensor


def warped_pair(pixels: Tensor, margin: int, draw: np.random.Generator) -> Pair:
    """Warps of images (B, 3, S + 2m, S + 2m) in [0, 1] with a margin of m, cut to S × S.

    The second view is a warp of the image, the first a stronger warp of the second. So where a cell of
    the first lies is where the warp reads: known exactly, beyond the border too.
    """
    side = pixels.shape[-1]
    half, whole = (
        draw_warps(len(pixels), draw, name, pixels.device) for name in ("dve-first", "dve-second")
    )
    second = half.warp(pixels)
    first = whole.warp(second)
    places = cells((side - 2 * margin) // STRIDE, STRIDE, pixels.device).double() + margin
    wanted = whole.points_inverse(places, side, side) - margin
    middle = slice(margin, side - margin)
    return Pair(first[..., middle, middle], second[..., middle, middle], wanted)


def colours(size: int, strength: float) -> CropSettings:
    """The whole image, its brightness, contrast and saturation changed by ± `strength`."""
    return CropSettings(
        size, area=(1.0, 1.0), aspect=1.0, flip=0.0, colour=1.0, brightness=strength,
        contrast=strength, saturation=strength, hue=0.0, grayscale=0.0, blur=0.0,
    )  # fmt: skip


def make_optimiser(network: nn.Module, settings: DveSettings) -> torch.optim.Adam:
    """Adam with AMSGrad; biases of convolutions have a rate of their own."""
    slow = biases(network)
    known = {id(bias) for bias in slow}
    rest = [p for p in network.parameters() if id(p) not in known]
    groups = [
        {"params": rest, "weight_decay": settings.weight_decay},
        {"params": slow, "lr": settings.learning_rate * settings.bias_rate},
    ]
    return torch.optim.Adam(groups, settings.learning_rate, amsgrad=True)


def rate(step: int, steps: int, settings: DveSettings) -> float:
    """A tenth of the rate after each of the shares `drops`. Example: 1e-3, at half 1e-4."""
    passed = sum(step >= share * steps for share in settings.drops)
    return float(settings.learning_rate * 0.1**passed)


def fit(
    network: nn.Module,
    images: Images,
    context: FitContext,
    settings: DveSettings,
    save: Callable[[Path], None],
) -> None:
    """Train `network` in place; milestones keep what `save` writes."""
    fabric = make_fabric(context.device, settings.precision)
    learner, optimiser = prepare(fabric, network, make_optimiser(network, settings))
    pixels = Pixels(images, fabric.device, size=settings.size)
    batches = Batches(pixels, Order(len(images), settings.batch, context.seed))
    steps = settings.steps or max(1, round(settings.epochs * len(images) / settings.batch))
    seen = colours(settings.size, settings.colour)

    def update(step: int) -> dict[str, Tensor | float]:
        set_learning_rate(optimiser, rate(step, steps, settings))
        given = batches(step).float().div_(255)
        pair = warped_pair(given, pixels.margin, warp_generator(context.seed, step))
        draw = generator(context.seed, "colours", step, device=fabric.device)
        views = random_crop(torch.cat([pair.first, pair.second]), seen, draw)
        # outside the network's autocast: half precision can't tell logits of hundreds apart
        first, second = of_length(learner(views).float(), settings.length).chunk(2)
        loss = match_cost(
            first,
            second,
            pair.wanted,
            stride=STRIDE,
            exchange=settings.exchange,
            power=settings.power,
            folded=settings.folded,
        )
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        return {"loss": loss.detach()}

    network.train()
    train(
        context,
        "dve",
        steps=steps,
        images_per_step=settings.batch,
        state={"network": network, "optimiser": optimiser},
        update=update,
        milestones=spaced(steps, 6),
        save_milestone=save,
    )
    network.cpu().to(memory_format=torch.contiguous_format)
