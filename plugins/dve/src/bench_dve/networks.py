"""The two networks of DVE: (B, 3, S, S) → descriptors (B, C, S/2, S/2).

Layer by layer as released (jamt9000/DVE 2085144, model/smallnet.py and model/hourglass.py).
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

#: Channels, kernel, padding and dilation of SmallNet's layers; the side is halved after the first.
SMALLNET = ((20, 5, 2, 1), (48, 5, 2, 1), (64, 5, 4, 2), (80, 3, 4, 4), (256, 3, 2, 2))


class SmallNet(nn.Sequential):
    """Five convolutions, each with batch norm and a leaky ReLU of 0.2, and a 1×1 one to `dimension`.

    Each output sees about 70 pixels of the image. Weights are Xavier's normal ones, biases 0.
    """

    def __init__(self, width: float, dimension: int) -> None:
        layers: list[nn.Module] = []
        inward = 3
        for i, (channels, kernel, padding, dilation) in enumerate(SMALLNET):
            outward = max(1, round(channels * width))
            layers += [
                nn.Conv2d(inward, outward, kernel, padding=padding, dilation=dilation),
                nn.BatchNorm2d(outward),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            if i == 0:
                layers.append(nn.MaxPool2d(2))
            inward = outward
        super().__init__(*layers, nn.Conv2d(inward, dimension, 1))
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.xavier_normal_(part.weight)
                assert part.bias is not None
                nn.init.zeros_(part.bias)


class Bottleneck(nn.Module):
    """Batch norm and ReLU before each of three convolutions (1×1, 3×3, 1×1), and a shortcut."""

    def __init__(self, inward: int, middle: int) -> None:
        super().__init__()
        outward = 2 * middle
        sizes = ((inward, middle, 1), (middle, middle, 3), (middle, outward, 1))
        layers: list[nn.Module] = []
        for start, end, kernel in sizes:
            layers += [
                nn.BatchNorm2d(start),
                nn.ReLU(inplace=True),
                nn.Conv2d(start, end, kernel, padding=kernel // 2),
            ]
        self.layers = nn.Sequential(*layers)
        self.shortcut = nn.Identity() if inward == outward else nn.Conv2d(inward, outward, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x) + self.shortcut(x)
        return y


def _blocks(count: int = 4, middle: int = 128) -> nn.Sequential:
    return nn.Sequential(*(Bottleneck(2 * middle, middle) for _ in range(count)))


class Level(nn.Module):
    """A level of the hourglass: blocks at this side, and at half of it what lies `inside`."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.beside, self.down, self.up = _blocks(), _blocks(), _blocks()
        self.inside: nn.Module = Level(depth - 1) if depth > 1 else _blocks()

    def forward(self, x: Tensor) -> Tensor:
        low = self.up(self.inside(self.down(functional.max_pool2d(x, 2))))
        y: Tensor = self.beside(x) + functional.interpolate(low, scale_factor=2, mode="nearest")
        return y


class Hourglass(nn.Module):
    """One stack of four levels, four blocks everywhere, 12.6 million weights at 64 dimensions."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(inplace=True),
            Bottleneck(64, 64), Bottleneck(128, 128), Bottleneck(256, 128),
        )  # fmt: skip
        self.levels = Level(4)
        self.head = nn.Sequential(
            _blocks(),
            nn.Conv2d(256, 256, 1), nn.BatchNorm2d(256), nn.ReLU(inplace=True),
            nn.Conv2d(256, dimension, 1),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.head(self.levels(self.stem(images)))
        return maps


def biases(network: nn.Module) -> list[nn.Parameter]:
    """Of all convolutions: they learn at a rate of their own."""
    layers = [part for part in network.modules() if isinstance(part, nn.Conv2d)]
    return [b for layer in layers if isinstance(b := layer.bias, nn.Parameter)]


def descriptor_network(name: str, width: float, dimension: int) -> nn.Module:
    """The network of that name: "smallnet" or "hourglass"."""
    return Hourglass(dimension) if name == "hourglass" else SmallNet(width, dimension)
