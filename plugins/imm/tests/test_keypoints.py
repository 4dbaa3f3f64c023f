"""The keypoint layer against exact centres, and points transported as pixels are."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from bench_imm.keypoints import gaussian_maps, positions, to_pixels
from hypothesis import given, settings
from hypothesis import strategies as st


def blob(x: float, y: float, side: int) -> torch.Tensor:
    """Logits of a round blob at cell (x, y): its softmax is a Gaussian with a spread of one cell."""
    place = torch.arange(side, dtype=torch.float64)
    distance = (place - x) ** 2 + (place[:, None] - y) ** 2
    return (-0.5 * distance)[None, None]


@settings(max_examples=40, deadline=None)
@given(x=st.floats(4, 11), y=st.floats(4, 11))
def test_a_moved_blob_is_found_to_a_thousandth_of_a_cell(x: float, y: float) -> None:
    found = (positions(blob(x, y, 16))[0, 0] + 1) / 2 * 15
    assert found.tolist() == pytest.approx([x, y], abs=1e-3)


def test_the_softmax_is_taken_along_each_axis_of_the_mean() -> None:
    logits = torch.randn(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    found = positions(logits).numpy()
    for b in range(2):
        for k in range(3):
            weights = np.exp([float(logits[b, k, :, j].mean()) for j in range(7)])
            wanted = sum(w * (2 * j / 6 - 1) for j, w in enumerate(weights)) / weights.sum()
            assert found[b, k, 0] == pytest.approx(wanted, abs=1e-5)
            weights = np.exp([float(logits[b, k, i].mean()) for i in range(5)])
            wanted = sum(w * (2 * i / 4 - 1) for i, w in enumerate(weights)) / weights.sum()
            assert found[b, k, 1] == pytest.approx(wanted, abs=1e-5)


def test_half_precision_is_widened() -> None:
    assert positions(torch.zeros(1, 1, 4, 4, dtype=torch.bfloat16)).dtype == torch.float32


def test_maps_are_gaussian_without_a_factor_two() -> None:
    points = torch.tensor([[[0.25, -0.5], [0.0, 0.0]]])
    maps = gaussian_maps(points, 9, 0.1)
    assert maps.shape == (1, 2, 9, 9)
    place = np.linspace(-1, 1, 9)
    for k, (x, y) in enumerate(points[0].tolist()):
        for i in range(9):
            for j in range(9):
                wanted = math.exp(-((place[j] - x) ** 2 + (place[i] - y) ** 2) / 0.1**2)
                assert float(maps[0, k, i, j]) == pytest.approx(wanted, abs=1e-6)


def test_corners_of_the_maps_are_the_middles_of_the_corner_cells() -> None:
    corners = torch.tensor([[[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]]])
    assert to_pixels(corners, 16, 128)[0].tolist() == [[3.5, 3.5], [123.5, 123.5], [63.5, 63.5]]
    # the same places in an image of another size, whose pixels are others
    assert to_pixels(corners, 16, 96)[0].tolist() == [[2.5, 2.5], [92.5, 92.5], [47.5, 47.5]]
