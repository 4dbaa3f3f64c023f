"""What the players learn from: numbers by other formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bench_latentkeypointgan.losses import background_loss, gradient_penalty
from bench_latentkeypointgan.pairs import disturbed, squared_distance
from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from torch import nn


@pytest.mark.parametrize(
    "target, wanted", [(0, 14.5), (1, ((14**0.5 - 1) ** 2 + (15**0.5 - 1) ** 2) / 2)]
)
def test_the_penalty_asks_for_a_slope_of_none_or_one(target: int, wanted: float) -> None:
    """Scores a·x have the slope a: of squared norms 14 and 15 here."""
    slopes = torch.tensor([[1.0, 2, 3], [1, -(14.0**0.5), 0]])
    images = torch.rand(2, 3, 1, 1, requires_grad=True)
    scores = (slopes[:, :, None, None] * images).sum((1, 2, 3))
    assert float(gradient_penalty(scores, images, target)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("target", [0, 1])
def test_the_penalty_teaches_as_differences_say(target: int) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    images = torch.rand(3, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    weight = net[1].weight
    (slope,) = torch.autograd.grad(gradient_penalty(net(images), images, target), weight)
    values = []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            weight[0, 0] += step
        values.append(gradient_penalty(net(images), images, target).item())
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope[0, 0].item(), rel=1e-4)


@pytest.mark.parametrize("distance, power", [("squared", 2), ("absolute", 1)])
def test_backgrounds_may_differ_behind_the_points_alone(distance: str, power: int) -> None:
    draw = np.random.Generator(np.random.PCG64(0))
    images, others = draw.normal(size=(2, 2, 3, 4, 4)).astype(np.float32)
    left = draw.uniform(size=(2, 1, 4, 4)).astype(np.float32)
    total = 0.0
    for b, c, y, x in np.ndindex(2, 3, 4, 4):
        total += (1 - left[b, 0, y, x]) * abs(images[b, c, y, x] - others[b, c, y, x]) ** power
    found = background_loss(*map(torch.from_numpy, (images, others, left)), distance)
    assert float(found) == pytest.approx(total / (2 * 3 * 4 * 4), rel=1e-5)


def test_points_cost_their_squared_distance() -> None:
    points = torch.zeros(2, 2, 2)
    found = points.clone()
    found[0, 0] = torch.tensor([0.3, 0.4])
    assert float(squared_distance(found, points)) == pytest.approx(0.25 / 4)


def test_other_colours_leave_everything_where_it_is() -> None:
    """Edges are where they were, and blur goes as far to all sides."""
    settings = LatentKeypointGanSettings(jitter=0.4, blur=0.0, pixel_noise=0.0)
    images = torch.full((16, 3, 32, 32), -1.0)
    images[..., 9:20, 12:26] = 0.4
    found = disturbed(images, settings, torch.Generator().manual_seed(0))
    assert found.shape == images.shape
    levels = found[:, 0, 14, 18] - found[:, 0, 0, 0]
    assert float(levels.min()) > 0.1
    assert float(levels.std()) > 0.05
    for image, level in zip(found, levels, strict=True):
        inside = (image[0] - image[0, 0, 0]) > level / 2
        assert torch.equal(inside, images[0, 0] > 0)
    blurred = disturbed(
        images, LatentKeypointGanSettings(blur=1.0), torch.Generator().manual_seed(0)
    )
    weights = (blurred[:, 0] + 1).sum(1)
    centre = (weights @ torch.arange(32.0)) / weights.sum(1)
    torch.testing.assert_close(centre, torch.full((16,), 18.5), atol=2e-2, rtol=0)


def test_without_disturbance_the_images_come_back() -> None:
    images = torch.rand(2, 3, 8, 8)
    assert disturbed(images, LatentKeypointGanSettings(), torch.Generator()) is images
