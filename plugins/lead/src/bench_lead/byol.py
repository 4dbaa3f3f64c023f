"""Stage 1: one image, two crops; the online network predicts what its slow copy makes of the other.

Source: thesis of T. Karmali, §3.2.2 and eq. 3.1, after BYOL (Grill et al. 2020).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_lead.networks import Encoder, mlp
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.training.augment import CropSettings, random_crop
from benchmark.training.batches import Batches, Order
from benchmark.training.device import make_fabric, prepare
from benchmark.training.ema import follow, frozen_copy
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import make_optimiser, set_learning_rate
from benchmark.training.randomness import generator, seeded
from benchmark.training.schedules import learning_rate, momentum


class Byol(nn.Module):
    """Online and target networks; called with two crops it gives the symmetric loss."""

    def __init__(self, encoder: Encoder, hidden: int, projection: int) -> None:
        super().__init__()
        projector = mlp(encoder.channels[-1], hidden, projection)
        self.online = nn.Sequential(encoder, projector)
        self.predictor = mlp(projection, hidden, projection)
        self.target = frozen_copy(self.online)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        both = torch.cat([first, second])
        predicted = self.predictor(self.online(both)).float()
        with torch.no_grad():
            wanted = self.target(both).float()
        return byol_loss(predicted, torch.cat(wanted.chunk(2)[::-1]))


def byol_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean of |p/|p| - z/|z||² = 2 - 2·cos(p, z) over rows; 0 to 4 (eq. 3.1)."""
    return (2 - 2 * functional.cosine_similarity(predicted, wanted, dim=-1)).mean()


def crops(settings: Any) -> tuple[CropSettings, CropSettings]:
    """The two kinds of crops: BYOL's asymmetric blur (1.0 / 0.1) and solarisation (0 / 0.2)."""
    shared: dict[str, Any] = {
        "size": settings.crop_size,
        "area": settings.crop_area,
        "aspect": settings.crop_aspect,
        "flip": settings.flip,
        "brightness": 0.4 * settings.colour_strength,
        "contrast": 0.4 * settings.colour_strength,
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
    with seeded(context.seed, "byol heads"):
        model = Byol(encoder, settings.hidden, settings.projection)
    optimiser = make_optimiser(
        settings.optimiser,
        [model.online, model.predictor],
        settings.learning_rate,
        settings.weight_decay,
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
        follow(model.target, model.online, momentum(step, steps, settings.target_momentum))
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
