"""Frozen networks by name, read at chosen layers: those of `trunks`, or timm's from a local file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from re import fullmatch
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from benchmark.contracts.errors import DataMissing, Incompatible
from benchmark.contracts.weights import Weights
from benchmark.networks.cells import TILING
from benchmark.networks.trunks import TRUNKS, trunk, untrained_trunk

TIMM = "timm/"
NAMES = f"{', '.join(TRUNKS)}, {TIMM}NAME"
WRONG = {
    "efficientnet_lite0": "takes the weights of TensorFlow's release without complaint and gives other "
    "maps, as it pads and normalises otherwise: tf_efficientnet_lite0 is right",
}
"""Names of timm's that are not what they seem."""


@dataclass(frozen=True)
class Backbone:
    """Which network, which of its layers, and where its weights come from.

    `name` is one of `trunks.TRUNKS`, or "timm/NAME" with the `file` of its weights (safetensors) and
    that file's `sha256`; layers of timm's are numbers of blocks or stages. `trained` false draws the
    weights from a seed.

    Example: `Backbone("squeezenet", ("fire4", "fire9"))`.
    """

    name: str
    layers: tuple[str, ...]
    trained: bool = True
    file: str = ""
    sha256: str = ""

    @property
    def of_timm(self) -> bool:
        """Whether it is one of timm's."""
        return self.name.startswith(TIMM)

    @property
    def offset(self) -> float:
        """Where the cells of its maps lie (`benchmark.networks.cells`); of timm's networks, whose cells
        are patches as a rule, in the middle of their pixels."""
        return TILING if self.of_timm else TRUNKS[self.name].offset

    def faults(self) -> list[str]:
        """What is wrong with it, in words."""
        if not self.of_timm:
            if self.name not in TRUNKS:
                return [f"backbone {self.name!r} is none of {NAMES}"]
            known = TRUNKS[self.name].layers
            unknown = [layer for layer in self.layers if layer not in known]
            return [f"{self.name} has no layers {unknown}: {', '.join(known)}"] if unknown else []
        found, short = [], self.name.removeprefix(TIMM)
        if short in WRONG:
            found.append(f"{self.name} {WRONG[short]}")
        if not all(layer.isdecimal() for layer in self.layers):
            found.append(f"layers of {self.name} are numbers, not {list(self.layers)}")
        if find_spec("timm") is None:
            found.append(f"{self.name} needs the package timm (pip install timm)")
        if self.trained and not self.file:
            found.append(f"{self.name} needs the file of its weights, and the sha256 of that file")
        elif self.trained and not fullmatch("[0-9a-f]{64}", self.sha256):
            found.append(
                f"sha256 {self.sha256!r} of {self.file} is no digest of 64 hexadecimal digits"
            )
        return found

    def misplaced(self, size: int) -> list[str]:
        """Why it isn't known where cells lie in pictures of `size` pixels a side, in words."""
        if self.offset == TILING or not size % (deepest := TRUNKS[self.name].deepest):
            return []
        return [
            f"where {self.name} looks is known for sides that are multiples of {deepest}, not {size}"
        ]

    def weights(self) -> tuple[Weights, ...]:
        """The file that it reads."""
        if not self.trained:
            return ()
        if not self.of_timm:
            return (TRUNKS[self.name].weight,)
        source = f"timm's {self.name.removeprefix(TIMM)} as safetensors (huggingface.co/timm)"
        return (Weights(self.file, source, self.sha256),)

    def build(
        self, find: Callable[[str], Path], seed: int, size: int = 224, norm: bool = True
    ) -> Frozen:
        """The network, for images of `size` × `size`; `find` leads to a declared file by its name.

        `norm` takes a transformer's last norm. An untrained one follows from `seed`. Raises
        `DataMissing` where timm is, and `Incompatible` where the file holds another network.
        """
        if not self.of_timm:
            if self.trained:
                maps = trunk(self.name, self.layers, find(TRUNKS[self.name].weight.name))
            else:
                maps = untrained_trunk(self.name, self.layers, seed)
            return Frozen(maps, maps.scale)
        network = self._timm(find, seed, size)
        about: Any = network.default_cfg
        blocks = TimmMaps(network, [int(layer) for layer in self.layers], norm)
        return Frozen(blocks, Scale(about["mean"], about["std"]))

    def _timm(self, find: Callable[[str], Path], seed: int, size: int) -> nn.Module:
        name = self.name.removeprefix(TIMM)
        try:
            import timm
        except ImportError as error:
            raise DataMissing(
                f"{self.name} needs the package timm", cure="pip install timm"
            ) from error
        more: dict[str, Any] = {"img_size": size} if "vit" in name or "deit" in name else {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **more)
        if self.trained:
            wanted, state = network.state_dict(), load_file(find(self.file))
            wrong = [k for k, v in wanted.items() if k not in state or state[k].shape != v.shape]
            if wrong:
                raise Incompatible(
                    f"{self.file} does not hold {name} at {size} pixels: missing or of another shape "
                    f"{wrong[:3]}",
                    cure="give the file of that network, and the size it was trained with",
                )
            network.load_state_dict({key: state[key] for key in wanted})
        return network


class Frozen(nn.Module):
    """Images (B, 3, H, W) in [-1, 1] → the maps (B, C, h, w) of each layer.

    `scale` makes what the network was trained on; it may be replaced. Gradients flow to the images, and
    none stay on the weights.
    """

    def __init__(self, maps: nn.Module, scale: nn.Module) -> None:
        super().__init__()
        self.maps, self.scale = maps, scale
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Frozen:
        """It stays in evaluation mode."""
        return super().train(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        return list(self.maps(self.scale(images)))


class Scale(nn.Module):
    """RGB in [-1, 1] → a mean and spread of RGB in [0, 1]."""

    def __init__(self, mean: Sequence[float], spread: Sequence[float]) -> None:
        super().__init__()
        self.mean, self.spread = tuple(mean), tuple(spread)

    def forward(self, images: Tensor) -> Tensor:
        mean, spread = (images.new_tensor(v)[:, None, None] for v in (self.mean, self.spread))
        return ((images + 1) / 2 - mean) / spread


class TimmMaps(nn.Module):
    """Maps of numbered blocks or stages of one of timm's networks."""

    def __init__(self, network: nn.Module, blocks: Sequence[int], norm: bool) -> None:
        super().__init__()
        self.network, self.blocks, self.norm = network, list(blocks), norm

    def forward(self, images: Tensor) -> list[Tensor]:
        order = sorted(set(self.blocks))
        found = self.network.forward_intermediates(  # type: ignore[operator]
            images, indices=order, norm=self.norm, intermediates_only=True
        )
        return [found[order.index(block)] for block in self.blocks]


def normed(maps: Tensor) -> Tensor:
    """Maps (B, C, h, w), each place's channels brought to mean 0 and variance 1.

    What a transformer's last norm does, without learned scales.

    >>> normed(torch.tensor([1.0, 3.0]).view(1, 2, 1, 1)).flatten().tolist()  # doctest: +ELLIPSIS
    [-0.99..., 0.99...]
    """
    last = maps.permute(0, 2, 3, 1)
    return functional.layer_norm(last, last.shape[-1:]).permute(0, 3, 1, 2)
