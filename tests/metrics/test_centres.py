"""Part centres by three published rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.centres import RULES, part_centres

seeds = st.integers(0, 2**32 - 1)


def maps(seed, height=7, width=9):
    return np.random.default_rng(seed).uniform(0.1, 1, (2, 4, height, width))


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_rules_agree_where_parts_are_plain(seed):
    given_maps = maps(seed)
    pixels = part_centres(given_maps, "scops")
    np.testing.assert_allclose(part_centres(given_maps, "mcs"), pixels, atol=1e-4)
    scaled = part_centres(given_maps, "ganseg") / 128 * [8, 6]
    np.testing.assert_allclose(scaled, pixels, atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_flipping_and_scaling_maps(seed):
    given_maps = maps(seed)
    x, y = np.moveaxis(part_centres(given_maps, "scops"), -1, 0)
    flipped = part_centres(given_maps[..., ::-1], "scops")
    np.testing.assert_allclose(flipped, np.stack([8 - x, y], axis=-1), atol=1e-12)
    np.testing.assert_allclose(part_centres(3 * given_maps, "scops")[..., 0], x, rtol=1e-12)


def test_a_part_that_is_nowhere():
    empty = np.zeros((1, 2, 5, 9))
    np.testing.assert_array_equal(part_centres(empty, "ganseg"), [[[0, 0]]])
    np.testing.assert_allclose(part_centres(empty, "mcs"), [[[4, 2]]])
    with pytest.raises(InvalidInput, match="part 1 of image 0"):
        part_centres(empty, "scops")


@pytest.mark.parametrize("rule", RULES)
def test_the_background_does_not_count(rule):
    given_maps = maps(0)
    expected = part_centres(given_maps, rule)
    given_maps[:, 0] = 7
    np.testing.assert_array_equal(part_centres(given_maps, rule), expected)


@pytest.mark.parametrize(
    "bad",
    [np.ones((2, 1, 4, 4)), -np.ones((1, 2, 3, 3)), np.ones((2, 3, 4)), np.ones((0, 2, 3, 3))],
)
def test_bad_maps_are_refused(bad):
    with pytest.raises(InvalidInput, match="maps"):
        part_centres(bad, "mcs")


def test_unknown_rules_are_refused():
    with pytest.raises(InvalidInput, match="rule"):
        part_centres(maps(0), "assembly")
