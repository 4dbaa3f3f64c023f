"""A copy of a network that follows it slowly."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def frozen_copy(network: Network) -> Network:
    """A copy without gradients."""
    return copy.deepcopy(network).requires_grad_(False)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, momentum: float) -> None:
    """average ← momentum·average + (1 - momentum)·network, for all parameters at once.

    Buffers (running statistics) stay the copy's own: it sees data itself.
    """
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1.0 - momentum)
