"""What is asked of the two players beside their game: a bounded slope, backgrounds that stay behind."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.training.adversarial import squared_gradients


def gradient_penalty(scores: Tensor, images: Tensor, target: int) -> Tensor:
    """Mean of (|gradient of a score| - target)² over images (B, 3, H, W), which require gradients.

    Target 0 is R1's (Mescheder et al. 2018, eq. 9, without its γ/2), 1 that of Gulrajani et al. 2017,
    eq. 3, here on real images. Example: scores 3·x of images of one pixel x cost 9 with 0, and 4 with 1.
    """
    squared = squared_gradients(scores, images)
    if not target:
        return squared.mean()
    return ((squared + 1e-12).sqrt() - target).square().mean()


def background_loss(images: Tensor, others: Tensor, background: Tensor, distance: str) -> Tensor:
    """How far two sets of images (B, 3, H, W) differ where points are: mean over pixels and channels.

    Both have the same points and embeddings, and other backgrounds. `background` (B, 1, H, W) is the map
    of the background: differences count by 1 - background. `distance` is "squared" or "absolute".

    Example: images that differ by 0.5, where the background's map is 0.2, cost 0.8 · 0.25 = 0.2.
    """
    apart = images - others
    apart = apart.square() if distance == "squared" else torch.abs(apart)
    return ((1 - background) * apart).mean()
