"""The cost of soft matches."""

from __future__ import annotations

import pytest
import torch

from benchmark.training.correspondence import cells, distance_cost, expected_cost


def test_cells_go_row_by_row() -> None:
    assert cells(3, 2)[:4].tolist() == [[0, 0], [2, 0], [4, 0], [0, 2]]


def test_equal_places_cost_nothing_in_float32() -> None:
    places = cells(48, 2)
    cost = distance_cost(places, places)
    assert float(cost.diagonal().max()) == 0.0
    assert float(cost[0, 1]) == pytest.approx(2**0.5)
    assert float(distance_cost(places[:1], places, 2.0)[0, 48 + 1]) == pytest.approx(8.0)


def test_the_expected_cost_is_a_mean_by_shares() -> None:
    logits = torch.log(torch.tensor([[1.0, 3.0], [1.0, 1.0]]))
    cost = torch.tensor([[4.0, 8.0], [0.0, 2.0]])
    assert float(expected_cost(logits, cost)) == pytest.approx((7.0 + 1.0) / 2)
    assert expected_cost(logits.bfloat16(), cost).dtype == torch.float32
    assert expected_cost(logits.double(), cost).dtype == torch.float64
