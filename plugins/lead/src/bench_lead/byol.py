"""BYOL: the online network predicts what its slow copy makes of the other crop of the image.

Source: thesis of T. Karmali, §3.2.2, after BYOL (Grill et al. 2020), whose loss it is: eq. 3.1 of the
thesis is printed without bringing vectors to length 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_lead.networks import Encoder, mlp
from benchmark.training.ema import follow, frozen_copy
from benchmark.training.schedules import momentum


class Byol(nn.Module):
    """Online and target networks; called with two crops it gives the symmetric loss."""

    def __init__(self, encoder: Encoder, hidden: int, projection: int) -> None:
        super().__init__()
        projector = mlp(encoder.channels[-1], hidden, projection)
        self.online = nn.Sequential(encoder, projector)
        self.predictor = mlp(projection, hidden, projection)
        self.target = frozen_copy(self.online)

    @property
    def learned(self) -> list[nn.Module]:
        """What the optimiser moves."""
        return [self.online, self.predictor]

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        both = torch.cat([first, second])
        predicted = self.predictor(self.online(both)).float()
        with torch.no_grad():
            wanted = self.target(both).float()
        return byol_loss(predicted, torch.cat(wanted.chunk(2)[::-1]))

    def follow(self, step: int, steps: int, start: float) -> None:
        """Move the target a little, by a momentum that rises from `start` to 1."""
        follow(self.target, self.online, momentum(step, steps, start))


def byol_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean of |p/|p| - z/|z||² = 2 - 2·cos(p, z) over rows; 0 to 4 (BYOL's eq. 2)."""
    return (2 - 2 * functional.cosine_similarity(predicted, wanted, dim=-1)).mean()
