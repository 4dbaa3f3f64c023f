"""What the pages of boards and the overview say, on committed records."""

from __future__ import annotations

import base64
import doctest
import gzip
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image
from tests_fixtures import Call
from tests_site import Built

from benchmark.boards import pictures
from benchmark.metrics.catalogue import find
from benchmark.pages import board_charts as charts_of_boards
from benchmark.pages import (
    board_files,
    board_page,
    board_rows,
    interval_bars,
    links,
    numbers,
    prose,
)
from benchmark.pages import reported_shown as shown_reports
from benchmark.pages.board_charts import board_charts, cost_charts, labels_charts
from benchmark.pages.board_page import by_point
from benchmark.pages.board_rows import shown_board
from benchmark.pages.boards import Board, boards_of
from benchmark.pages.meanings import MEANINGS
from benchmark.pages.numbers import digits
from benchmark.pages.overview import Line, groups_of
from benchmark.pages.same_items import same_items
from benchmark.pages.tables import board_text, summary_table
from benchmark.pictures.items import may_be_shown
from benchmark.registry.protocols import find_protocol

YTF5, MATCHING, FLOWERS = (
    "boards/ytf5-1.html",
    "boards/ytf5_matching-1.html",
    "boards/flowers17-1.html",
)


@pytest.fixture(scope="module")
def boards(built: Built) -> dict[str, Board]:
    """Boards of the committed records, by their names."""
    wanted = [find_protocol(name) for name in ("ytf5", "ytf5_matching", "flowers17")]
    wanted += [find_protocol("ytf5_limited@1"), find_protocol("cc0_cars@2")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LEADERBOARDS", str(built.records))
        found = {board.name: board for board in boards_of(wanted)}
        for board in found.values():
            assert board.kind  # asked while the records are at hand
    return found


def section(text: str, heading: str) -> str:
    """What stands between the heading with this id and the next one."""
    found = re.search(rf'<h2 id="{heading}">.*?(?=<h2|</main>)', text, re.DOTALL)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    "module",
    [
        charts_of_boards,
        board_files,
        board_page,
        board_rows,
        interval_bars,
        links,
        numbers,
        prose,
        shown_reports,
        pictures,
    ],
)
def test_examples_are_true(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


def test_settings_that_differ_are_columns_with_their_effective_values(
    boards: dict[str, Board],
) -> None:
    shown = shown_board(boards["ytf5@1"])
    assert {"reduction", "dimension"} <= {column.name for column in shown.columns}
    at = [column.name for column in shown.columns].index("dimension")
    lead = {s.row.variant: s.settings[at] for s in shown.methods if s.row.method == "lead"}
    assert lead["small dimension=256"] == ("256", True)
    assert lead["small reduction=pca"] == ("64", False)  # a default
    assert shown.columns[at].values.index("64") < shown.columns[at].values.index("256")
    assert all(s.further == "" for s in shown.methods if s.row.method == "imm")


def test_floors_stand_apart_and_gains_are_over_the_best_of_them(boards: dict[str, Board]) -> None:
    board = boards["ytf5@1"]
    shown = shown_board(board)
    assert {s.row.role for s in shown.methods} == {"method"}
    assert {s.row.role for s in shown.others} == {"floor", "ceiling"}
    best = board.best("floor")
    assert best is not None
    for one in shown.methods:
        assert one.gain == pytest.approx(best.value - one.row.value)
    untrained = {s.row.variant: s.untrained for s in shown.methods if s.row.method == "lead"}
    floors = {s.row.variant: s.row.value for s in shown.others}
    assert untrained["small dimension=64"] == floors["lead-small settings.dimension=64"]


def test_the_best_floor_is_one_row_wherever_it_is_named(
    boards: dict[str, Board], built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn in the bars, named in the legend, in Markdown, and what gains are counted from."""
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(built.records))
    for name in ("ytf5@1", "flowers17@1", "cc0_cars@2"):
        board = boards[name]
        floor = board.best("floor")
        assert floor is not None
        assert board.floor_words.endswith(f", {floor.value:.2f}")
        assert f"Best floor: {board.floor_words}." in board_text(board)
        page = built.text(board.href)
        assert f"Dashed: the best floor, {escape(board.floor_words)}," in page
        assert f"best floor {digits(floor.value)}" in page
    assert boards["ytf5@1"].floor_words == 'random-features lead-small reduction="none", 8.92'
    assert "| best floor: random-features |" in summary_table(boards["ytf5@1"])


def test_a_short_table_names_pretrained_weights_where_a_row_has_some(
    boards: dict[str, Board],
) -> None:
    def rows(name: str) -> list[list[str]]:
        lines = summary_table(boards[name]).splitlines()
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    heads, _, *body = rows("ytf5@1")
    pretrained = {row[0]: row[heads.index("pretrained")] for row in body}
    assert pretrained["frozen-backbone"].startswith("efficientnet-lite0")
    assert pretrained["lead"] == pretrained["dve"] == ""
    assert "pretrained" not in rows("cc0_cars@2")[0]


def test_a_difference_over_fewer_seeds_than_the_row_says_over_how_many(
    boards: dict[str, Board], built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(built.records))
    board = boards["flowers17@1"]
    row = next(r for r in board.rows if r.variant == "small" and r.method == "ganseg")
    assert (row.floor.seeds, len(row.seeds)) == (1, 2)
    assert str(row.floor).endswith(")* over 1 of 2 seeds")
    assert "over 1 of 2 seeds</span>" in built.text(board.href)
    assert str(row.floor) in board_text(board)
    assert not any("over" in str(r.floor) for r in boards["ytf5@1"].rows if r.floor)


def test_curves_are_those_of_the_best_row_of_each_method_and_floor(
    boards: dict[str, Board],
) -> None:
    board = boards["ytf5@1"]
    charts = {t: svg for t, svg, _ in board_charts(board.scored, board.rows, board.entries)}
    names = re.findall(r'class="start">([^<]*)<', charts["Cumulative errors"])
    assert [name.split()[0] for name in names] == [
        *("lead", "frozen-backbone", "dve", "imm", "random-features")
    ]


def test_a_bar_says_in_words_what_it_draws(built: Built) -> None:
    text = built.text(YTF5)
    assert re.search(
        r'aria-label="7\.04, 95 % 6\.47 to 7\.60, untrained 8\.92, best floor 8\.92"', text
    )
    scale = interval_bars.Scale.around([0.0, 10.0])
    drawn = interval_bars.bar(scale, 5.0, (4.0, 99.0), untrained=8.0, floor=10.0)
    assert drawn.count("<path") == 3
    assert f'cx="{scale.at(5):g}"' in drawn
    assert f"H{scale.at(10):g}" in drawn  # what lies beyond ends at the end


def test_losses_are_red_and_gains_are_not(built: Built) -> None:
    number = r"([−+][\d.]+)"
    interval = rf'<br><span class="dim">\({number} to {number}\)[*°]*</span>'
    cell = rf'<td class="n t( loss)?">{number}{interval}</td>'
    cells = re.findall(cell, built.text(YTF5))
    assert len(cells) > 5
    assert all(bool(loss) == gain.startswith("−") for loss, gain, *_ in cells)
    signed = [
        [float(end.replace("−", "-")) for end in (low, gain, high)] for _, gain, low, high in cells
    ]
    assert all(ends == sorted(ends) for ends in signed)


def test_the_strip_draws_what_runs_keep_without_a_pixel(
    built: Built, boards: dict[str, Board]
) -> None:
    board = boards["ytf5@1"]
    strip = same_items(shown_board(board))
    assert strip is not None
    assert len(strip.items) == 8
    assert [name for name, *_ in strip.rows][:2] == ["lead", "frozen-backbone"]
    methods = [name for name, *_ in strip.rows if name != "random-features"]
    assert "image-grid" in methods
    assert len(methods) == len(set(methods)), "each method once, in its best row"
    assert {"dve", "imm"} <= set(methods)
    oracle = next(row for row in board.rows if row.role == "ceiling").runs[0]
    with np.load(board.entry[oracle].path.with_name(f"{oracle}.predictions.npz")) as kept:
        x, y = (kept["points"][strip.items[3], 2] + 0.5) / board.protocol.size * 1000
    for _, _, cells, values in strip.rows:
        assert len(cells) == len(values) == 8
        assert f"M{x:.0f} {y:.0f}h0" in cells[3]
    assert "<image" not in section(built.text(YTF5), "items")
    assert not list((built.out / "boards").glob("*.jpg"))


def test_masks_are_drawn_in_three_colours(boards: dict[str, Board]) -> None:
    strip = same_items(shown_board(boards["flowers17@1"]), "x.jpg")
    assert strip is not None
    for number, (_, _, cells, _) in enumerate(strip.rows):
        assert all('href="x.jpg"' in cell for cell in cells), number
        (name,) = re.findall(r'id="(masks-\w+)" href="data:image/webp;base64,', cells[0])
        assert all(f'<use href="#{name}" x="-{1000 * i}"/>' in cells[i] for i in range(1, 8))
    (data,) = re.findall(r"base64,([^\"]+)", strip.rows[0][2][0])
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))
    assert {tuple(colour) for colour in sheet.reshape(-1, 4).tolist()} == {
        (0, 0, 0, 0), (128, 140, 155, 255), (215, 48, 39, 255), (26, 152, 80, 255)
    }  # fmt: skip


def test_predictions_that_were_changed_are_not_drawn(
    boards: dict[str, Board], built: Built, tmp_path: Path
) -> None:
    board = boards["ytf5@1"]
    oracle = next(row for row in board.rows if row.role == "ceiling").runs[0]
    path = board.entry[oracle].path.with_name(f"{oracle}.predictions.npz")
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-1])
        assert same_items(shown_board(board)) is None
    finally:
        path.write_bytes(whole)


def test_only_twins_and_free_data_may_show_pictures() -> None:
    faces, cars = find_protocol("ytf5"), find_protocol("cc0_cars")
    assert may_be_shown(faces, twin=True)
    assert not may_be_shown(faces, twin=False)
    assert may_be_shown(cars, twin=False)


def test_all_metrics_and_each_landmark_have_a_column(
    built: Built, boards: dict[str, Board]
) -> None:
    text = section(built.text(FLOWERS), "metrics")
    for metric in boards["flowers17@1"].scored.metrics:
        assert f">{metric.id}" in text
    found = by_point(boards["ytf5@1"])
    assert found is not None
    assert found.heads == ["1", "2", "3", "4", "5"]
    assert all(len(values) == 5 for *_, values in found.rows)
    by_row = {(name, variant): values for name, variant, _, values in found.rows}
    row = next(r for r in boards["ytf5@1"].rows if (r.method, r.variant) in by_row)
    mean = float(np.mean(by_row[row.method, row.variant]))
    assert mean == pytest.approx(row.value, rel=1e-3)


def test_few_labels_have_a_curve_and_costs_a_front(boards: dict[str, Board]) -> None:
    limited = boards["ytf5_limited@1"]
    ((title, svg, _),) = labels_charts(limited.scored, limited.rows)
    assert title == "Error against number of labels"
    assert re.search(r"<title>mean-shape: 1 images, 40\.52</title>", svg)
    assert labels_charts(boards["ytf5@1"].scored, boards["ytf5@1"].rows) == []
    rows = [_row("slow", 60.0, 1.0), _row("quick", 6.0, 2.0), _row("worse", 60.0, 3.0)]
    ((_, front, _),) = cost_charts(rows, "error", "lower")
    drawn = re.sub(r"<title>.*?</title>|<style>.*?</style>", "", front)
    assert ">slow<" in drawn
    assert ">quick<" in drawn
    assert ">worse<" not in drawn
    assert cost_charts(rows[:2], "error", "lower") == []


def _row(name: str, seconds: float, value: float) -> Any:
    return SimpleNamespace(
        method=name,
        variant="",
        role="method",
        withdrawn="",
        seconds=seconds,
        value=value,
        runs=(name,),
    )


def test_every_sentence_on_a_number_is_of_a_measure_that_there_is() -> None:
    assert [name for name in MEANINGS if find(name) is None] == []


def test_the_head_says_where_one_is_and_what_a_number_means(built: Built) -> None:
    text = built.text(YTF5)
    assert "<h1>5 face landmarks on video frames, no person in both train and test</h1>" in text
    assert "a tenth of the distance between the eyes" in " ".join(text.split())
    assert '<meta name="description" content="5 face landmarks' in text
    assert re.search(r'<time datetime="20\d\d-\d\d-\d\d">', text)
    assert '<a href="https://example.org/bench/commit/' in text
    assert 'href="../docs/glossary.html"' in text
    assert "`mean-shape`" not in text
    assert (
        "<code>mean-shape</code>" in section(text, "history") or "<code>mean-shape</code>" in text
    )


def test_a_superseded_version_says_so_and_is_folded_away(
    built: Built, boards: dict[str, Board]
) -> None:
    text = " ".join(built.text("boards/ytf5_limited-1.html").split())
    newer = '<a href="../boards/ytf5_limited-2.html">ytf5_limited@2</a>'
    assert f"Superseded by {newer}: version 1 bent every control point" in text
    (group,) = [
        g for g in groups_of([*boards.values()]) if g.heading == "Landmarks from few labels"
    ]
    assert group.first == []
    assert [(what, len(lines)) for what, _, lines in group.folded] == [("Superseded versions", 1)]


def test_the_overview_groups_by_task_and_marks_losses(
    built: Built, boards: dict[str, Board]
) -> None:
    headings = [group.heading for group in groups_of([*boards.values()])]
    wanted = ["Landmarks", "Landmarks from few labels", "Matching", "Foreground", "Shape and pose"]
    assert headings == wanted
    ahead, behind = (Line.of(boards[name]).gain for name in ("ytf5_matching@1", "cc0_cars@2"))
    assert ahead is not None
    assert ahead > 10
    # a floor that is told training clouds is better than what learned from silhouettes
    assert behind is not None
    assert behind < 0
    text = built.text("index.html")
    assert f'loss">−{-behind:.2f}' in text
    assert f'loss">+{ahead:.2f}' not in text
    assert text.index('id="landmarks"') < text.index("<summary>On twins")


def test_files_hold_all_rows_and_metrics(built: Built, boards: dict[str, Board]) -> None:
    csv = built.text("boards/flowers17-1.csv").splitlines()
    board = boards["flowers17@1"]
    assert len(csv) == 1 + len(board.rows)
    columns = [m.id + end for m in board.scored.metrics for end in ("", "_low", "_high")]
    assert csv[0].split(",")[-len(columns) :] == columns
    content = json.loads(built.text("boards/flowers17-1.json"))
    assert content["digest"] == board.protocol.digest()
    assert [row["method"] for row in content["rows"]] == [row.method for row in board.rows]
    assert content["rows"][0]["value"] == board.rows[0].value


@pytest.mark.parametrize("ending", ["csv", "json", "md", "tex"])
def test_the_command_prints_the_same_files(
    built: Built, bench: Call, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(built.records))
    said = bench("board", "flowers17", "--format", ending)
    assert said.code == 0, said.err
    if ending == "md":
        assert said.out.startswith("# flowers17@1\n")
    else:
        assert said.out == built.text(f"boards/flowers17-1.{ending}")


def test_what_papers_report_is_said_once_where_it_is_the_same(built: Built) -> None:
    text = built.text("boards/mafl-2.html")
    table = section(text, "reported")
    assert "What papers report" in table
    assert "ours" not in re.sub(r"<p.*?</p>", "", table, flags=re.DOTALL)
    values = [float(v) for v in re.findall(r'<td class="n t">([\d.]+) %', table)]
    assert len(values) > 5
    assert values == sorted(values)
    assert "mafl@2" not in re.sub(r"<p.*?</p>", "", table, flags=re.DOTALL)
    assert "Karmali 2023" in built.text("reported.html")


def test_a_board_can_be_cited_and_its_data_be_reached(built: Built) -> None:
    text = built.text(YTF5)
    assert "@misc{bench-ytf5-1," in section(text, "cite")
    assert re.search(r'<dd><a href="https?://', section(text, "data"))


def test_a_run_says_its_place_and_how_to_run_it_again(
    built: Built, boards: dict[str, Board]
) -> None:
    row = next(r for r in boards["ytf5@1"].rows if r.variant == "small dimension=64")
    text = built.text(f"runs/{row.runs[1]}.html")
    assert "<h1>lead small dimension=64, seed 1</h1>" in text
    assert f'href="{row.runs[0]}.html"' in text
    assert "worse</span> than the best floor" in text or "better</span> than the best floor" in text
    again = section(text, "again")
    assert "git checkout" in again
    assert "bench data get ytf68" in again
    assert "bench run --method lead --protocol ytf5@1" in again
    assert "dimension=64" in again


WEIGHTS = {"index.html": 40, "reported.html": 30, YTF5: 60, MATCHING: 40, FLOWERS: 40}
"""Most KiB of a page as it is sent, compressed."""


def test_pages_stay_light(built: Built) -> None:
    heavy = {
        page: size
        for page, most in WEIGHTS.items()
        if (size := len(gzip.compress((built.out / page).read_bytes())) / 1024) > most
    }
    assert heavy == {}
    assert max(p.stat().st_size for p in (built.out / "runs").glob("*.html")) < 60_000


def test_pictures_of_a_twins_items_lie_below_the_drawings(
    floors: Path, run: Call, bench: Call, tmp_path: Path
) -> None:
    for name in ("oracle", "mean-shape"):
        said = run(name, "--json")
        assert said.code == 0, said.err
    site = tmp_path / "out"
    assert bench("board", "site", "--out", str(site), "--pictures").code == 0
    with Image.open(site / "boards" / "small_faces-1-twin-items.jpg") as image:
        assert image.size == (8 * 192, 192)
    page = (site / "boards" / "small_faces-1-twin.html").read_text()
    assert page.count('<image href="small_faces-1-twin-items.jpg"') == 8


def test_a_twin_says_its_own_sizes_and_not_those_of_the_real_data(built: Built) -> None:
    twin = built.text("boards/ytf5-1-twin.html")
    words = " ".join(re.sub(r"<[^>]*>", "", twin).split())
    assert "· 1,200 images to learn from · 300 images to score ·" in words
    assert "3,375" not in words
    assert "278 people" not in words
    real = " ".join(re.sub(r"<[^>]*>", "", built.text(YTF5)).split())
    assert "· 3,375 images to learn from · 857 images to score ·" in real
    assert "278 people" in real


def test_sentences_are_parted_and_no_dot_dangles(built: Built) -> None:
    for page in (built.out / "boards").glob("*.html"):
        words = " ".join(re.sub(r"<[^>]*>", "", page.read_text("utf-8")).split())
        assert "too.The" not in words, page.name
        head = re.search(r'<p class="dim"><code>.*?</p>', page.read_text("utf-8"), re.DOTALL)
        assert head is not None, page.name
        assert not re.sub(r"<[^>]*>", "", head[0]).strip().endswith("·"), page.name


def test_the_page_of_papers_says_what_can_be_compared_and_what_not(built: Built) -> None:
    text = built.text("reported.html")
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    assert "measures the same" not in words
    assert re.search(r"\d+ of them can't be compared with a run of ours", words)
    rows = dict(
        re.findall(r'<tr><td><a href="boards/([\w-]+)\.html#reported">(.*?)</tr>', text, re.S)
    )
    assert re.search(r"<td>\d+ not comparable, \d+ not attempted</td>", rows["mafl-2"])
    assert "supervised)" not in "".join(rows.values())
    assert '<span class="dim">none</span>' in rows["aflw_m_limited-3"]
    assert "ot comparable: measured in another way" in words


def test_heads_say_which_sign_is_better(built: Built) -> None:
    for page, better in ((YTF5, "lower"), (FLOWERS, "higher")):
        text = built.text(page)
        assert f"<th>vs untrained ({better} is better)</th>" in text
        assert "gain over the best floor (+ is better)</th>" in text
    assert "gain over the best floor (+ is better)</th>" in built.text("index.html")


def test_the_overview_leads_to_how_to_read_a_board(built: Built) -> None:
    top = built.text("index.html").partition("<table")[0]
    assert re.search(r'<a href="[^"]*read-a-board[^"]*">How to read a board</a>', top)
