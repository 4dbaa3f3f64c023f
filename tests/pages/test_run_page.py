"""A run's page stands alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests_fixtures import Call

from benchmark.pages.charts import disagreement_svg, linearity_svg, pose_errors_svg
from benchmark.pages.run_page import linearity_table


@pytest.fixture
def page(harness: Path, run: Call) -> str:
    """The page of a run with a curve."""
    said = run("slow", "--set", "steps=40", "--curve", "--json")
    assert said.code == 0, said.err
    return Path(said.json["page"]).read_text()


def test_it_has_the_curve_and_the_loss_of_the_probe(page: str) -> None:
    assert page.count("<svg") == page.count("</svg>") == 2
    assert "images seen" in page
    assert "training loss" in page


def test_it_fetches_nothing_and_runs_nothing(page: str) -> None:
    assert "<script" not in page.lower()
    named = re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)  # names of formats, not addresses
    assert "://" not in named
    assert re.findall(r"<(?:iframe|object|embed)\b|stylesheet|@import|url\((?!#)", named) == []
    assert re.findall(r'href="([^#"]*)"', page) == ["data:,", "record.json"]
    assert re.findall(r'src="([^"]*)"', page) == ["pictures/predictions.png"]


def test_it_says_the_number_what_it_is_worth_and_how_it_was_obtained(page: str) -> None:
    assert "nme_iod, 95 % over 16 items in 4 groups:" in " ".join(page.replace("\n", " ").split())
    assert "nothing about real images" in page
    for fact in ("protocol digest", "steps=40", "images/s", "data test", "<h2>Cost</h2>"):
        assert fact in page
    assert "bench run --method slow --protocol small_faces@1 --set steps=40 --seed 0 --twin" in page


def test_without_curve_and_loss_there_are_no_charts(harness: Path, run: Call) -> None:
    page = Path(run("grid", "--json").json["page"])
    assert "<svg" not in page.read_text()
    assert (page.parent / "pictures" / "predictions.png").exists()


def test_words_of_a_record_are_not_taken_for_html(harness: Path, run: Call) -> None:
    from benchmark.pages.run_page import write_page
    from benchmark.records.reading import read_record

    record = Path(run("grid", "--json").json["record"])
    about = json.loads(record.read_text())
    about["notes"] = ["<script>alert(1)</script>"]
    record.write_text(json.dumps(about))
    page = write_page(read_record(record), record.parent)
    assert "<script" not in page.read_text()
    assert "&lt;script&gt;" in page.read_text()


def test_linearity_has_a_line_for_each_attribute_that_changes_and_a_row_for_each() -> None:
    probe = {
        "linearity": {"classifier": {"attributes": ["smile", "bald"]}},
        "linearity_by_attribute": {"als_released": [1.25, 0.0], "als_mean_raw": [0.5, 0.0]},
        "linearity_by_step": [[0.0, 0.0], [3.0, 0.0], [0.0, 0.0]],
        "attribute_deviation": [2.0, 0.0],
    }
    record = SimpleNamespace(probe=probe)
    assert linearity_table(record) == [("smile", [1.25, 0.5]), ("bald", [0.0, 0.0])]  # type: ignore[arg-type]
    svg = linearity_svg(record)  # type: ignore[arg-type]
    assert "smile" in svg
    assert "bald" not in svg
    # 3 logits in spreads of 2, halfway: the line's highest point is its middle
    (line,) = re.findall(r'<path d="M([^"]*)" stroke="#4c78a8" stroke-width="1.5"', svg)
    (x0, y0), (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in line.split())
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.1)
    assert y1 < y0 == y2
    assert ">1.5<" in svg
    assert linearity_table(SimpleNamespace(probe={})) == []  # type: ignore[arg-type]


def test_pose_errors_are_bars_from_0_to_180_degrees() -> None:
    svg = pose_errors_svg([6, 0, 3])
    heights = [float(h) for h in re.findall(r'<rect [^>]*height="([\d.]+)"', svg)]
    assert heights[1] == 0
    assert heights[0] == pytest.approx(2 * heights[2], rel=0.01)
    assert "120 to 180 degrees: 3 views" in svg


def test_the_curve_of_disagreement_is_in_percent() -> None:
    curve = {"at": [0.0, 0.5, 1.0], "share": [0.0, 0.25, 1.0], "smoothed": [0.0, 0.5, 1.0]}
    svg = disagreement_svg(SimpleNamespace(probe={"curve": curve}))  # type: ignore[arg-type]
    counted, smoothed = re.findall(r'<path d="M([^"]*)" stroke="#\w+" stroke-width="1.5"', svg)
    (_, low), (x, middle), (_, high) = (map(float, p.split(",")) for p in counted.split())
    assert middle == pytest.approx(low + 0.25 * (high - low), abs=0.2)
    (_, _), (other, half), (_, _) = (map(float, p.split(",")) for p in smoothed.split())
    assert other == x
    assert half == pytest.approx((low + high) / 2, abs=0.2)
    assert ">100<" in svg
