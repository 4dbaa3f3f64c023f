"""Print the two tables of README.md from the records beside this file.

Intervals are of 95 %, by the rule of the boards (`benchmark.metrics.uncertainty`): both sides are scored
on the same cars, and the seeds of each side are a source of error of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmark.metrics import uncertainty

BOARDS = Path(__file__).parent / "leaderboards"
ROWS = {
    "fitted on renders as they were drawn": "study_renders_outlines/1/dpc",
    "fitted on renders in the photographs' look": "study_restyled_outlines/1/dpc",
    "the same network untrained": "study_renders_outlines/1/random-features",
    "one ellipsoid": "study_renders_outlines/1/ellipsoid-cloud",
}


def errors(folder: str) -> np.ndarray:
    """Disagreement (seeds, cars) in percent, seeds in order."""
    runs = {}
    for path in sorted((BOARDS / folder).glob("*.json")):
        with np.load(path.with_suffix(".errors.npz")) as kept:
            runs[json.loads(path.read_text("utf-8"))["seed"]] = kept["mask_disagreement"]
    return np.stack([runs[seed] for seed in sorted(runs)])


def ahead(first: np.ndarray, second: np.ndarray, *, seeds: bool = True) -> str:
    """By how much the mean of `first` (seeds, cars) exceeds that of `second`, with its interval; over
    other cars alone without `seeds`."""
    sources = [uncertainty.over_items(uncertainty.group_moves(first.mean(0) - second.mean(0)))]
    if seeds:
        sources += [uncertainty.over_seeds(side.mean(1)) for side in (first, second)]
    apart = float(first.mean() - second.mean())
    found = uncertainty.interval(apart, sources)
    assert found
    return f"{apart:+.1f} ({found[0]:+.1f} to {found[1]:+.1f})"


def main() -> None:
    """Print both tables."""
    found = {name: errors(folder) for name, folder in ROWS.items()}
    drawn, restyled, untrained, _ = found.values()
    seeds = len(drawn)
    print(f"| outline in disagreement | {' | '.join(f'seed {s}' for s in range(seeds))} | mean |")
    print("| --- |" + " --- |" * (seeds + 1))
    for name, values in found.items():
        each = " | ".join([f"{v:.1f} %" for v in values.mean(1)] + [""] * (seeds - len(values)))
        print(f"| {name} | {each} | {values.mean():.1f} % |")
    print(f"\nrestyled ahead by {ahead(drawn, restyled)} points")
    print(f"over other cars alone: {ahead(drawn, restyled, seeds=False)}\n")
    print("| below | renders | restyled | untrained | restyled ahead by |")
    print("| --- | --- | --- | --- | --- |")
    for bound in range(20, 61, 10):
        shares = [100.0 * (values < bound) for values in (drawn, restyled, untrained)]
        each = " | ".join(f"{share.mean():.1f} %" for share in shares)
        print(f"| {bound} % | {each} | {ahead(shares[1], shares[0])} |")


if __name__ == "__main__":
    main()
