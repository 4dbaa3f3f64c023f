"""StyleGAN2's generator: z → w by a mapping of linear layers, w → image by modulated convolutions."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench_stylegan2.layers import CLAMP, Dense, active, blurred, enlarged, is_half

FOLLOWS = 0.995
"""How much of the mean of w is kept at each batch."""


def sides(size: int) -> list[int]:
    """4, 8, … up to `size`.

    >>> sides(32)
    [4, 8, 16, 32]
    """
    return [2**i for i in range(2, int(math.log2(size)) + 1)]


def channels(side: int, base: int, most: int) -> int:
    """Of the maps of `side` pixels: `base` / side, at most `most`.

    >>> channels(64, 16384, 512)
    256
    """
    return min(base // side, most)


def unit(z: Tensor) -> Tensor:
    """z (B, C) over the root of its mean square."""
    return z * (z.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class Mapping(nn.Module):
    """z (B, z_dim) → w (B, w_dim); keeps a running mean of w, `w_avg`."""

    w_avg: Tensor

    def __init__(self, z_dim: int, w_dim: int, layers: int) -> None:
        super().__init__()
        widths = [z_dim] + [w_dim] * layers
        self.layers = layers
        for i in range(layers):
            setattr(self, f"fc{i}", Dense(widths[i], widths[i + 1], active=True, rate=0.01))
        self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(self, z: Tensor) -> Tensor:
        w = unit(z.float())
        for i in range(self.layers):
            w = getattr(self, f"fc{i}")(w)
        return w

    @torch.no_grad()
    def follow(self, mean: Tensor) -> None:
        """Move `w_avg` towards the mean w (w_dim,) of a batch."""
        self.w_avg.copy_(mean.lerp(self.w_avg, FOLLOWS))


class Modulated(nn.Module):
    """A convolution whose input channels are scaled by w, then (demodulated) brought back to size.

    Written as scaling before and after one shared convolution: the same sums as a convolution of each
    image with weights of its own, in another order.
    """

    def __init__(
        self,
        inward: int,
        outward: int,
        w_dim: int,
        kernel: int,
        demodulated: bool,
        up: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outward, inward, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outward))
        self.affine = Dense(w_dim, inward, start=1.0)
        self.demodulated, self.up = demodulated, up
        self.scale = 1.0 if demodulated else 1 / math.sqrt(inward * kernel**2)

    def convolved(self, x: Tensor, w: Tensor) -> Tensor:
        """x (B, in, H, W), w (B, w_dim) → (B, out, H, W) or twice that side, without bias."""
        styles: Tensor = self.affine(w) * self.scale
        weight: Tensor = self.weight
        if is_half(x) and self.demodulated:
            # half precision: neither may overflow, and what is taken out here demodulation cancels
            weight = weight * (
                weight[0].numel() ** -0.5 / weight.abs().amax((1, 2, 3), keepdim=True)
            )
            styles = styles / styles.abs().amax(1, keepdim=True)
        size = None
        if self.demodulated:
            size = (styles.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt()
        x, weight = x * styles.to(x.dtype)[:, :, None, None], weight.to(x.dtype)
        if self.up:
            x = functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            x = blurred(x, 1, gain=4)
        else:
            x = functional.conv2d(x, weight, padding=weight.shape[-1] // 2)
        return x if size is None else x * size.to(x.dtype)[:, :, None, None]


class Layer(Modulated):
    """A modulated 3 × 3 convolution with noise, bias and rectifier."""

    noise_const: Tensor

    def __init__(
        self, inward: int, outward: int, w_dim: int, side: int, up: bool, noisy: bool
    ) -> None:
        super().__init__(inward, outward, w_dim, 3, demodulated=True, up=up)
        self.noisy = noisy
        if noisy:
            self.noise_strength = nn.Parameter(torch.zeros(()))
            self.register_buffer("noise_const", torch.randn(side, side))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """noise (B or 1, 1, H, W), standard normal."""
        x = self.convolved(x, w)
        if self.noisy:
            x = x + (noise * self.noise_strength).to(x.dtype)
        return active(x + self.bias.to(x.dtype)[:, None, None])


class ToRgb(Modulated):
    """What a block adds to the image."""

    def __init__(self, inward: int, w_dim: int) -> None:
        super().__init__(inward, 3, w_dim, 1, demodulated=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x = self.convolved(x, w) + self.bias.to(x.dtype)[:, None, None]
        return x.clamp(-CLAMP, CLAMP) if is_half(x) else x


class Block(nn.Module):
    """Two layers (one at 4 pixels, after a learned constant) and what they add to the image."""

    def __init__(self, inward: int, outward: int, w_dim: int, side: int, noisy: bool) -> None:
        super().__init__()
        self.side = side
        if inward:
            self.conv0 = Layer(inward, outward, w_dim, side, up=True, noisy=noisy)
        else:
            self.const = nn.Parameter(torch.randn(outward, side, side))
        self.conv1 = Layer(outward, outward, w_dim, side, up=False, noisy=noisy)
        self.torgb = ToRgb(outward, w_dim)
        self.layers = 2 if inward else 1

    def forward(
        self, x: Tensor | None, w: Tensor, noise: Sequence[Tensor], dtype: torch.dtype
    ) -> tuple[Tensor, Tensor]:
        """w (B, layers + 1, w_dim), of which the last is the image's. Returns maps and the addition."""
        if x is None:
            x = self.const.to(dtype).expand(len(w), -1, -1, -1)
        else:
            x = self.conv0(x.to(dtype), w[:, 0], noise[0])
        x = self.conv1(x, w[:, self.layers - 1], noise[self.layers - 1])
        return x, self.torgb(x, w[:, self.layers]).float()


