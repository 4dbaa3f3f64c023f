"""Which method an index names: it is ahead of the floors, whatever references score."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmark.boards.measured import Gain
from benchmark.boards.rows import Row
from benchmark.boards.standings import Standing
from benchmark.protocols import Protocol
from benchmark.registry.protocols import find_protocol


@pytest.fixture
def protocol() -> Protocol:
    return find_protocol("ytf68_images")


def row(method: str, role: str, value: float) -> Row:
    nothing = {"ci95": None, "ci_items": None, "ci_seeds": None, "floor": None, "reported": None}
    about = {"variant": "", "seeds": (0,), "items": 1, "supervision": "none", "seconds": 1.0}
    return Row(method=method, role=role, value=value, withdrawn="", runs=("a",), **about, **nothing)  # type: ignore[arg-type]


def standing(protocol: Protocol, *rows: Row) -> Standing:
    ordered = sorted(rows, key=lambda r: r.value)
    return Standing(protocol, False, len(rows), ordered, [], [])


def test_a_method_behind_a_reference_is_the_best_if_it_is_ahead_of_the_floors(
    protocol: Protocol,
) -> None:
    copies, noise = row("training-images", "reference", 130.0), row("noise-images", "floor", 8800.0)
    gan = row("gan", "method", 700.0)
    board = standing(protocol, copies, gan, noise)
    assert board.best("method") == gan
    assert board.best("floor") == noise
    assert board.best("reference") == copies
    assert board.how_sure(gan) == "the only one"


def test_a_method_that_is_not_clear_of_the_floor_is_said_to_be_so(protocol: Protocol) -> None:
    floor = row("untrained", "floor", 705.0)
    for ends, said in {
        (-3.0, 13.0): "not clear of the best floor",
        (0.1, 9.9): "the only one",
        None: "the only one",
    }.items():
        gan = replace(row("gan", "method", 700.0), over_floor=Gain(5.0, ends))
        board = standing(protocol, floor, gan)
        assert board.best("method") == gan
        assert board.how_sure(gan) == said


def test_a_method_behind_a_floor_is_none(protocol: Protocol) -> None:
    copies, floor = row("training-images", "reference", 130.0), row("untrained", "floor", 600.0)
    board = standing(protocol, copies, floor, row("gan", "method", 700.0))
    assert board.best("method") is None
    assert board.best("floor") == floor
