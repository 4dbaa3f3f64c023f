"""Plots as plain SVG: where things lie, round ticks, nothing taken for markup."""

from __future__ import annotations

import doctest
import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.boards import plot
from benchmark.boards.plot import LONGEST, Axis, Plot, Rows
from benchmark.pages.charts import line_svg

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(plot).failed == 0


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
    (level,) = (p.attrib["d"] for p in root.iter() if "stroke-dasharray" in p.attrib)
    assert float(re.findall(r"[\d.]+", level)[1]) == pytest.approx((low + high) / 2, abs=0.1)
    titles = [t.text for t in root.iter("title")]
    assert titles == ["3", "1 x & y: 2", "2 x & y: 4"]
    assert "://" not in said


@pytest.mark.parametrize("points", [[(1.0, 0.0)], [(1.0, 5.0), (2.0, 5.0)], [(0.0, -3.0)]])
def test_flat_and_single_values_can_be_drawn(points: list[tuple[float, float]]) -> None:
    ElementTree.fromstring(line_svg(points, title="", names=("", "")))


def test_nothing_gives_nothing() -> None:
    assert line_svg([], title="", names=("", "")) == ""


def drawn(plot: Plot) -> ElementTree.Element:
    return ElementTree.fromstring(plot.svg())


def test_rows_are_drawn_from_the_top_down_with_boxes_on_their_lines() -> None:
    plot = Plot(Axis(0, 10, 100), Rows(["first", "second"]))
    plot.box((2, -0.2), (4, 0.2), says="middle")
    plot.dots([(5, 0), (5, 1)])
    root = drawn(plot)
    names = {t.text: float(t.attrib["y"]) for t in root.iter("text") if t.text}
    assert names["first"] < names["second"]
    one, two = (float(c.attrib["cy"]) for c in root.iter("circle"))
    assert two - one == 36
    (box,) = root.iter("rect")
    assert float(box.attrib["width"]) == 20
    assert float(box.attrib["y"]) + float(box.attrib["height"]) / 2 == pytest.approx(one, abs=0.1)
    assert float(box.attrib["x"]) + 30 == pytest.approx(
        float(next(root.iter("circle")).attrib["cx"]), abs=0.1
    )


def test_long_names_keep_both_ends_and_are_whole_under_the_pointer() -> None:
    name = "random-features imm-small settings.renderer=transposed"
    (text,) = (t for t in drawn(Plot(Axis(0, 1, 100), Rows([name]))).iter("text") if len(t))
    assert text.text is not None
    assert len(text.text) <= LONGEST
    assert text.text.startswith("random-features")
    assert text.text.endswith("=transposed")
    assert text[0].text == name


def test_a_legend_stands_below_and_a_file_of_its_own_has_a_background() -> None:
    plot = Plot(Axis(0, 1, 100), Axis(0, 1, 100))
    plain = float(drawn(plot).attrib["height"])
    for name in ("a", "b", "<c>"):
        plot.line([(0, 0), (1, 1)], says=name, legend=True)
    assert float(drawn(plot).attrib["height"]) == plain + 3 * 18
    assert "&lt;c&gt;" in plot.svg()
    assert 'xmlns="http://www.w3.org/2000/svg"' in plot.svg(alone=True)
    assert "background:#fff" in plot.svg(alone=True)
    assert "xmlns" not in plot.svg()


def test_words_beside_points_do_not_lie_on_one_another() -> None:
    plot = Plot(Axis(0, 1, 300), Axis(0, 1, 100))
    plot.label(0.3, 0.5, "frozen-backbone")
    plot.label(0.4, 0.5, "lead")
    plot.label(0.9, 0.5, "apart")
    heights = {t.text: float(t.attrib["y"]) for t in drawn(plot).iter("text") if t.text}
    assert abs(heights["frozen-backbone"] - heights["lead"]) >= 12
    assert heights["frozen-backbone"] == heights["apart"]
