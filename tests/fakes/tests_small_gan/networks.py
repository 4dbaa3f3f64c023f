"""Mapping, modulated convolutions and a residual critic. Source: Karras et al. 2020 (StyleGAN2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 12


class Dense(nn.Module):
    """Weights of unit variance, scaled when they are used; `rate` slows them down."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.gain, self.rate = rate / inputs**0.5, rate

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.gain, self.bias * self.rate)


class Convolution(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.gain, self.padding = 1 / (inputs * kernel**2) ** 0.5, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.gain
        return functional.conv2d(x, weight, self.bias, padding=self.padding)


class Modulated(Convolution):
    """The style scales what comes in; demodulation brings what goes out back to unit variance."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__(inputs, outputs, kernel)
        self.style, self.demodulates = Dense(WIDTH, inputs, bias=1.0), kernel > 1

    def styled(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.style(w)
        weight = self.weight if self.demodulates else self.weight * self.gain
        x = functional.conv2d(x * style[:, :, None, None], weight, padding=self.padding)
        if self.demodulates:
            square = (weight * style[:, None, :, None, None]).square().sum((2, 3, 4))
            x = x * (square + 1e-8).rsqrt()[:, :, None, None]
        return x + self.bias[:, None, None]


class Generator(nn.Module):
    """z (B, WIDTH) → w (B, layers, WIDTH) → images (B, 3, size, size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = size.bit_length() - 2
        self.dense = nn.ModuleList(Dense(WIDTH, WIDTH, rate=0.01) for _ in range(2))
        self.constant = nn.Parameter(torch.randn(WIDTH, 4, 4))
        self.blocks = nn.ModuleList(Modulated(WIDTH, WIDTH) for _ in range(self.layers))
        self.colours = nn.ModuleList(Modulated(WIDTH, 3, 1) for _ in range(self.layers))
        self.register_buffer("w_mean", torch.zeros(WIDTH))

    def mapping(self, z: Tensor) -> Tensor:
        w = z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()
        for layer in self.dense:
            w = functional.leaky_relu(layer(w), 0.2) * 2**0.5
        if self.training and torch.is_grad_enabled():
            self.w_mean.lerp_(w.detach().mean(0), 0.005)
        return w[:, None].repeat(1, self.layers, 1)

    def synthesis(self, w: Tensor) -> Tensor:
        x, image = self.constant.expand(len(w), -1, -1, -1), 0.0
        for i, (block, colour) in enumerate(zip(self.blocks, self.colours, strict=True)):
            if i:
                x, image = (functional.interpolate(m, scale_factor=2.0, mode="bilinear")
                            for m in (x, image))  # fmt: skip
            x = functional.leaky_relu(block.styled(x, w[:, i]), 0.2) * 2**0.5
            image = image + colour.styled(x, w[:, i])
        return image

    def forward(self, z: Tensor) -> Tensor:
        return self.synthesis(self.mapping(z))


class Critic(nn.Module):
    """Images (B, 3, size, size) → (B, outputs); `deviates` shows it how much the batch differs."""

    def __init__(self, size: int, outputs: int = 1, deviates: bool = True) -> None:
        super().__init__()
        self.first, self.deviates = Convolution(3, WIDTH, 1), deviates
        self.blocks = nn.ModuleList(Convolution(WIDTH, WIDTH) for _ in range(size.bit_length() - 3))
        self.last = Dense(16 * (WIDTH + deviates), outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.leaky_relu(self.first(x), 0.2) * 2**0.5
        for block in self.blocks:
            x = (
                functional.avg_pool2d(x + functional.leaky_relu(block(x), 0.2) * 2**0.5, 2)
                * 0.5**0.5
            )
        if self.deviates:
            spread = (x.var(0, unbiased=False) + 1e-8).sqrt().mean().expand(len(x), 1, 4, 4)
            x = torch.cat([x, spread], 1)
        return self.last(x.flatten(1))
