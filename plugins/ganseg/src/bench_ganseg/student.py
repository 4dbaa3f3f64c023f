"""The student: from an image to the probability of each part at each pixel."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.segmentation import deeplabv3_resnet50

from bench_ganseg.settings import GanSegSettings
from benchmark.contracts.errors import Incompatible
from benchmark.training.layers import convolution, doubled


class DeepLab(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] → logits (B, K + 1, S, S): torchvision's DeepLabV3, ResNet-50."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=channels)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.net(images)["out"]
        return logits

    def start_from(self, path: Path) -> None:
        """Give the backbone the weights of torchvision's ResNet-50; `Incompatible` for others."""
        try:
            found = (
                load_file(path)
                if path.suffix == ".safetensors"
                else torch.load(path, map_location="cpu", weights_only=True)
            )
        except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError) as error:
            raise Incompatible(f"{path.name} is no file of weights: {error}") from None
        backbone = self.net.backbone
        wanted = backbone.state_dict()
        # files of before PyTorch 0.4 do not count batches
        given = {k: v for k, v in wanted.items() if k.endswith("num_batches_tracked")} | {
            k: v for k, v in found.items() if not k.startswith("fc.")
        }
        wrong = [k for k in wanted if k not in given or given[k].shape != wanted[k].shape]
        if wrong or set(given) - set(wanted):
            raise Incompatible(
                f"{path.name} is no ResNet-50 of torchvision: missing or of another shape {wrong[:3]}, "
                f"unknown {sorted(set(given) - set(wanted))[:3]}",
                cure="give the file of torchvision's resnet50",
            )
        backbone.load_state_dict(given)


class Small(nn.Module):
    """Images (B, 3, S, S) in [-1, 1] → logits (B, K + 1, S, S), S a multiple of 4.

    Halved twice and doubled again, each time beside the maps of before; normalised within images, so
    that real images need no statistics of generated ones.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        w = width
        self.one = _layer(3, w)
        self.second = _layer(w, 2 * w, 2)
        self.quarter = nn.Sequential(_layer(2 * w, 4 * w, 2), _layer(4 * w, 4 * w))
        self.to_half = _layer(6 * w, 2 * w)
        self.to_one = _layer(3 * w, w)
        self.last = convolution(w, channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        one = self.one(images)
        half = self.second(one)
        quarter = self.quarter(half)
        half = self.to_half(torch.cat([half, doubled(quarter)], 1))
        logits: Tensor = self.last(self.to_one(torch.cat([one, doubled(half)], 1)))
        return logits


def _layer(inward: int, outward: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        convolution(inward, outward, stride=stride), nn.GroupNorm(8, outward), nn.LeakyReLU(0.2)
    )


def make_student(settings: GanSegSettings) -> DeepLab | Small:
    """The untrained student of these settings."""
    channels = settings.parts + 1
    if settings.student == "deeplab":
        return DeepLab(channels)
    return Small(channels, settings.student_width)


def student_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Half cross-entropy, half Dice, of logits (B, C, H, W) against labels (B, H, W), int64.

    Dice is 1 − (2·Σpt + 1e-8) / (Σp + Σt + 1e-8) over the pixels of an image, mean over images and all
    C channels, the background's and those that are nowhere included (as released).

    Example: certain and right everywhere is 0.
    """
    probability = logits.softmax(1)
    truth = functional.one_hot(labels, logits.shape[1]).permute(0, 3, 1, 2).to(probability)
    both = (probability * truth).sum((2, 3))
    total = probability.sum((2, 3)) + truth.sum((2, 3))
    dice = 1 - (2 * both + 1e-8) / (total + 1e-8)
    return 0.5 * functional.cross_entropy(logits, labels) + 0.5 * dice.mean()
