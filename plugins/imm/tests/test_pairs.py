"""Pairs of pictures: what warps do to points and pixels, margins, masks, partners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from bench_imm.keypoints import positions, to_pixels
from bench_imm.pairs import Pairs, discount, resized
from bench_imm.settings import ImmSettings

from benchmark.contracts.images import Images
from benchmark.training.warp import draw_warps, warp_generator

CPU = torch.device("cpu")


def settings(**more: Any) -> ImmSettings:
    plain = {"perceptual": "none", "depth": 0, "layout": "released", "blocks": 3, "width": 4}
    return ImmSettings(**plain | {"size": 32} | more)


def flat(count: int, size: int, margin: int, objects: Any = None) -> Images:
    side = size + 2 * margin
    pixels = np.arange(count, dtype=np.uint8)[:, None, None, None]
    return Images(np.tile(pixels, (1, side, side, 3)), size, "x", objects=objects)


def test_points_and_pixels_are_transported_alike() -> None:
    """A blob drawn at a point, warped, is found by the keypoint layer where the point went."""
    side, count = 96, 12
    draw = np.random.default_rng(0)
    points = torch.from_numpy(draw.uniform(30, 66, (count, 1, 2)))
    place = torch.arange(side, dtype=torch.float64)
    squared = (place - points[..., 0, None, None]) ** 2 + (
        place[:, None] - points[..., 1, None, None]
    ) ** 2
    blobs = torch.exp(-0.5 * squared / 2.0**2).float()
    errors = []
    for strength in ("imm-target", "imm-source"):
        warp = draw_warps(count, warp_generator(0), strength)
        went, valid = warp.points_forward(points, side, side)
        seen = warp.warp(blobs)
        logits = 1000 * seen.double()  # a sharp softmax of each axis's mean: the middle of the blob
        found = to_pixels(positions(logits / logits.amax((2, 3), keepdim=True) * 200), side, side)
        errors += (found - went).norm(dim=-1)[valid].tolist()
    assert len(errors) > 15
    assert max(errors) < 0.7
    assert np.mean(errors) < 0.3


@pytest.mark.parametrize("pairs", ["warp", "rotation"])
def test_pairs_are_of_their_size_and_signed(pairs: str) -> None:
    images = flat(6, 48, 8)
    made = Pairs(images, settings(pairs=pairs), CPU)
    pixels = images.batch(slice(0, 6), margin=True)
    source, target, mask = made(pixels, pixels, warp_generator(0))
    assert source.shape == target.shape == (6, 3, 32, 32)
    assert mask is not None
    assert mask.shape == (6, 1, 32, 32)
    assert float(mask.min()) >= 0
    assert float(mask.max()) <= 1
    again = made(pixels, pixels, warp_generator(0))
    other = made(pixels, pixels, warp_generator(0, step=1))
    assert torch.equal(again.target, target)
    assert not torch.equal(other.target, target)


def test_real_pixels_of_the_margin_are_used_if_asked_for() -> None:
    images = Images(np.full((8, 128, 128, 3), 255, np.uint8), 96, "x")
    pixels = images.batch(slice(0, 8), margin=True)
    inside, outside = (
        Pairs(images, settings(margin=margin), CPU)(pixels, pixels, warp_generator(0)).target
        for margin in (True, False)
    )
    white = [(t > 0.99).float().mean().item() for t in (inside, outside)]
    assert white[0] > white[1]  # without the margin more of the target is read from outside


def test_the_mask_is_the_released_profile() -> None:
    mask = discount(128, settings(discount=(10 / 128, 20 / 128)))[0, 0]
    row = mask[64]
    assert row[:10].tolist() == [0.0] * 10
    assert row[30:98].tolist() == [1.0] * 68
    ramp = row[10:30]
    assert (ramp.diff() > 0).all()
    assert float(ramp[9] + ramp[10]) == pytest.approx(1, abs=1e-6)  # point symmetric
    assert torch.equal(mask, mask.flip(0))
    assert torch.equal(mask, mask.T)
    assert float(mask[20, 20]) == pytest.approx(float(row[20]) ** 2)


def test_no_discount_is_no_mask() -> None:
    images = flat(4, 32, 0)
    pixels = images.batch(slice(0, 4))
    assert (
        Pairs(images, settings(discount=(0, 0)), CPU)(pixels, pixels, warp_generator(0)).mask
        is None
    )


def test_views_are_shown_as_they_are() -> None:
    images = flat(6, 32, 4, objects=np.array([0, 0, 1, 1, 2, 2]))
    made = Pairs(images, settings(pairs="views"), CPU)
    pixels = images.batch([0, 2, 4], margin=True)
    others = images.batch([1, 3, 5], margin=True)
    source, target, mask = made(pixels, others, warp_generator(0))
    assert mask is None
    assert ((source + 1) * 127.5).round()[:, 0, 0, 0].tolist() == [1, 3, 5]
    assert ((target + 1) * 127.5).round()[:, 0, 0, 0].tolist() == [0, 2, 4]


def test_resizing_is_antialiased() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(48).expand(1, 1, 96, 96)
    assert resized(stripes, 24)[..., 2:-2].std() < 0.05
    assert resized(stripes, 96) is stripes
