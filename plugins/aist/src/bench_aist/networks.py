"""CycleGAN's networks: residual generators and discriminators of patches.

Layer by layer as the thesis, 4.2 and 4.3, and junyanz/pytorch-CycleGAN-and-pix2pix models/networks.py
have them: instance norm without learned scales, so that convolutions keep their biases.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Way = Literal["there", "back"]
WAYS: tuple[tuple[Way, Way], ...] = (("there", "back"), ("back", "there"))
"""Each way with the other one."""


def _active(channels: int, slope: float) -> list[nn.Module]:
    # a slope of 0 is a ReLU
    return [nn.InstanceNorm2d(channels), nn.LeakyReLU(slope, inplace=True)]


class Residual(nn.Module):
    """x + two 3 × 3 convolutions of x, reflected at the border; no activation after the sum."""

    def __init__(self, channels: int, slope: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            *_active(channels, slope),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.layers(x)
        return found


def generator(width: int, blocks: int, slope: float, last: str = "plain") -> nn.Sequential:
    """Images (B, 3, S, S) in [-1, 1] to such images; S is a multiple of 4 and 8 or more.

    Example: `generator(64, 9, 0.0)` is the stock ResNet-9 of 11,378,179 parameters.
    """
    w = width
    return nn.Sequential(
        nn.ReflectionPad2d(3),
        nn.Conv2d(3, w, 7),
        *_active(w, slope),
        nn.Conv2d(w, 2 * w, 3, 2, 1),
        *_active(2 * w, slope),
        nn.Conv2d(2 * w, 4 * w, 3, 2, 1),
        *_active(4 * w, slope),
        *(Residual(4 * w, slope) for _ in range(blocks)),
        nn.ConvTranspose2d(4 * w, 2 * w, 3, 2, 1, output_padding=1),
        *_active(2 * w, slope),
        nn.ConvTranspose2d(2 * w, w, 3, 2, 1, output_padding=1),
        *_active(w, slope),
        nn.ReflectionPad2d(3),
        nn.Conv2d(w, 3, 7),
        *(_active(3, slope) if last == "normed" else []),
        nn.Tanh(),
    )


class Skip(nn.Module):
    """A generator whose output begins as its input: tanh(layers(x) + atanh(0.98 x)).

    `layers` are those of `generator`, whose own tanh is left out. What layers give is at first nearly
    nothing; a fit of few steps then need not learn to draw what it was shown.
    """

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers[:-1]

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = (self.layers(images) + (0.98 * images).atanh()).tanh()
        return found


def discriminator(width: int, layers: int, last: str = "plain") -> nn.Sequential:
    """Images (B, 3, S, S) to scores of patches (B, 1, s, s), without a sigmoid.

    `layers` convolutions halve the size, one more and the last do not; channels double, up to eight
    times `width`. Example: `discriminator(64, 3)` sees patches of 70 × 70, 30 × 30 of them in 256 × 256.
    """
    found: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    inward = width
    for layer in range(1, layers + 1):
        outward = width * min(2**layer, 8)
        found += [nn.Conv2d(inward, outward, 4, 2 if layer < layers else 1, 1)]
        found += _active(outward, 0.2)
        inward = outward
    found += [nn.Conv2d(inward, 1, 4, 1, 1)]
    return nn.Sequential(*found, *(_active(1, 0.2) if last == "normed" else []))


class Both(nn.Module):
    """A network for each way: `there` from the fitted images to the domain, and `back`."""

    def __init__(self, there: nn.Module, back: nn.Module) -> None:
        super().__init__()
        self.there, self.back = there, back

    def forward(self, images: Tensor, way: Way) -> Tensor:
        found: Tensor = (self.there if way == "there" else self.back)(images)
        return found


def initialise(network: nn.Module, spread: float) -> None:
    """Weights normal with that spread (of torch's global random numbers), biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, spread)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
