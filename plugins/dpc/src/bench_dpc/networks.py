"""The encoder of pictures, and what is read from its codes: a cloud, how dense it is, and poses.

Layer by layer as facts about eldar/differentiable-point-clouds @ d9b6725 (dpc/nets) have it: padding and
initial weights are TensorFlow's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from benchmark.networks.same import Same

SLOPE = 0.2
HIDDEN = 32
SPREAD = 0.025
"""Of the weights from the shape code to points and scale: points begin in a ball near the middle."""
CUT = 0.87962566
"""The spread of a normal distribution of spread one that is cut at ±2."""

SMALLEST = 1e-6
"""A length that is added to that of a point, whose direction would else be unknown in the middle."""

Extent = Literal["cube", "ball"]


class Found(NamedTuple):
    """What the networks say of B pictures, of M of which they were asked the shape."""

    points: Tensor
    """(M, N, 3) in [-0.5, 0.5], in the frame that the networks have made up."""
    scale: Tensor
    """(M,) in (0, 1): how full a voxel may get."""
    candidates: Tensor
    """(B, K, 4) quaternions of any length: from that frame to camera axes (forward, up, right)."""
    student: Tensor
    """(B, 4), the one that predicts."""


class Networks(nn.Module):
    """Encoder, point decoder, scale, pose candidates and student, for pictures of `size` pixels.

    A 5 × 5 convolution of stride 2, then pairs of 3 × 3 convolutions, the first of which has stride 2
    and twice the channels, until maps are 4 × 4; two linear layers shared by all, one each for shape and
    pose.
    """

    def __init__(
        self,
        size: int,
        width: int,
        code: int,
        points: int,
        candidates: int,
        extent: Extent = "cube",
    ) -> None:
        super().__init__()
        self.extent = extent
        layers: list[nn.Module] = [Same(3, width, 5, 2), nn.LeakyReLU(SLOPE)]
        side, channels = size // 2, width
        while side > 4:
            layers += [Same(channels, 2 * channels, 3, 2), nn.LeakyReLU(SLOPE)]
            layers += [Same(2 * channels, 2 * channels, 3, 1), nn.LeakyReLU(SLOPE)]
            side, channels = side // 2, 2 * channels
        layers += [nn.Flatten(), nn.Linear(channels * side**2, code), nn.LeakyReLU(SLOPE)]
        layers += [nn.Linear(code, code), nn.LeakyReLU(SLOPE)]
        self.encoder = nn.Sequential(*layers)
        self.shape_code = nn.Sequential(nn.Linear(code, code), nn.LeakyReLU(SLOPE))
        self.pose_code = nn.Sequential(nn.Linear(code, code), nn.ReLU())
        self.points = nn.Linear(code, 3 * points)
        self.scale = nn.Linear(code, 1)
        self.candidates = nn.ModuleList([_pose(code) for _ in range(candidates)])
        self.student = _pose(code)
        for name, layer in self.named_modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                fan_in = layer.weight[0].numel()
                spread = SPREAD if name in ("points", "scale") else (2 / fan_in) ** 0.5 / CUT
                nn.init.trunc_normal_(layer.weight, 0.0, spread, -2 * spread, 2 * spread)
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor, shaped: Tensor | slice = slice(None)) -> Found:
        """images (B, 3, size, size) in [-1, 1]; `shaped`: of which rows the shape is asked."""
        seen = self.encoder(images)
        shape, pose = self.shape_code(seen[shaped]), self.pose_code(seen)
        points = EXTENTS[self.extent](self.points(shape).view(len(shape), -1, 3))
        scale = self.scale(shape).squeeze(1).sigmoid()
        found = [branch(pose) for branch in self.candidates]
        candidates = torch.stack(found, 1) if found else pose.new_zeros(len(pose), 0, 4)
        return Found(points, scale, candidates, self.student(pose))


def in_cube(free: Tensor) -> Tensor:
    """Anything (…, 3) to the cube of side 1 around the middle, as released."""
    return free.tanh() / 2


def in_ball(free: Tensor) -> Tensor:
    """Anything (…, 3) to the ball of diameter 1 around the middle, along its own direction.

    Example: (3, 4, 0) has length 5 and goes to tanh(5) / 2 · (0.6, 0.8, 0) = (0.29997, 0.39996, 0).
    """
    length = (free.square().sum(-1, keepdim=True) + SMALLEST**2).sqrt()
    return free * (length.tanh() / (2 * length))


EXTENTS: Mapping[Extent, Callable[[Tensor], Tensor]] = {"cube": in_cube, "ball": in_ball}


def _pose(code: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(code, HIDDEN),
        nn.LeakyReLU(SLOPE),
        nn.Linear(HIDDEN, HIDDEN),
        nn.LeakyReLU(SLOPE),
        nn.Linear(HIDDEN, 4),
    )
