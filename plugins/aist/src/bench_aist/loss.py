"""What generators and discriminators learn from, apart from the game itself.

Sources: the thesis, 4.0.1 to 4.1.3; Zhu et al. 2017, §3; Mao et al. 2017 for least squares.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from benchmark.training.adversarial import least_squares

Distance = Literal["squared_mean", "mean_square"]


def apart(wanted: Tensor, found: Tensor, distance: Distance) -> Tensor:
    """() the mean over images of |wanted - found|₁², of maps (B, ...), by one of two readings.

    "squared_mean" is (mean |·|)² of each image, the L1 norm over the number of values, squared;
    "mean_square" the mean of |·|². With a sum, λ would depend on the number of pixels squared.

    >>> import torch
    >>> one = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    >>> apart(one, 0 * one, "squared_mean").item(), apart(one, 0 * one, "mean_square").item()
    (0.0625, 0.25)
    """
    difference = (wanted - found).flatten(1)
    if distance == "mean_square":
        return difference.square().mean()
    return difference.abs().mean(1).square().mean()


def absolute(wanted: Tensor, found: Tensor) -> Tensor:
    """() the mean absolute difference, which cycle and identity losses are made of."""
    return (wanted - found).abs().mean()


def judge_loss(real: Tensor, fake: Tensor, share: float) -> Tensor:
    """() least squares of scores, real ones towards 1 and others towards 0, times `share`.

    >>> import torch
    >>> judge_loss(torch.tensor([0.5]), torch.tensor([1.0]), 0.5).item()
    0.625
    """
    return share * (least_squares(real, 1.0) + least_squares(fake, 0.0))
