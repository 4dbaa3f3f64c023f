from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.path_length import (
    perceptual_path_distances,
    perceptual_path_length,
    trimmed_mean,
    within_percentiles,
)

distances = arrays(np.float64, st.integers(1, 300), elements=st.floats(0, 1e6))


def test_trimming_equals_the_reference(golden):
    item = golden("ppl_trimming")
    given = item["in_distances"]
    assert trimmed_mean(given) == pytest.approx(item["out_ppl_mean"], rel=1e-6)
    kept = given[within_percentiles(given)]
    assert (len(kept), kept.min(), kept.max()) == (
        item["out_kept"],
        item["out_lower"],
        item["out_upper"],
    )


@settings(deadline=None, max_examples=50)
@given(distances, st.integers(0, 2**32 - 1))
def test_trimming_drops_only_tails_and_not_in_any_order(values, seed):
    kept = within_percentiles(values)
    assert kept.sum() >= 0.98 * len(values)
    inside = values[kept]
    assert ((values[~kept] < inside.min()) | (values[~kept] > inside.max())).all()
    assert inside.min() <= trimmed_mean(values) * (1 + 1e-12)
    shuffled = np.random.default_rng(seed).permutation(values)
    assert trimmed_mean(shuffled) == pytest.approx(trimmed_mean(values), rel=1e-12)
    assert trimmed_mean(4 * values) == pytest.approx(4 * trimmed_mean(values), rel=1e-12)


def test_equal_distances_are_all_kept():
    assert within_percentiles(np.full(1000, 3.0)).all()
    assert trimmed_mean([5.0]) == 5.0


@dataclass
class Linear:
    """w is z in two layers; images are w times a fixed matrix, plus noise from the seed."""

    size: int = 8
    z_dim: int = 4
    noise: float = 0.0
    seeds: list[int] = field(default_factory=list)

    def mapping(self, z):
        return z[:, None, :].expand(-1, 2, -1).double()

    def synthesis(self, w, seed):
        self.seeds.append(seed)
        draw = torch.Generator().manual_seed(0)
        matrix = torch.randn(self.z_dim, 3 * self.size**2, generator=draw, dtype=torch.float64)
        images = w.mean(dim=1) @ matrix
        draw.manual_seed(seed)
        noise = torch.randn(images.shape, generator=draw, dtype=torch.float64)
        return (images + self.noise * noise).reshape(-1, 3, self.size, self.size)


def squared(a, b):
    return (a - b).square().mean(dim=(1, 2, 3))


def test_a_linear_generator_changes_by_the_same_amount_at_any_epsilon_and_t():
    options = {"pairs": 20, "seed": 3}
    expected = perceptual_path_distances(Linear(), squared, **options)
    assert expected.shape == (20,)
    for change in ({"epsilon": 0.5}, {"epsilon": 1.0}, {"sampling": "full"}, {"batch": 7}):
        found = perceptual_path_distances(Linear(), squared, **(options | change))
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    whole = perceptual_path_length(Linear(), squared, **options)
    assert whole == trimmed_mean(expected)


def test_both_ends_share_their_noise_and_batches_do_not():
    generator = Linear(noise=100.0)
    found = perceptual_path_distances(generator, squared, pairs=20, batch=8, seed=3)
    expected = perceptual_path_distances(Linear(), squared, pairs=20, seed=3)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    near, far = generator.seeds[::2], generator.seeds[1::2]
    assert near == far
    assert len(set(near)) == 3


def test_great_circles_keep_to_the_unit_sphere_with_even_speed():
    seen = []

    class Sphere(Linear):
        def mapping(self, z):
            seen.append(z)
            return super().mapping(z)

    def angle(_a, _b):
        return 2 * torch.asin((seen[-1] - seen[-2]).double().norm(dim=1) / 2) ** 2

    options = {"pairs": 12, "space": "z", "batch": 12}
    far = perceptual_path_distances(Sphere(), angle, epsilon=1.0, **options)
    for z in seen:
        np.testing.assert_allclose(z.norm(dim=1), 1, rtol=1e-6)
    near = perceptual_path_distances(Sphere(), angle, epsilon=0.25, **options)
    np.testing.assert_allclose(near, far, rtol=1e-4)
    full = perceptual_path_distances(Sphere(), angle, epsilon=0.25, sampling="full", **options)
    np.testing.assert_allclose(full, far, rtol=1e-4)


@pytest.mark.parametrize(
    "size, crop, expected", [(64, False, 64), (64, True, 32), (512, False, 256), (512, True, 128)]
)
def test_images_are_cropped_and_brought_down_to_256(size, crop, expected):
    shapes = []

    def note(a, b):
        shapes.append(tuple(a.shape))
        return squared(a, b)

    perceptual_path_distances(Linear(size=size), note, pairs=1, crop=crop)
    assert shapes == [(1, 3, expected, expected)]


def test_the_crop_keeps_the_face():
    def picture(_w, _seed):
        rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
        return torch.stack([rows, columns, rows])[None]

    def check(a, _b):
        assert (a[0, 0, 0, 0], a[0, 0, -1, -1]) == (6, 13)
        assert (a[0, 1, 0, 0], a[0, 1, -1, -1]) == (4, 11)
        return torch.ones(1)

    generator = Linear()
    generator.synthesis = picture
    perceptual_path_distances(generator, check, pairs=1, crop=True)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"space": "x"}, "no 'x'"),
        ({"sampling": "start"}, "no 'start'"),
        ({"epsilon": 0}, "must be positive"),
        ({"pairs": 0}, "must be positive"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        perceptual_path_distances(Linear(), squared, **options)


def test_bad_distances_and_images_are_refused():
    with pytest.raises(InvalidInput, match=r"distance: expected shape \(B\), got \(4, 3\)"):
        perceptual_path_distances(Linear(), lambda a, b: a[:, :, 0, 0], pairs=4)
    with pytest.raises(InvalidInput, match=r"distance: expected shape \(4,\), got \(1,\)"):
        perceptual_path_distances(Linear(), lambda a, b: a.mean()[None], pairs=4)
    with pytest.raises(InvalidInput, match=r"distance: .*4 NaN"):
        perceptual_path_distances(Linear(), lambda a, b: squared(a, b) * np.nan, pairs=4)
    grey = Linear()
    grey.synthesis = lambda w, seed: torch.zeros(len(w), 1, 8, 8)
    with pytest.raises(InvalidInput, match="images: expected shape"):
        perceptual_path_distances(grey, squared, pairs=4)
    with pytest.raises(InvalidInput, match=r"distances: .*empty"):
        trimmed_mean([])
    with pytest.raises(InvalidInput, match=r"distances: .*1 NaN"):
        trimmed_mean([1.0, np.nan])
