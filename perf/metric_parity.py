"""How far every metric lies from its golden values, as a Markdown page.

    python -m perf.metric_parity > docs/metric_parity.md

Prints what `python -m tests.golden $BENCH_GOLDEN` checks, value by value, and exits with
1 where that does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import PIL
import scipy
import torch

from tests.golden.check import Checked, Row, check_folder

PAGE = """\
# How close the metrics are to their references

Written by `perf/metric_parity.py` from the golden inputs and expected values, which were computed
with the reference implementations (or exact arithmetic) named in `golden.json`. The error is the
largest one over the array, relative to the expected value (`rel`) or not (`abs`, `exact`), or the
value itself (`below`); an error of 0 means equal to the last bit. Python {python}, NumPy {numpy},
SciPy {scipy}, torch {torch}, Pillow {pillow}, on a CPU. The same check of any such folder, from the
root of the repository: `python -m tests.golden FOLDER`.

| golden item | function | quantity | error | tolerance | within |
| --- | --- | --- | --- | --- | --- |
{rows}

{within} of {total} values are within their tolerance, {passed} of {items} items pass.

## Kept for information

These expected values are other libraries' or other definitions'; bench does not claim to give them.

| golden item | quantities |
| --- | --- |
{beside}
"""


def line(row: Row) -> str:
    verdict = "yes" if row.within else "**no**"
    cells = row.item, f"`{row.function}`", row.quantity, f"{row.error:.1e}", row.tolerance, verdict
    return f"| {' | '.join(map(str, cells))} |"


def page(checked: list[Checked]) -> str:
    rows = [row for item in checked for row in item.rows]
    beside = [(item.name, ", ".join(item.for_information)) for item in checked]
    return PAGE.format(
        python=sys.version.split()[0],
        numpy=np.__version__,
        scipy=scipy.__version__,
        torch=torch.__version__,
        pillow=PIL.__version__,
        rows="\n".join(map(line, rows)),
        within=sum(row.within for row in rows),
        total=len(rows),
        passed=sum(item.passed for item in checked),
        items=len(checked),
        beside="\n".join(f"| {name} | {names} |" for name, names in beside if names),
    )


def main() -> int:
    folder = os.environ.get("BENCH_GOLDEN")
    if not folder:
        print("BENCH_GOLDEN names no folder with golden.json", file=sys.stderr)
        return 2
    checked = check_folder(Path(folder))
    print(page(checked), end="")
    for item in checked:
        for fault in item.faults:
            print(f"{item.name}: {fault}", file=sys.stderr)
    return 0 if all(item.passed for item in checked) else 1


if __name__ == "__main__":
    sys.exit(main())
