"""Boards as pandas tables: what each column is, and how rows and records fill it.

A class of columns is a line of a table: its fields are the columns, the string below a field says what
it is, and its type is the column's (`DTYPES`). Where nothing is to be said, a text is empty and a number
missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmark.boards.rows import Row
from benchmark.protocols import Protocol

DTYPES = {
    "str": "string",
    "bool": "bool",
    "int": "int64",
    "int | None": "Int64",
    "float": "float64",
    "float | None": "float64",
    "datetime": "datetime64[us, UTC]",
}
"""The type of a field → the dtype of its column."""


@dataclass(frozen=True)
class BoardColumns:
    """A row of a board: a method with one choice of settings, over its seeds. After these come three
    columns for each metric of the protocol: by its id the mean over seeds, in the metric's unit, and as
    `ID_low` and `ID_high` the ends of its 95 % interval over seeds and groups of items."""

    method: str
    """Id of the method."""
    settings: str
    """Preset and settings, as the board prints them."""
    role: str
    """method, floor, reference or ceiling; external where predictions came as a file."""
    value: float
    """The first metric, mean over seeds, in its unit."""
    ci95_low: float | None
    """Lower end of the 95 % interval over seeds and groups of items, in the same unit."""
    ci95_high: float | None
    """Upper end."""
    items_low: float | None
    """Lower end of the 95 % interval over groups of items alone."""
    items_high: float | None
    """Upper end."""
    seeds_low: float | None
    """Lower end of the 95 % interval over seeds alone."""
    seeds_high: float | None
    """Upper end."""
    rank: str
    """Best and worst place among methods that the data leave open, as "2–4"; empty for single seeds,
    floors, references and ceilings."""
    vs_untrained: float | None
    """Difference to the same network untrained, in the metric's unit."""
    vs_untrained_low: float | None
    """Lower end of its 95 % interval."""
    vs_untrained_high: float | None
    """Upper end."""
    seeds: str
    """Seeds, with blanks between them."""
    items: int
    """Number of test items."""
    supervision: str
    """Labels that the method saw: none or labels."""
    weights: str
    """Pretrained weights it started from."""
    known_failures: str
    """Checks of the contract that it can't pass, with the reasons."""
    reported: float | None
    """What its paper reports, in the same unit."""
    seconds: float
    """Wall seconds of fit, prediction and scoring, mean over seeds."""
    withdrawn: str
    """Why the row is withdrawn; empty where it stands."""
    runs: str
    """Ids of its runs, with blanks between them, in the order of `seeds`."""
    rank_best: int | None
    """The best place of `rank`, as a number."""
    rank_worst: int | None
    """The worst."""
    grouped: bool
    """Whether it is known which items belong together; where not, intervals are too narrow."""
    scored_on: str
    """Digest of data and metric versions: rows can be compared where it is the same."""

    @classmethod
    def of(cls, row: Row) -> BoardColumns:
        floor, reported = row.floor, row.reported
        return cls(
            method=row.method,
            settings=row.variant,
            role="external" if row.external else row.role,
            value=row.value,
            **_ends("ci95", row.ci95),
            **_ends("items", row.ci_items),
            **_ends("seeds", row.ci_seeds),
            rank=row.places(),
            vs_untrained=floor.value if floor else None,
            **_ends("vs_untrained", (floor.low, floor.high) if floor else None),
            seeds=" ".join(map(str, row.seeds)),
            items=row.items,
            supervision=row.supervision,
            weights=", ".join(row.weights),
            known_failures="; ".join(f"{check}: {why}" for check, why in row.known_failures),
            reported=reported[0] if reported else None,
            seconds=row.seconds,
            withdrawn=row.withdrawn,
            runs=" ".join(row.runs),
            rank_best=row.rank[0] if row.rank else None,
            rank_worst=row.rank[1] if row.rank else None,
            grouped=row.grouped,
            scored_on=row.scored_on,
        )


def _ends(name: str, interval: tuple[float, float] | None) -> dict[str, Any]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


def table(columns: type, lines: Iterable[Any] | Mapping[str, Any]) -> pd.DataFrame:
    """A table with the columns of that class and their dtypes, from instances of it or whole columns.

    Example: `table(BoardColumns, [])` has 27 columns and no row.
    """
    dtypes = {field.name: DTYPES[str(field.type)] for field in dataclasses.fields(columns)}
    data = lines if isinstance(lines, Mapping) else [vars(line) for line in lines]
    return pd.DataFrame(data, columns=list(dtypes)).astype(dtypes)


def board_table(scored: Protocol, rows: Sequence[Row]) -> pd.DataFrame:
    """The rows of a board, then all metrics of the protocol as it is scored."""
    found = table(BoardColumns, map(BoardColumns.of, rows))
    for i, metric in enumerate(scored.metrics):
        measured = [row.metrics[i] for row in rows]
        ends = np.array([m.ci95 or (np.nan, np.nan) for m in measured], float).reshape(-1, 2)
        found[metric.id] = np.array([m.value for m in measured], float)
        found[f"{metric.id}_low"], found[f"{metric.id}_high"] = ends.T
    return found


def board_csv(scored: Protocol, rows: Sequence[Row]) -> str:
    """Rows as CSV, to 6 significant digits: columns up to `runs`, then the metrics after the first."""
    found = board_table(scored, rows)
    others = [metric.id for metric in scored.metrics[1:]]
    kept = [*found.loc[:, :"runs"], *(id + end for id in others for end in ("", "_low", "_high"))]
    text: str = found[kept].to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return text
