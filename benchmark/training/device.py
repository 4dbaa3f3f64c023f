"""Device, precision and several processes, through Lightning Fabric."""

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
    and on CPUs alike. Under `torchrun` (WORLD_SIZE > 1) each process takes its own GPU and gradients
    are averaged. Raises `BenchError` for a GPU that is not there.
    """
    kind, _, number = device.partition(":")
    if kind == "cuda" and not torch.cuda.is_available():
        raise BenchError(f"device {device!r} was asked for, no CUDA GPU is there", cure="use cpu")
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", processes))
    devices: Any = here
    if processes == 1 and kind == "cuda":
        devices = [int(number or 0)]
    fabric = Fabric(
        accelerator=kind,
        devices=devices,
        num_nodes=processes // here,
        strategy="ddp" if processes > 1 else "auto",
        precision="bf16-mixed" if precision == "bfloat16" else "32-true",
    )
    fabric.launch()
    return fabric


def prepare(fabric: Fabric, network: nn.Module, *optimisers: torch.optim.Optimizer) -> Any:
    """The network and its optimisers on the device, channels last.

    Several GPUs share the statistics of batch norm; torch has that for GPUs only.
    """
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return fabric.setup(network.to(memory_format=torch.channels_last), *optimisers)
