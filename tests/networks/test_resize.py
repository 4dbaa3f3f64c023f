"""Resizing by three rules, against plain loops over their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.networks.resize import (
    RESIZERS,
    clean_resize,
    legacy_pytorch_resize,
    legacy_tensorflow_resize,
    resizer,
)

sizes = st.integers(1, 40)


def noise(seed, height=9, width=13, count=2):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def cubic(x):
    """Keys' kernel with a = -0.5."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def bicubic_matrix(extent, size):
    """Rows of weights, widened where the image shrinks, cut at the borders and normalised."""
    scale = extent / size
    support = max(scale, 1.0)
    rows = np.zeros((size, extent))
    for i in range(size):
        centre = (i + 0.5) * scale
        for j in range(extent):
            rows[i, j] = cubic((j + 0.5 - centre) / support)
    return rows / rows.sum(axis=1, keepdims=True)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 99), sizes, sizes, sizes)
def test_clean_is_a_bicubic_filter_in_float(seed, height, width, size):
    images = noise(seed, height, width)
    down, across = bicubic_matrix(height, size), bicubic_matrix(width, size)
    expected = np.einsum("ih,nhwc,jw->nijc", down, images.astype(np.float64), across)
    found = clean_resize(images, size)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.clip(0, 255), atol=1e-3)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 99), sizes, sizes, sizes)
def test_tensorflow_reads_from_the_top_left_corner(seed, height, width, size):
    images = noise(seed, height, width).astype(np.float64)

    def matrix(extent):
        rows = np.zeros((size, extent))
        for i in range(size):
            at = i * extent / size
            low = int(at)
            rows[i, low] += 1 - (at - low)
            rows[i, min(low + 1, extent - 1)] += at - low
        return rows

    expected = np.einsum("ih,nhwc,jw->nijc", matrix(height), images, matrix(width))
    found = legacy_tensorflow_resize(images.astype(np.uint8), size)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("mode", RESIZERS)
def test_what_all_rules_share(mode):
    resize = resizer(mode)
    images = noise(0)
    found = resize(images, 7)
    assert found.shape == (2, 7, 7, 3)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 255
    assert not (found == found.round()).all()
    np.testing.assert_array_equal(resize(torch.from_numpy(images), 7), found)
    np.testing.assert_array_equal(resize(images[1:], 7), found[1:])
    same = noise(1, 8, 8)
    np.testing.assert_array_equal(resize(same, 8), same)
    flat = np.full((1, 5, 6, 3), 37, np.uint8)
    np.testing.assert_allclose(resize(flat, 11), 37, atol=1e-4)


def test_the_rules_differ_where_they_should():
    images = noise(0, 64, 64)
    clean, pytorch, tensorflow = (resize(images, 24) for resize in RESIZERS.values())
    assert np.abs(clean - pytorch).mean() > 5  # only one of them is antialiased
    assert np.abs(tensorflow - pytorch).mean() > 5  # they read half a pixel apart
    mirrored = clean_resize(images[:, :, ::-1], 24)[:, :, ::-1]
    np.testing.assert_allclose(mirrored, clean, atol=1e-3)
    mirrored = legacy_pytorch_resize(images[:, :, ::-1], 24)[:, :, ::-1]
    np.testing.assert_allclose(mirrored, pytorch, atol=1e-3)


@pytest.mark.parametrize("mode", RESIZERS)
@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((2, 4, 4, 3), np.float32),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((1, 4, 4, 1), np.uint8),
        np.zeros((0, 4, 4, 3), np.uint8),
    ],
)
def test_other_images_are_refused(mode, bad):
    with pytest.raises(InvalidInput, match="images"):
        resizer(mode)(bad, 8)


def test_unknown_modes_are_refused():
    with pytest.raises(UnknownName, match="resize mode"):
        resizer("cleanest")


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_change_neither_images_nor_their_order(monkeypatch, threads):
    images = noise(4, count=7)
    wanted = np.concatenate([clean_resize(image[None], 20) for image in images])
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    np.testing.assert_array_equal(clean_resize(images, 20), wanted)
