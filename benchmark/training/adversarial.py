"""What networks that play against each other learn from, and when their game is lost."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from benchmark.contracts.errors import TrainingFailed
from benchmark.training.players import Numbers
from benchmark.training.together import mean


def generator_loss(fake: Tensor) -> Tensor:
    """Mean of softplus(-D(G(z))), which does not saturate where D is sure.

    `fake` are scores (logits) of any shape. Source: Goodfellow et al. 2014, §3, on logits.
    Example: scores of 0 cost log 2 ≈ 0.693.
    """
    return functional.softplus(-fake).mean()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Mean of softplus(-D(x)) plus mean of softplus(D(G(z))): the logistic loss on scores (logits).

    Source: Goodfellow et al. 2014, eq. 1. Example: scores of 0 cost 2·log 2 ≈ 1.386.
    """
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def least_squares(scores: Tensor, target: float) -> Tensor:
    """Mean of (scores - target)². Source: Mao et al. 2017, eq. 2, without its ½.

    Example: `least_squares(real, 1.0) + least_squares(fake, 0.0)` for the discriminator.
    """
    return (scores - target).square().mean()


def squared_gradients(scores: Tensor, images: Tensor) -> Tensor:
    """(B,): the squared norm of the gradient of each image's scores, which can be learned from.

    `scores` (B, ...) come from `images` (B, ...), which require gradients, and each from its own image.
    R1 is `0.5 * gamma * squared_gradients(...).mean()` (Mescheder et al. 2018, eq. 9).

    Example: scores 3·x of images of one pixel x have 9.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def gradient_penalty(scores: Tensor, images: Tensor, target: float = 0.0) -> Tensor:
    """Mean of (|gradient of a score| - target)² over images, as `squared_gradients` takes them.

    Target 0 is R1's (Mescheder et al. 2018, eq. 9, without its γ/2), 1 that of Gulrajani et al. 2017,
    eq. 3. Example: scores 3·x of images of one pixel x cost 9 with 0, and 4 with 1.
    """
    squared = squared_gradients(scores, images)
    if not target:
        return squared.mean()
    # a root has no slope at 0
    return ((squared + 1e-12).sqrt() - target).square().mean()


def path_lengths(images: Tensor, w: Tensor, draw: torch.Generator) -> Tensor:
    """(B,): how far images (B, 3, H, W) move along a random direction as w (B, layers, C) does.

    √(mean over layers of |Jᵀy|²), y normal / √(H·W), drawn from `draw` on the device of the images.
    The penalty is `(lengths - a running mean of them).square().mean()`. Source: Karras et al. 2020
    (StyleGAN2), eq. 4.
    """
    y = torch.randn(images.shape, generator=draw, device=images.device)
    along = (images * y).sum() / (images.shape[-2] * images.shape[-1]) ** 0.5
    (gradient,) = torch.autograd.grad(along, w, create_graph=True)
    return gradient.square().sum(-1).mean(1).sqrt()


class Balance(Numbers):
    """Ends a fit whose game is lost, before it is saved again: belongs to the `state` of `train`.

    Lost is: for `steps` steps on end the discriminator's loss is below `low`; or the mean sign of its
    scores on real images is above `sure`; or generated images differ by less than `spread` (standard
    deviation over the batch, of values in [-1, 1], mean over pixels).

    Example: `balance.add(loss, real_scores, fake)` after each step of the discriminator.
    """

    def __init__(
        self, low: float = 0.05, sure: float = 0.99, spread: float = 0.01, steps: int = 500
    ) -> None:
        super().__init__(won=0.0, known=0.0, alike=0.0)
        self.low, self.sure, self.spread, self.steps = low, sure, spread, steps

    @torch.no_grad()
    def add(self, loss: Tensor, real: Tensor | None = None, fake: Tensor | None = None) -> None:
        """A step: the discriminator's loss, its scores on real images, generated images (B, 3, H, W).

        Raises `TrainingFailed`, in all processes alike.
        """
        found = {"won": (mean(loss.detach().float()), "<", self.low)}
        if real is not None:
            found["known"] = (mean(real.detach().sign().mean()), ">", self.sure)
        if fake is not None and len(fake) > 1:
            found["alike"] = (mean(fake.detach().float().std(0).mean()), "<", self.spread)
        for name, (value, sign, limit) in found.items():
            lost = bool(value < limit if sign == "<" else value > limit)
            steps = float(getattr(self, name)) + 1 if lost else 0.0
            setattr(self, name, steps)
            if steps >= self.steps:
                raise TrainingFailed(
                    f"{WORDS[name]}: {float(value):.2g} ({sign} {limit:g}) for {self.steps} steps",
                    cure=CURES[name],
                )


WORDS = {
    "won": "the discriminator has won, its loss is near 0",
    "known": "the discriminator knows the real images by heart, the mean sign of its scores is near 1",
    "alike": "the generator has collapsed, its images are all alike",
}
CURES = {
    "won": "a larger R1 weight, a lower learning rate, or adaptive augmentation",
    "known": "adaptive augmentation, more images, or a larger R1 weight",
    "alike": "a larger R1 weight or a lower learning rate; the last good checkpoint is kept",
}
