"""The networks of LEAD: an encoder of four stages, its hypercolumn, and a feature pyramid on top."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet50


class Block(nn.Module):
    """Two 3×3 convolutions and a shortcut, as in ResNet-18."""

    def __init__(self, inward: int, outward: int, stride: int) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(inward, outward, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outward)
        self.convolution2 = nn.Conv2d(outward, outward, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outward)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inward != outward:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inward, outward, 1, stride, bias=False), nn.BatchNorm2d(outward)
            )
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm1(self.convolution1(x)), inplace=True)
        return functional.relu(self.norm2(self.convolution2(y)) + self.shortcut(x), inplace=True)


class Encoder(nn.Module):
    """A stem that reduces four times and four stages: (B, 3, S, S) → maps at 1/4, 1/8, 1/16, 1/32."""

    def __init__(
        self, stem: nn.Module, stages: Sequence[nn.Module], channels: Sequence[int]
    ) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.ModuleList(stages)
        self.channels = tuple(channels)

    def maps(self, images: Tensor) -> list[Tensor]:
        """The outputs of the four stages, finest first."""
        x = self.stem(images)
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """The mean over positions of the last stage, (B, channels[-1])."""
        return self.maps(images)[-1].mean((2, 3))


def _stem(channels: int) -> nn.Sequential:
    first = nn.Conv2d(3, channels, 7, 2, 3, bias=False)
    nn.init.kaiming_normal_(first.weight, mode="fan_out", nonlinearity="relu")
    norm = nn.BatchNorm2d(channels)
    return nn.Sequential(first, norm, nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1))


def narrow(channels: Sequence[int] = (24, 48, 96, 192)) -> Encoder:
    """A residual network with one block per stage; 0.7 million weights."""
    stages = [
        Block(inward, outward, 1 if place == 0 else 2)
        for place, (inward, outward) in enumerate(
            zip((channels[0], *channels), channels, strict=False)
        )
    ]
    return Encoder(_stem(channels[0]), stages, channels)


def resnet50_encoder() -> Encoder:
    """ResNet-50 from random numbers, without its classifier; 23.5 million weights."""
    net = resnet50(weights=None)
    stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)
    stages = [net.layer1, net.layer2, net.layer3, net.layer4]
    return Encoder(stem, stages, (256, 512, 1024, 2048))


def encoder(network: str) -> Encoder:
    """The encoder of that name: "resnet50" or "narrow"."""
    return resnet50_encoder() if network == "resnet50" else narrow()


def hypercolumn(maps: Sequence[Tensor], size: int) -> Tensor:
    """(B, sum of channels, size, size) float32: all stages resized bilinearly, coarsest first.

    Not normalised. Source: ContrastLandmark (cvl-umass, 5b2c6b3, models/resnet.py), whose map the
    thesis takes over: 2048 + 1024 + 512 + 256 = 3840 channels for ResNet-50.
    """
    resized = [
        functional.interpolate(m.float(), (size, size), mode="bilinear", align_corners=False)
        for m in reversed(maps)
    ]
    return torch.cat(resized, 1)


class _Raise(nn.Sequential):
    """3×3 convolution, batch norm, ReLU and doubling, until 1/4 of the image is reached."""

    def __init__(self, inward: int, outward: int, doublings: int) -> None:
        layers: list[nn.Module] = []
        for place in range(max(1, doublings)):
            layers += [
                nn.Conv2d(inward if place == 0 else outward, outward, 3, 1, 1, bias=False),
                nn.BatchNorm2d(outward),
                nn.ReLU(inplace=True),
            ]
            if doublings:
                layers.append(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
        super().__init__(*layers)


class Pyramid(nn.Module):
    """Feature pyramid: four maps → (B, dimension, S/4, S/4).

    Lateral 1×1 convolutions and a way down from coarse to fine; then each scale is raised to 1/4 by
    upsampling blocks, and the four are summed and projected (the semantic branch of the panoptic
    feature pyramid, Kirillov et al. 2019).
    """

    def __init__(self, channels: Sequence[int], width: int, dimension: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(c, width, 1) for c in channels])
        self.raises = nn.ModuleList([_Raise(width, width, i) for i in range(len(channels))])
        self.out = nn.Conv2d(width, dimension, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        levels = [lateral(m) for lateral, m in zip(self.lateral, maps, strict=True)]
        for i in range(len(levels) - 2, -1, -1):
            size = levels[i].shape[-2:]
            levels[i] = levels[i] + functional.interpolate(levels[i + 1], size, mode="nearest")
        return self.out(sum(r(level) for r, level in zip(self.raises, levels, strict=True)))


class Student(nn.Module):
    """Encoder and pyramid: what stage 2 trains and keeps."""

    def __init__(self, encoder: Encoder, width: int, dimension: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.pyramid = Pyramid(encoder.channels, width, dimension)

    def forward(self, images: Tensor) -> Tensor:
        return self.pyramid(self.encoder.maps(images))


class Projector(nn.Module):
    """Encoder and a 1×1 convolution of its hypercolumn: ContrastLandmark's compact descriptors.

    With a `scale`, each channel is the softmax over positions of `scale` times it.
    """

    def __init__(self, encoder: Encoder, dimension: int, scale: float | None) -> None:
        super().__init__()
        self.encoder = encoder
        self.convolution = nn.Conv2d(sum(encoder.channels), dimension, 1)
        self.scale = scale

    def forward(self, images: Tensor, size: int) -> Tensor:
        """(B, 3, S, S) → (B, dimension, size, size)."""
        maps: Tensor = self.convolution(hypercolumn(self.encoder.maps(images), size))
        if self.scale is None:
            return maps
        return (self.scale * maps.float()).flatten(2).softmax(-1).view_as(maps)


def mlp(inward: int, hidden: int, outward: int) -> nn.Sequential:
    """Linear, batch norm, ReLU, linear (BYOL's projector and predictor)."""
    return nn.Sequential(
        nn.Linear(inward, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True),
        nn.Linear(hidden, outward),
    )  # fmt: skip


def pixel_mlp(inward: int, hidden: int, outward: int) -> nn.Sequential:
    """The same at every position: the projection head of stage 2."""
    return nn.Sequential(
        nn.Conv2d(inward, hidden, 1), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True),
        nn.Conv2d(hidden, outward, 1),
    )  # fmt: skip
