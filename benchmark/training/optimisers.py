"""Optimisers by name, and their learning rates."""

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


def make_optimiser(
    name: Name,
    networks: Iterable[nn.Module],
    learning_rate: float,
    weight_decay: float = 0.0,
    **more: Any,
) -> torch.optim.Optimizer:
    """SGD with momentum 0.9, or Adam or AdamW with torch's betas; decay on weights only.

    Adam's decay is part of the gradient (L2), AdamW's is apart from it. `more` are torch's own
    arguments: `betas`, `eps`, `amsgrad` of Adam and AdamW, `momentum`, `nesterov` of SGD. One that the
    optimiser does not know is a `TypeError`.

    Example: `make_optimiser("adam", [generator], 0.0025, betas=(0.0, 0.99), eps=1e-8)`.
    """
    if "betas" in more:
        more["betas"] = tuple(float(beta) for beta in more["betas"])  # torch refuses integers
    groups = split_decay(networks, weight_decay)
    if name == "sgd":
        return torch.optim.SGD(groups, learning_rate, **{"momentum": 0.9, **more})
    kind = torch.optim.Adam if name == "adam" else torch.optim.AdamW
    return kind(groups, learning_rate, **more)


def lazy_adam(
    every: int, rate: float, betas: tuple[float, float] = (0.0, 0.99)
) -> dict[str, float | tuple[float, float]]:
    """Adam's arguments for a network that is regularised on every `every`-th step only.

    With c = every / (every + 1): lr = rate·c and β^c, so that the steps of loss and regulariser
    together move it as steps of their sum would. Source: Karras et al. 2020 (StyleGAN2), appendix B.

    Example: `lazy_adam(16, 0.0025)` is lr 0.0025·16/17 ≈ 0.00235, betas (0.0, 0.99^(16/17) ≈ 0.99059).
    """
    share = every / (every + 1)
    return {"lr": rate * share, "betas": (float(betas[0]) ** share, float(betas[1]) ** share)}


def set_learning_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    """For all groups; those built with a rate of their own keep its ratio to the optimiser's.

    Example: `Adam([{"params": a}, {"params": b, "lr": 0.001}], lr=0.1)` set to 0.05 has 0.05, 0.0005.
    """
    groups, usual = optimiser.param_groups, optimiser.defaults["lr"]
    if len({group["lr"] for group in groups}) > 1:
        for group in groups:
            group.setdefault(
                "ratio", group["lr"] / usual
            )  # in the checkpoint: it outlives a rate of 0
    for group in groups:
        group["lr"] = learning_rate * group.get("ratio", 1.0)
