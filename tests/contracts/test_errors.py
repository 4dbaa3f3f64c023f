"""What an error says of the names that are known."""

from __future__ import annotations

import pytest

from benchmark.contracts.errors import UnknownName


@pytest.mark.parametrize(
    "kind, known",
    [
        ("method", "known methods: a, b"),
        ("split of taichi", "known splits of taichi: a, b"),
        ("measure of landmarks", "known measures of landmarks: a, b"),
        ("probe family", "known probe families: a, b"),
    ],
)
def test_kinds_of_names_have_their_plural(kind: str, known: str) -> None:
    assert UnknownName(kind, "zzz", ["b", "a"]).cure == known
