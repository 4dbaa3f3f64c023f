"""What is learned from: silhouettes under the best of several poses, and the best pose itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench_dpc.rotations import conjugate, multiply, unit


def differences(silhouettes: Tensor, masks: Tensor) -> Tensor:
    """Half the sum of squared differences of each picture: two (B, V, V) become (B,).

    Example: a picture of 4 pixels that are all wrong by one has 2.
    """
    return 0.5 * (silhouettes - masks).square().sum((1, 2))


def best_of(candidates: Tensor, errors: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Of K poses (B, K, 4) with errors (B,) each the one of the least error: (B, 4), and which, (B,).

    Gradients of what is made of it reach that candidate alone.
    """
    least = torch.stack(list(errors), 1).argmin(1)
    rows = torch.arange(len(candidates), device=candidates.device)
    return candidates[rows, least], least


def turn_between(student: Tensor, teacher: Tensor) -> Tensor:
    """sin² of half the angle between rotations (B, 4) of any length: (B,) in [0, 1].

    One less the squared real part of teacher student*; gradients reach the student alone. A quarter turn
    has 0.5.
    """
    between = multiply(unit(teacher.detach()), conjugate(unit(student)))
    return 1 - between[:, 0].square()


def pairs(views: int, how: str) -> list[tuple[int, int]]:
    """Which of an object's views gives the shape, and which the pose that it is seen from.

    "first", as released: the first gives the shape for all, itself too. "each": of every two the
    earlier one gives the shape, the later one the pose.

    >>> pairs(3, "first"), pairs(3, "each")
    ([(0, 0), (0, 1), (0, 2)], [(0, 1), (0, 2), (1, 2)])
    """
    if how == "first":
        return [(0, view) for view in range(views)]
    return [(one, other) for one in range(views) for other in range(one + 1, views)]
