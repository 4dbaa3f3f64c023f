"""Training: parts of images and of warps of them, and the features that parts have to explain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_scops import loss
from bench_scops.features import Features
from bench_scops.networks import Basis, Segmenter, enlarged
from bench_scops.settings import ScopsSettings
from bench_scops.warps import colours, draw_warps
from benchmark.contracts.images import Images, to_signed
from benchmark.contracts.method import FitContext
from benchmark.training.augment import random_crop
from benchmark.training.batches import Batches, Order, Pixels, resized
from benchmark.training.device import make_fabric, prepare
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import set_learning_rate
from benchmark.training.randomness import generator
from benchmark.training.schedules import learning_rate
from benchmark.training.warp import warp_generator

CHUNK = 16
KEPT_BYTES = 2 << 30
"""What parts of all images have to explain is found once if it takes no more than this."""


def rate(step: int, steps: int, settings: ScopsSettings) -> float:
    """The segmenter's rate. Example: "poly" at half of the steps is 0.5^0.9 = 0.54 times the first."""
    if settings.schedule == "cosine":
        return learning_rate(step, steps, settings.learning_rate)
    return float(settings.learning_rate * (1 - step / steps) ** 0.9)


def make_optimisers(
    segmenter: Segmenter, basis: Basis, settings: ScopsSettings
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Of the segmenter, its last layers at a rate of their own, and of the basis, without decay."""
    s = settings
    head = list(segmenter.net.head.parameters())
    known = {id(parameter) for parameter in head}
    groups: list[dict[str, Any]] = [
        {"params": [p for p in segmenter.parameters() if id(p) not in known]},
        {"params": head, "lr": s.learning_rate * s.head_rate},
    ]
    if s.optimiser == "adam":
        whole = torch.optim.Adam(groups, s.learning_rate, weight_decay=s.weight_decay)
        return whole, torch.optim.Adam(basis.parameters(), s.basis_rate)
    sgd = torch.optim.SGD(groups, s.learning_rate, momentum=0.9, weight_decay=s.weight_decay)
    return sgd, torch.optim.SGD(basis.parameters(), s.basis_rate, momentum=0.9)


def begin(
    features: Features, pixels: Pixels, silhouettes: Pixels | None, count: int, context: FitContext
) -> Tensor:
    """Find what saliency and basis begin with in some of `count` images; the basis (K, C)."""
    s = features.settings
    if s.saliency != "factors" and s.initial_basis == "normal":
        sample = np.arange(1)
    else:
        order = np.random.Generator(np.random.PCG64(context.seed)).permutation(count)
        sample = np.sort(order[: s.fitted])
    raw, masks = [], []
    for first in range(0, len(sample), CHUNK):
        some = sample[first : first + CHUNK]
        raw.append(features.raw(to_signed(pixels[some])))
        if silhouettes is not None:
            masks.append(silhouettes[some])
        context.progress("maps", min(first + CHUNK, len(sample)), len(sample))
    maps = torch.cat(raw)
    if s.saliency == "factors":
        features.find_factors(maps)
    saliency = features.saliency(maps, torch.cat(masks) if masks else None)
    return features.first_basis(features.explained(maps, saliency))


class Wanted:
    """What parts of each image have to explain: (B, C, h, w) by `wanted(indices, shown)`.

    Neither the frozen network nor saliency changes in training, so that it is found for all images at
    once where it fits into KEPT_BYTES, always in the same chunks: a network's maps differ in their last
    bits from one size of batch to another, and a fit that is taken up again has to see the same.
    """

    def __init__(
        self,
        features: Features,
        pixels: Pixels,
        silhouettes: Pixels | None,
        count: int,
        context: FitContext,
    ) -> None:
        self.features, self.pixels, self.silhouettes = features, pixels, silhouettes
        self._kept: Tensor | None = None
        one = self._found(np.arange(1))
        if count * one.numel() * one.element_size() > KEPT_BYTES:
            return
        self._kept = one.new_empty((count, *one.shape[1:]))
        for first in range(0, count, CHUNK):
            some = np.arange(first, min(first + CHUNK, count))
            self._kept[first : first + CHUNK] = self._found(some)
            context.progress("maps", int(some[-1]) + 1, count)

    def __call__(self, indices: np.ndarray, shown: Tensor) -> Tensor:
        """`shown` (B, 3, S, S) in [-1, 1] are the images that `indices` (B,) number."""
        if self._kept is None:
            return self._explained(indices, shown)
        return self._kept[torch.from_numpy(indices).to(self._kept.device)]

    def _found(self, indices: np.ndarray) -> Tensor:
        return self._explained(indices, to_signed(self.pixels[indices]))

    def _explained(self, indices: np.ndarray, shown: Tensor) -> Tensor:
        raw = self.features.raw(shown)
        masks = None if self.silhouettes is None else self.silhouettes[indices]
        return self.features.explained(raw, self.features.saliency(raw, masks))


def fit(
    segmenter: Segmenter,
    images: Images,
    context: FitContext,
    settings: ScopsSettings,
    save: Callable[[Path], None],
) -> None:
    """Train `segmenter` in place; milestones keep what `save` writes."""
    s = settings
    fabric = make_fabric(context.device, s.precision)
    features = Features(s, context.weights, context.seed, fabric.device)
    order = Order(len(images), s.batch, context.seed)
    pixels = Pixels(images, fabric.device, margin=False)
    silhouettes = None
    if s.saliency == "silhouettes":
        silhouettes = Pixels(images, fabric.device, margin=False, what="silhouettes")
    basis = Basis(begin(features, pixels, silhouettes, len(images), context)).to(fabric.device)
    optimiser, slow = make_optimisers(segmenter, basis, s)
    learner, optimiser = prepare(fabric, segmenter, optimiser)
    batches = Batches(pixels, order)
    explained = Wanted(features, pixels, silhouettes, len(images), context)
    jitter = colours(s)

    def update(step: int) -> dict[str, Tensor | float]:
        set_learning_rate(optimiser, rate(step, s.steps, s))
        shown = to_signed(batches(step))
        wanted = explained(order.indices(step), shown)
        seen = resized(shown, s.size)
        warp = draw_warps(s.batch, s, warp_generator(context.seed, step), fabric.device)
        draw = generator(context.seed, "colours", step, device=fabric.device)
        warped = warp.warp(random_crop((seen + 1) / 2, jitter, draw))
        both = torch.cat([seen, warped]).contiguous(memory_format=torch.channels_last)
        logits, found = learner(both).chunk(2)
        moved = warp.warp(logits)
        parts, moved_parts, found_parts = (x.softmax(1)[:, 1:] for x in (logits, moved, found))
        counted = loss.inside(warp, s.size) if s.outside == "ignored" else None
        here = loss.moments(parts, s.mass_floor)
        there, back = (loss.moments(x, s.mass_floor, counted) for x in (found_parts, moved_parts))
        if s.compare == "image":
            compared, against = parts, enlarged(wanted, s.size)
        else:
            compared = functional.interpolate(parts, wanted.shape[-2:], mode="area")
            against = wanted
        values = {
            "concentration": loss.concentration(here.variances, s.divided),
            "equivariance": loss.equivariance(moved, found, s.equivariance_mean, counted),
            "centres": loss.centre_equivariance(back.centres, there.centres),
            "consistency": loss.consistency(compared, basis(), against, s.consistency_mean),
            "orthonormal": loss.orthonormality(basis()),
        }
        total = torch.stack([getattr(s, name) * value for name, value in values.items()]).sum()
        for one in (optimiser, slow):
            one.zero_grad(set_to_none=True)
        fabric.backward(total)
        for network, one in ((segmenter, optimiser), (basis, slow)):
            nn.utils.clip_grad_norm_(network.parameters(), s.clip)
            one.step()
        logged = values | {"loss": total, "foreground": parts.sum(1).mean()}
        return {name: value.detach() for name, value in logged.items()}

    segmenter.train()
    train(
        context,
        "scops",
        steps=s.steps,
        images_per_step=s.batch,
        state={"segmenter": segmenter, "basis": basis, "optimiser": optimiser, "slow": slow},
        update=update,
        milestones=spaced(s.steps, 6),
        save_milestone=save,
    )
    segmenter.cpu().to(memory_format=torch.contiguous_format)
