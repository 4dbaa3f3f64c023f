"""The loss of DVE: a pixel, described in terms of another image, must be found in the second view.

Source: Thewlis et al. 2019, eq. 2 to 5; jamt9000/DVE 2085144, model/loss.py.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from benchmark.training.correspondence import cells, distance_cost, expected_cost


def exchanged(descriptors: Tensor, others: Tensor) -> Tensor:
    """Each descriptor as a mean of another image's, by the softmax of its products with them.

    Args:
        descriptors: (B, P, C).
        others: (B, Q, C).

    Returns: (B, P, C). Example: of equal `others` each becomes just that one.
    """
    return (descriptors @ others.transpose(1, 2)).softmax(-1) @ others


def of_length(maps: Tensor, length: float | None) -> Tensor:
    """Maps (B, C, h, w) whose descriptors have that length; as they are where it is None."""
    return maps if length is None else functional.normalize(maps, dim=1) * length


def match_cost(
    first: Tensor,
    second: Tensor,
    wanted: Tensor,
    *,
    stride: int,
    exchange: bool = True,
    power: float = 0.5,
    folded: bool = False,
) -> Tensor:
    """Expected cost of matching every cell of `first` into `second`; a scalar, in pixels^power.

    The auxiliary image of item b is the first view of item b + 1, that of the last one item 0; its
    descriptors get gradients too. All cells count alike, those that left the second view as well: the
    nearest border is then the best they can find.

    Args:
        first, second: (B, C, h, h) descriptors of two views.
        wanted: (B, h², 2) where each cell of `first` lies in `second`, in pixels; cells lie at
            `stride` pixels from each other, the first at 0.
        folded: one image at a time, its softmaxes computed again on the way back.
    """
    places = cells(first.shape[-1], stride, first.device).to(first.dtype)

    def cost(one: Tensor, two: Tensor, auxiliary: Tensor, target: Tensor) -> Tensor:
        queries = exchanged(one, auxiliary) if exchange else one
        return expected_cost(queries @ two.transpose(1, 2), distance_cost(target, places, power))

    flat, other = (maps.flatten(2).transpose(1, 2) for maps in (first, second))
    given = flat, other, flat.roll(-1, 0), wanted.to(first.dtype)
    if not folded:
        return cost(*given)
    images = zip(*(tensor.split(1) for tensor in given), strict=True)
    found = [checkpoint(cost, *image, use_reentrant=False) for image in images]
    return torch.stack(found).mean()
