"""What the processes of one fit do together: means of what is logged, statistics of a whole batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


def mean_over_processes(values: Mapping[str, float]) -> dict[str, float]:
    """The mean of each value over the processes, which must name the same ones in the same order."""
    total = torch.tensor(list(values.values()), dtype=torch.float64)
    distributed.all_reduce(total)
    means = (total / distributed.get_world_size()).tolist()
    return dict(zip(values, means, strict=True))


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
    for part in network.modules():
        if isinstance(part, _BatchNorm):
            part.__class__ = BatchNormOverProcesses
    return network
