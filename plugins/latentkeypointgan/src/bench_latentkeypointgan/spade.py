"""Blocks whose maps are modulated place by place.

Source: Park et al. 2019 (SPADE), §3 and §3.2.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from benchmark.training.layers import convolution, leaky


class Spade(nn.Module):
    """Maps (B, C, s, s), normalised, then scaled and shifted at each place as a style (B, D, s, s) says.

    `hidden` channels lie between style and scale, none if 0. In evaluation mode batch norm takes its
    running values, so that no image depends on another.
    """

    def __init__(
        self, channels: int, style: int, hidden: int, kernel: int, normalisation: str
    ) -> None:
        super().__init__()
        norm = nn.BatchNorm2d if normalisation == "batch" else nn.InstanceNorm2d
        self.normalise = norm(channels, affine=False)
        self.shared = convolution(style, hidden, kernel) if hidden else None
        self.modulate = convolution(hidden or style, 2 * channels, kernel)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        if self.shared is not None:
            style = functional.relu(self.shared(style))
        scale, shift = self.modulate(style).chunk(2, 1)
        modulated: Tensor = self.normalise(x) * (1 + scale) + shift
        return modulated


class SpadeBlock(nn.Module):
    """Maps (B, in, s, s) → (B, out, s, s): one or two modulated convolutions beside a shortcut.

    The shortcut is a 1 × 1 convolution where channels change, and the maps themselves elsewhere.
    """

    def __init__(
        self,
        inward: int,
        outward: int,
        style: int,
        *,
        hidden: int,
        kernel: int,
        convolutions: int,
        normalisation: str,
    ) -> None:
        super().__init__()
        middle = min(inward, outward) if convolutions == 2 else outward
        widths = [(inward, middle), (middle, outward)][:convolutions]
        self.spades = nn.ModuleList(
            Spade(first, style, hidden, kernel, normalisation) for first, _ in widths
        )
        self.convolutions = nn.ModuleList(convolution(*both, 3) for both in widths)
        self.shortcut = convolution(inward, outward, 1) if inward != outward else nn.Identity()

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        found = x
        for spade, layer in zip(self.spades, self.convolutions, strict=True):
            found = layer(leaky(spade(found, style)))
        shortcut: Tensor = self.shortcut(x)
        return shortcut + found
