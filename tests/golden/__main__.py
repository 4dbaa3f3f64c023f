"""`python -m tests.golden FOLDER`: a table, and exit code 1 unless all is as expected."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import click

from benchmark.contracts.errors import BenchError
from tests.golden.check import Checked, Row, check_folder

HEADER = ("item", "worst value", "relative error", "error", "tolerance", "verdict")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--values", is_flag=True, help="A line per value instead of one per item.")
@click.option("--only", multiple=True, metavar="ITEM", help="Check this item; may be repeated.")
def main(folder: Path, as_json: bool, values: bool, only: tuple[str, ...]) -> None:
    """Check the golden values in FOLDER. Fixtures are found under $BENCH_DATA.

    The error is in the tolerance's own terms: relative to each value (rel), absolute (abs, exact),
    or the value itself (below). The relative error is the largest difference over the largest value.
    """
    try:
        checked = check_folder(folder, only)
    except BenchError as error:
        raise SystemExit(f"error: {error}") from None
    click.echo(json.dumps(as_data(checked), indent=2) if as_json else as_text(checked, values))
    raise SystemExit(0 if all(item.passed for item in checked) else 1)


def as_text(checked: list[Checked], values: bool) -> str:
    lines: list[tuple[str, ...]] = [HEADER]
    for item in checked:
        rows = item.rows if values else [item.worst] if item.worst else []
        lines += [_cells(row, "pass" if row.within else "MISS") for row in rows if row is not None]
        if not values and rows and not item.passed:
            lines[-1] = (*lines[-1][:-1], "MISS")
        if not rows or (values and item.faults):
            lines.append((item.name, "–", "–", "–", "–", "MISS"))
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    table = ["  ".join(c.ljust(w) for c, w in zip(x, widths, strict=True)).rstrip() for x in lines]
    table.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*table, "", *_reasons(checked), _summary(checked)])


def _cells(row: Row, verdict: str) -> tuple[str, ...]:
    numbers = f"{row.relative:.1e}", f"{row.error:.1e}", str(row.tolerance)
    return (row.item, row.quantity, *numbers, verdict)


def _reasons(checked: list[Checked]) -> list[str]:
    found = []
    for item in checked:
        found += [f"{item.name}: {fault}" for fault in item.faults]
        found += [
            f"{row.item}: {row.quantity} by {row.function} is off by {row.error:.3e}, "
            f"allowed is {row.tolerance}"
            for row in item.rows
            if not row.within
        ]
    return [*found, ""] if found else []


def _summary(checked: list[Checked]) -> str:
    passed = sum(item.passed for item in checked)
    values = sum(len(item.rows) for item in checked)
    beside = sum(len(item.for_information) for item in checked)
    return (
        f"{passed} of {len(checked)} items pass; {values} values compared, {beside} that the folder "
        "holds for information are not"
    )


def as_data(checked: list[Checked]) -> dict[str, Any]:
    """Strict JSON: an infinite error (another shape, NaN) is null."""

    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "passed": all(item.passed for item in checked),
        "items": [
            {
                "name": item.name,
                "passed": item.passed,
                "faults": item.faults,
                "for_information": item.for_information,
                "values": [
                    {
                        "quantity": row.quantity,
                        "function": row.function,
                        "relative_error": number(row.relative),
                        "error": number(row.error),
                        "tolerance": str(row.tolerance),
                        "within": row.within,
                    }
                    for row in item.rows
                ],
            }
            for item in checked
        ],
    }


if __name__ == "__main__":
    main()
