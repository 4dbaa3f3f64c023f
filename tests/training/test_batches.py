"""Pixels by number, and which of them a step sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmark.contracts.errors import Incompatible, InvalidInput
from benchmark.contracts.images import Images
from benchmark.training.batches import (
    Batches,
    Order,
    Others,
    Pixels,
    Views,
    averaged,
    shrunk,
    surroundings,
)


def drawn(count: int = 7, size: int = 12, margin: int = 5, **more: Any) -> Images:
    """Random pixels."""
    side = size + 2 * margin
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    return Images(pixels, size, "x", **more)


ROWS = np.array([5, 0, 5, 3])


@pytest.mark.parametrize("cache_bytes", [None, 0])
@pytest.mark.parametrize("margin", [True, False])
def test_pixels_are_the_images_in_the_order_asked_for(
    margin: bool, cache_bytes: int | None
) -> None:
    images = drawn()
    pixels = Pixels(images, margin=margin, cache_bytes=cache_bytes)
    assert pixels.cached == (cache_bytes is None)
    assert (pixels.size, pixels.margin) == (12, 5 if margin else 0)
    assert torch.equal(pixels[ROWS], images.batch(ROWS, margin=margin))
    of_views = pixels[ROWS.reshape(2, 2)]
    assert of_views.shape[:3] == (2, 2, 3)
    assert torch.equal(of_views.flatten(0, 1), pixels[ROWS])


@pytest.mark.parametrize("cache_bytes", [None, 0])
def test_at_a_smaller_size_the_margin_shrinks_alike(cache_bytes: int | None) -> None:
    images = drawn()
    pixels = Pixels(images, size=6, cache_bytes=cache_bytes)
    assert (pixels.size, pixels.margin) == (6, 2)  # 4 of the 5 pixels around are 2 there
    found = pixels[ROWS]
    assert found.dtype == torch.uint8
    assert found.shape == (4, 3, 10, 10)
    cut = images.batch(ROWS, margin=True)[..., 1:-1, 1:-1].float()
    assert torch.equal(found, torch.nn.functional.avg_pool2d(cut, 2).round().byte())


@pytest.mark.parametrize("side", [13, 6, 29, 1])
def test_shrinking_is_the_mean_over_areas(side: int) -> None:
    """By counting: each of 30 pixels is `side` finer ones, and 30 of these are a new pixel."""
    picture = drawn(2, 30, 0).pixels
    found = shrunk(torch.from_numpy(picture.copy()).permute(0, 3, 1, 2), side)
    finer = picture.repeat(side, 1).repeat(side, 2).astype(np.float64)
    means = finer.reshape(2, side, 30, side, 30, 3).mean((2, 4)).transpose(0, 3, 1, 2)
    assert np.abs(found.numpy() - means).max() <= 0.5 + 1e-4
    signed = torch.from_numpy(picture.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
    assert np.abs(averaged(signed, side).numpy() - (means / 127.5 - 1)).max() < 1e-5
    white = torch.full((1, 3, 30, 30), 255, dtype=torch.uint8)
    assert (shrunk(white, side) == 255).all()


def test_images_are_not_enlarged() -> None:
    with pytest.raises(InvalidInput, match="12 pixels a side can't be shrunk to 24") as raised:
        Pixels(drawn(), size=24)
    assert "12 or less" in raised.value.cure


def test_silhouettes_are_cut_and_shrunk_as_their_pixels() -> None:
    plain = drawn()
    images = Images(plain.pixels, 12, "x", silhouettes=plain.pixels[..., 1].copy())
    for more in ({}, {"size": 6}, {"margin": False}, {"cache_bytes": 0}):
        shapes = Pixels(images, what="silhouettes", **more)
        assert torch.equal(shapes[ROWS], Pixels(images, **more)[ROWS][:, 1:2])


def test_silhouettes_need_a_protocol_that_grants_them() -> None:
    with pytest.raises(Incompatible, match="silhouettes") as raised:
        Pixels(drawn(), what="silhouettes")
    assert "grants `silhouettes`" in raised.value.cure


@pytest.mark.parametrize("cache_bytes", [None, 0])
def test_two_orders_share_one_copy(cache_bytes: int | None) -> None:
    images = drawn(objects=np.array([0, 0, 1, 1, 2, 2, 2]))
    order = Order(7, 3, seed=1)
    pixels = Pixels(images, cache_bytes=cache_bytes)
    batches, others = Batches(pixels, order), Batches(pixels, Others(order, images.objects))
    assert batches.pixels is others.pixels
    apart = Batches(images, Others(order, images.objects))
    for step in (0, 1, 2, 3, 9):
        assert torch.equal(batches(step), images.batch(order.indices(step), margin=True))
        assert torch.equal(others(step), apart(step))


def test_a_set_that_is_not_kept_is_read_one_batch_ahead() -> None:
    images = drawn()
    batches = Batches(images, Order(7, 3, 0), cache_bytes=0)
    batches(0)
    assert list(batches._ahead) == [1]
    ahead = batches._ahead[1].result()
    assert torch.equal(batches(1), ahead)


def test_others_are_further_views_of_the_same_object() -> None:
    objects = np.array([5, 2, 5, 9, 2, 5, 7, 7])
    order = Order(8, 8, seed=3)
    others = Others(order, objects)
    met: dict[int, set[int]] = {i: set() for i in range(8)}
    for step in range(60):
        chosen, found = order.indices(step), others.indices(step)
        assert (objects[chosen] == objects[found]).all()
        for image, partner in zip(chosen.tolist(), found.tolist(), strict=True):
            met[image].add(partner)
    assert met == {
        0: {2, 5}, 2: {0, 5}, 5: {0, 2}, 1: {4}, 4: {1}, 3: {3}, 6: {7}, 7: {6},
    }  # fmt: skip
    assert others.indices(4).tolist() == Others(order, objects).indices(4).tolist()


def test_others_need_a_protocol_that_grants_them() -> None:
    with pytest.raises(Incompatible, match="does not grant"):
        Others(Order(8, 4, 0), None)


def test_both_scales_agree_to_the_pixel() -> None:
    assert surroundings(96, 20, 48) == (20, 10)
    assert surroundings(96, 20, 64) == (18, 12)
    assert surroundings(128, 16, 128) == (16, 16)
    assert surroundings(96, 20, 128) == (18, 24)
    assert surroundings(97, 20, 48) == (0, 0)


def test_views_are_different_images_of_each_object() -> None:
    objects = np.array([9, 4, 9, 4, 9, 7, 7, 7, 4, 4])
    views = Views(objects, per_step=2, views=3, seed=0)
    seen: list[int] = []
    met: set[int] = set()
    for step in range(40):
        names, rows = views.indices(step)
        assert rows.shape == (2, 3)
        assert (objects[rows] == names[:, None]).all()
        assert all(len(set(row)) == 3 for row in rows.tolist())
        seen += names.tolist()
        met |= set(rows.ravel().tolist())
    assert met == set(range(10))
    assert {seen.count(name) for name in (4, 7, 9)} <= set(range(20, 35))
    again = Views(objects, 2, 3, seed=0).indices(17)
    assert all(np.array_equal(a, b) for a, b in zip(again, views.indices(17), strict=True))
    assert not np.array_equal(Views(objects, 2, 3, seed=1).indices(17)[1], again[1])


def test_processes_share_the_objects_of_a_step() -> None:
    objects = np.arange(40) // 4
    whole = Views(objects, 4, 2, seed=3)
    parts = [Views(objects, 4, 2, seed=3, rank=rank, share=2) for rank in range(2)]
    for step in range(5):
        names, rows = (
            np.concatenate(both) for both in zip(*(p.indices(step) for p in parts), strict=True)
        )
        assert np.array_equal(names, whole.indices(step)[0])
        assert np.array_equal(rows, whole.indices(step)[1])


def test_views_of_an_object_with_too_few_images_are_refused() -> None:
    with pytest.raises(InvalidInput, match="object 8 has 1 images, 2 different"):
        Views(np.array([3, 3, 8]), 1, 2, 0)
    with pytest.raises(Incompatible, match="does not grant"):
        Views(None, 1, 2, 0)
