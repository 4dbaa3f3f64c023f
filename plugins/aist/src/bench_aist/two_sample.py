"""The classifier two-sample test: can a fresh network tell one set of images from another?

Source: Lopez-Paz & Oquab 2017, "Revisiting Classifier Two-Sample Tests": the accuracy on what was held
out is the statistic, ½ where both sets are of one distribution. Here groups (of an object, a person) are
held out whole, in turns, so that every image is asked about once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.images import to_signed
from benchmark.metrics.intervals import bootstrap_interval
from benchmark.training.randomness import generator, seeded

FOLDS = 2
STEPS = 150
BATCH = 32
WIDTH = 16
RATE = 1e-3


@dataclass(frozen=True)
class Told:
    """Which images were told right, bool (2N,): N of the first set, then N of the second.

    `groups` int64 (2N,) are equal within a group.
    """

    right: np.ndarray
    groups: np.ndarray

    @property
    def accuracy(self) -> float:
        """In percent; 50 is chance, as both sets count alike."""
        return 100 * float(self.right.mean())

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of it, groups drawn whole."""
        low, high = bootstrap_interval(100.0 * self.right, groups=self.groups)
        return low, high

    def less_than(self, other: Told) -> tuple[float, tuple[float, float]]:
        """By how much `other` is told better, in points, with its interval; same images, in order.

        >>> groups = np.arange(4)
        >>> half, all_ = Told(np.array([1, 0, 1, 0]) > 0, groups), Told(np.ones(4, bool), groups)
        >>> half.less_than(all_)[0]
        50.0
        """
        apart = 100.0 * (other.right.astype(float) - self.right)
        return float(apart.mean()), bootstrap_interval(apart, groups=self.groups)


def network() -> nn.Sequential:
    """Images (B, 3, S, S) in [-1, 1], S 16 or more, to one score each, above 0 for the second set."""
    w = WIDTH
    return nn.Sequential(
        nn.Conv2d(3, w, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(w, 2 * w, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(2 * w, 4 * w, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * w, 1),
    )  # fmt: skip


def told(
    first: Tensor,
    second: Tensor,
    first_groups: Sequence[str],
    second_groups: Sequence[str],
    *,
    seed: int = 0,
    device: str = "cpu",
) -> Told:
    """A fresh classifier for each fold, asked about the images of groups that it has not seen.

    `first` and `second` are uint8 (N, 3, S, S), as many of each; groups may be in both. Raises
    `InvalidInput` for other shapes and for fewer than two groups. Example: two sets of the same images
    give 50 % exactly, as each is then told right once and wrong once.
    """
    if first.shape != second.shape or first.ndim != 4 or not len(first):
        raise InvalidInput(
            f"two sets of equally many images are compared, got {tuple(first.shape)} and "
            f"{tuple(second.shape)}"
        )
    names = {name: i for i, name in enumerate(sorted({*first_groups, *second_groups}))}
    if len(names) < FOLDS:
        raise InvalidInput(f"all images are of one group, {FOLDS} or more are needed")
    groups = np.array([names[name] for name in (*first_groups, *second_groups)])
    fold = np.random.Generator(np.random.PCG64(seed)).permutation(len(names))[groups] % FOLDS
    images = torch.cat([first, second])
    wanted = torch.arange(len(images)) >= len(first)
    right = np.zeros(len(images), np.bool_)
    for number in range(FOLDS):
        rest, asked = (
            torch.from_numpy(np.flatnonzero(w)) for w in (fold != number, fold == number)
        )
        scores = _scores(images[rest], wanted[rest], images[asked], seed, device)
        right[asked.numpy()] = ((scores > 0) == wanted[asked]).numpy()
    return Told(right, groups)


def _scores(images: Tensor, wanted: Tensor, asked: Tensor, seed: int, device: str) -> Tensor:
    """Train on images and answers, and score others, (M,)."""
    with seeded(seed, "two-sample"):
        judge = network().to(device)
    adam = torch.optim.Adam(judge.parameters(), RATE)
    draw = generator(seed, "two-sample")
    sides = [torch.nonzero(wanted == side).flatten() for side in (False, True)]
    if not all(map(len, sides)):
        raise InvalidInput(
            "a part of the groups has images of one set alone; more groups are needed"
        )
    for _ in range(STEPS):
        # as many of each set, whatever the fold left of them
        rows = torch.cat([s[torch.randint(len(s), (BATCH // 2,), generator=draw)] for s in sides])
        scores = judge(to_signed(images[rows].to(device)))[:, 0]
        loss = functional.binary_cross_entropy_with_logits(scores, wanted[rows].float().to(device))
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
    with torch.inference_mode():
        parts = [judge(to_signed(part.to(device)))[:, 0].cpu() for part in asked.split(64)]
    return torch.cat(parts)
