"""docs/findings.md says what the boards say: each of its numbers is held against the row it names."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from tests_fixtures import ROOT

PAGE = ROOT / "docs" / "findings.md"
LINK = re.compile(r"\[(?P<shown>[^\]]+)\]\((?P<board>\.\./leaderboards/[^ )]+) '(?P<row>[^']+)'\)")
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
FOUND = [match.groupdict() for match in LINK.finditer(PAGE.read_text("utf-8"))]


def named(board: str, row: str) -> list[float]:
    """The numbers that "METHOD; SETTINGS: COLUMN" names; the two ends of an interval."""
    about, _, column = row.rpartition(": ")
    method, _, settings = about.partition("; ")
    table = (PAGE.parent / board).resolve().parent / "board.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = [
            r for r in csv.DictReader(file) if (r["method"], r["settings"]) == (method, settings)
        ]
    assert len(rows) == 1, f"{board} has {len(rows)} rows {method!r} {settings!r}"
    columns = [column] if column in rows[0] else [f"{column}_low", f"{column}_high"]
    return [float(rows[0][name]) for name in columns]


def agrees(shown: str, value: float) -> bool:
    """Whether a number is the value, rounded to the digits that are shown; its sign may be words."""
    digits = len(shown.partition(".")[2])
    wanted = value if shown[0] in "+-" else abs(value)
    return abs(float(shown) - wanted) <= 0.5 * 10.0**-digits + 1e-9


@pytest.mark.parametrize("link", FOUND, ids=[f"{f['shown']} {f['row']}" for f in FOUND])
def test_a_number_is_that_of_its_row(link: dict[str, str]) -> None:
    shown = NUMBER.findall(link["shown"])
    values = named(link["board"], link["row"])
    assert len(shown) == len(values)
    assert [v for s, v in zip(shown, values, strict=True) if not agrees(s, v)] == []


def test_no_number_is_without_its_row() -> None:
    # the overview alone is linked without a number
    assert PAGE.read_text("utf-8").count("](../leaderboards/") == len(FOUND) + 1
    assert len(FOUND) >= 20


@pytest.mark.parametrize(
    "shown, value, right",
    [
        ("7.04", 7.0444, True),
        ("7.05", 7.0444, False),
        ("1446", 1446.4, True),
        ("1.88", -1.881, True),
    ],
)
def test_rounding_is_to_the_digits_shown(shown: str, value: float, right: bool) -> None:
    assert agrees(shown, value) == right


def test_a_row_that_is_not_there_is_named() -> None:
    with pytest.raises(AssertionError, match="has 0 rows 'lead' 'huge'"):
        named("../leaderboards/ytf5/1/README.md", "lead; huge: value")


def test_the_page_is_where_the_links_lead_from() -> None:
    assert all((PAGE.parent / Path(f["board"])).resolve().exists() for f in FOUND)
