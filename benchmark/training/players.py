"""Networks that learn against each other, each with its own optimiser; their averages and numbers.

A `Player` has no hooks in its network: gradients are averaged over processes when a step is made. So
any part of the network may be called, twice in one loss or for a gradient of a gradient, and an
opponent may look on, in one process as in several.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, distributed, nn

from benchmark.training.ema import frozen_copy
from benchmark.training.together import mean


class Player(nn.Module):
    """A network on the device of `fabric`, and the optimiser of its parameters.

    Its state is that of both: one entry of the `state` of `train`. Of several processes each begins
    with the weights of process 0.

    Example, a step of each of two players:

        with judges.still():
            generator = makes.step(generator_loss(judges(makes(z))))
        loss = judges.step(discriminator_loss(judges(real), judges(fake)))
    """

    def __init__(
        self, fabric: Fabric, network: nn.Module, optimiser: torch.optim.Optimizer
    ) -> None:
        super().__init__()
        self.fabric, self.optimiser = fabric, optimiser
        self.network = network.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if fabric.world_size > 1:
            for tensor in self.network.state_dict().values():
                held = tensor.contiguous()
                distributed.broadcast(held, 0)
                tensor.copy_(held)

    def forward(self, *arguments: Any, **more: Any) -> Any:
        """The network's own call, in the precision of `fabric`."""
        with self.fabric.autocast():
            return self.network(*arguments, **more)

    def step(self, loss: Tensor, clip: float | None = None, limit: float | None = None) -> Tensor:
        """One step of the optimiser down the mean of `loss` over processes.

        `clip` is the largest norm of all gradients together. With `limit` each number of a gradient lies
        within ±`limit`, and one that is none is 0, as half precision may need. Buffers that each process
        has moved by its own share (an average of w, running values) become means over processes too.
        Returns the loss of this process, detached.
        """
        self.optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if self.fabric.world_size > 1:
            self._share()
        if limit is not None:
            for parameter in self.network.parameters():
                if parameter.grad is not None:
                    torch.nan_to_num_(parameter.grad, 0.0, limit, -limit).clamp_(-limit, limit)
        if clip is not None:
            nn.utils.clip_grad_norm_(self.network.parameters(), clip)
        self.optimiser.step()
        return loss.detach()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Gradients pass through the network meanwhile, and none stay on its parameters."""
        learning = [p for p in self.network.parameters() if p.requires_grad]
        for parameter in learning:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in learning:
                parameter.requires_grad_(True)

    def get_extra_state(self) -> dict[str, Any]:
        """torch's own way of putting more than tensors into a state: the optimiser's."""
        return self.optimiser.state_dict()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Where the optimiser goes on."""
        self.optimiser.load_state_dict(state)

    @torch.no_grad()
    def _share(self) -> None:
        """Mean gradients of all processes; a parameter that none of them used keeps none."""
        learning = [p for p in self.network.parameters() if p.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
        used = torch.tensor([p.grad is not None for p in learning]).to(gradients[0])
        *found, used = _shared([*gradients, used])
        for parameter, gradient, use in zip(learning, found, used.tolist(), strict=True):
            parameter.grad = gradient.view_as(parameter) if use else None
        buffers = [b for b in self.network.buffers() if b.is_floating_point()]
        if buffers:
            # in float64, in which the mean of equal numbers is that number, for any count
            for buffer, value in zip(buffers, _shared([b.double() for b in buffers]), strict=True):
                buffer.copy_(value.view_as(buffer))


def _shared(tensors: list[Tensor]) -> list[Tensor]:
    """Means over processes of tensors of one type, in one message; they come back flat."""
    flat = mean(torch.cat([tensor.reshape(-1) for tensor in tensors]))
    return list(flat.split([tensor.numel() for tensor in tensors]))


class Average(nn.Module):
    """A slow copy of a network, by half-life in images; its buffers are those of the network.

    `half_life` is after how many images a change is half forgotten; with `ramp`, no more than that
    share of the images seen, without which a short training would end with its first weights. The copy
    is in evaluation mode and has no gradients. Source: Karras et al. 2020 (StyleGAN2-ADA), appendix.

    Example: with `half_life=1000`, after a batch of 1000 images it is halfway to the network; with
    `ramp=0.05` and 2,000 images seen the half-life is 100.
    """

    def __init__(self, network: nn.Module, half_life: float, ramp: float | None = None) -> None:
        super().__init__()
        self.network = frozen_copy(network).eval()
        self.half_life, self.ramp = half_life, ramp

    def forward(self, *arguments: Any, **more: Any) -> Any:
        """The copy's own call."""
        return self.network(*arguments, **more)

    def train(self, mode: bool = True) -> Average:
        """It stays in evaluation mode."""
        return self

    @torch.no_grad()
    def follow(self, network: nn.Module, seen: float, batch: int) -> None:
        """A step towards `network`, which has seen `seen` images before this `batch`."""
        images = self.half_life if self.ramp is None else min(self.half_life, self.ramp * seen)
        kept = 0.5 ** (batch / max(images, 1e-8))
        torch._foreach_lerp_(
            list(self.network.parameters()), list(network.parameters()), 1.0 - kept
        )
        for mine, theirs in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(theirs)


class Numbers(nn.Module):
    """Named numbers that a training moves, for the `state` of `train`: float64 tensors without axes.

    Example: `state = Numbers(p=0.0, path=0.0)`; `state.p = 0.3`; `state.follow(0.01, path=lengths)`.
    """

    def __init__(self, **numbers: float) -> None:
        super().__init__()
        for name, number in numbers.items():
            self.register_buffer(name, torch.tensor(number, dtype=torch.float64))

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("_buffers", ()):
            self._buffers[name].copy_(torch.as_tensor(value).detach())  # type: ignore[union-attr]
        else:
            super().__setattr__(name, value)

    @torch.no_grad()
    def follow(self, rate: float, **values: Tensor | float) -> None:
        """Move numbers by `rate` of the way to the mean of each value, over processes too."""
        for name, value in values.items():
            number = self._buffers[name]
            assert number is not None
            number.lerp_(mean(torch.as_tensor(value).detach().double().mean()).to(number), rate)
