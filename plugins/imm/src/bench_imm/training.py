"""Training: render the target of each pair from its source, and step down the reconstruction loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bench_imm.loss import DifferenceWeights, Features, differences
from bench_imm.networks import Networks
from bench_imm.pairs import Pairs
from bench_imm.schedule import Plateau
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.training.batches import Batches, Order, Others, Pixels
from benchmark.training.device import make_fabric, prepare
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import make_optimiser, set_learning_rate
from benchmark.training.schedules import learning_rate
from benchmark.training.warp import warp_generator


class Learner(nn.Module):
    """Networks and features in one forward pass: the differences between rendered and target."""

    def __init__(self, networks: Networks, features: Features) -> None:
        super().__init__()
        self.networks, self.features = networks, features

    def forward(self, source: Tensor, target: Tensor, mask: Tensor | None) -> Tensor:
        rendered = self.networks(source, target)
        with torch.no_grad():
            wanted = self.features(target)
        return differences(wanted, self.features(rendered), mask)


def fit(
    networks: Networks,
    images: Images,
    context: FitContext,
    settings: Any,
    save: Callable[[Path], None],
) -> None:
    """Train `networks` in place; milestones keep what `save` writes."""
    fabric = make_fabric(context.device, settings.precision)
    features = Features(settings.perceptual, settings.depth, context.weights).eval()
    optimiser = make_optimiser("adam", [networks], settings.learning_rate, settings.weight_decay)
    learner, optimiser = prepare(fabric, Learner(networks, features), optimiser)
    weights = DifferenceWeights(settings).to(fabric.device)
    plateau = Plateau(
        settings.learning_rate,
        settings.learning_rate_floor,
        settings.plateau_factor,
        settings.plateau_steps,
    )

    order = Order(len(images), settings.batch, context.seed)
    kept = Pixels(images, fabric.device)
    batches, others = Batches(kept, order), None
    if settings.pairs == "views":
        others = Batches(kept, Others(order, images.objects))
    pairs = Pairs(images, settings, fabric.device)
    steps = settings.steps or max(1, round(settings.epochs * len(images) / settings.batch))
    initial = torch.tensor(settings.weights[: settings.depth + 1], device=fabric.device)

    def update(step: int) -> dict[str, Tensor | float]:
        set_learning_rate(optimiser, _rate(step, steps, settings, plateau))
        pixels = batches(step)
        seen = others(step) if others else pixels
        pair = pairs(pixels, seen, warp_generator(context.seed, step))
        found = learner(*pair)
        loss = settings.loss_scale * weights(found)
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        clip(networks, settings.clip, settings.clip_by)
        optimiser.step()
        # Over running averages the loss hardly changes; over their first values it can be followed.
        reconstruction = (found.detach() / initial).sum()
        if settings.schedule == "plateau":
            plateau.add(float(reconstruction))
        return {
            "loss": loss.detach(),
            "reconstruction": reconstruction,
            "pixels": found[0].detach(),
        }

    networks.train()
    train(
        context,
        "imm",
        steps=steps,
        images_per_step=settings.batch,
        state={
            "networks": networks,
            "weights": weights,
            "optimiser": optimiser,
            "plateau": plateau,
        },
        update=update,
        milestones=spaced(steps, 6),
        save_milestone=save,
    )
    networks.cpu().to(memory_format=torch.contiguous_format)


def _rate(step: int, steps: int, settings: Any, plateau: Plateau) -> float:
    if settings.schedule == "plateau":
        return plateau.rate
    if settings.schedule == "decay":
        start: float = settings.learning_rate
        return start * float(settings.decay_factor) ** (step // settings.decay_steps)
    return learning_rate(
        step, steps, settings.learning_rate, warm_up=round(settings.warm_up * steps)
    )


def clip(networks: nn.Module, norm: float, by: str) -> None:
    """Shorten gradients to `norm`: all together, or each variable's on its own (as released)."""
    parameters = [p for p in networks.parameters() if p.grad is not None]
    for group in [parameters] if by == "all" else [[p] for p in parameters]:
        torch.nn.utils.clip_grad_norm_(group, norm)
