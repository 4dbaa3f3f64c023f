"""A fresh classifier: chance where there is nothing to tell, all where there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bench_aist import two_sample
from bench_aist.two_sample import Told, told

from benchmark.contracts.errors import InvalidInput

GROUPS = [f"car {i // 2}" for i in range(24)]


def images(seed: int, low: int = 0, high: int = 256) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, (24, 3, 16, 16), generator=draw, dtype=torch.uint8)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_sample, "STEPS", 30)


def test_the_same_images_are_told_apart_by_chance_exactly() -> None:
    found = told(images(0), images(0), GROUPS, GROUPS)
    assert found.accuracy == 50.0
    assert (found.right[:24] != found.right[24:]).all()


def test_what_differs_in_brightness_is_told_apart() -> None:
    found = told(images(0, 0, 150), images(1, 100, 256), GROUPS, [f"other {g}" for g in GROUPS])
    assert found.accuracy > 95
    assert found.interval()[0] > 90


def test_no_group_is_seen_and_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_of: list[tuple[set[int], set[int]]] = []

    def watch(rest, wanted, asked, seed, device):  # type: ignore[no-untyped-def]
        # each image carries the number of its group in its first pixel
        asked_of.append(tuple(set(part[:, 0, 0, 0].tolist()) for part in (rest, asked)))  # type: ignore[arg-type]
        return torch.ones(len(asked))

    monkeypatch.setattr(two_sample, "_scores", watch)
    marked = images(0)
    marked[:, 0, 0, 0] = torch.arange(24, dtype=torch.uint8) // 2
    found = told(marked, marked, GROUPS, GROUPS)
    assert len(asked_of) == 2
    assert all(not seen & asked for seen, asked in asked_of)
    assert set.union(*(asked for _, asked in asked_of)) == set(range(12))
    assert found.accuracy == 50.0  # it says "the second set" of all


def test_how_much_less_is_told_is_paired() -> None:
    groups = np.arange(8) // 2
    some = Told(np.array([1, 1, 0, 0, 1, 1, 0, 0], bool), groups)
    points, (low, high) = some.less_than(Told(np.ones(8, bool), groups))
    assert points == 50.0
    assert low <= 50.0 <= high
    assert some.less_than(some) == (0.0, (0.0, 0.0))


@pytest.mark.parametrize(
    "first, second, groups, said",
    [
        (images(0), images(1)[:20], GROUPS, "equally many"),
        (images(0), images(1), ["one"] * 24, "of one group"),
        (images(0), images(1), ["one"] * 12 + ["two"] * 12, "two"),
    ],
)
def test_what_can_not_be_compared_is_refused(first, second, groups, said) -> None:  # type: ignore[no-untyped-def]
    if said == "two":
        assert told(first, second, groups, groups).right.shape == (48,)
        return
    with pytest.raises(InvalidInput, match=said):
        told(first, second, groups[: len(first)], groups[: len(second)])
