"""The same numbers on an accelerator as on the CPU."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from benchmark.metrics import checks
from benchmark.metrics.frechet import FeatureMoments, frechet_distance_from_features
from benchmark.metrics.kernel import kernel_distance
from benchmark.metrics.landmarks import normalised_mean_error
from benchmark.metrics.matching import match_descriptors
from benchmark.metrics.neighbours import density_coverage, precision_recall

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_without_a_device_everything_stays_on_the_cpu_in_float64():
    given = np.ones((2, 3), np.float16), torch.ones(2, 3, dtype=torch.bfloat16)
    first, second = checks.tensors(a=(given[0], "N D"), b=(given[1], "N D"))
    assert first.device.type == second.device.type == "cpu"
    assert first.dtype == second.dtype == torch.float64


def test_features_keep_what_they_need_no_more_for_and_may_be_read_only():
    given = [np.ones((2, 3), t) for t in (np.float16, np.float32, np.float64, np.int32)]
    for array in given:
        array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [checks.features(a=(array, "N D"))[0].dtype for array in given]
        assert checks.tensors(a=(given[0], "N D"))[0].dtype == torch.float64
    assert found == [torch.float32, torch.float32, torch.float64, torch.float64]


@needs_cuda
def test_features_are_scored_alike_on_a_gpu():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(300, 64)), rng.normal(0.2, 1.1, (280, 64))
    device = [torch.tensor(x, device="cuda") for x in (real, fake)]
    mixed = [device[0], fake]  # what has no device follows what has one
    for score in (
        frechet_distance_from_features,
        lambda a, b: kernel_distance(a, b, subset_size=100, subsets=5),
        lambda a, b: np.concatenate(precision_recall(a, b)),
        lambda a, b: np.concatenate(density_coverage(a, b)),
    ):
        expected = score(real, fake)
        for arguments in (device, mixed):
            np.testing.assert_allclose(score(*arguments), expected, rtol=1e-9)
    moments = FeatureMoments(64)
    moments.update(device[0][:100])
    moments.update(device[0][100:])
    np.testing.assert_allclose(moments.covariance(), np.cov(real.T), rtol=1e-9, atol=1e-12)


@needs_cuda
def test_points_and_maps_are_scored_alike_on_a_gpu():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(2, 16, 24, 24)).astype(np.float32)
    points = rng.integers(0, 48, (9, 2))
    for rule in ("dve", "paper"):
        expected = match_descriptors(*maps, points, rule, (48, 48))
        found = match_descriptors(*torch.tensor(maps, device="cuda"), points, rule, (48, 48))
        np.testing.assert_array_equal(found, expected)
    pred, target = rng.normal(size=(2, 5, 4, 2))
    found = normalised_mean_error(torch.tensor(pred, device="cuda"), target, np.ones(5))
    np.testing.assert_array_equal(found, normalised_mean_error(pred, target, np.ones(5)))
