"""Views by known warps: where cells lie is where their pixels are found."""

from __future__ import annotations

import pytest
import torch
from bench_dve.networks import SmallNet
from bench_dve.settings import DveSettings
from bench_dve.training import colours, make_optimiser, rate, warped_pair

from benchmark.training.augment import random_crop
from benchmark.training.correspondence import cells
from benchmark.training.optimisers import set_learning_rate
from benchmark.training.warp import draw_warps, warp_generator


def ramps(side: int) -> torch.Tensor:
    """An image whose first channels are x and y of each pixel, over 100."""
    at = torch.arange(side).double() / 100
    y, x = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([x, y, x])[None]


def test_cells_lie_where_the_second_view_shows_their_pixels() -> None:
    pair = warped_pair(ramps(60).expand(3, -1, -1, -1), 10, warp_generator(0, 1))
    assert pair.first.shape == (3, 3, 40, 40)
    assert pair.wanted.shape == (3, 400, 2)
    at = cells(20, 2).long()
    shown = pair.first[:, :, at[:, 1], at[:, 0]]
    nearest = pair.wanted.round().long()
    inside = ((nearest >= 0) & (nearest < 40)).all(-1)
    assert 0.5 < float(inside.double().mean()) < 1
    for image in range(3):
        x, y = nearest[image][inside[image]].T
        found = pair.second[image, :, y, x]
        # half a pixel of rounding, of a warp that magnifies little
        assert float((found - shown[image][:, inside[image]]).abs().max()) < 0.02


def test_the_grid_is_the_exact_inverse_of_following_points() -> None:
    draw = warp_generator(0, 5)
    pair = warped_pair(ramps(60), 10, draw)
    again = warp_generator(0, 5)
    draw_warps(1, again, "dve-first")
    back = draw_warps(1, again, "dve-second").points_forward(pair.wanted + 10, 60, 60)
    wanted = cells(20, 2).double()
    assert bool(back.valid.any())
    off = (back.points[0] - 10 - wanted)[back.valid[0]]
    assert float(off.abs().max()) < 1e-4


def test_the_first_view_is_a_warp_of_the_second() -> None:
    image = torch.rand(2, 3, 30, 30, generator=torch.Generator().manual_seed(0))
    pair = warped_pair(image, 0, warp_generator(3))
    again = warp_generator(3)
    second = draw_warps(2, again, "dve-first").warp(image)
    assert torch.equal(pair.second, second)
    assert torch.equal(pair.first, draw_warps(2, again, "dve-second").warp(second))


def test_colours_change_and_places_do_not() -> None:
    image = 0.4 + 0.2 * torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    still = random_crop(image, colours(16, 0.0), torch.Generator().manual_seed(1))
    torch.testing.assert_close(still, image * 2 - 1)
    moved = random_crop(image, colours(16, 0.4), torch.Generator().manual_seed(1))
    for one, other in zip(image, moved, strict=True):
        both = torch.stack([one.mean(0).flatten(), other.mean(0).flatten()])
        assert float(torch.corrcoef(both)[0, 1]) > 0.9
    assert float((moved - still).abs().max()) > 0.1


def test_the_rate_falls_at_the_given_shares_and_biases_keep_theirs() -> None:
    settings = DveSettings(network="smallnet", drops=(0.7, 0.9), learning_rate=1e-3)
    found = [rate(step, 100, settings) for step in (0, 69, 70, 89, 90, 99)]
    assert found == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])
    network = SmallNet(0.1, 3)
    optimiser = make_optimiser(network, settings)
    assert all(group["amsgrad"] for group in optimiser.param_groups)
    set_learning_rate(optimiser, 1e-4)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([1e-4, 1e-6])
    counts = [len(group["params"]) for group in optimiser.param_groups]
    assert counts == [6 + 2 * 5, 6]
