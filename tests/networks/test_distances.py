"""Distances between images by name: zero for equals, symmetric, and what they are called."""

from __future__ import annotations

import doctest

import pytest
import torch

from benchmark.contracts.errors import DataMissing, InvalidInput, UnknownName
from benchmark.networks import distances
from benchmark.networks.distances import image_distance


def pictures(seed: int = 0) -> torch.Tensor:
    return torch.rand(3, 3, 40, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_random_distance_is_zero_for_equals_symmetric_and_grows() -> None:
    distance = image_distance("random-conv")
    one, other = pictures(0), pictures(1)
    assert torch.equal(distance(one, one), torch.zeros(3))
    assert torch.allclose(distance(one, other), distance(other, one))
    near, far = (distance(one, one.lerp(other, t)) for t in (0.1, 0.5))
    assert (near > 0).all()
    assert (far > near).all()
    assert torch.allclose(distance(one, other)[1:], distance(one[1:], other[1:]), rtol=1e-5)


def test_it_is_a_squared_quantity_as_path_lengths_expect() -> None:
    distance = image_distance("random-conv")
    one, other = pictures(0).double(), pictures(1).double()
    distance.network.filters = [f.double() for f in distance.network.filters]
    small = [distance(one, one.lerp(other, e)) / e**2 for e in (1e-3, 1e-4)]
    assert torch.allclose(*small, rtol=2e-2)


def test_other_shapes_and_names_are_refused() -> None:
    distance = image_distance("random-conv")
    with pytest.raises(InvalidInput):
        distance(pictures(), pictures()[:2])
    with pytest.raises(InvalidInput):
        distance(pictures().byte(), pictures().byte())
    with pytest.raises(UnknownName, match="lpips-alex"):
        image_distance("lpips-alex")


def test_lpips_without_weights_says_what_to_get(bench_home, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.delenv("BENCH_WEIGHTS", raising=False)
    with pytest.raises(DataMissing, match="vgg16-397923af"):
        image_distance("lpips-vgg")


def test_identity_names_weights() -> None:
    about = image_distance("random-conv").identity()
    assert about["name"] == "random-conv"
    assert about["sha256"]


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(distances).failed == 0
