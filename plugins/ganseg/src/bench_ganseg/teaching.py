"""Second stage: the student learns from images that come with their parts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bench_ganseg.generator import GanSeg
from bench_ganseg.settings import GanSegSettings
from bench_ganseg.student import student_loss
from benchmark.contracts.method import FitContext
from benchmark.training.device import make_fabric
from benchmark.training.loop import train
from benchmark.training.players import Player
from benchmark.training.randomness import generator


@torch.no_grad()
def pairs(net: GanSeg, count: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Generated images (count, 3, S, S) in [-1, 1] and the most probable part of each pixel.

    Labels are int64 (count, S, S), 0 the background. `net` is in evaluation mode.
    """
    z = torch.randn(count, net.settings.z, generator=draw, device=draw.device)
    _, made = net(z)
    return made.images.clamp(-1, 1), made.masks.argmax(1)


def jittered(images: Tensor, strength: float, draw: torch.Generator) -> Tensor:
    """Images (B, 3, S, S) with each channel's gain and level changed, and noise; 0 leaves them.

    Gains lie within 1 ± strength, levels within ± strength, noise has a spread of up to strength / 2. A
    generator's colours are a little off; a student that relies on them is lost on real images.
    """
    if not strength:
        return images
    drawn: dict[str, Any] = {"generator": draw, "device": draw.device}
    gain, level, noise = (
        strength * torch.rand(len(images), channels, 1, 1, **drawn) for channels in (3, 3, 1)
    )
    found = (1 + 2 * gain - strength) * images + 2 * level - strength
    return found + noise / 2 * torch.randn(images.shape, **drawn)


def teach(student: nn.Module, net: GanSeg, context: FitContext, settings: GanSegSettings) -> None:
    """Train `student` in place on fresh pairs of `net`."""
    s, fabric = settings, make_fabric(context.device, settings.precision)
    adam = torch.optim.Adam(student.parameters(), s.student_rate)
    learns = Player(fabric, student.train(), adam)
    share = s.student_batch // context.devices

    def update(step: int) -> dict[str, Tensor | float]:
        draw = generator(context.seed, "student", step, context.rank, device=fabric.device)
        images, labels = pairs(net, share, draw)
        logits = learns(jittered(images, s.jitter, draw))
        loss = learns.step(student_loss(logits.float(), labels))
        right = (logits.detach().argmax(1) == labels).float().mean()
        return {"loss": loss, "pixels right": right}

    train(
        context,
        "student",
        steps=s.student_steps,
        images_per_step=s.student_batch,
        state={"student": learns},
        update=update,
    )
