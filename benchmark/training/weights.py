"""Networks in one safetensors file, and networks ready to predict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from benchmark.contracts.errors import BenchError

FILE = "weights.safetensors"
Network = TypeVar("Network", bound=nn.Module)


def save_weights(
    folder: Path, weights: Mapping[str, Tensor], notes: Mapping[str, str] | None = None
) -> None:
    """Write tensors by name into `folder`, from whichever device they are on, and notes beside them.

    Example: `save_weights(folder, network.state_dict(), {"size": "96"})`.
    """
    tensors = {k: v.cpu().contiguous() for k, v in weights.items()}
    save_file(tensors, folder / FILE, dict(notes) if notes else None)


def load_notes(folder: Path) -> dict[str, str]:
    """The notes that `save_weights` wrote; empty where it was given none."""
    with safe_open(folder / FILE, "pt") as file:
        return file.metadata() or {}


def load_weights(folder: Path) -> dict[str, Tensor]:
    """What `save_weights` wrote, on the CPU; nothing is unpickled."""
    return load_file(folder / FILE)


def for_inference(network: Network, device: str | torch.device) -> Network:
    """The network on its device, channels last, in evaluation mode and without gradients."""
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.eval().requires_grad_(False)


def require_network(network: Network | None, method: str) -> Network:
    """The network; `BenchError` where the method has none yet."""
    if network is None:
        raise BenchError(f"{method} has no weights yet", cure="call fit, initialise or load first")
    return network
