"""Splines through given points."""

from __future__ import annotations

import pytest
import torch

from benchmark.contracts.errors import InvalidInput
from benchmark.training.warp import ThinPlateSpline
from benchmark.warps.control_points import controls, spline_through


@pytest.mark.parametrize("variant", ["imm", "dve"])
def test_controls_land_on_their_targets(variant):
    draw = torch.Generator().manual_seed(0)
    points = controls(5)
    targets = points + 0.1 * torch.randn(3, 25, 2, generator=draw, dtype=torch.float64)
    found = spline_through(targets, variant).evaluate(points.expand(3, -1, -1))
    torch.testing.assert_close(found, targets, rtol=0, atol=1e-6)


def test_a_similarity_of_the_controls_bends_nothing():
    straight = ThinPlateSpline.similarity([[0.2, -0.1]], [1.3], [25.0])
    spline = spline_through(straight.evaluate(controls(7)[None]))
    torch.testing.assert_close(spline.affine, straight.affine, rtol=0, atol=1e-9)
    assert float(spline.weights.abs().max()) < 1e-9


def test_what_follows_a_spline_may_move_its_targets():
    """A similarity after a spline is the spline through the moved targets."""
    draw = torch.Generator().manual_seed(1)
    targets = controls(4)[None] + 0.2 * torch.randn(1, 16, 2, generator=draw, dtype=torch.float64)
    turn = ThinPlateSpline.similarity([[0.1, 0.3]], [0.8], [-40.0])
    places = 2 * torch.rand(1, 50, 2, generator=draw, dtype=torch.float64) - 1
    expected = turn.evaluate(spline_through(targets).evaluate(places))
    found = spline_through(turn.evaluate(targets)).evaluate(places)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", [(25, 2), (1, 24, 2), (1, 25, 3), (1, 1, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(InvalidInput, match="goes through targets"):
        spline_through(torch.zeros(*shape))