class Synthesis(nn.Module):
    """w (B, layers, w_dim) → images (B, 3, size, size), each block adding to the enlarged last image.

    A block's addition takes the w of the next block's first layer, so there are 2·log2(size) - 2.
    """

    def __init__(self, size: int, w_dim: int, base: int, most: int, half: int, noisy: bool) -> None:
        super().__init__()
        self.noisy = noisy
        self.sides, self.finest = sides(size), half
        self.layers = 2 * int(math.log2(size)) - 2
        inward = 0
        for side in self.sides:
            outward = channels(side, base, most)
            setattr(self, f"b{side}", Block(inward, outward, w_dim, side, noisy))
            inward = outward

    def block(self, side: int) -> Block:
        """The block whose maps have that side."""
        found: Block = getattr(self, f"b{side}")
        return found

    def forward(
        self,
        w: Tensor,
        noise: Sequence[Tensor],
        keep: Collection[int] = (),
        low: torch.dtype = torch.float32,
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """Images, and the maps (B, C, side, side) after the block of each side in `keep`.

        `noise` has one entry for each layer with noise, (B or 1, 1, side, side); the `half` largest
        blocks compute in `low`.
        """
        x, image, kept, first, fine = None, None, {}, 0, self.sides[len(self.sides) - self.finest :]
        for side in self.sides:
            block = self.block(side)
            dtype = low if side in fine else torch.float32
            mine = w[:, first : first + block.layers + 1]
            x, more = block(x, mine, noise[first : first + block.layers], dtype)
            first += block.layers
            image = more if image is None else enlarged(image) + more
            if side in keep:
                kept[side] = x.float()
        assert image is not None
        return image, kept

    def drawn(self, count: int, draw: torch.Generator | None, like: Tensor) -> list[Tensor]:
        """Noise of each layer for `count` images, on the device of `like`: from `draw`, which may be on
        another device, or from the global numbers."""
        device = like.device if draw is None else draw.device
        sides = [side for side in self.sides for _ in range(self.block(side).layers)]
        if not self.noisy:
            return [like.new_zeros(1, 1, 1, 1)] * len(sides)
        shapes = [(count, 1, side, side) for side in sides]
        return [torch.randn(s, generator=draw, device=device).to(like.device) for s in shapes]

    def constant(self) -> list[Tensor]:
        """The noise that belongs to the network."""
        if not self.noisy:
            return self.drawn(1, None, self.block(4).const)
        layers = [layer for layer in self.modules() if isinstance(layer, Layer)]
        return [layer.noise_const[None, None] for layer in layers]


class StyleGan2(nn.Module):
    """The generator: `mapping` and `synthesis`."""

    def __init__(
        self,
        size: int,
        z_dim: int,
        w_dim: int,
        mapping: int,
        base: int,
        most: int,
        half: int = 0,
        noisy: bool = True,
    ) -> None:
        super().__init__()
        self.size, self.z_dim, self.w_dim = size, z_dim, w_dim
        self.synthesis = Synthesis(size, w_dim, base, most, half, noisy)
        self.mapping = Mapping(z_dim, w_dim, mapping)

    @property
    def layers(self) -> int:
        """How many w an image takes."""
        return self.synthesis.layers

    def every(self, w: Tensor) -> Tensor:
        """One w (B, w_dim) for all layers, (B, layers, w_dim)."""
        return w[:, None].expand(-1, self.layers, -1)
