"""From an image to logits of the background and K parts, and what each part stands for.

Source: Hung et al. 2019, §3.1 and §3.4; NVlabs/SCOPS 05da7e4, model.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet50
from torchvision.ops import FrozenBatchNorm2d

from bench_scops.settings import ScopsSettings
from benchmark.contracts.errors import Incompatible
from benchmark.networks.trunks import ImageNetScale

DILATIONS = (6, 12, 18, 24)


class DeepLab(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] → logits (B, channels, S / 8 + 1, S / 8 + 1).

    A ResNet-50 of stride 8, its batch norms fixed; of its 2,048 maps only the second half is read, by
    four 3 × 3 convolutions of different dilations, added up.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = ImageNetScale()
        whole = resnet50(
            weights=None,
            norm_layer=FrozenBatchNorm2d,
            replace_stride_with_dilation=[False, True, True],
        )
        del whole.fc, whole.avgpool
        whole.maxpool.ceil_mode = (
            True  # one more cell, so that the corners' are the picture's corners
        )
        self.backbone = whole
        self.head = nn.ModuleList(_dilated(channels, dilation) for dilation in DILATIONS)

    def forward(self, images: Tensor) -> Tensor:
        b = self.backbone
        maps = b.maxpool(b.relu(b.bn1(b.conv1(self.scale(images)))))
        maps = b.layer4(b.layer3(b.layer2(b.layer1(maps))))[:, 1024:]
        return torch.stack([layer(maps) for layer in self.head]).sum(0)

    def start_from(self, path: Path) -> None:
        """Give the ResNet-50 the weights of torchvision's; `Incompatible` for another file."""
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError) as error:
            raise Incompatible(f"{path.name} is no file of weights: {error}") from None
        wanted = self.backbone.state_dict()
        wrong = [k for k, v in wanted.items() if k not in found or found[k].shape != v.shape]
        if wrong:
            raise Incompatible(
                f"{path.name} is no ResNet-50 of torchvision: missing or of another shape {wrong[:3]}",
                cure="give the file of torchvision's resnet50",
            )
        self.backbone.load_state_dict({key: found[key] for key in wanted})


def _dilated(channels: int, dilation: int) -> nn.Conv2d:
    layer = nn.Conv2d(1024, channels, 3, padding=dilation, dilation=dilation)
    nn.init.normal_(layer.weight, std=0.01)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _layer(inward: int, outward: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inward, outward, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outward),
        nn.ReLU(inplace=True),
    )


class Small(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] → logits (B, channels, S / 2, S / 2), S a multiple of 8.

    Sides S / 2, S / 4 and S / 8 with one, two and three times `width` channels, and back.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        w = width
        self.second = nn.Sequential(_layer(3, w, 2), _layer(w, w))
        self.fourth = nn.Sequential(_layer(w, 2 * w, 2), _layer(2 * w, 2 * w))
        self.eighth = nn.Sequential(_layer(2 * w, 3 * w, 2), _layer(3 * w, 3 * w))
        self.to_fourth = _layer(3 * w, 2 * w)
        self.to_second = _layer(2 * w, w)
        self.head = nn.Conv2d(w, channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        second = self.second(images)
        fourth = self.fourth(second)
        fourth = fourth + _doubled(self.to_fourth(self.eighth(fourth)))
        second = second + _doubled(self.to_second(fourth))
        logits: Tensor = self.head(second)
        return logits


def _doubled(maps: Tensor) -> Tensor:
    return functional.interpolate(maps, scale_factor=2.0, mode="bilinear")


class Segmenter(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] → logits float32 (B, K + 1, S, S), the background's first."""

    def __init__(self, settings: ScopsSettings) -> None:
        super().__init__()
        channels = settings.parts + 1
        self.net: DeepLab | Small
        if settings.segmenter == "deeplab":
            self.net = DeepLab(channels)
        else:
            self.net = Small(channels, settings.width)

    def forward(self, images: Tensor) -> Tensor:
        return enlarged(self.net(images).float(), images.shape[-1])


def enlarged(maps: Tensor, side: int) -> Tensor:
    """Maps at side × side, bilinear, the centres of corner pixels fixed (as released)."""
    if maps.shape[-1] == side:
        return maps
    return functional.interpolate(maps, (side, side), mode="bilinear", align_corners=True)


class Basis(nn.Module):
    """What each part looks like to the frozen network: (K, C), none below 0."""

    def __init__(self, first: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(first.clone())

    def forward(self) -> Tensor:
        return self.weight.relu()
