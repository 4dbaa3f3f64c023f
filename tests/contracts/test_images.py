"""What a method sees: the middle square, its margin when asked, and no label."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from benchmark.contracts import Cameras, Images, InvalidInput, to_bytes, to_signed


def numbered(n: int = 3, side: int = 10) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def test_the_margin_is_there_when_asked_for() -> None:
    pixels = numbered()
    images = Images(pixels, size=6, digest="x")
    assert images.margin == 2
    middle, whole = images.batch([2, 0]), images.batch([2, 0], margin=True)
    assert middle.shape == (2, 3, 6, 6)
    assert torch.equal(middle, whole[:, :, 2:-2, 2:-2])
    assert np.array_equal(whole[0].permute(1, 2, 0).numpy(), pixels[2])


@pytest.mark.parametrize(
    "pixels, size",
    [
        (numbered().astype(np.float32), 6),
        (numbered()[..., :2], 6),
        (numbered(side=10), 7),
        (numbered(side=10), 12),
        (numbered()[:, :8], 6),
    ],
)
def test_other_arrays_are_refused(pixels: np.ndarray, size: int) -> None:
    with pytest.raises(InvalidInput):
        Images(pixels, size=size, digest="x")


def test_signed_ends() -> None:
    assert to_signed(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_nothing_that_tells_a_label() -> None:
    images = Images(numbered(), size=6, digest="x")
    names = set(vars(images))
    granted = {"cameras", "objects", "silhouettes", "domains", "clouds"}
    assert names == {"pixels", "size", "margin", "digest"} | granted


def test_bytes_undo_signed_and_clamp() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_signed(every)), every)
    assert to_bytes(torch.tensor([-9.0, -1.0, -0.9981, 0.0, 1.0, 9.0])).tolist() == [
        0, 0, 0, 128, 255, 255,
    ]  # fmt: skip
    assert torch.equal(to_bytes(to_signed(every).half()), every)


def cameras(count: int = 3, **changes) -> Cameras:  # type: ignore[no-untyped-def]
    turned = np.tile(np.array([0.5, 0.5, 0.5, 0.5], np.float32), (count, 1))
    fields = {
        "rotation": turned,
        "translation": np.tile(np.array([2, 0, 0], np.float32), (count, 1)),
        "focal": np.full(count, 20, np.float32),
        "axes": "forward_up_right",
    }
    return Cameras(**(fields | changes))


def test_a_camera_projects_as_its_axes_say() -> None:
    # a third of a turn takes (x, y, z) to (z, x, y): forward z, up x, right y
    points = np.array([[0.0, 0.0, 0.0], [0.2, 0.0, 0.0], [0.0, 0.4, 0.0], [0.1, 0.1, 2.0]])
    found = cameras().project(1, points, 11)
    np.testing.assert_allclose(found, [[5, 5], [5, 3], [9, 5], [5.5, 4.5]], atol=1e-6)
    assert np.isnan(cameras().project(0, np.array([[0.0, 0.0, -3.0]]), 11)).all()


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"axes": "up"}, "axes 'up'"),
        ({"focal": np.ones(2, np.float32)}, "focal must be float32"),
        ({"rotation": np.ones((3, 4))}, "rotation must be float32"),
    ],
)
def test_other_cameras_are_refused(changes: dict, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        cameras(**changes)
    with pytest.raises(InvalidInput, match="2 cameras for 3 images"):
        Images(numbered(), size=6, digest="x", cameras=cameras(2))


def test_arrays_and_words_are_all_there_is() -> None:
    covered = numbered()[..., 0]
    renders = Images(
        numbered(5), 8, "y", silhouettes=covered[[0, 1, 2, 0, 1]], objects=np.arange(5)
    )
    whole = Images(numbered(), 6, "x", cameras(), domains={"renders": renders, "more": renders})
    arrays = whole.arrays()
    assert set(arrays) == {
        "pixels", "rotation", "translation", "focal", "renders/pixels", "renders/silhouettes",
        "renders/objects", "more/pixels", "more/silhouettes", "more/objects",
    }  # fmt: skip
    again = Images.of(arrays, json.loads(json.dumps(whole.words())))
    assert again.words() == whole.words()
    assert again.domains["renders"].margin == 1
    for name, array in again.arrays().items():
        np.testing.assert_array_equal(array, arrays[name])
