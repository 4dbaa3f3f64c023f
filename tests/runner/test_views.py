"""Pictures of any size as squares, and points and labels back to the picture's pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmark.runner.views import FitRule, PictureCrop

RULES: tuple[FitRule, ...] = ("centre", "pad", "stretch")
SIDES = st.integers(1, 500)


@given(st.tuples(SIDES, SIDES), st.integers(1, 200), st.sampled_from(RULES))
def test_the_corners_of_a_view_are_those_of_its_window(
    picture: tuple[int, int], size: int, rule: FitRule
) -> None:
    crop = PictureCrop.of(picture, size, rule)
    left, top, width, height = crop.window
    first, last = (crop.to_picture(np.full(2, at - 0.5)) + 0.5 for at in (0, size))
    np.testing.assert_allclose(first, (left, top), atol=1e-9)
    np.testing.assert_allclose(last, (left + width, top + height), atol=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("picture", [(60, 60), (90, 60), (60, 90), (61, 90), (20, 15), (200, 17)])
def test_a_spot_is_found_again_where_it_was(picture: tuple[int, int], rule: FitRule) -> None:
    """Of a spot painted into the picture, its middle in the crop leads back to its middle there."""
    width, height = picture
    crop = PictureCrop.of(picture, 48, rule)
    spot = np.array([width // 2 + 1, height // 2 - 2], float)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    light = 255 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / (2 * 2.0**2))
    pixels = np.repeat(light.round().astype(np.uint8)[..., None], 3, axis=2)
    seen = crop.image(Image.fromarray(pixels), Image.Resampling.BILINEAR)
    assert seen.shape == (48, 48, 3)
    weight = seen[..., 0].astype(float)
    columns, rows = np.meshgrid(np.arange(48), np.arange(48))
    middle = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
    pixel = max(crop.window[2:]) / 48
    np.testing.assert_allclose(crop.to_picture(middle), spot, atol=0.1 + 0.1 * pixel)


def test_what_is_shown() -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :20], pixels[:, 60:] = (255, 0, 0), (0, 0, 255)
    picture = Image.fromarray(pixels)
    centre, pad, stretch = (
        PictureCrop.of((80, 40), 20, rule).image(picture, Image.Resampling.NEAREST)
        for rule in RULES
    )
    assert (centre == 0).all()
    assert (pad[:5] == 0).all()
    assert (pad[15:] == 0).all()
    assert (pad[5:15, :5] == (255, 0, 0)).all()
    assert (pad[5:15, 15:] == (0, 0, 255)).all()
    assert (stretch[:, :5] == (255, 0, 0)).all()
    assert (stretch[:, 15:] == (0, 0, 255)).all()


@pytest.mark.parametrize("rule", RULES)
def test_labels_come_back_to_the_pixels_they_were_shown_for(rule: FitRule) -> None:
    shown = np.arange(16, dtype=np.uint8).reshape(4, 4)
    found = PictureCrop.of((12, 8), 4, rule).labels(shown, 255)
    assert found.shape == (8, 12)
    if rule == "stretch":
        np.testing.assert_array_equal(found, shown.repeat(2, 0).repeat(3, 1))
    elif rule == "centre":
        np.testing.assert_array_equal(found[:, 2:10], shown.repeat(2, 0).repeat(2, 1))
        assert (found[:, :2] == 255).all()
        assert (found[:, 10:] == 255).all()
    else:
        whole = shown.repeat(3, 0).repeat(3, 1)
        np.testing.assert_array_equal(found, whole[2:10])
