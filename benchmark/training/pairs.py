"""A student learns from pairs of images and answers that are made afresh for each step.

What a generator makes comes with what it was made of, and there is no end of it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmark.contracts.method import FitContext
from benchmark.training.augment import CropSettings, random_crop
from benchmark.training.device import Precision, make_fabric
from benchmark.training.loop import spaced, train
from benchmark.training.players import Player
from benchmark.training.randomness import generator

Pairs = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]
Lesson = Callable[[Player, int, Tensor, Tensor], dict[str, Tensor | float]]


def disturbed(
    images: Tensor,
    draw: torch.Generator,
    *,
    colour: float = 0.0,
    blur: float = 0.0,
    noise: float = 0.0,
) -> Tensor:
    """Images (B, 3, S, S) in [-1, 1] in other colours, some blurred, with noise; nothing moves.

    A generator's colours are a little off; a student that looks at just those finds nothing in a
    photograph. Brightness and contrast change by up to `colour`, saturation by half, hue by a quarter of
    it (in turns); `blur` is a probability, of up to S / 32 pixels; `noise` a standard deviation, which
    may lead beyond [-1, 1]. All are drawn from `draw`, on the device of the images; with none of them
    the images come back.

    Example: `disturbed(images, draw, colour=0.4, blur=0.5, noise=0.05)`.
    """
    if colour or blur:
        crop = CropSettings(
            size=images.shape[-1],
            area=(1.0, 1.0),
            aspect=1.0,
            flip=0.0,
            brightness=colour,
            contrast=colour,
            saturation=colour / 2,
            hue=colour / 4,
            grayscale=0.0,
            blur=blur,
            blur_sigma=(0.1, images.shape[-1] / 32),
        )
        images = random_crop((images + 1) / 2, crop, draw)
    if noise:
        images = images + noise * torch.randn(images.shape, generator=draw, device=images.device)
    return images


def teach(
    student: nn.Module,
    pairs: Pairs,
    lesson: Lesson,
    context: FitContext,
    *,
    stage: str,
    steps: int,
    batch: int,
    rate: float,
    precision: Precision = "float32",
    samples: Callable[[], Tensor] | None = None,
) -> None:
    """Train `student`, in place, by Adam on `batch` fresh pairs a step; a stage of `train`.

    `pairs(count, draw)` makes images and answers on the device of `draw`, a generator that follows from
    seed, stage, step and process; no gradients are kept of that. `lesson(player, step, images, answers)`
    makes the step and returns what is logged. Each process makes its share of a batch. `samples` are
    drawn three times.

    Example, of a generator `net` in evaluation mode:

        def lesson(player, step, images, answers):
            return {"loss": player.step((player(images) - answers).square().mean())}

        teach(student, net.pairs, lesson, context, stage="student", steps=100, batch=32, rate=1e-3)
    """
    fabric = make_fabric(context.device, precision)
    player = Player(fabric, student.train(), torch.optim.Adam(student.parameters(), rate))
    count = max(1, batch // context.devices)

    def update(step: int) -> dict[str, Tensor | float]:
        draw = generator(context.seed, stage, step, context.rank, device=fabric.device)
        with torch.no_grad():
            images, answers = pairs(count, draw)
        return lesson(player, step, images, answers)

    train(
        context,
        stage,
        steps=steps,
        images_per_step=batch,
        state={stage: player},
        update=update,
        samples=samples,
        samples_at=spaced(steps, 3) if samples else (),
    )
