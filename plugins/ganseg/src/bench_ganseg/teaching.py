"""Second stage: the student learns from images that come with their parts."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench_ganseg.generator import GanSeg
from bench_ganseg.settings import GanSegSettings
from bench_ganseg.student import student_loss
from benchmark.contracts.method import FitContext
from benchmark.training.pairs import disturbed, teach
from benchmark.training.players import Player


def pairs(net: GanSeg, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Generated images (count, 3, S, S) in [-1, 1] and the most probable part of each pixel.

    Labels are int64 (count, S, S), 0 the background. `net` is in evaluation mode.
    """
    z = torch.randn(count, net.settings.z, generator=draw, device=draw.device)
    _, made = net(z)
    return made.images.clamp(-1, 1), made.masks.argmax(1)


def fit(student: nn.Module, net: GanSeg, context: FitContext, settings: GanSegSettings) -> None:
    """Train `student` in place on fresh pairs of `net`."""
    s = settings

    def disturbed_pairs(count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        images, labels = pairs(net, count, draw)
        return disturbed(images, draw, colour=s.jitter, noise=s.jitter / 4), labels

    def lesson(
        player: Player, step: int, images: Tensor, labels: Tensor
    ) -> dict[str, Tensor | float]:
        logits = player(images)
        loss = player.step(student_loss(logits.float(), labels))
        right = (logits.detach().argmax(1) == labels).float().mean()
        return {"loss": loss, "pixels right": right}

    teach(
        student,
        disturbed_pairs,
        lesson,
        context,
        stage="student",
        steps=s.student_steps,
        batch=s.student_batch,
        rate=s.student_rate,
        precision=s.precision,
    )
