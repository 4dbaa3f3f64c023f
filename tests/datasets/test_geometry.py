"""Where a point of the source ends up: conventions, crops, resizing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.contracts.dataset import Sample
from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.datasets.geometry import place
from benchmark.protocols import Geometry

SQUARE = np.array([[20.0, 10.0], [60.0, 10.0], [60.0, 40.0], [20.0, 40.0], [37.0, 22.0]])


def save(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def blob(points: np.ndarray, width: int, height: int, sigma: float) -> np.ndarray:
    """A black image with a soft bright spot at the last point."""
    x, y = np.arange(width), np.arange(height)[:, None]
    spot = np.exp(-((x - points[-1, 0]) ** 2 + (y - points[-1, 1]) ** 2) / (2 * sigma**2))
    return np.repeat((255 * spot).round().astype(np.uint8)[..., None], 3, axis=2)


def centre_of_light(pixels: np.ndarray, cut: int) -> np.ndarray:
    light = pixels[..., 0].astype(float)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]]
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum() - cut


@pytest.mark.parametrize("resize", [30, 60, 136])
def test_under_pixel_centres_the_point_stays_on_what_it_marks(tmp_path: Path, resize: int) -> None:
    path = save(tmp_path / "a.png", blob(SQUARE, 90, 70, sigma=2.5))
    geometry = Geometry(crop="points_square", scale=1.5, resize=resize, cut=4)
    pixels, points, _, *_ = place(Sample("a", path, points=SQUARE), geometry)
    assert pixels.shape == (resize, resize, 3)
    assert pixels.dtype == np.uint8
    assert points is not None
    assert points.dtype == np.float32
    np.testing.assert_allclose(centre_of_light(pixels, cut=4), points[-1], atol=0.05)


def test_points_square_cuts_the_stated_square_and_blackens_outside(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (50, 70, 3), dtype=np.uint8)
    path = save(tmp_path / "a.png", pixels)
    geometry = Geometry(crop="points_square", scale=1.5, resize=60, labels="scale")
    found, points, _, *_ = place(Sample("a", path, points=SQUARE), geometry)
    # box 40 × 30 around (40, 25): side 60, from (10, −5) to (70, 55); 60 pixels wanted, none resized
    expected = np.zeros((60, 60, 3), np.uint8)
    expected[5:55] = pixels[:, 10:70]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(points, SQUARE - (10, -5))


def test_halves_are_rounded_up(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.zeros((20, 20, 3), np.uint8))
    corners = np.array([[3.0, 4.0], [8.0, 6.0]])  # side 2.5 → 3 (not to even: 2); x0 5.5 − 1.5 = 4
    geometry = Geometry(crop="points_square", scale=0.5, resize=3, labels="scale")
    _, points, _, *_ = place(Sample("a", path, points=corners), geometry)
    np.testing.assert_array_equal(points, corners - (4, 4))


def test_whole_scales_each_axis_by_itself(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.zeros((50, 100, 3), np.uint8))
    geometry = Geometry(crop="whole", resize=200, cut=20, labels="scale")
    _, points, _, *_ = place(Sample("a", path, points=np.array([[50.0, 25.0], [0, 50]])), geometry)
    np.testing.assert_array_equal(points, [[80, 80], [-20, 180]])


def test_window_of_celeba_maps_as_its_reference_does(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.zeros((218, 178, 3), np.uint8))
    geometry = Geometry(crop="window", window=(0, 30, 178, 178), resize=136, cut=20, labels="scale")
    _, points, _, *_ = place(Sample("a", path, points=np.array([[69.0, 109.0]])), geometry)
    np.testing.assert_allclose(
        points, [[69 * 136 / 178 - 20, (109 - 30) * 136 / 178 - 20]], rtol=1e-6
    )


def test_one_based_points_lose_their_one_before_scaling(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.zeros((150, 150, 3), np.uint8))
    geometry = Geometry(crop="whole", resize=136, cut=20, labels="scale_one_based")
    _, points, _, *_ = place(Sample("a", path, points=np.array([[1.0, 76.0]])), geometry)
    np.testing.assert_allclose(points, [[-20, 75 * 136 / 150 - 20]], rtol=1e-6)


@given(
    window=st.tuples(
        st.integers(-20, 20), st.integers(-20, 20), st.integers(8, 90), st.integers(8, 90)
    ),
    resize=st.integers(8, 64),
    x=st.floats(-50, 200),
    y=st.floats(-50, 200),
)
@settings(deadline=None, max_examples=50)
def test_pixel_centres_and_scale_differ_by_the_half_pixel_term(
    tmp_path_factory: pytest.TempPathFactory, window, resize: int, x: float, y: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "grey.png"
    if not path.exists():
        save(path, np.full((64, 64, 3), 128, np.uint8))
    sample = Sample("a", path, points=np.array([[x, y]]))
    both = [
        place(sample, Geometry(crop="window", window=window, resize=resize, labels=labels)).points
        for labels in ("pixel_centres", "scale")
    ]
    scale = resize / np.array(window[2:])
    np.testing.assert_allclose(both[0] - both[1], [(scale - 1) / 2], atol=2e-3)


@given(dx=st.integers(-15, 15), dy=st.integers(-15, 15))
@settings(deadline=None, max_examples=20)
def test_a_face_moved_in_the_image_gives_the_same_crop(
    tmp_path_factory: pytest.TempPathFactory, dx: int, dy: int
) -> None:
    folder = tmp_path_factory.mktemp("moved")
    points = SQUARE + 30
    still = np.random.default_rng(1).integers(0, 256, (140, 140, 3), dtype=np.uint8)
    moved = np.roll(still, (dy, dx), axis=(0, 1))  # what is rolled round stays outside the crop
    geometry = Geometry(crop="points_square", scale=1.5, resize=48)
    first = place(Sample("a", save(folder / "a.png", still), points=points), geometry)
    second = place(Sample("b", save(folder / "b.png", moved), points=points + (dx, dy)), geometry)
    np.testing.assert_array_equal(first.pixels, second.pixels)
    np.testing.assert_array_equal(first.points, second.points)


def test_stored_crops_scale_the_visible_middle_and_shift_by_its_side(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.zeros((200, 200, 3), np.uint8))
    points = SQUARE + 60  # box 40 × 30 around (100, 85)
    geometry = Geometry(crop="stored", crops="1.crops.csv", resize=136, cut=20, labels="scale")
    _, placed, _, *_ = place(
        Sample("a", path, points=points), geometry, np.array([1.2, 0.125, -0.25])
    )
    side = 68  # 1.2 · 40 · 136 / 96
    x, y = 100 + 0.125 * 48 - side / 2, 85 - 0.25 * 48 - side / 2
    np.testing.assert_allclose(placed, (points - (x, y)) * 136 / side - 20, atol=1e-5)
    # so the box is 1 / 1.2 of the visible 96, and its centre lies (−12, +24) from the middle
    np.testing.assert_allclose(np.ptp(placed[:, 0]), 96 / 1.2, rtol=1e-6)
    np.testing.assert_allclose((placed[0] + placed[2]) / 2, [48 - 12, 48 + 24], atol=1e-4)


def test_the_300w_window_is_that_of_its_reference(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    path = save(tmp_path / "a.png", rng.integers(1, 256, (120, 160, 3), dtype=np.uint8))
    box = (51.0, 31.0, 129.5, 111.25)
    points = np.array([[51.0, 31.0], [129.5, 111.25], [90.0, 70.0]])
    geometry = Geometry(crop="box_300w", resize=100, labels="scale")
    pixels, placed, _, *_ = place(Sample("a", path, points=points, box=box), geometry)
    factor = 52 / 79.5
    left = int(np.floor(factor * (51 + 80.5 / 2))) - 50
    top = int(np.floor(factor * (31 + 82.25 / 2))) - 52
    assert (left, top) == (9, -5)
    np.testing.assert_allclose(placed, points * factor - (left, top) - 1, rtol=1e-6)
    assert np.ptp(placed[:2, 0]) == pytest.approx(52 * 78.5 / 79.5)
    # above the image and right of it: black; the scaled image is int(160·f) × int(120·f)
    size = (int(160 * factor), int(120 * factor))
    inside = np.zeros((100, 100), bool)
    inside[max(0, -top) : size[1] - top, max(0, -left) : size[0] - left] = True
    assert not pixels[~inside].any()
    with Image.open(path) as image:
        scaled = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(
        pixels[inside].reshape(-1),
        scaled[max(0, top) : top + 100, max(0, left) : left + 100].reshape(-1),
    )


def test_alpha_is_dropped_whatever_the_name_says(tmp_path: Path) -> None:
    rgba = np.random.default_rng(3).integers(0, 256, (20, 20, 4), dtype=np.uint8)
    path = tmp_path / "png_inside.jpg"
    Image.fromarray(rgba, "RGBA").save(path, "PNG")
    pixels, points, _, *_ = place(Sample("a", path), Geometry(crop="whole", resize=20))
    np.testing.assert_array_equal(pixels, rgba[..., :3])
    assert points is None


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_an_image_that_cannot_be_decoded_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.jpg"
    noise = np.random.default_rng(4).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:900] if content is None else content)
    with pytest.raises(DataAltered, match=r"broken\.jpg can't be decoded") as caught:
        place(Sample("a", path), Geometry(crop="whole", resize=8))
    assert "verify" in caught.value.cure


@pytest.mark.parametrize(
    ("geometry", "points", "message"),
    [
        ({"crop": "points_square", "scale": 1.5}, None, "made from the points"),
        ({"crop": "points_square", "scale": 1.5}, np.ones((5, 2)), "all points are the same"),
        ({"crop": "stored", "crops": "x.csv"}, SQUARE, "no row for this sample"),
        ({"crop": "box_300w", "labels": "scale"}, SQUARE, "needs the data set's box"),
    ],
)
def test_a_geometry_that_cannot_apply_names_the_sample(
    tmp_path: Path, geometry: dict, points: np.ndarray | None, message: str
) -> None:
    path = save(tmp_path / "a.png", np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(InvalidInput, match=f"part/a.png: .*{message}"):
        place(Sample("part/a.png", path, points=points), Geometry(resize=8, **geometry))


@pytest.mark.parametrize("held", [0.0, np.nan, np.inf, -1e9, 1e300])
def test_a_crop_is_made_from_visible_points_alone(tmp_path: Path, held: float) -> None:
    pixels = np.random.default_rng(0).integers(1, 256, (50, 70, 3), dtype=np.uint8)
    path = save(tmp_path / "a.png", pixels)
    geometry = Geometry(crop="points_square", scale=1.5, resize=60, labels="scale")
    points = np.r_[SQUARE, [[held, held]]]
    visible = np.array([True] * 5 + [False])
    alone = place(Sample("a", path, points=SQUARE), geometry)
    found = place(Sample("a", path, points=points, visible=visible), geometry)
    np.testing.assert_array_equal(found.pixels, alone.pixels)
    assert found.points is not None
    np.testing.assert_array_equal(found.points[:5], alone.points)
    assert np.isfinite(found.points).all()
    with pytest.raises(InvalidInput, match=r"a: crop 'points_square' .* none is visible"):
        place(Sample("a", path, points=points, visible=np.zeros(6, bool)), geometry)


def test_a_crop_as_large_as_no_picture_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", np.zeros((50, 70, 3), np.uint8))
    points = np.array([[0.0, 0], [9e5, 9e5]])
    with pytest.raises(InvalidInput, match=r"a: the crop is .*, the image 70 × 50") as caught:
        place(Sample("a", path, points=points), Geometry(crop="points_square", scale=1, resize=8))
    assert "in pixels of the image's file" in caught.value.cure
