"""Masks: each rule against NumPy and Pillow done by hand, and files that are not as they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.datasets.geometry import place
from benchmark.datasets.masks import Window, cut_mask, read_colours, read_grey, read_indices
from benchmark.protocols import Geometry

WHOLE = Window(0, 0, 60, 40)
RNG = np.random.default_rng(3)


def geometry(masks: str, **changes) -> Geometry:
    return Geometry(**{"crop": "whole", "resize": 24, "masks": masks, **changes})


def smooth(channels: int) -> np.ndarray:
    """A blob of grey values with soft edges, 60 wide and 40 high."""
    small = RNG.choice([0, 255], (5, 6, channels)).astype(np.uint8).squeeze()
    return np.array(Image.fromarray(small).resize((60, 40), Image.Resampling.BICUBIC))


def resized(mask: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(mask).resize((24, 24), Image.Resampling.BILINEAR))


def test_labels_take_the_nearest_pixel_and_keep_what_is_not_scored() -> None:
    mask = RNG.choice([0, 1, 255], (48, 48)).astype(np.uint8)
    found = cut_mask(mask, Window(0, 0, 48, 48), geometry("labels"))
    np.testing.assert_array_equal(found, mask[1::2, 1::2])


@pytest.mark.parametrize("rule, least", [("above_half", 128), ("full", 255)])
def test_grey_values_are_resized_before_they_are_decided_on(rule: str, least: int) -> None:
    mask = smooth(1)
    found = cut_mask(mask, WHOLE, geometry(rule))
    np.testing.assert_array_equal(found, resized(mask) >= least)
    assert 0 < found.sum() < found.size
    decided_first = resized(((mask >= least) * 255).astype(np.uint8)) >= least
    assert (found != decided_first).any()


def test_flower_colours_are_resized_before_they_are_decided_on() -> None:
    mask = smooth(3)
    mask[:, :20] = 0, 0, 254  # the blue that the publisher paints the background with
    r, g, b = np.moveaxis(resized(mask), -1, 0)
    found = cut_mask(mask, WHOLE, geometry("flower_colours"))
    np.testing.assert_array_equal(found, ~((r == 0) | (g == 0) | (b == 254)))
    assert not found[:, :7].any()
    assert found.any()


@pytest.mark.parametrize("rule, value", [("labels", 1), ("above_half", 255), ("full", 255)])
def test_masks_are_cut_like_their_images_and_nothing_is_outside(
    tmp_path: Path, rule: str, value: int
) -> None:
    pixels = np.zeros((20, 40), np.uint8)
    pixels[:, 8:24] = value
    Image.fromarray(((pixels > 0) * 255).astype(np.uint8)).save(tmp_path / "a.png")
    padded = geometry(rule, crop="padded_square", resize=40, cut=4)
    placed = place(Sample("a", tmp_path / "a.png"), padded, mask=pixels)
    assert placed.mask is not None
    np.testing.assert_array_equal(placed.mask == 1, placed.pixels[4:36, 4:36, 0] == 255)
    assert placed.mask[6:26, 4:20].all()
    assert placed.mask.sum() == 20 * 16


def test_an_odd_side_is_padded_in_the_middle(tmp_path: Path) -> None:
    Image.new("RGB", (3, 6), "white").save(tmp_path / "a.png")
    placed = place(
        Sample("a", tmp_path / "a.png"), geometry("labels", crop="padded_square", resize=6)
    )
    assert placed.pixels[0, :, 0].tolist() == [0, 0, 255, 255, 255, 0]


@pytest.mark.parametrize(
    "rule, mask, said",
    [
        ("labels", np.full((4, 4), 128), "holds 128"),
        ("above_half", np.eye(4), "0 and 1 only"),
        ("full", np.zeros((4, 4, 3)), r"needs \(H, W\)"),
        ("flower_colours", np.zeros((4, 4)), r"needs \(H, W, 3\)"),
    ],
)
def test_values_the_rule_does_not_know_are_refused(rule: str, mask: np.ndarray, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        cut_mask(mask.astype(np.uint8), Window(0, 0, 4, 4), geometry(rule))


def test_an_empty_mask_is_background_under_each_rule() -> None:
    for rule in ("labels", "above_half", "full"):
        assert not cut_mask(np.zeros((4, 4), np.uint8), Window(0, 0, 4, 4), geometry(rule)).any()


def saved(path: Path, image: Image.Image) -> Sample:
    image.save(path)
    return Sample("a", path, mask=path)


def test_files_are_read_whatever_their_mode(tmp_path: Path) -> None:
    grey = RNG.integers(0, 256, (5, 7)).astype(np.uint8)
    plain = saved(tmp_path / "l.png", Image.fromarray(grey))
    np.testing.assert_array_equal(read_grey(plain), grey)
    both = np.stack([grey, np.full_like(grey, 9)], -1)
    for mode in ("LA", "RGB", "RGBA"):
        image = Image.fromarray(both, "LA").convert(mode)
        np.testing.assert_array_equal(read_grey(saved(tmp_path / f"{mode}.png", image)), grey)
    two = saved(tmp_path / "1.png", Image.fromarray(grey > 127))
    np.testing.assert_array_equal(read_grey(two), (grey > 127) * 255)
    labels = Image.fromarray((grey % 6).astype(np.uint8), "P")
    labels.putpalette([v for i in range(6) for v in (40 * i, 7, 200)])
    palette = saved(tmp_path / "p.png", labels)
    np.testing.assert_array_equal(read_indices(palette), grey % 6)
    np.testing.assert_array_equal(read_grey(palette), 40 * (grey % 6))
    assert read_colours(palette).shape == (5, 7, 3)
    assert read_colours(plain).shape == (5, 7, 3)


def test_files_that_are_no_masks_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataAltered, match=r"a has no mask"):
        read_grey(Sample("a", tmp_path / "a.png"))
    with pytest.raises(DataAltered, match=r"gone\.png is not there"):
        read_grey(Sample("a", tmp_path / "a.png", mask=tmp_path / "gone.png"))
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n....")
    with pytest.raises(DataAltered, match=r"torn\.png can't be decoded"):
        read_grey(Sample("a", tmp_path / "a.png", mask=tmp_path / "torn.png"))
    colours = saved(tmp_path / "c.png", Image.new("RGB", (3, 3)))
    with pytest.raises(DataAltered, match="colours, not labels"):
        read_indices(colours)
    deep = saved(tmp_path / "d.png", Image.fromarray(np.zeros((3, 3), np.uint16)))
    with pytest.raises(DataAltered, match="more than 8 bits"):
        read_grey(deep)


def test_padding_is_background_unless_it_is_not_scored() -> None:
    mask = np.ones((40, 60), np.uint8)
    square, margin = Window(0, -10, 60, 60), 10  # padded above and below
    scored = cut_mask(mask, square, geometry("labels", crop="padded_square", resize=60))
    assert scored[margin:-margin].all()
    assert not scored[:margin].any()
    for rule, grey in (("labels", 1), ("above_half", 255), ("full", 255)):
        wanted = geometry(rule, crop="padded_square", resize=60, cut=2, padding="not_scored")
        found = cut_mask(mask * grey, square, wanted)
        assert found.shape == (56, 56)
        assert (found[margin - 2 : 2 - margin] == 1).all()
        assert (found[: margin - 2] == 255).all()
        assert (found[2 - margin :] == 255).all()
    inside = geometry("labels", padding="not_scored")
    np.testing.assert_array_equal(
        cut_mask(mask, WHOLE, inside), cut_mask(mask, WHOLE, geometry("labels"))
    )


def test_what_is_cut_out_lies_on_black_and_its_outline_can_be_read_from_it(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 40, 3), np.uint8)
    pixels[4:9, 12:17] = 0
    mask = np.zeros((20, 40), np.uint8)
    mask[2:18, 8:24] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    whole = geometry("above_half", crop="padded_square", resize=40, background="cut_out")
    placed = place(Sample("a", tmp_path / "a.png"), whole, mask=mask)
    assert placed.mask is not None
    np.testing.assert_array_equal(placed.pixels.any(-1), placed.mask == 1)
    assert (
        placed.pixels[14:19, 12:17] == 1
    ).all()  # the black of the object, 10 rows of padding down
    seen = (mask > 0) & pixels.any(-1)
    np.testing.assert_array_equal(placed.pixels[10:30][seen], pixels[seen])
    with pytest.raises(InvalidInput, match="a: it is to be cut out, and has no mask"):
        place(Sample("a", tmp_path / "a.png"), whole)


@pytest.mark.parametrize("more", [{"cut": 4}, {"padding": "not_scored"}])
def test_what_is_cut_out_has_no_margin(more: dict) -> None:
    with pytest.raises(ValueError, match="neither a margin"):
        geometry("above_half", crop="padded_square", resize=40, background="cut_out", **more)
