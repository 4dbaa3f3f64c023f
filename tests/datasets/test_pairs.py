"""Matching pairs: the reference's pairing and strengths, frozen as data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.tasks.pairs import MATCHING_STRENGTH, MatchingPairs, draw_matching_pairs


@pytest.fixture(scope="module")
def mafl() -> MatchingPairs:
    return draw_matching_pairs(1000, seed=0)


def test_five_hundred_same_and_five_hundred_different(mafl):
    assert mafl.pairs.shape == (1000, 2)
    assert mafl.same.sum() == 500
    image = mafl.views[:, 0][mafl.pairs]
    np.testing.assert_array_equal(image[mafl.same][:, 0], 2 * np.arange(500))
    np.testing.assert_array_equal(image[:, 0] == image[:, 1], mafl.same)
    np.testing.assert_array_equal(image[~mafl.same][:, 1], 2 * np.arange(500) + 1)


def test_dve_warps_the_source_twice_and_targets_once(mafl):
    source, target = mafl.views[mafl.pairs[:, 0]], mafl.views[mafl.pairs[:, 1]]
    assert (source[:, 1:] > 0).all()
    assert (target[:, 1] > 0).all()
    assert (target[:, 2] == 0).all()
    # The same target is the source before its second warp; every other warp is used once.
    np.testing.assert_array_equal(source[mafl.same, 1], target[mafl.same, 1])
    used = mafl.views[:, 1:]
    assert np.unique(used[used > 0]).size == 1500 == len(mafl.weights) - 1


def test_the_paper_layout_warps_only_the_same_target():
    pairs = draw_matching_pairs(20, seed=0, count=10, layout="paper")
    source, target = pairs.views[pairs.pairs[:, 0]], pairs.views[pairs.pairs[:, 1]]
    assert (source[:, 1:] == 0).all()
    assert ((target[:, 1] > 0) == pairs.same).all()
    assert (target[:, 2] == 0).all()


def test_strengths_are_the_references(mafl):
    weights, affine = mafl.weights[1:].astype(float), mafl.affine[1:].astype(float)
    mixture = np.sqrt((0.0005**2 + 0.005**2) / 2)
    assert weights.std() == pytest.approx(mixture, rel=0.02)
    assert affine[:, 0].std() == pytest.approx(0.05, rel=0.08)
    angle = np.rad2deg(np.arctan2(-affine[:, 1, 1], affine[:, 1, 0]))
    assert angle.std() == pytest.approx(2.5, rel=0.08)
    scale = np.sqrt(np.linalg.det(affine[:, 1:]))
    assert scale.std() == pytest.approx(0.05, rel=0.08)
    np.testing.assert_array_equal(mafl.weights[0], 0)
    np.testing.assert_array_equal(mafl.affine[0], [[0, 0], [1, 0], [0, 1]])


def test_the_digest_is_frozen(mafl):
    assert mafl.digest == "5cf87a11dc3898e82c9e7dd8846f88bfb096ba4dce0c4529d01faafda8868ee2"
    assert draw_matching_pairs(1000, seed=0).digest == mafl.digest
    assert draw_matching_pairs(1000, seed=1).digest != mafl.digest
    assert draw_matching_pairs(1000, seed=0, layout="paper").digest != mafl.digest


def test_pairs_survive_storage(mafl, tmp_path):
    path = tmp_path / "pairs.npz"
    np.savez(path, **mafl.arrays())
    with np.load(path) as stored:
        back = MatchingPairs.from_arrays(stored, mafl.digest)
    assert back.digest == mafl.digest
    altered = {name: array.copy() for name, array in mafl.arrays().items()}
    altered["weights"][3, 5, 1] += 1e-6
    with pytest.raises(DataAltered, match=mafl.digest):
        MatchingPairs.from_arrays(altered, mafl.digest)


def test_partners_are_other_people():
    identities = [f"person {i // 7}" for i in range(140)]
    pairs = draw_matching_pairs(140, seed=4, count=100, identities=identities)
    name = np.asarray(identities)[pairs.views[:, 0][pairs.pairs]]
    np.testing.assert_array_equal(name[:, 0] == name[:, 1], pairs.same)
    sources = pairs.views[pairs.pairs[pairs.same][:, 0], 0]
    assert np.unique(sources).size == 100
    assert pairs.digest == "9dc1e0c14bd1044d929b8b5d31491fa994923f3d2505d41a8897346310b85635"


def test_landmarks_follow_their_pixels(mafl):
    size = 96
    views = np.array([0, 3, 500, 1003])
    points = torch.tensor([[34.0, 40.0], [61.0, 41.0], [48.0, 55.0], [37.5, 67.25]]).double()
    place = torch.arange(size)
    squared = (place - points[:, :1, None]) ** 2 + (place[:, None] - points[:, 1:, None]) ** 2
    dots = torch.exp(-squared / 4.0).expand(4, -1, -1, -1)
    drawn = mafl.render(views, dots).square()
    mass = drawn.sum(dim=(-1, -2))
    x = (drawn.sum(dim=-2) * place).sum(dim=-1) / mass
    y = (drawn.sum(dim=-1) * place).sum(dim=-1) / mass
    landed = mafl.landmarks(views, points.expand(4, -1, -1), size, size)
    assert landed.valid.all()
    distance = (torch.stack([x, y], dim=-1) - landed.points).norm(dim=-1)
    assert distance.max() < 0.3
    pixels = mafl.landmarks_to_pixels(views, points.expand(4, -1, -1), size, size)
    assert torch.equal(pixels, pixels.round())
    # Half a pixel per axis and warp, stretched a little by the second.
    assert (pixels - landed.points).abs().max() < 1.5
    assert (pixels - landed.points).abs().max() > 0.1


def test_unwarped_views_are_the_images():
    pairs = draw_matching_pairs(20, seed=0, count=10, layout="paper")
    images = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (2, 3, 32, 32)))
    np.testing.assert_allclose(pairs.render([0, 21], images), images, rtol=0, atol=1e-9)


def test_wrong_requests_are_refused():
    with pytest.raises(InvalidInput, match="need 1000 images, got 770"):
        draw_matching_pairs(770, seed=0)
    with pytest.raises(InvalidInput, match="as many identities"):
        draw_matching_pairs(10, seed=0, count=2, identities=["a"] * 9)
    with pytest.raises(InvalidInput, match="two identities"):
        draw_matching_pairs(10, seed=0, count=2, identities=["a"] * 10)
    with pytest.raises(InvalidInput, match="layout"):
        draw_matching_pairs(10, seed=0, count=2, layout="imm")  # type: ignore[arg-type]
    pairs = draw_matching_pairs(10, seed=0, count=2, strength=MATCHING_STRENGTH)
    wrong = pairs.arrays() | {"pairs": pairs.pairs + 90}
    with pytest.raises(InvalidInput, match="outside"):
        MatchingPairs.from_arrays(wrong)


@pytest.mark.parametrize(
    "name", ["mafl_matching", "mafl_matching_dve", "mafl_matching_dve@1", "mafl_matching_cl"]
)
def test_the_pairs_of_mafl_are_those_that_its_protocols_pin(name: str) -> None:
    from benchmark.registry.protocols import find_protocol

    rule = find_protocol(name).pairs
    assert rule is not None
    pairs = draw_matching_pairs(1_000, rule.seed, count=rule.count, layout=rule.layout)
    assert pairs.digest == rule.digest
    sources, targets = pairs.views[pairs.pairs].transpose(1, 0, 2)[:, :, 0]
    assert np.array_equal(sources, np.tile(2 * np.arange(500), 2))
    assert np.array_equal(targets - sources, np.repeat([0, 1], 500))
