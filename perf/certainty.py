"""How often the printed interval covers, and how often a board ranks what is equal: simulations.

    python perf/certainty.py [--boards 2000] [--out perf/results/certainty.json]

Numbers are those of `benchmark.metrics.uncertainty`, the way boards use them, on drawn records whose
truth is known. An item's error is 8 + its group's part + its own part (gamma, as errors are) + what a
seed does to all items + what a seed does to this item. With it the rule that boards had before:
percentile bootstrap over seeds and items as if these were independent, and Welch's test with the items'
variance added.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy import stats

from benchmark.metrics.uncertainty import (
    Moves,
    Source,
    group_moves,
    holm,
    interval,
    over_items,
    over_seeds,
    p_values,
)

TRUTH = 8.0
SEEDS = (1, 3, 5, 10)
ITEMS = (  # name, groups, items a group, share of the variance that groups have
    ("857 items of 69 groups", 69, 12.4, 0.2),
    ("300 items, each a group", 300, 1, 0.0),
    ("60 items of 12 groups", 12, 5, 0.3),
    ("20 items, each a group", 20, 1, 0.0),
    (
        "12 groups of 60, 30, 15, 8, 4, 2 and 1 items",
        (60, 30, 15, 8, 4, 2, 1, 1, 1, 1, 1, 1),
        0,
        0.5,
    ),
    ("69 groups, one of 400 items, others of 6", (400, *[6] * 68), 0, 0.5),
)
EQUAL_GROUPS = (4,) * 30
SPREADS = (0.1, 0.5, 1.5)
SPREAD = 4.0  # of items; skewed as a gamma of shape 4


def gamma(rng: np.random.Generator, spread: float, size: tuple[int, ...]) -> np.ndarray:
    """Skewed errors of mean 0 and this standard deviation."""
    return spread * (rng.gamma(4.0, 1.0, size) - 4.0) / 2.0


def drawn(
    rng: np.random.Generator,
    seeds: int,
    groups: int | tuple[int, ...],
    per_group: float,
    share: float,
    spread: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Errors (S, N) of one method and the groups (N,) of its items, whose numbers differ by group."""
    if isinstance(groups, tuple):
        sizes = np.array(groups)
    else:
        sizes = np.ones(groups, int) if per_group == 1 else 1 + rng.poisson(per_group - 1, groups)
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    items = gamma(rng, SPREAD * np.sqrt(share), (len(sizes),))[numbers]
    items = items + gamma(rng, SPREAD * np.sqrt(1 - share), (len(numbers),))
    own = rng.normal(0, 1.0, (seeds, len(numbers)))
    return TRUTH + items + rng.normal(0, spread, (seeds, 1)) + own, numbers


