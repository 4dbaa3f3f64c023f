from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.training.augment import CropSettings, mirrored, random_crop, windows
from benchmark.training.randomness import generator

PLAIN = {"flip": 0.0, "colour": 0.0, "grayscale": 0.0, "blur": 0.0, "aspect": 1.0}


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(count: int = 4, side: int = 20) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=draw(9))


def test_whole_crop_of_the_same_size_changes_nothing() -> None:
    images = noise()
    out = random_crop(images, CropSettings(size=20, area=(1.0, 1.0), **PLAIN), draw())
    torch.testing.assert_close(out, images * 2 - 1)


def test_bytes_and_floats_give_the_same() -> None:
    images = (noise() * 255).to(torch.uint8)
    choice = CropSettings(size=12)
    one = random_crop(images, choice, draw())
    two = random_crop(images.float() / 255, choice, draw())
    assert torch.equal(one, two)


def test_always_flip_mirrors() -> None:
    images = noise()
    choice = CropSettings(size=20, area=(1.0, 1.0), **PLAIN | {"flip": 1.0})
    torch.testing.assert_close(random_crop(images, choice, draw()), images.flip(-1) * 2 - 1)


def test_grayscale_has_equal_channels() -> None:
    choice = CropSettings(size=20, area=(1.0, 1.0), **PLAIN | {"grayscale": 1.0})
    out = random_crop(noise(), choice, draw())
    torch.testing.assert_close(out[:, 0], out[:, 1], atol=1e-5, rtol=0)
    luma = (noise() * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1) * 2 - 1
    torch.testing.assert_close(out[:, 2], luma, atol=1e-5, rtol=0)


def test_solarise_turns_bright_pixels_over() -> None:
    choice = CropSettings(size=20, area=(1.0, 1.0), **PLAIN, solarise=1.0)
    out = (random_crop(noise(), choice, draw()) + 1) / 2
    images = noise()
    torch.testing.assert_close(out, torch.where(images >= 0.5, 1 - images, images))


def test_crop_is_a_window_of_a_ramp() -> None:
    """On a ramp in x every crop is a ramp between two of its values, of a width that area gives."""
    ramp = torch.linspace(0, 1, 40).expand(64, 3, 40, 40)
    choice = CropSettings(size=10, area=(0.25, 0.25), **PLAIN)
    out = (random_crop(ramp, choice, draw()) + 1) / 2
    steps = out.diff(dim=-1)[..., 1:-1]
    torch.testing.assert_close(steps, torch.full_like(steps, 2 / 39), atol=1e-4, rtol=0)
    assert out[..., 0].std() > 0.05
    assert out.diff(dim=-2).abs().max() < 1e-5


def test_blur_keeps_constants_and_lowers_contrast() -> None:
    choice = CropSettings(size=20, area=(1.0, 1.0), **PLAIN | {"blur": 1.0}, blur_sigma=(1.0, 2.0))
    constant = torch.full((2, 3, 20, 20), 0.25)
    torch.testing.assert_close(
        random_crop(constant, choice, draw()), torch.full_like(constant, -0.5)
    )
    assert random_crop(noise(), choice, draw()).std() < 0.5 * (noise() * 2 - 1).std()


def test_chance_is_per_image() -> None:
    choice = CropSettings(size=8, area=(1.0, 1.0), **PLAIN | {"flip": 0.3})
    ramp = torch.linspace(0, 1, 8).expand(2000, 3, 8, 8)
    mirrored = random_crop(ramp, choice, draw())[:, 0, 0, 0] > 0
    assert 0.25 < mirrored.float().mean() < 0.35


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31), st.integers(8, 40), st.booleans())
def test_views_are_reproducible_and_in_range(seed: int, size: int, solar: bool) -> None:
    choice = CropSettings(size=size, solarise=0.5 if solar else 0.0)
    images = noise()
    one = random_crop(images, choice, generator(seed, "views", 3))
    two = random_crop(images, choice, generator(seed, "views", 3))
    assert torch.equal(one, two)
    assert one.shape == (4, 3, size, size)
    assert float(one.min()) >= -1 - 1e-6
    assert float(one.max()) <= 1 + 1e-6


def test_input_is_not_changed() -> None:
    images = noise()
    before = images.clone()
    random_crop(images, CropSettings(size=10), draw())
    assert torch.equal(images, before)


@pytest.mark.parametrize("step", [0, 1])
def test_other_steps_draw_other_views(step: int) -> None:
    choice = CropSettings(size=10)
    one = random_crop(noise(), choice, generator(0, "views", step))
    two = random_crop(noise(), choice, generator(0, "views", step + 1))
    assert not torch.equal(one, two)


def test_windows_are_windows() -> None:
    side = 12
    pixels = torch.arange(side * side, dtype=torch.uint8).view(1, 1, side, side)
    out = windows(pixels.repeat(50, 3, 1, 1), 8, torch.Generator().manual_seed(0))
    assert out.shape == (50, 3, 8, 8)
    levels = ((out + 1) * 127.5).round()
    steps = {round(float(d)) for d in levels.diff(dim=-1).flatten()}
    assert steps == {1}
    assert {round(float(d)) for d in levels.diff(dim=-2).flatten()} == {side}
    assert len({float(v) for v in levels[:, 0, 0, 0]}) > 10


def test_windows_without_margin_are_the_images() -> None:
    pixels = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    out = windows(pixels, 8, torch.Generator().manual_seed(0))
    torch.testing.assert_close(out, pixels.float() / 127.5 - 1)


def test_a_window_beyond_the_image_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no window of 9"):
        windows(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), 9, draw())


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_about_half_are_mirrored_and_nothing_else_changes(kind: torch.dtype) -> None:
    images = (noise(400, 6) * 255).to(kind)
    out = mirrored(images, draw())
    turned = (out == images.flip(-1)).flatten(1).all(1)
    assert ((out == images).flatten(1).all(1) ^ turned).all()
    assert 160 < int(turned.sum()) < 240
    assert torch.equal(mirrored(images, draw()), out)
    assert torch.equal(mirrored(images, draw(), 0.0), images)
    assert torch.equal(mirrored(images, draw(), 1.0), images.flip(-1))
