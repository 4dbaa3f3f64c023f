"""Optimisers by name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import nn

Name = Literal["sgd", "adam", "adamw"]


def split_decay(networks: Iterable[nn.Module], weight_decay: float) -> list[dict[str, Any]]:
    """Two groups: weights with `weight_decay`; biases and normalisation parameters without."""
    parameters = [p for n in networks for p in n.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def optimiser(
    name: Name, networks: Iterable[nn.Module], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer:
    """SGD with momentum 0.9, or Adam or AdamW with torch's betas; decay on weights only.

    Adam's decay is part of the gradient (L2), AdamW's is apart from it.
    """
    groups = split_decay(networks, weight_decay)
    if name == "sgd":
        return torch.optim.SGD(groups, learning_rate, momentum=0.9)
    if name == "adam":
        return torch.optim.Adam(groups, learning_rate)
    return torch.optim.AdamW(groups, learning_rate)


def set_learning_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    """For all groups."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