def row(errors: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """The interval of a board's row."""
    values = errors.mean(1)
    each = [group_moves(e, groups=groups) for e in errors]
    moves = Moves(np.mean([m.by_group for m in each], axis=0), each[0].freedom)
    seeds = [over_seeds(values)] if len(values) > 1 else []
    found = interval(float(values.mean()), [*seeds, over_items(moves)])
    assert found is not None
    return found


def bootstrapped(rng: np.random.Generator, errors: np.ndarray) -> tuple[float, float]:
    """The interval that boards had: seeds and items drawn with replacement, items by themselves."""
    seeds, items = errors.shape
    counts = rng.multinomial(items, np.full(items, 1 / items), 1000) / items
    means = counts @ errors.T
    chosen = rng.integers(0, seeds, means.shape)
    low, high = np.quantile(np.take_along_axis(means, chosen, 1).mean(1), [0.025, 0.975])
    return float(low), float(high)


def coverage(boards: int) -> list[dict[str, object]]:
    """The share of intervals that hold the truth, in percent, by seeds, items and spread over seeds."""
    found = []
    for name, groups, per_group, share in ITEMS:
        for seeds in SEEDS:
            for spread in SPREADS if seeds > 1 else (0.0,):
                rng = np.random.default_rng([len(name), seeds, int(10 * spread)])
                held, before, wide = 0, 0, []
                for turn in range(boards):
                    errors, numbers = drawn(rng, seeds, groups, per_group, share, spread)
                    low, high = row(errors, numbers)
                    held += low <= TRUTH <= high
                    if turn < boards // 4:  # slow, and known to fail
                        one, other = bootstrapped(rng, errors)
                        before += one <= TRUTH <= other
                        wide.append((high - low) / (other - one))
                found.append(
                    {
                        "items": name,
                        "seeds": seeds,
                        "spread over seeds": spread,
                        "covers": round(100 * held / boards, 1),
                        "bootstrap covered": round(100 * before / (boards // 4), 1),
                        "as wide": round(float(np.median(wide)), 2),
                    }
                )
    return found


def false_ranks(boards: int) -> list[dict[str, object]]:
    """The share of boards of equal methods, in percent, on which any row is ranked behind another.

    Methods are equal on average; they differ in what they find hard, by group. "unequal spreads": every
    second one's seeds spread ten times as far as the others'; "unequal groups": 12 of 60 items to 1.
    """
    found = []
    kinds = {
        "equal": (0.2, EQUAL_GROUPS),
        "unequal spreads": (2.0, EQUAL_GROUPS),
        "unequal groups": (0.2, (60, 30, 15, 8, 4, 2, 1, 1, 1, 1, 1, 1)),
    }
    for methods in (2, 5, 9):
        for seeds in (2, 3, 5, 10):
            for number, (kind, (other, sizes)) in enumerate(kinds.items()):
                rng = np.random.default_rng([methods, seeds, number])
                spreads = np.where(np.arange(methods) % 2, other, 0.2)
                ranked = welch = 0
                for _ in range(boards):
                    ranked_, welch_ = one_board(rng, methods, seeds, spreads, sizes)
                    ranked, welch = ranked + ranked_, welch + welch_
                found.append(
                    {
                        "methods": methods,
                        "seeds": seeds,
                        "kind": kind,
                        "false ranks": round(100 * ranked / boards, 1),
                        "Welch's test": round(100 * welch / boards, 1),
                    }
                )
    return found


def one_board(
    rng: np.random.Generator,
    methods: int,
    seeds: int,
    spreads: np.ndarray,
    sizes: tuple[int, ...],
) -> tuple[bool, bool]:
    """Whether our rule, and Welch's, find a difference between methods that are equal."""
    numbers = np.repeat(np.arange(len(sizes)), sizes)
    items = len(numbers)
    by_group = rng.normal(0, 1.0, (methods, len(sizes)))[:, numbers]
    shared = gamma(rng, SPREAD, (items,))
    own = rng.normal(0, 1.0, (methods, items))
    values = (shared + by_group + own).mean(1)[:, None] + rng.normal(
        0, spreads[:, None], (methods, seeds)
    )
    influences = ((by_group + own) - (by_group + own).mean(1, keepdims=True)) / items
    moves = [group_moves(errors, groups=numbers) for errors in by_group + own]
    pairs = list(combinations(range(methods), 2))
    apart = np.array([values[a].mean() - values[b].mean() for a, b in pairs])
    sources = [
        [over_seeds(values[a]), over_seeds(values[b]), over_items(moves[a] - moves[b])]
        for a, b in pairs
    ]
    plain = [float(((influences[a] - influences[b]) ** 2).sum()) for a, b in pairs]
    ours = holm(p_values(apart, sources))
    theirs = holm([welch(d, s, i) for d, s, i in zip(apart, sources, plain, strict=True)])
    return min(ours) < 0.05, min(theirs) < 0.05


def welch(apart: float, sources: list[Source], items: float) -> float:
    """Welch's test with the variance over items added, items taken as independent."""
    seeds = sources[:2]
    error = sum(s.variance for s in seeds) + items
    freedom = error**2 / sum(s.variance**2 / s.freedom for s in seeds)
    return float(2 * stats.t.sf(abs(apart) / np.sqrt(error), freedom))


def far_from_normal(boards: int) -> list[dict[str, object]]:
    """The share of intervals that hold the truth, in percent, where errors are far from normal."""

    def failing(rng: np.random.Generator, seeds: int) -> np.ndarray:
        """One seed in five is 14 worse, among 69 groups of 12 items."""
        errors, _ = drawn(rng, seeds, (12,) * 69, 0, 0.2, 0.5)
        return errors + 14.0 * (rng.random((seeds, 1)) < 0.2) - 2.8

    def skewed(rng: np.random.Generator, seeds: int) -> np.ndarray:
        """20 items from a log-normal distribution of mean 8, each a group."""
        items = TRUTH * rng.lognormal(-0.5, 1.0, 20)
        return items + rng.normal(0, 0.2, (seeds, 1)) + rng.normal(0, 0.2, (seeds, 20))

    def rare(rng: np.random.Generator, seeds: int) -> np.ndarray:
        """100 items, 3 % of which are missed, in percent, moved to the same truth."""
        items = 100.0 * (rng.random(100) < 0.03)
        return items + rng.normal(0, 0.1, (seeds, 1)) + TRUTH - 3.0

    cases = {"one seed in five is 14 worse": failing, "20 log-normal items": skewed,
             "100 items, 3 % missed": rare}  # fmt: skip
    found: list[dict[str, object]] = []
    for name, case in cases.items():
        covers: dict[str, object] = {"errors": name}
        for seeds in (3, 5, 10):
            rng = np.random.default_rng([len(name), seeds])
            held = 0
            for _ in range(boards):
                errors = case(rng, seeds)
                people = (
                    np.repeat(np.arange(69), 12) if case is failing else np.arange(errors.shape[1])
                )
                low, high = row(errors, people)
                held += low <= TRUTH <= high
            covers[f"{seeds} seeds"] = round(100 * held / boards, 1)
        found.append(covers)
    return found


def power() -> list[dict[str, object]]:
    """How far two of M methods must be apart, in spreads over seeds, to be ranked apart, items aside."""
    return [
        {
            "seeds": seeds,
            **{
                f"{methods} methods": round(
                    float(
                        stats.t.isf(0.025 / (methods * (methods - 1) / 2), seeds - 1)
                        * np.sqrt(2 / seeds)
                    ),
                    1,
                )
                for methods in (2, 3, 5, 9)
            },
        }
        for seeds in (2, 3, 5, 10, 20)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=2000)
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results/certainty.json"
    )
    given = parser.parse_args()
    began = time.monotonic()
    tables = {
        "coverage": coverage(given.boards),
        "false_ranks": false_ranks(given.boards),
        "far_from_normal": far_from_normal(given.boards),
        "apart": power(),
    }
    about = {"boards": given.boards, "python": platform.python_version(), "numpy": np.__version__}
    given.out.write_text(json.dumps({**about, **tables}, indent=1) + "\n")
    from tabulate import tabulate

    for name, table in tables.items():
        print(f"\n{name}\n{tabulate(table, headers='keys', tablefmt='github')}")
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
