"""What is asked of the generator beside its game: backgrounds that stay behind."""

from __future__ import annotations

import torch
from torch import Tensor


def background_loss(images: Tensor, others: Tensor, background: Tensor, distance: str) -> Tensor:
    """How far two sets of images (B, 3, H, W) differ where points are: mean over pixels and channels.

    Both have the same points and embeddings, and other backgrounds. `background` (B, 1, H, W) is the map
    of the background: differences count by 1 - background. `distance` is "squared" or "absolute".

    Example: images that differ by 0.5, where the background's map is 0.2, cost 0.8 · 0.25 = 0.2.
    """
    apart = images - others
    apart = apart.square() if distance == "squared" else torch.abs(apart)
    return ((1 - background) * apart).mean()
