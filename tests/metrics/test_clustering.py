"""Agreement of two labellings: against scikit-learn, and what must hold whatever the labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.clustering import (
    adjusted_rand_index,
    labels_at,
    normalised_mutual_information,
)

BOTH = (normalised_mutual_information, adjusted_rand_index)
some = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 5), min_size=n, max_size=n)] * 2)
)


@settings(deadline=None, max_examples=150)
@given(some)
def test_both_equal_scikit_learn(pair):
    sklearn = pytest.importorskip("sklearn.metrics")
    pred, target = pair
    assert normalised_mutual_information(pred, target) == pytest.approx(
        sklearn.normalized_mutual_info_score(target, pred), abs=1e-9
    )
    assert adjusted_rand_index(pred, target) == pytest.approx(
        sklearn.adjusted_rand_score(target, pred), abs=1e-9
    )


@settings(deadline=None, max_examples=50)
@given(some, st.permutations(range(6)))
def test_names_and_sides_do_not_matter(pair, names):
    pred, target = map(np.array, pair)
    for agreement in BOTH:
        value = agreement(pred, target)
        assert value <= 1 + 1e-12
        assert agreement(np.array(names)[pred], target) == pytest.approx(value, abs=1e-12)
        assert agreement(target, pred) == pytest.approx(value, abs=1e-12)
        assert agreement(pred, np.array(names)[pred]) == pytest.approx(1)


def test_labels_are_read_at_the_nearest_pixel():
    maps = np.arange(12).reshape(1, 3, 4)
    points = [[[0.49, 0.49], [0.5, 0.0], [3.4, 1.6], [-9.0, 9.0], [99.0, -1.0]]]
    assert labels_at(maps, points).tolist() == [[0, 1, 11, 8, 3]]


def test_the_rule_of_unsup_parts_reads_what_its_sampling_reads():
    size = 32
    columns = np.broadcast_to(np.arange(size), (2, size, size))
    rows = columns.swapaxes(1, 2)
    whole = np.stack([np.arange(6.0), np.zeros(6)], axis=-1)[None].repeat(2, axis=0)
    assert labels_at(columns, whole, "unsup_parts")[0].tolist() == [0, 0, 2, 2, 4, 4]
    assert labels_at(columns, whole)[0].tolist() == [0, 1, 2, 3, 4, 5]
    anywhere = np.random.default_rng(0).uniform(0, size - 0.01, (2, 500, 2)).astype(np.float32)
    for points in (whole.astype(np.float32), anywhere):
        for maps in (columns, rows):
            sampled = torch.nn.functional.grid_sample(
                torch.tensor(maps[:, None], dtype=torch.float64),
                torch.tensor(points[:, None].astype(np.float64)) / size * 2 - 1,
                mode="nearest",
                align_corners=False,
            )
            expected = sampled[:, 0, 0].long().numpy()
            np.testing.assert_array_equal(labels_at(maps, points, "unsup_parts"), expected)


def test_bad_input_is_refused():
    for agreement in BOTH:
        with pytest.raises(InvalidInput, match="N is 2 in pred, 3 here"):
            agreement([0, 1], [0, 1, 2])
        with pytest.raises(InvalidInput, match="empty"):
            agreement([], [])
    with pytest.raises(InvalidInput, match="integers"):
        labels_at([[[0.5]]], [[[0.0, 0.0]]])
    with pytest.raises(InvalidInput, match="no 'bilinear'"):
        labels_at([[[1]]], [[[0.0, 0.0]]], "bilinear")
