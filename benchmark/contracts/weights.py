"""Pretrained weights: which file is meant, and where to get it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.contracts.errors import PluginBroken


@dataclass(frozen=True)
class Weights:
    """A file of weights that a method or a metric starts from.

    `folder` is where it may lie below a root of weights, beside the root itself.

    Example: `Weights("vgg16-397923af.pth", "https://download.pytorch.org/models/vgg16-397923af.pth",
    "397923af…", "BSD-3-Clause (torchvision)")`.
    """

    name: str
    """The file's name, by which a method asks for it."""
    source: str
    """Where to get it."""
    sha256: str
    """Digest of its bytes."""
    licence: str = ""
    """Under which terms."""
    folder: str = ""


def no_weights(name: str) -> Path:
    """The way to weights where none are declared: raises `PluginBroken`."""
    raise PluginBroken(
        f"the method does not declare the weights {name!r}",
        cure="name them in `info(settings)`, MethodInfo(pretrained=(Weights(…),)), so that records say "
        "what a fit starts from",
    )
