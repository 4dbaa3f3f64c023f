"""Stage 2: a compact student is taught to find the same correspondences as the hypercolumn.

For two images i and j, every position of i has a distribution over the positions of j: the softmax
of cosine similarity over temperature, of the frozen teacher's hypercolumn (p) and of the student's
projected descriptors (q). The student minimises the cross-entropy of q against p.

Source: thesis of T. Karmali, §3.2.3, eq. 3.2 and 3.3, §3.3.4. Eq. 3.3 sums over positions, where
the loss here is their mean: with the same rate SGD's steps are as many times smaller as there are
positions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_lead.networks import Encoder, Student, hypercolumn, pixel_mlp
from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext
from benchmark.training.augment import windows
from benchmark.training.batches import Batches, Order
from benchmark.training.device import make_fabric, prepare
from benchmark.training.ema import frozen_copy
from benchmark.training.loop import train
from benchmark.training.optimisers import make_optimiser, set_learning_rate
from benchmark.training.randomness import generator, seeded
from benchmark.training.schedules import learning_rate


def similarity_logits(maps: Tensor, queries: Tensor, temperature: float) -> Tensor:
    """Cosine similarity / temperature of image i's queries with all positions of image i + 1.

    Args:
        maps: (B, C, h, w) descriptors.
        queries: int64 (Q,) positions in 0 … h·w - 1.

    Returns: (B, Q, h·w); image B - 1 is paired with image 0.
    """
    unit = functional.normalize(maps.flatten(2), dim=1)
    return unit[:, :, queries].transpose(1, 2) @ unit.roll(-1, 0) / temperature


def alignment(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the student's distribution, and entropy of the teacher's, in nats.

    Both are means over queries of logits (B, Q, P); their difference is the Kullback-Leibler
    divergence, 0 where the student's distribution is the teacher's.
    """
    wanted = teacher.log_softmax(-1)
    share = wanted.exp()
    cross = -(share * student.log_softmax(-1)).sum(-1).mean()
    return cross, -(share * wanted).sum(-1).mean()


class Distillation(nn.Module):
    """Student, its projection head (left behind afterwards) and the frozen teacher."""

    def __init__(self, student: Student, dimension: int, settings: Any) -> None:
        super().__init__()
        self.student = student
        self.head = pixel_mlp(dimension, settings.head_width, settings.head_width)
        self.teacher = frozen_copy(student.encoder).eval()
        self.temperature = settings.temperature

    def train(self, mode: bool = True) -> Distillation:
        super().train(mode)
        self.teacher.eval()
        return self

    def forward(self, images: Tensor, queries: Tensor) -> tuple[Tensor, Tensor]:
        compact = self.head(self.student(images))
        with torch.no_grad():
            column = hypercolumn(self.teacher.maps(images), compact.shape[-1])
            target = similarity_logits(column.to(compact.dtype), queries, self.temperature)
        logits = similarity_logits(compact, queries, self.temperature)
        return alignment(logits.float(), target.float())


def fit(encoder: Encoder, images: Images, context: FitContext, settings: Any) -> Student:
    """The student, trained from the stage-1 `encoder`, on the CPU.

    A twentieth of the images is held out of the training, only to log both losses on them.
    """
    fabric = make_fabric(context.device, settings.precision)
    student = untrained_student(frozen_copy(encoder).requires_grad_(True), context.seed, settings)
    with seeded(context.seed, "distillation head"):
        model = Distillation(student, settings.dimension, settings)
    optimiser = make_optimiser(
        settings.distil_optimiser,
        [model.student, model.head],
        settings.distil_learning_rate,
        settings.distil_weight_decay,
    )
    learner, optimiser = prepare(fabric, model, optimiser)

    chosen = torch.randperm(len(images), generator=generator(context.seed, "held out")).numpy()
    batch = settings.distil_batch
    held_out, seen = chosen[: max(2, len(images) // 20)], chosen[max(2, len(images) // 20) :]
    order = Order(len(seen), batch, context.seed, rank=fabric.global_rank, share=fabric.world_size)
    batches = Batches(images, order, fabric.device, subset=seen)
    if batch < 2 * fabric.world_size:
        raise InvalidInput(
            f"a batch of {batch} leaves {fabric.world_size} processes one image each, pairs need two",
            cure="raise distil_batch, or fit on fewer devices",
        )
    steps = max(1, round(settings.distil_epochs * len(seen) / batch))
    positions = (images.size // 4) ** 2
    count = min(settings.distil_queries or positions, positions)

    @torch.no_grad()
    def on_held_out() -> dict[str, float]:
        """Cross-entropy and entropy on images that stage 2 never trains on."""
        model.eval()
        every = torch.arange(0, positions, max(1, positions // count), device=fabric.device)
        totals = torch.zeros(2)
        groups = [g for g in torch.from_numpy(held_out[:64]).split(16) if len(g) > 1]
        for group in groups:
            pixels = to_signed(images.batch(group.numpy())).to(fabric.device)
            pixels = pixels.contiguous(memory_format=torch.channels_last)
            with fabric.autocast():
                totals += torch.stack(model(pixels, every)).cpu() / len(groups)
        model.train()
        cross, entropy = totals.tolist()
        return {"held_out_loss": cross, "held_out_entropy": entropy}

    def update(step: int) -> dict[str, Tensor | float]:
        rate = learning_rate(step, steps, settings.distil_learning_rate, warm_up=steps // 20)
        set_learning_rate(optimiser, rate)
        draw = generator(context.seed, "windows", step, fabric.global_rank, device=fabric.device)
        pixels = windows(batches(step), images.size, draw)
        queries = torch.randperm(positions, generator=draw, device=fabric.device)[:count]
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        loss, entropy = learner(pixels, queries)
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        return {"loss": loss.detach(), "teacher_entropy": entropy}

    model.train()
    train(
        context,
        "stage2",
        steps=steps,
        images_per_step=batch,
        state={"model": model, "optimiser": optimiser},
        update=update,
        evaluate=on_held_out,
        evaluate_at=[round(steps * i / 8) for i in range(9)],
    )
    return student.cpu().to(memory_format=torch.contiguous_format)


def untrained_student(encoder: Encoder, seed: int, settings: Any) -> Student:
    """`encoder` with a new pyramid on top, drawn from the seed."""
    with seeded(seed, "pyramid"):
        return Student(encoder, settings.pyramid_width, settings.dimension)
