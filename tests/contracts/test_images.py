"""What a method sees: the middle square, its margin when asked, and no label."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.contracts import Images, InvalidInput, to_signed


def numbered(n: int = 3, side: int = 10) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def test_the_margin_is_there_when_asked_for() -> None:
    pixels = numbered()
    images = Images(pixels, size=6, digest="x")
    assert images.margin == 2
    middle, whole = images.batch([2, 0]), images.batch([2, 0], margin=True)
    assert middle.shape == (2, 3, 6, 6)
    assert torch.equal(middle, whole[:, :, 2:-2, 2:-2])
    assert np.array_equal(whole[0].permute(1, 2, 0).numpy(), pixels[2])


@pytest.mark.parametrize(
    "pixels, size",
    [
        (numbered().astype(np.float32), 6),
        (numbered()[..., :2], 6),
        (numbered(side=10), 7),
        (numbered(side=10), 12),
        (numbered()[:, :8], 6),
    ],
)
def test_other_arrays_are_refused(pixels: np.ndarray, size: int) -> None:
    with pytest.raises(InvalidInput):
        Images(pixels, size=size, digest="x")


def test_signed_ends() -> None:
    assert to_signed(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_nothing_that_tells_a_label() -> None:
    images = Images(numbered(), size=6, digest="x")
    names = set(vars(images))
    assert names == {"pixels", "size", "margin", "digest", "cameras", "objects", "silhouettes"}
