"""The discriminator: residual blocks that halve the side until 4 pixels, then one score."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from benchmark.training.layers import convolution, dense, leaky, with_spread

END = 4


class HalvingBlock(nn.Module):
    """Maps (B, in, s, s) → (B, out, s / 2, s / 2): two convolutions beside a shortcut, over √2."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.first = convolution(inward, inward, 3)
        self.second = convolution(inward, outward, 3, stride=2)
        self.shortcut = convolution(inward, outward, 1)

    def forward(self, x: Tensor) -> Tensor:
        found = leaky(self.second(leaky(self.first(x))))
        shortcut: Tensor = self.shortcut(functional.avg_pool2d(x, 2))
        return (shortcut + found) * 0.5**0.5


class Discriminator(nn.Module):
    """Images (B, 3, size, size) in [-1, 1] → scores (B, 1)."""

    def __init__(self, settings: LatentKeypointGanSettings) -> None:
        super().__init__()
        s, side = settings, settings.size
        self.spread = s.spread
        self.colours = convolution(3, s.discriminator_channels(side), 3)
        blocks = []
        while side > END:
            blocks.append(
                HalvingBlock(s.discriminator_channels(side), s.discriminator_channels(side // 2))
            )
            side //= 2
        self.blocks = nn.Sequential(*blocks)
        width = s.discriminator_channels(END)
        self.end = convolution(width + s.spread, width, 3)
        self.hidden = dense(width * END**2, width)
        self.score = dense(width, 1)

    def forward(self, images: Tensor) -> Tensor:
        x = self.blocks(leaky(self.colours(images)))
        if self.spread:
            x = with_spread(x, len(x))
        x = leaky(self.end(x)).flatten(1)
        scores: Tensor = self.score(leaky(self.hidden(x)))
        return scores
