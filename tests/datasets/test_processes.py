"""Work in processes: what comes out is what one process makes, errors and lost processes included."""

from __future__ import annotations

import math
import os
from functools import partial

import numpy as np
import pytest

from benchmark.datasets import rendered_batches
from benchmark.datasets.processes import can_travel, in_processes
from benchmark.datasets.rendered_batches import drawn
from benchmark.twins.face import FaceRecipe


def test_results_come_in_the_order_of_the_pieces() -> None:
    pieces = [(n,) for n in range(7)]
    assert list(in_processes(math.factorial, pieces, 3)) == [1, 1, 2, 6, 24, 120, 720]
    assert list(in_processes(math.factorial, [], 2)) == []


def test_an_error_is_the_one_that_the_work_raises_here() -> None:
    found = in_processes(math.factorial, [(3,), (-1,), (4,)], 2)
    assert next(found) == 6
    with pytest.raises(ValueError, match="not defined for negative"):
        next(found)


def test_a_process_that_dies_of_its_work_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", str(os.getpid()))
    system = "__import__('os')"
    dies_elsewhere = f"{system}.getpid() == int({system}.environ['HERE']) or {system}._exit(1)"
    assert list(in_processes(eval, [(dies_elsewhere,)] * 4, 2)) == [True] * 4


def test_pieces_and_results_that_cannot_travel_are_seen_to_here() -> None:
    pieces = [(3,), (lambda: None,), (range(2),), (iter("ab"),)]
    assert list(in_processes(callable, pieces, 2)) == [False, True, False, False]
    assert [view[0] for view in in_processes(memoryview, [(b"ab",)] * 3, 2)] == [97] * 3


def test_what_cannot_be_handed_over_is_known() -> None:
    assert can_travel(partial(math.pow, 2))
    assert not can_travel(lambda: None)


def test_pictures_drawn_in_processes_are_those_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered_batches, "CHUNK", 3)
    recipe = FaceRecipe(range(5), 5)
    alone = list(drawn(recipe, 24, 1, 7, 8))
    assert [len(batch) for batch in alone] == [3, 3, 2]
    monkeypatch.setattr(rendered_batches, "WORTH", 1)
    monkeypatch.setattr(rendered_batches, "cores", lambda: 2)
    for one, other in zip(alone, drawn(recipe, 24, 1, 7, 8), strict=True):
        for name in ("images", "landmarks", "visible", "depth", "identity", "quaternions"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
