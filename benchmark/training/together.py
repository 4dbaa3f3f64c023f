"""What the processes of one fit do together: gather, compare networks, statistics of a whole batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from zlib import crc32

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from benchmark.contracts.errors import TrainingFailed

Anything = TypeVar("Anything")


def gathered(value: Anything) -> list[Anything]:
    """What every process brings, in the order of their ranks."""
    values: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values


def mean(value: Tensor) -> Tensor:
    """The mean of a tensor over the processes of the fit; itself in a fit of one."""
    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return value
    total = value.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def require_equal(states: Mapping[str, Mapping[str, Any]], stage: str) -> None:
    """Raise `TrainingFailed`, in all processes, unless all hold the same states to the bit.

    `states` are state dicts by name. Only those of process 0 are ever saved, so a difference of any
    kind (of an optimiser, of a running mean) would be a fit that no one can go on with.
    """
    everyone = gathered({name: checksum(state) for name, state in states.items()})
    different = [name for name in states if len({each.get(name) for each in everyone}) > 1]
    if different:
        raise TrainingFailed(
            f"the processes no longer hold the same network: {', '.join(different)} of {stage} differ",
            cure="train networks through `prepare` or a `Player`, and let what else changes follow "
            "from the mean over processes; or fit on one device",
        )


def checksum(state: Any) -> int:
    """CRC-32 of all tensors and numbers of a state dict, in its order; read on the CPU."""
    total = 0
    for value in _leaves(state):
        if isinstance(value, Tensor):
            flat = value.detach().cpu().contiguous().reshape(-1)
            total = crc32(flat.view(torch.uint8).numpy().data, total) if len(flat) else total
        else:
            total = crc32(repr(value).encode(), total)
    return total


def _leaves(state: Any) -> Iterator[Any]:
    if isinstance(state, Mapping):
        for key, value in state.items():
            yield key
            yield from _leaves(value)
    elif isinstance(state, list | tuple):
        for value in state:
            yield from _leaves(value)
    else:
        yield state


class _Sum(torch.autograd.Function):
    """The sum over processes; its gradient is the sum of the gradients of all of them."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return _Sum.apply(*gradients)


class BatchNormOverProcesses(_BatchNorm):
    """Batch norm over the shares of all processes, which are equally large, on CPUs.

    torch's own (`SyncBatchNorm`) knows GPUs only. Source: Ioffe and Szegedy 2015, algorithm 1; the
    running variance is the unbiased one, as everywhere in torch.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        """Normalised by the statistics of the whole batch in training, by those kept otherwise."""
        if not self.training:
            return super().forward(input)
        x = input.float()
        axes = [axis for axis in range(x.dim()) if axis != 1]
        count = x.numel() // x.shape[1] * distributed.get_world_size()
        mean = _Sum.apply(x.mean(axes, keepdim=True)) / distributed.get_world_size()
        centred = x - mean
        variance = _Sum.apply(centred.square().sum(axes, keepdim=True)) / count
        if self.running_mean is not None and self.running_var is not None:
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
            seen = int(self.num_batches_tracked)
            weight = 1 / seen if self.momentum is None else self.momentum
            with torch.no_grad():
                self.running_mean.lerp_(mean.flatten(), weight)
                self.running_var.lerp_(variance.flatten() * (count / (count - 1)), weight)
        out = centred * (variance + self.eps).rsqrt()
        if self.affine:
            shape = mean.shape
            out = out * self.weight.view(shape) + self.bias.view(shape)
        return out.to(input.dtype)


def share_statistics(network: nn.Module, device: torch.device) -> nn.Module:
    """`network` with batch norm over all processes; weights, running values and their names stay."""
    if device.type != "cpu":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.__class__ = BatchNormOverProcesses
    return network
