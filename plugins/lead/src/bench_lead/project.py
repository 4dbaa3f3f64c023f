"""ContrastLandmark's stage 2: a projector that makes the frozen hypercolumn compact and local.

Each cell of an image is matched with all cells of the same image; the expected distance to itself is
stepped down, so that descriptors become local. Source: Cheng et al. 2021, §3.2; the loss is that of DVE
without a second view.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_lead.networks import Projector
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.training.augment import windows
from benchmark.training.batches import Batches, Order
from benchmark.training.correspondence import cells, distance_cost, expected_cost
from benchmark.training.device import make_fabric, prepare
from benchmark.training.loop import train
from benchmark.training.optimisers import make_optimiser, set_learning_rate
from benchmark.training.randomness import generator
from benchmark.training.schedules import learning_rate


def self_match_cost(maps: Tensor, stride: int, scale: float) -> Tensor:
    """Expected root of the distance, in pixels, at which a cell of maps (B, C, h, h) finds itself.

    Matches are the softmax over cells of `scale` times the cosine; a scalar. Example: descriptors that
    are all equal cost the mean root of the distance between two cells.
    """
    unit = functional.normalize(maps.flatten(2), dim=1)
    places = cells(maps.shape[-1], stride, maps.device).to(maps.dtype)
    return expected_cost(scale * unit.transpose(1, 2) @ unit, distance_cost(places, places))


class Locality(nn.Module):
    """The projector in one forward pass with its loss, on maps at a quarter of the image."""

    def __init__(self, projector: Projector, scale: float) -> None:
        super().__init__()
        self.projector, self.scale = projector, scale

    def train(self, mode: bool = True) -> Locality:
        super().train(mode)
        self.projector.encoder.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        maps = self.projector(images, images.shape[-1] // 4).float()
        return self_match_cost(maps, 4, self.scale)


def fit(projector: Projector, images: Images, context: FitContext, settings: Any) -> Projector:
    """Train the convolution of `projector`, whose encoder stays as it is; on the CPU afterwards."""
    fabric = make_fabric(context.device, settings.precision)
    projector.encoder.requires_grad_(False)
    model = Locality(projector, settings.projector_scale)
    optimiser = make_optimiser(
        settings.distil_optimiser,
        [projector],
        settings.distil_learning_rate,
        settings.distil_weight_decay,
    )
    learner, optimiser = prepare(fabric, model, optimiser)
    batch = settings.distil_batch
    order = Order(
        len(images), batch, context.seed, rank=fabric.global_rank, share=fabric.world_size
    )
    batches = Batches(images, order, fabric.device)
    steps = max(1, round(settings.distil_epochs * len(images) / batch))

    def update(step: int) -> dict[str, Tensor | float]:
        rate = learning_rate(step, steps, settings.distil_learning_rate, warm_up=steps // 20)
        set_learning_rate(optimiser, rate)
        draw = generator(context.seed, "windows", step, fabric.global_rank, device=fabric.device)
        pixels = windows(batches(step), images.size, draw)
        loss = learner(pixels.contiguous(memory_format=torch.channels_last))
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        return {"loss": loss.detach()}

    model.train()
    train(
        context,
        "stage2",
        steps=steps,
        images_per_step=batch,
        state={"model": model, "optimiser": optimiser},
        update=update,
    )
    return projector.cpu().to(memory_format=torch.contiguous_format)
