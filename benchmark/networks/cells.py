"""Where the cells of a frozen network's maps lie in the picture that it was shown.

Cell i of maps with stride s looks around pixel `offset`·(s − 1) + s·i, pixel centres counted from 0.
With layers that pad evenly that is the middle of the i-th s pixels (`offset` ½), and maps tile the
picture. Others don't: their cells lie early or late, and where nothing is padded the last pixels have no
cell of their own, so that to stretch the maps over the picture displaces what they show.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from benchmark.contracts.errors import InvalidInput

TILING = 0.5
"""The offset of maps that tile the picture."""


def stride(cells: int, picture: int, offset: float) -> float:
    """How many pixels lie between cells: with `offset` ½ as many as tile the picture, else the power of
    two that brought it to so many cells, or to more, had some not been left out at the border.

    >>> stride(13, 224, 1.0), stride(14, 224, 1.0), stride(16, 224, 0.5)
    (16, 16, 14.0)
    """
    return picture / cells if offset == TILING else 1 << int(math.log2(picture / cells))


def over_picture(maps: Tensor, picture: int, size: int, offset: float) -> Tensor:
    """Maps at size × size positions that tile the picture, bilinear between the centres of cells.

    Beyond the outermost cells their values go on.

    Args:
        maps: (B, C, h, h), float, of pictures of `picture` × `picture` pixels as the network saw them.
        size: of the grid that is wanted; where it is coarser than the maps nothing is averaged.
        offset: 0 where the first cell lies at the first pixel, ½ in the middle of its stride's, 1 at
            the last of them.

    Returns: (B, C, size, size). Raises `InvalidInput` for maps that are not square.

    >>> late = torch.tensor([1.0, 2.0, 3.0]).expand(1, 1, 3, 3)  # cells at pixels 1, 3 and 5 of 7
    >>> over_picture(late, 7, 7, 1.0)[0, 0, 0].tolist()
    [1.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.0]
    """
    if maps.ndim != 4 or maps.shape[-1] != maps.shape[-2]:
        raise InvalidInput(f"expected square maps (B, C, h, h), got {tuple(maps.shape)}")
    step = stride(maps.shape[-1], picture, offset)
    wanted = (torch.arange(size, dtype=torch.float64) + 0.5) * picture / size - 0.5
    cell = (wanted - offset * (step - 1)) / step
    # grid_sample's places: the centres of the first and the last cell are -1 and 1
    along = (2 * cell / max(maps.shape[-1] - 1, 1) - 1).to(maps)
    places = torch.stack(torch.meshgrid(along, along, indexing="xy"), -1)
    return functional.grid_sample(
        maps, places.expand(len(maps), -1, -1, -1), padding_mode="border", align_corners=True
    )


def tiled(maps: Tensor, picture: int, offset: float) -> Tensor:
    """Maps (B, C, h, h) on a grid whose cells tile the picture, one for each stride."""
    if offset == TILING:
        return maps
    return over_picture(
        maps, picture, int(picture / stride(maps.shape[-1], picture, offset)), offset
    )
