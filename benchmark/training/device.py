"""Device, precision and several processes, through Lightning Fabric."""

from __future__ import annotations

import os
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import nn

from benchmark.contracts.errors import BenchError

Precision = Literal["float32", "bfloat16"]


def make_fabric(device: str, precision: Precision = "float32") -> Fabric:
    """A launched Fabric for "cpu", "cuda" or "cuda:1".

    "bfloat16" keeps weights in float32 and computes convolutions and products in bfloat16, on GPUs
    and on CPUs alike. Under `torchrun` (WORLD_SIZE > 1) each process takes its own GPU and gradients
    are averaged. Raises `BenchError` for a GPU that is not there.
    """
    kind, _, number = device.partition(":")
    if kind == "cuda" and not torch.cuda.is_available():
        raise BenchError(f"device {device!r} was asked for, no CUDA GPU is there", cure="use cpu")
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    devices: Any = [int(number)] if number else 1
    fabric = Fabric(
        accelerator="gpu" if kind == "cuda" else kind,
        devices=int(os.environ.get("LOCAL_WORLD_SIZE", processes)) if processes > 1 else devices,
        num_nodes=processes // int(os.environ.get("LOCAL_WORLD_SIZE", processes)),
        strategy="ddp" if processes > 1 else "auto",
        precision="bf16-mixed" if precision == "bfloat16" else "32-true",
    )
    fabric.launch()
    return fabric


def prepare(fabric: Fabric, network: nn.Module, *optimisers: torch.optim.Optimizer) -> Any:
    """The network and its optimisers on the device: channels last, batch statistics shared."""
    if fabric.world_size > 1:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return fabric.setup(network.to(memory_format=torch.channels_last), *optimisers)
