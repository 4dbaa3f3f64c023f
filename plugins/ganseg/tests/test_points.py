"""Groups of points: centres, spreads by three readings, and maps of heat, worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from bench_ganseg.points import centres, heat, lattice, positions, spreads

POINTS = torch.tensor([[[[0.1, 0.0], [-0.1, 0.0], [0.0, 0.3], [0.0, -0.3]]]])


@pytest.mark.parametrize(
    "reading, expected",
    [
        ("deviation", math.sqrt(0.2) / 3),  # Σ‖·‖² = 2·0.01 + 2·0.09, over n − 1 = 3
        ("absolute", 0.1 + 1e-6),  # (2·0.1 + 2·0.3) / 8 coordinates
        ("variance", math.sqrt(0.04 / 3 + 1e-6)),  # of 0.1, 0.1, 0.3, 0.3, over n − 1
    ],
)
def test_each_reading_of_the_spread(reading: str, expected: float) -> None:
    assert float(spreads(POINTS, reading)) == pytest.approx(expected, rel=1e-5)  # type: ignore[arg-type]


def test_the_centre_moves_with_the_points_and_the_spread_does_not() -> None:
    by = torch.tensor([0.2, -0.4])
    torch.testing.assert_close(centres(POINTS + by)[0, 0], by)
    for reading in ("deviation", "absolute", "variance"):
        torch.testing.assert_close(spreads(POINTS + by, reading), spreads(POINTS, reading))


@pytest.mark.parametrize("reading", ["deviation", "absolute", "variance"])
def test_points_that_coincide_can_still_be_learned_from(reading: str) -> None:
    points = torch.zeros(1, 2, 4, 2, requires_grad=True)
    middle, spread = centres(points), spreads(points, reading)  # type: ignore[arg-type]
    (heat(positions(4, 0, "centres"), middle, spread, "gaussian").sum() + spread.sum()).backward()
    assert points.grad is not None
    assert bool(torch.isfinite(points.grad).all())


def test_heat_at_the_middle_at_one_spread_and_at_two() -> None:
    where = torch.tensor([[[0.0, 0.0], [0.0, 0.5], [1.0, 0.0]]])
    middle, spread = torch.zeros(1, 1, 2), torch.full((1, 1), 0.5)
    gaussian = heat(where, middle, spread, "gaussian")[0, 0, 0]
    cone = heat(where, middle, spread, "cone")[0, 0, 0]
    torch.testing.assert_close(gaussian, torch.tensor([1.0, math.exp(-1), math.exp(-4)]))
    torch.testing.assert_close(cone, torch.tensor([1.0, 0.0, 0.0]), atol=1e-5, rtol=0)


def test_where_pixels_lie_by_both_readings() -> None:
    """The paper's range for 10 pixels of margin at 32, edge to edge; the code's, from pixel to pixel."""
    line = positions(32, 10, "centres")[:, 0, 0]
    assert len(line) == 52
    assert float(line[-1] + 1 / 32) == pytest.approx(1 + 20 / 32)
    assert float(positions(32, 10, "corners")[-1, 0, 0]) == pytest.approx(1 + 20 / 31)
    torch.testing.assert_close(
        positions(4, 0, "corners")[0, :, 1], torch.tensor([-1.0, -1 / 3, 1 / 3, 1.0])
    )
    assert positions(4, 0, "centres")[3, 0].tolist() == [0.75, -0.75]


@pytest.mark.parametrize("parts", [1, 4, 8, 12, 32])
def test_parts_that_start_apart_are_apart(parts: int) -> None:
    found = lattice(parts, 0.6)
    assert found.shape == (parts, 2)
    assert float(found.abs().max()) < 1
    assert parts == 1 or float(torch.pdist(found).min()) > 0.1
