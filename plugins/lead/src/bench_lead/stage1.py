"""Stage 1: two crops of one image, an objective that compares them, and what is trained by it.

Objectives are modules that are called with two crops and give a loss; `learned` names the networks that
the optimiser moves, `follow` moves the slow copy after each step.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench_lead.byol import Byol
from bench_lead.moco import Moco
from bench_lead.networks import Encoder
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.training.augment import CropSettings, random_crop
from benchmark.training.batches import Batches, Order
from benchmark.training.device import make_fabric, prepare
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import make_optimiser, set_learning_rate
from benchmark.training.randomness import generator, seeded
from benchmark.training.schedules import learning_rate


def objective(encoder: Encoder, seed: int, settings: Any) -> Byol | Moco:
    """What `settings.stage1` names, around `encoder`; its other layers are drawn from the seed."""
    if settings.stage1 == "moco":
        with seeded(seed, "moco head"):
            return Moco(encoder, settings.projection, settings.queue, settings.contrast_temperature)
    with seeded(seed, "byol heads"):
        return Byol(encoder, settings.hidden, settings.projection)


def crops(settings: Any) -> tuple[CropSettings, CropSettings]:
    """The two kinds of crops of `settings.views`.

    "byol": asymmetric blur (1.0 / 0.1) and solarisation (0 / 0.2). "contrast": brightness, contrast and
    saturation of every crop are changed, and nothing else.
    """
    shared: dict[str, Any] = {
        "size": settings.crop_size,
        "area": settings.crop_area,
        "aspect": settings.crop_aspect,
        "flip": settings.flip,
        "brightness": 0.4 * settings.colour_strength,
        "contrast": 0.4 * settings.colour_strength,
    }
    if settings.views == "contrast":
        saturation = 0.4 * settings.colour_strength
        none = {"hue": 0.0, "grayscale": 0.0, "blur": 0.0}
        one = CropSettings(**shared | none, colour=1.0, saturation=saturation)
        return one, one
    shared |= {
        "saturation": 0.2 * settings.colour_strength,
        "hue": 0.1 * settings.colour_strength,
        "blur_sigma": settings.blur_sigma,
    }
    return CropSettings(**shared, blur=1.0), CropSettings(**shared, blur=0.1, solarise=0.2)


def fit(
    encoder: Encoder,
    images: Images,
    context: FitContext,
    settings: Any,
    save_encoder: Callable[[Path], None],
) -> None:
    """Train `encoder` in place; milestones keep what `save_encoder` writes."""
    fabric = make_fabric(context.device, settings.precision)
    model = objective(encoder, context.seed, settings)
    optimiser = make_optimiser(
        settings.optimiser, model.learned, settings.learning_rate, settings.weight_decay
    )
    learner, optimiser = prepare(fabric, model, optimiser)
    order = Order(
        len(images), settings.batch, context.seed, rank=fabric.global_rank, share=fabric.world_size
    )
    batches = Batches(images, order, fabric.device)
    steps = max(1, round(settings.epochs * len(images) / settings.batch))
    warm_up = round(settings.warm_up * steps)
    first, second = crops(settings)

    def update(step: int) -> dict[str, Tensor | float]:
        rate = learning_rate(step, steps, settings.learning_rate, warm_up=warm_up)
        set_learning_rate(optimiser, rate)
        pixels = batches(step).float().div_(255)
        draw = generator(context.seed, "views", step, fabric.global_rank, device=fabric.device)
        loss = learner(random_crop(pixels, first, draw), random_crop(pixels, second, draw))
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        model.follow(step, steps, settings.target_momentum)
        return {"loss": loss.detach()}

    train(
        context,
        "stage1",
        steps=steps,
        images_per_step=settings.batch,
        state={"model": model, "optimiser": optimiser},
        update=update,
        milestones=spaced(steps, 6),
        save_milestone=save_encoder,
    )
    encoder.cpu().to(memory_format=torch.contiguous_format)
