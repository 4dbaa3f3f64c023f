"""Networks that turn stored images into feature vectors, for distances between sets of images.

| name | features | weights |
| --- | --- | --- |
| `inception/clean`, `/legacy_pytorch`, `/legacy_tensorflow` | 2048 | inception-2015-12-05.pt |
| `vgg16` | 4096 | vgg16.pt |
| `fd-squeezenet` | 512 | squeezenet1_1_features.pth |
| `fd-random-conv` | 192 | drawn from a seed, the same everywhere |

Only the first is what papers call FID, and through the second they take precision and recall. The
others measure the same kinds of distance through another eye; their values compare only with
themselves.
"""

from __future__ import annotations

import hashlib
import warnings
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.contracts.weights import Weights
from benchmark.networks import resize, trunks, weights


class FeatureNetwork(ABC):
    """uint8 images (B, H, W, 3) to float32 features (B, dimensions), on `device`, without gradient.

    Images of any size are brought to `size` on the CPU by the rule `resizing`.
    """

    name: str
    dimensions: int
    size: int
    resizing: str
    scaling: str
    """How grey levels 0..255 are scaled before the network, in words."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)

    @torch.no_grad()
    def features(self, images: Any) -> Tensor:
        """Raises `InvalidInput` for other dtypes and shapes."""
        levels = torch.from_numpy(self.resized(images)).to(self.device).permute(0, 3, 1, 2)
        found = self.read(levels).float()
        if found.shape != (len(levels), self.dimensions):
            raise InvalidInput(
                f"{self.name} gave {tuple(found.shape)} for {len(levels)} images, expected "
                f"({len(levels)}, {self.dimensions})"
            )
        return found

    def resized(self, images: Any) -> np.ndarray:
        """The images as `read` takes them, (B, H, W, 3)."""
        return resize.resizer(self.resizing)(images, self.size)

    @abstractmethod
    def read(self, levels: Tensor) -> Tensor:
        """Grey levels (B, 3, size, size) in [0, 255], float32, to (B, dimensions)."""

    @abstractmethod
    def sha256(self) -> dict[str, str]:
        """Each file of weights and its digest."""

    def identity(self) -> dict[str, object]:
        """What a number measured through this network depends on."""
        return {
            "name": self.name,
            "dimensions": self.dimensions,
            "sha256": self.sha256(),
            "resize": f"{self.resizing} to {self.size}",
            "input": self.scaling,
        }


class Inception(FeatureNetwork):
    """The 2015-12-05 Inception of FID: 2048 pooled features of images at 299 x 299.

    mode: how images are resized: `clean` (what to report), or `legacy_pytorch` and
    `legacy_tensorflow`, which older tables were made with. given: the TorchScript archive
    inception-2015-12-05.pt or its folder; errors as `benchmark.networks.weights.find`. All modes
    read the same archive; pytorch-fid has the weights in another file. It was not to be had where
    this was written: the pinned sha256 is the published one, and values were not compared.

    Source: GaParmar/clean-fid 0.1.35; Heusel et al. 2017.
    """

    dimensions = 2048
    size = 299

    def __init__(
        self,
        mode: str = "clean",
        given: str | Path | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(device)
        resize.resizer(mode)  # refuses unknown modes before half a minute of loading
        self.name = f"inception/{mode}"
        self.resizing = mode
        self.scaling = "v / 127.5 - 1" if mode == "legacy_pytorch" else "(v - 128) / 128"
        # The archive's own forward resizes; its layers take what is resized and scaled.
        self.layers = _archive(weights.INCEPTION, given, self.device).layers

    def read(self, levels: Tensor) -> Tensor:
        if self.resizing == "legacy_pytorch":
            scaled = levels / 127.5 - 1
        else:
            scaled = (levels - 128) / 128
        pooled: Tensor = self.layers(scaled)
        return pooled.flatten(1)

    def sha256(self) -> dict[str, str]:
        return {weights.INCEPTION.name: weights.INCEPTION.sha256}


class Vgg16(FeatureNetwork):
    """`vgg16`: 4096 features of a fully connected layer of VGG16, for precision and recall.

    The original weights in StyleGAN2-ADA's TorchScript archive vgg16.pt, which takes grey levels and
    resizes on its own; torchvision's VGG16 has other weights and gives other numbers. given: the
    archive or its folder; errors as `benchmark.networks.weights.find`. It was not to be had where
    this was written: the pinned sha256 is the published one, and values were not compared.

    Source: NVlabs/stylegan2-ada-pytorch@d72cc7d metrics/precision_recall.py; Kynkäänniemi et al. 2019.
    """

    name = "vgg16"
    dimensions = 4096
    size = 224
    resizing = "the archive's own"
    scaling = "the archive's own"

    def __init__(self, given: str | Path | None = None, device: torch.device | str = "cpu") -> None:
        super().__init__(device)
        self.archive = _archive(weights.VGG16_ARCHIVE, given, self.device)

    def resized(self, images: Any) -> np.ndarray:
        return resize.require_images(images)

    def read(self, levels: Tensor) -> Tensor:
        found: Tensor = self.archive(levels, return_features=True)
        return found

    def sha256(self) -> dict[str, str]:
        return {weights.VGG16_ARCHIVE.name: weights.VGG16_ARCHIVE.sha256}


class SqueezeNet(FeatureNetwork):
    """`fd-squeezenet`: the last maps of ImageNet's SqueezeNet 1.1 at 224 x 224, averaged over space.

    A light stand-in where Inception is not to be had; given: squeezenet1_1_features.pth or its
    folder. Errors as `benchmark.networks.weights.find`.
    """

    name = "fd-squeezenet"
    dimensions = 512
    size = 224
    resizing = "clean"
    scaling = "v / 127.5 - 1, to ImageNet mean and std"

    def __init__(self, given: str | Path | None = None, device: torch.device | str = "cpu") -> None:
        super().__init__(device)
        self.maps = nn.Sequential(
            trunks.ImageNetScale(), trunks.trunk("squeezenet", ["fire9"], given)
        ).to(self.device)
        for part in self.maps.modules():
            if isinstance(part, nn.ReLU):
                part.inplace = True  # the last maps alone are handed out, so none is overwritten

    def read(self, levels: Tensor) -> Tensor:
        # A core is faster with few images at a time; fewer than 16 move the last bits.
        at_once = 16 * torch.get_num_threads() if levels.device.type == "cpu" else len(levels)
        found = []
        for some in levels.tensor_split(max(1, len(levels) // at_once)):
            (maps,) = self.maps(some / 127.5 - 1)
            found.append(maps.mean(dim=(2, 3)))
        return torch.cat(found)

    def sha256(self) -> dict[str, str]:
        return {weights.SQUEEZENET.name: weights.SQUEEZENET.sha256}


class RandomConvolutions(FeatureNetwork):
    """`fd-random-conv`: three random convolutions at 64 x 64; mean, spread and peak of 64 maps.

    Untrained features already tell colour, edges and texture apart, which is what a twin or a test
    needs. Weights come from NumPy's PCG64 and `seed`, so they are the same on every machine.
    """

    name = "fd-random-conv"
    dimensions = 192
    size = 64
    resizing = "clean"
    scaling = "v / 127.5 - 1"
    widths = (3, 16, 32, 64)

    def __init__(self, seed: int = 0, device: torch.device | str = "cpu") -> None:
        super().__init__(device)
        rng = np.random.Generator(np.random.PCG64(seed))
        self.seed = seed
        self.filters: list[Tensor] = []
        digest = hashlib.sha256()
        for into, out in zip(self.widths[:-1], self.widths[1:], strict=True):
            drawn = rng.standard_normal((out, into, 3, 3), dtype=np.float32)
            drawn *= np.float32((2 / (9 * into)) ** 0.5)  # keeps the size of what passes through
            digest.update(drawn.astype("<f4").tobytes())
            self.filters.append(torch.from_numpy(drawn).to(self.device))
        self.digest = digest.hexdigest()

    def read(self, levels: Tensor) -> Tensor:
        maps = levels / 127.5 - 1
        for filters in self.filters:
            maps = nn.functional.conv2d(maps, filters, stride=2, padding=1).relu()
        flat = maps.flatten(2)
        return torch.cat([flat.mean(dim=2), flat.std(dim=2, correction=0), flat.amax(dim=2)], dim=1)

    def sha256(self) -> dict[str, str]:
        return {f"PCG64({self.seed})": self.digest}


NAMES = (
    *(f"inception/{mode}" for mode in resize.RESIZERS),
    "vgg16",
    "fd-squeezenet",
    "fd-random-conv",
)


def _archive(
    weight: Weights, given: str | Path | None, device: torch.device
) -> torch.jit.ScriptModule:
    path = weights.find(weight, given)
    with warnings.catch_warnings():
        # torch deprecates TorchScript, but these networks exist in no other published form.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(path, map_location=device).eval()


def feature_network(
    name: str, given: str | Path | None = None, device: torch.device | str = "cpu"
) -> FeatureNetwork:
    """The network of a name in `NAMES`; given: its weight file or folder, where it has one.

    >>> feature_network("fd-random-conv").identity()["resize"]
    'clean to 64'
    """
    if name.startswith("inception/") and name in NAMES:
        return Inception(name.partition("/")[2], given, device)
    if name == "vgg16":
        return Vgg16(given, device)
    if name == "fd-squeezenet":
        return SqueezeNet(given, device)
    if name == "fd-random-conv":
        return RandomConvolutions(device=device)
    raise UnknownName("feature network", name, NAMES)
