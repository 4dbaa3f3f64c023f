"""MoCo: a crop is told from those of many other images by what a slow copy made of its own image.

Source: He et al. 2020, §3 and algorithm 1, as ContrastLandmark trains it (cvl-umass/ContrastLandmark
5b2c6b3, train_moco.py): MoCo v1, a linear head, one loss in one direction.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_lead.networks import Encoder
from benchmark.training.ema import follow, frozen_copy


class Moco(nn.Module):
    """Query and key networks and a queue of the last keys; called with two crops it gives the loss.

    `queue` (K, projection) holds keys of length 1, at first random ones; each call puts the keys of
    its batch in the place of the oldest.
    """

    queue: Tensor
    place: Tensor

    def __init__(self, encoder: Encoder, projection: int, queue: int, temperature: float) -> None:
        super().__init__()
        self.query = nn.Sequential(encoder, nn.Linear(encoder.channels[-1], projection))
        self.key = frozen_copy(self.query)
        self.temperature = temperature
        self.register_buffer("queue", functional.normalize(torch.randn(queue, projection), dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    @property
    def learned(self) -> list[nn.Module]:
        """What the optimiser moves."""
        return [self.query]

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        queries = functional.normalize(self.query(first).float(), dim=1)
        with torch.no_grad():
            keys = functional.normalize(self.key(second).float(), dim=1)
        # a copy: the way back needs the keys that the loss has seen
        loss = info_nce(queries, keys, self.queue.clone(), self.temperature)
        self.enqueue(keys)
        return loss

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Put keys (B, projection), no more than the queue holds, in the place of the oldest."""
        places = (self.place + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue[places] = keys
        self.place.add_(len(keys)).remainder_(len(self.queue))

    def follow(self, step: int, steps: int, start: float) -> None:
        """Move the key network a little, by the momentum `start` at every step."""
        follow(self.key, self.query, start)


def info_nce(queries: Tensor, keys: Tensor, others: Tensor, temperature: float) -> Tensor:
    """Mean of -log of the share that a query's own key has; in nats.

    Args:
        queries, keys: (B, C) of length 1; row i of one belongs to row i of the other.
        others: (K, C) of length 1, keys of other images.

    Returns: a scalar, log(1 + K) where all products are equal.
    """
    own = (queries * keys).sum(1, keepdim=True)
    logits = torch.cat([own, queries @ others.T], 1) / temperature
    return functional.cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.int64))
