"""A small network that reads yes-or-no attributes off an image: what attribute linearity looks through.

Fitted on images whose attributes are known, kept as safetensors with its attributes' names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.contracts.images import to_signed

WIDTHS = (16, 32, 64, 64)


@dataclass(frozen=True)
class Fitting:
    """How the network is fitted: passes over the images, images per step, Adam's step."""

    epochs: int = 30
    batch: int = 32
    learning_rate: float = 2e-3


class AttributeNet(nn.Module):
    """Images (B, 3, H, W), float in [-1, 1], to one logit per attribute, float (B, A).

    Images are averaged down to `size` × `size` (`size` a multiple of 16); four convolutions halve them
    four times. A logit of an image does not depend on the others of its batch.
    """

    def __init__(self, attributes: Sequence[str], size: int = 32) -> None:
        super().__init__()
        if size < 16 or size % 16:
            raise InvalidInput(f"AttributeNet: size must be a multiple of 16, got {size}")
        self.attributes, self.size = tuple(attributes), size
        layers: list[nn.Module] = []
        for into, out in zip((3, *WIDTHS[:-1]), WIDTHS, strict=True):
            layers += [nn.Conv2d(into, out, 3, 2, 1), nn.GroupNorm(8, out), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(WIDTHS[-1] * (size // 16) ** 2, len(self.attributes))

    def forward(self, images: Tensor) -> Tensor:
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point():
            raise InvalidInput(
                f"images: expected floats (B, 3, H, W), got {images.dtype} {tuple(images.shape)}"
            )
        small = nn.functional.interpolate(images, size=(self.size, self.size), mode="area")
        logits: Tensor = self.head(self.layers(small))
        return logits


def fit_attributes(
    images: np.ndarray,
    attributes: np.ndarray,
    names: Sequence[str],
    *,
    size: int = 32,
    seed: int = 0,
    fitting: Fitting | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> AttributeNet:
    """Fit the network on images uint8 (N, H, W, 3) with attributes (N, A) of 0 and 1, on the CPU.

    Binary cross-entropy, Adam, weights and order from `seed`; the random numbers of others are left
    alone. Raises `InvalidInput` for other shapes, for values that are neither 0 nor 1, and for an
    attribute that all images share.
    """
    how = fitting or Fitting()
    targets = np.asarray(attributes, np.float32)
    if images.dtype != np.uint8 or images.ndim != 4 or targets.shape != (len(images), len(names)):
        raise InvalidInput(
            f"expected images uint8 (N, H, W, 3) and attributes (N, {len(names)}), got "
            f"{images.dtype} {images.shape} and {targets.shape}"
        )
    if not np.isin(targets, (0, 1)).all():
        raise InvalidInput("attributes must be 0 or 1")
    constant = [n for n, column in zip(names, targets.T, strict=True) if np.ptp(column) == 0]
    if constant:
        raise InvalidInput(f"all images share the attribute {constant[0]!r}")
    pixels = to_signed(torch.from_numpy(images).permute(0, 3, 1, 2))
    wanted = torch.from_numpy(targets)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = AttributeNet(names, size)
        optimiser = torch.optim.Adam(net.parameters(), how.learning_rate)
        steps = how.epochs * -(-len(images) // how.batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for epoch in range(how.epochs):
            for rows in torch.randperm(len(images)).split(how.batch):
                logits = net(pixels[rows])
                loss = nn.functional.binary_cross_entropy_with_logits(logits, wanted[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
            if progress:
                progress(epoch + 1, how.epochs)
    return net.eval().requires_grad_(False)


def save_attributes(net: AttributeNet, path: Path, about: dict[str, object]) -> None:
    """Write the network as safetensors; `about` says, for people, what it was fitted on."""
    from safetensors.torch import save_file

    words = {"attributes": list(net.attributes), "size": net.size, "about": about}
    save_file(net.state_dict(), path, {"bench": json.dumps(words, sort_keys=True)})


def load_attributes(path: Path) -> tuple[AttributeNet, dict[str, object]]:
    """What `save_attributes` wrote: the network, ready to read images, and `about`.

    Raises `DataAltered` for any other file. Nothing is unpickled.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            words = json.loads(file.metadata()["bench"])
            net = AttributeNet(words["attributes"], words["size"])
            net.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DataAltered(
            f"{path} is no attribute classifier of bench: {type(error).__name__}: {error}",
            cure="write it with benchmark.probes.attributes.save_attributes",
        ) from None
    about: dict[str, object] = words["about"]
    return net.eval().requires_grad_(False), about
