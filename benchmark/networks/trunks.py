"""Convolutional trunks of torchvision's classifiers, read at chosen depths, with pinned weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.contracts.weights import Weights
from benchmark.networks import weights

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of RGB in [0, 1], as torchvision's classifiers were trained."""


@dataclass(frozen=True)
class Trunk:
    """A torchvision classifier's `features`, and where its maps are named."""

    architecture: str
    weight: Weights
    layers: dict[str, int]


TRUNKS = {
    "vgg16": Trunk(
        "vgg16",
        weights.VGG16,
        {
            "relu1_2": 3,
            "relu2_2": 8,
            "relu3_2": 13,
            "relu3_3": 15,
            "relu4_2": 20,
            "relu4_3": 22,
            "relu5_2": 27,
            "relu5_3": 29,
        },
    ),
    "squeezenet": Trunk(
        "squeezenet1_1",
        weights.SQUEEZENET,
        {
            "relu1": 1,
            "fire2": 3,
            "fire3": 4,
            "fire4": 6,
            "fire5": 7,
            "fire6": 9,
            "fire7": 10,
            "fire8": 11,
            "fire9": 12,
        },
    ),
}


class Maps(nn.Module):
    """The maps of a frozen trunk: images (B, 3, H, W), scaled as it expects, to one per layer.

    Gradients flow to the images and never to the weights, so it serves losses too.
    """

    def __init__(self, features: nn.Sequential, depths: Sequence[int]) -> None:
        super().__init__()
        self.features = features[: max(depths) + 1]
        self.depths = tuple(depths)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> list[Tensor]:
        found = {}
        for depth, layer in enumerate(self.features):
            images = layer(images)
            if depth in self.depths:
                found[depth] = images
        return [found[depth] for depth in self.depths]


def trunk(name: str, layers: Sequence[str] = (), given: str | Path | None = None) -> Maps:
    """A trunk of `TRUNKS` at named layers (all that have names, without any), in order.

    given: the weight file or its folder; errors as `benchmark.networks.weights.find`.
    """
    if name not in TRUNKS:
        raise UnknownName("trunk", name, TRUNKS)
    known = TRUNKS[name]
    for layer in layers:
        if layer not in known.layers:
            raise UnknownName(f"layer of {name}", layer, known.layers)
    state = weights.load(known.weight, given)
    prefix = "features."
    own = {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}
    return _maps(known, layers, own)


def untrained_trunk(name: str, layers: Sequence[str], seed: int) -> Maps:
    """The same architecture with weights drawn from `seed` (normal, spread by fan-in), biases 0.

    For runs without any file of weights; what is measured or learned through it is no substitute.
    """
    if name not in TRUNKS:
        raise UnknownName("trunk", name, TRUNKS)
    draw = torch.Generator().manual_seed(seed)
    own = {}
    for key, like in _features(TRUNKS[name]).state_dict().items():
        spread = (2 / like[0].numel()) ** 0.5 if like.ndim > 1 else 0.0
        own[key] = torch.randn(like.shape, generator=draw) * spread
    return _maps(TRUNKS[name], layers, own)


def _features(known: Trunk) -> nn.Sequential:
    import torchvision

    # On the meta device nothing is drawn: loading a network leaves the random numbers alone.
    with torch.device("meta"):
        features: nn.Sequential = getattr(torchvision.models, known.architecture)(
            weights=None
        ).features
    return features


def _maps(known: Trunk, layers: Sequence[str], own: dict[str, Tensor]) -> Maps:
    features = _features(known)
    features.load_state_dict(own, assign=True)
    for module in features:
        # Their in-place ReLUs would overwrite maps that were already handed out.
        for part in module.modules():
            if isinstance(part, nn.ReLU):
                part.inplace = False
    return Maps(features, [known.layers[layer] for layer in layers or known.layers])


class Vgg16Maps(nn.Module):
    """VGG16's maps for perceptual losses: images (B, 3, H, W) in [-1, 1] to one map per layer.

    layers: some of relu1_2, relu2_2, relu3_3, relu4_3, relu5_3. Scaled as for ImageNet, not
    resized. Needs torchvision's vgg16-397923af.pth; errors as `benchmark.networks.weights.find`.

    `Vgg16Maps(["relu2_2"])(images)[0]` is (B, 128, H / 2, W / 2).
    """

    def __init__(self, layers: Sequence[str] = (), given: str | Path | None = None) -> None:
        super().__init__()
        self.maps = trunk("vgg16", layers, given)
        self.layers = tuple(layers or TRUNKS["vgg16"].layers)
        self.scale = ImageNetScale()

    def forward(self, images: Tensor) -> list[Tensor]:
        found: list[Tensor] = self.maps(self.scale(require_signed(images)))
        return found

    def identity(self) -> dict[str, object]:
        """What a number measured through this network depends on."""
        return {
            "name": "vgg16",
            "layers": list(self.layers),
            "sha256": {weights.VGG16.name: weights.VGG16.sha256},
            "resize": "none",
            "input": "RGB in [-1, 1], to ImageNet mean and std",
        }


class ImageNetScale(nn.Module):
    """RGB in [-1, 1] to what torchvision's ImageNet classifiers were trained on."""

    shift: Tensor
    spread: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean, std = (torch.tensor(x)[:, None, None] for x in (IMAGENET_MEAN, IMAGENET_STD))
        self.register_buffer("shift", 2 * mean - 1, persistent=False)
        self.register_buffer("spread", 2 * std, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.shift) / self.spread


def require_signed(images: Tensor) -> Tensor:
    """Images in flight, floating point (B, 3, H, W); `InvalidInput` for anything else."""
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise InvalidInput(
            f"images: expected floating point (B, 3, H, W) in [-1, 1], got {images.dtype}"
            f" {tuple(images.shape)}",
            cure="turn stored uint8 images into floats with benchmark.contracts.images.to_signed",
        )
    return images
