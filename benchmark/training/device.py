"""Device, precision and processes, through Lightning Fabric."""

from __future__ import annotations

import logging
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from torch import distributed, nn

from benchmark.contracts.errors import BenchError
from benchmark.training.together import share_statistics

Precision = Literal["float32", "bfloat16"]

# Fabric announces its precision at every start; the record says it already
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)


class _Joined(LightningEnvironment):
    """The process group that the runner has made: Fabric is to start no processes of its own."""

    creates_processes_externally = True

    def local_rank(self) -> int:
        return distributed.get_rank()


def make_fabric(device: str, precision: Precision = "float32") -> Fabric:
    """A launched Fabric for "cpu", "cuda" or "cuda:1".

    Where several processes fit together (`FitContext.devices`), it is of all of them: number 1 has
    "cuda:1" (or the CPU too), gradients are means over all. "bfloat16" keeps weights in float32 and
    computes convolutions and products in bfloat16, on GPUs and on CPUs alike. Raises `BenchError` for
    a GPU that is not there.
    """
    kind, _, number = device.partition(":")
    if kind == "cuda" and not torch.cuda.is_available():
        raise BenchError(f"device {device!r} was asked for, no CUDA GPU is there", cure="use cpu")
    count = distributed.get_world_size() if distributed.is_initialized() else 1
    which = list(range(count)) if count > 1 else [int(number or 0)]
    fabric = Fabric(
        accelerator=kind,
        devices=which if kind == "cuda" else count,
        precision="bf16-mixed" if precision == "bfloat16" else "32-true",
        strategy="ddp" if count > 1 else "auto",
        plugins=[_Joined()] if count > 1 else None,
    )
    fabric.launch()
    return fabric


def prepare(fabric: Fabric, network: nn.Module, *optimisers: torch.optim.Optimizer) -> Any:
    """The network and its optimisers on the device, channels last.

    Of several processes each has the same weights, and batch norm (of the copies inside `network` too)
    takes its statistics over the shares of all: N processes train as one with the whole batch would.
    """
    if fabric.world_size > 1:
        network = share_statistics(network, fabric.device)
    return fabric.setup(network.to(memory_format=torch.channels_last), *optimisers)
