"""Rows as CSV, as the boards keep them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence


def csv_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of the same keys, which are the header; floats to six significant digits, None as nothing.

    >>> csv_table([{"method": "lead", "value": 7.036291}, {"method": "a, b", "value": None}])
    'method,value\\nlead,7.03629\\n"a, b",\\n'
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(rows[0] if rows else ())
    for row in rows:
        lines.writerow([f"{v:.6g}" if isinstance(v, float) else v for v in row.values()])
    return text.getvalue()
