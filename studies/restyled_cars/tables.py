"""Print the two tables of README.md from the records beside this file.

Intervals are of 95 % and of paired differences: cars and seeds are drawn with replacement, each the
same for both sides.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

BOARDS = Path(__file__).parent / "leaderboards"
ROWS = {
    "fitted on renders as they were drawn": "study_renders_outlines/1/dpc",
    "fitted on renders in the photographs' look": "study_restyled_outlines/1/dpc",
    "the same network untrained": "study_renders_outlines/1/random-features",
    "one ellipsoid": "study_renders_outlines/1/ellipsoid-cloud",
}
DRAWS = 10_000


def errors(folder: str) -> np.ndarray:
    """Disagreement (seeds, cars) in percent, seeds in order."""
    runs = {}
    for path in sorted((BOARDS / folder).glob("*.json")):
        with np.load(path.with_suffix(".errors.npz")) as kept:
            runs[json.loads(path.read_text("utf-8"))["seed"]] = kept["mask_disagreement"]
    return np.stack([runs[seed] for seed in sorted(runs)])


def interval(differences: np.ndarray) -> tuple[float, float]:
    """Ends of the mean of paired differences (seeds, cars)."""
    draw = np.random.Generator(np.random.PCG64(0))
    seeds, cars = differences.shape
    means = [
        differences[draw.integers(seeds, size=seeds)][:, draw.integers(cars, size=cars)].mean()
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


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
    low, high = interval(drawn - restyled)
    print(f"\nrestyled ahead by {(drawn - restyled).mean():.1f} points ({low:.1f} to {high:.1f})\n")
    print("| below | renders | restyled | untrained | restyled ahead by |")
    print("| --- | --- | --- | --- | --- |")
    for bound in range(20, 61, 10):
        shares = [100.0 * (values < bound) for values in (drawn, restyled, untrained)]
        low, high = interval(shares[1] - shares[0])
        each = " | ".join(f"{share.mean():.1f} %" for share in shares)
        ahead = (shares[1] - shares[0]).mean()
        print(f"| {bound} % | {each} | {ahead:+.1f} ({low:+.1f} to {high:+.1f}) |")


if __name__ == "__main__":
    main()
