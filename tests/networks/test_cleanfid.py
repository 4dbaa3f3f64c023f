"""Distances of generated images are those of the package clean-fid: how it resizes, what it computes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from PIL import Image
from tests_fixtures import ROOT

from benchmark.metrics.frechet import frechet_distance, frechet_distance_from_features
from benchmark.metrics.kernel import kernel_distance
from benchmark.networks.resize import clean_resize, legacy_pytorch_resize

SIZES = (16, 64, 224, 299)


@pytest.fixture(scope="module", params=["picture", "noise", "narrow"])
def image(request: pytest.FixtureRequest) -> np.ndarray:
    """uint8 (H, W, 3); the picture is a sheet of rendered faces."""
    if request.param == "picture":
        return np.asarray(Image.open(ROOT / "docs" / "picture.png").convert("RGB"))
    shape = {"noise": (120, 161, 3), "narrow": (3, 700, 3)}[request.param]
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def by_pillow(image: np.ndarray, size: int) -> np.ndarray:
    """The rule itself, channel by channel."""
    planes = [Image.fromarray(image[..., c].astype(np.float32)) for c in range(3)]
    done = [np.asarray(p.resize((size, size), Image.Resampling.BICUBIC)) for p in planes]
    return np.stack(done, axis=-1).clip(0, 255)


@pytest.mark.parametrize("size", SIZES)
def test_clean_is_the_rule_to_the_last_bit(image: np.ndarray, size: int) -> None:
    found = clean_resize(np.stack([image, image[::-1]]), size)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[0], by_pillow(image, size))
    np.testing.assert_array_equal(found[1], by_pillow(image[::-1], size))


@pytest.mark.parametrize(
    "mode, own", [("clean", clean_resize), ("legacy_pytorch", legacy_pytorch_resize)]
)
def test_what_the_package_does_before_inception_is_ours_to_the_last_bit(
    image: np.ndarray, mode: str, own
) -> None:
    from cleanfid.resize import build_resizer

    with warnings.catch_warnings():  # it switches all of them off
        theirs = build_resizer(mode)(image)
    np.testing.assert_array_equal(own(image[None], 299)[0], theirs)


def test_resizing_leaves_the_filters_of_warnings_alone() -> None:
    before = list(warnings.filters)
    for resize in (clean_resize, legacy_pytorch_resize):
        resize(np.zeros((1, 8, 8, 3), np.uint8), 4)
    assert list(warnings.filters) == before


def test_the_distance_is_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    fid = pytest.importorskip("cleanfid.fid")
    root = fid.linalg.sqrtm  # it asks for an argument that SciPy gives up
    monkeypatch.setattr(fid.linalg, "sqrtm", lambda a, disp: (root(a), None))
    draw = np.random.default_rng(1)
    real, fake = draw.normal(size=(400, 24)), draw.normal(0.3, 1.4, size=(300, 24))
    moments = [f(x) for x in (real, fake) for f in (lambda x: x.mean(0), lambda x: np.cov(x.T))]
    theirs = fid.frechet_distance(*moments)
    assert frechet_distance(*moments) == pytest.approx(theirs, rel=1e-9)
    assert frechet_distance_from_features(real, fake) == pytest.approx(theirs, rel=1e-9)


def test_the_kernel_distance_of_whole_sets_is_the_packages() -> None:
    """Of one subset that is everything the draw is of no account."""
    fid = pytest.importorskip("cleanfid.fid")
    draw = np.random.default_rng(2)
    real, fake = draw.normal(size=(200, 16)), draw.normal(0.2, 1.1, size=(200, 16))
    theirs = fid.kernel_distance(real, fake, num_subsets=1, max_subset_size=200)
    assert kernel_distance(real, fake, subset_size=200, subsets=1) == pytest.approx(
        theirs, rel=1e-9
    )
