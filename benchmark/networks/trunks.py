"""Convolutional trunks of ImageNet classifiers, read at chosen depths, with pinned weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.contracts.weights import Weights
from benchmark.networks import efficientnet, weights

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of RGB in [0, 1], as torchvision's classifiers were trained."""


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


def _torchvision(architecture: str) -> nn.Sequential:
    import torchvision

    features: nn.Sequential = getattr(torchvision.models, architecture)(weights=None).features
    return features


def _under_features(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = "features."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


RESNET = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4")
"""The children of torchvision's residual networks, in order, without the pooling and the classifier."""


def _resnet18() -> nn.Sequential:
    import torchvision

    whole = torchvision.models.resnet18(weights=None)
    return nn.Sequential(*(getattr(whole, name) for name in RESNET))


def _numbered(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    parts = {key: key.partition(".") for key in state}
    return {
        f"{RESNET.index(child)}.{rest}": state[key]
        for key, (child, _, rest) in parts.items()
        if child in RESNET
    }


@dataclass(frozen=True)
class Trunk:
    """The convolutions of a classifier, and where its maps are named.

    `features` builds them, `own` finds their tensors among those of the file, and `scale` makes what
    they were trained on of RGB in [-1, 1]. `offset` says where the cells of its maps lie
    (`benchmark.networks.cells`), in pictures whose sides are multiples of `deepest`, the stride of its
    last layer.
    """

    features: Callable[[], nn.Sequential]
    weight: Weights
    layers: dict[str, int]
    own: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] = _under_features
    scale: Callable[[], nn.Module] = ImageNetScale
    offset: float = 0.5
    deepest: int = 32


TRUNKS = {
    "vgg16": Trunk(
        partial(_torchvision, "vgg16"),
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
    "resnet18": Trunk(
        _resnet18,
        weights.RESNET18,
        {name: RESNET.index(name) for name in ("layer1", "layer2", "layer3", "layer4")},
        _numbered,
        offset=0.0,  # strided convolutions and the pooling pad before the first pixel
    ),
    "squeezenet": Trunk(
        partial(_torchvision, "squeezenet1_1"),
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
        offset=1.0,  # the strided convolution and the poolings pad nothing
        deepest=16,
    ),
    "efficientnet-lite0": Trunk(
        efficientnet.features,
        weights.EFFICIENTNET_LITE0,
        efficientnet.LAYERS,
        efficientnet.renamed,
        nn.Identity,  # (x - 0.5) / 0.5 of RGB in [0, 1]
        offset=1.0,  # strided convolutions of even sides pad after the last pixel
    ),
}


class Maps(nn.Module):
    """The maps of a frozen trunk: images (B, 3, H, W), scaled as it expects, to one per layer.

    Gradients flow to the images and never to the weights, so it serves losses too. Of images in [-1, 1]:
    `maps(maps.scale(images))`.
    """

    def __init__(self, features: nn.Sequential, depths: Sequence[int], scale: nn.Module) -> None:
        super().__init__()
        self.scale = scale
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
    return _maps(known, layers, known.own(weights.load(known.weight, given)))


def untrained_trunk(name: str, layers: Sequence[str], seed: int) -> Maps:
    """The same architecture with weights drawn from `seed` (normal, spread by fan-in), biases 0 and
    batch norms that change nothing.

    For runs without any file of weights; what is measured or learned through it is no substitute.
    """
    if name not in TRUNKS:
        raise UnknownName("trunk", name, TRUNKS)
    draw = torch.Generator().manual_seed(seed)
    own, features = {}, _features(TRUNKS[name])
    norms = {n for n, module in features.named_modules() if isinstance(module, nn.BatchNorm2d)}
    for key, like in features.state_dict().items():
        if key.rpartition(".")[0] in norms:
            one = key.endswith((".weight", ".running_var"))
            own[key] = torch.full(like.shape, float(one), dtype=like.dtype)
            continue
        spread = (2 / like[0].numel()) ** 0.5 if like.ndim > 1 else 0.0
        own[key] = torch.randn(like.shape, generator=draw) * spread
    return _maps(TRUNKS[name], layers, own)


def _features(known: Trunk) -> nn.Sequential:
    # On the meta device nothing is drawn: loading a network leaves the random numbers alone.
    with torch.device("meta"):
        return known.features()


def _maps(known: Trunk, layers: Sequence[str], own: dict[str, Tensor]) -> Maps:
    features = _features(known)
    features.load_state_dict(own, assign=True)
    for module in features:
        # Their in-place ReLUs would overwrite maps that were already handed out.
        for part in module.modules():
            if isinstance(part, nn.ReLU):
                part.inplace = False
    return Maps(features, [known.layers[layer] for layer in layers or known.layers], known.scale())


def require_signed(images: Tensor) -> Tensor:
    """Images in flight, floating point (B, 3, H, W); `InvalidInput` for anything else."""
    if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
        raise InvalidInput(
            f"images: expected floating point (B, 3, H, W) in [-1, 1], got {images.dtype}"
            f" {tuple(images.shape)}",
            cure="turn stored uint8 images into floats with benchmark.contracts.images.to_signed",
        )
    return images
