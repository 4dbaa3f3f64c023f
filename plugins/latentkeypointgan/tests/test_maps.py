"""Points and maps: formulas written out with numpy, and what is left for the background."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bench_latentkeypointgan.detector import softened_means
from bench_latentkeypointgan.maps import (
    background_map,
    gaussian_maps,
    spread,
    to_pixels,
)

from benchmark.training.positions import pixel_centres


def test_maps_are_the_formula() -> None:
    points = torch.tensor([[[-0.3, 0.8], [0.1, 0.1]], [[0.9, -1.0], [0.0, 0.5]]])
    found = gaussian_maps(points, 6, 0.04, margin=2)
    assert found.shape == (2, 2, 10, 10)
    for b, k, row, column in ((0, 0, 7, 3), (1, 0, 2, 8), (1, 1, 0, 9), (0, 1, 5, 5)):
        x, y = ((2 * (i - 2) + 1) / 6 - 1 for i in (column, row))
        apart = (x - points[b, k, 0].item()) ** 2 + (y - points[b, k, 1].item()) ** 2
        assert found[b, k, row, column].item() == pytest.approx(np.exp(-apart / 0.04), rel=1e-4)


def test_a_point_lies_at_the_same_place_of_every_level() -> None:
    """The centre of mass of a narrow map, in half sides, whatever the side."""
    point = torch.tensor([[[0.2, -0.35]]])
    for side in (16, 32, 64):
        (found,) = gaussian_maps(point, side, 0.02)[0]
        weights = found / found.sum()
        assert float(weights.sum(0) @ pixel_centres(side)) == pytest.approx(0.2, abs=1e-3)
        assert float(weights.sum(1) @ pixel_centres(side)) == pytest.approx(-0.35, abs=1e-3)


def test_each_place_has_its_parts_embeddings_and_what_is_left_of_the_background() -> None:
    draw = np.random.Generator(np.random.PCG64(0))
    maps = draw.uniform(size=(2, 3, 4, 4)).astype(np.float32)
    embeddings = draw.normal(size=(2, 3, 5)).astype(np.float32)
    background = draw.normal(size=(2, 5)).astype(np.float32)
    found = spread(*map(torch.from_numpy, (maps, embeddings, background)))
    left = 1 - maps.max(1)
    wanted = background[:, :, None, None] * left[:, None]
    for k in range(3):
        wanted = wanted + embeddings[:, k, :, None, None] * maps[:, k, None]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(background_map(torch.from_numpy(maps))[:, 0].numpy(), left)


def test_pixels_of_points_at_the_edges() -> None:
    assert to_pixels(torch.tensor([-1.0, 0.0, 1.0]), 96).tolist() == [-0.5, 47.5, 95.5]


def test_a_detector_finds_the_mean_of_a_softened_map() -> None:
    draw = np.random.Generator(np.random.PCG64(1))
    logits = draw.normal(size=(2, 3, 8, 8)).astype(np.float32)
    found = softened_means(torch.from_numpy(logits))
    weights = np.exp(logits) / np.exp(logits).sum((2, 3), keepdims=True)
    at = np.arange(8) / 4 - 0.875
    x = (weights * at[None, None, None, :]).sum((2, 3))
    y = (weights * at[None, None, :, None]).sum((2, 3))
    np.testing.assert_allclose(found.numpy(), np.stack([x, y], -1), atol=1e-6)


def test_a_drawn_map_is_found_where_it_was_drawn() -> None:
    """From points to maps and back, in the detector's coordinates."""
    points = torch.tensor([[[0.21, -0.4], [-0.15, 0.33]]])
    logits = gaussian_maps(points, 32, 0.02).clamp(min=1e-30).log()
    torch.testing.assert_close(softened_means(logits), points, atol=2e-3, rtol=0)
