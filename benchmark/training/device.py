"""Device and precision, through Lightning Fabric."""

from __future__ import annotations

import logging
import os
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import nn

from benchmark.contracts.errors import BenchError

Precision = Literal["float32", "bfloat16"]

# Fabric announces its precision at every start; the record says it already
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)


def make_fabric(device: str, precision: Precision = "float32") -> Fabric:
    """A launched Fabric for "cpu", "cuda" or "cuda:1".

    "bfloat16" keeps weights in float32 and computes convolutions and products in bfloat16, on GPUs
    and on CPUs alike. Raises `BenchError` for a GPU that is not there, and under `torchrun` with
    several processes: locks, checkpoints and draws are those of one process so far.
    """
    kind, _, number = device.partition(":")
    if kind == "cuda" and not torch.cuda.is_available():
        raise BenchError(f"device {device!r} was asked for, no CUDA GPU is there", cure="use cpu")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise BenchError(
            "a fit runs in one process so far, but WORLD_SIZE says there are several",
            cure="start bench without torchrun; other seeds can use the other GPUs (--device cuda:1)",
        )
    fabric = Fabric(
        accelerator=kind,
        devices=[int(number or 0)] if kind == "cuda" else 1,
        precision="bf16-mixed" if precision == "bfloat16" else "32-true",
    )
    fabric.launch()
    return fabric


def prepare(fabric: Fabric, network: nn.Module, *optimisers: torch.optim.Optimizer) -> Any:
    """The network and its optimisers on the device, channels last."""
    return fabric.setup(network.to(memory_format=torch.channels_last), *optimisers)
