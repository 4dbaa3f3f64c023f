"""Curves drawn as plain SVG: where things lie, round ticks, nothing taken for markup."""

from __future__ import annotations

import doctest
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.pages import charts
from benchmark.pages.charts import Axis, line_svg

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(charts).failed == 0


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_an_axis_holds_its_values_and_has_round_ticks(values: list[float]) -> None:
    axis = Axis.around(values, 100.0)
    assert all(0 <= axis.at(v) <= 100 for v in values)
    assert 1 <= len(axis.ticks()) <= 7
    assert all(axis.low - 1e-9 <= t <= axis.high + 1e-9 for t in axis.ticks())


@settings(deadline=None)
@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=5))
def test_logarithms_keep_ratios(values: list[float]) -> None:
    axis = Axis.around(values, 100.0, log=True)
    assert all(0 <= axis.at(v) <= 100 for v in values)
    assert axis.at(math.sqrt(axis.low * axis.high)) == pytest.approx(50, abs=0.1)
    assert len(axis.ticks()) <= 8


def test_the_line_goes_through_its_points_and_words_are_escaped() -> None:
    said = line_svg([(1, 2.0), (2, 4.0)], title="<b>", names=("x & y", '"'), level=3.0, dots=True)
    root = ElementTree.fromstring(said)
    assert "<b>" not in said
    circles = [c for c in root.iter() if c.tag.endswith("circle")]
    assert len(circles) == 2
    low, high = (float(c.attrib["cy"]) for c in circles)
    level = next(p for p in root.iter() if p.attrib.get("class") == "level").attrib["d"]
    assert float(re.findall(r"[\d.]+", level)[1]) == pytest.approx((low + high) / 2, abs=0.1)
    assert "://" not in said


@pytest.mark.parametrize("points", [[(1.0, 0.0)], [(1.0, 5.0), (2.0, 5.0)], [(0.0, -3.0)]])
def test_flat_and_single_values_can_be_drawn(points: list[tuple[float, float]]) -> None:
    ElementTree.fromstring(line_svg(points, title="", names=("", "")))


def test_nothing_gives_nothing() -> None:
    assert line_svg([], title="", names=("", "")) == ""
