"""The static site: overview, boards, methods and runs as plain HTML that stands alone.

Everything that comes from a record or a plugin is escaped; charts are inline SVG; the one script
sorts and filters tables, and nothing needs it. Real boards, twins and boards that hold only what papers
report are kept apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from benchmark.boards.charts import curve_svg, loss_svg
from benchmark.boards.entries import Entry, read_entries
from benchmark.boards.page import facts
from benchmark.boards.reported import Against, against
from benchmark.boards.reported_tables import legend, printed, words
from benchmark.boards.rows import Row, flat, make_rows
from benchmark.boards.tables import KINDS, known_failures
from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.record import Record
from benchmark.files import whole_folder
from benchmark.metrics.catalogue import entry as catalogued
from benchmark.pages.board_charts import board_charts
from benchmark.pages.protocol_pages import differences
from benchmark.plugins import plugins
from benchmark.protocols import Protocol, all_protocols


@dataclass(frozen=True)
class Board:
    """A board on the site."""

    protocol: Protocol
    twin: bool
    entries: list[Entry]
    rows: list[Row]
    against: list[Against]

    @property
    def name(self) -> str:
        words = {"real": "", "twin": " (twin)", "reported": " (reported only)"}
        return f"{self.protocol.name}{words[self.state]}"

    @property
    def href(self) -> str:
        twin = "-twin" if self.twin else ""
        return f"boards/{self.protocol.id}-{self.protocol.version}{twin}.html"

    @property
    def metric(self) -> str:
        return self.scored.metrics[0].id

    @property
    def scored(self) -> Protocol:
        """The protocol with what a twin is measured by, if it is one."""
        return self.protocol.scored(twin=self.twin)

    @property
    def state(self) -> str:
        """ "real", "twin", or "reported" where there are no runs."""
        return "twin" if self.twin else "real" if self.entries else "reported"

    def best(self, role: str) -> Row | None:
        """The best row of a role that stands."""
        return next((r for r in self.rows if r.role == role and not r.withdrawn), None)


def build_site(target: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Write the whole site into `target`, which appears complete or not at all; its number of pages.

    A folder already there is replaced if it is a site or empty, else refused.
    """
    if target.exists() and any(target.iterdir()) and not (target / "site.css").exists():
        raise InvalidInput(
            f"{target} holds other things than a site of bench", cure="name a new or empty folder"
        )
    boards = _boards()
    pages = list(_pages(boards))
    with whole_folder(target) as folder:
        for done, (name, text) in enumerate(pages, start=1):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text(), "utf-8")
            if progress and (done % 100 == 0 or done == len(pages)):
                progress(done, len(pages))
    return len(pages)


def _boards() -> list[Board]:
    found = []
    for protocol in all_protocols():
        twins, _ = read_entries(protocol, twin=True)
        real, _ = read_entries(protocol, twin=False)
        beside = against(protocol, real, {entry.record.method.id for entry in twins})
        for twin, entries in ((False, real), (True, twins)):
            if entries or (not twin and beside):
                rows = make_rows(protocol.scored(twin=twin), entries) if entries else []
                found.append(Board(protocol, twin, entries, rows, [] if twin else beside))
    return found


def _pages(boards: list[Board]) -> Iterable[tuple[str, Callable[[], str]]]:
    """Each page's place and the call that makes its text, so that no two are in memory at once."""
    room = _environment()
    for asset in ("site.css", "site.js"):
        text, _, _ = jinja2.PackageLoader("benchmark.pages").get_source(room, asset)
        yield asset, partial(str, text)
    yield "index.html", partial(_index, room, boards)
    for board in boards:
        yield board.href, partial(_board, room, board, boards)
        for found in board.entries:
            name = f"runs/{found.record.run_id}.html"
            yield name, partial(_run, room, found, board)
    methods = {r.method for b in boards for r in b.rows} | set(plugins().methods)
    for method in sorted(methods):
        yield f"methods/{method}.html", partial(_method, room, method, boards)


def _environment() -> jinja2.Environment:
    room = jinja2.Environment(
        loader=jinja2.PackageLoader("benchmark.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.filters |= {"printed": printed, "words": words}
    return room


def _index(room: jinja2.Environment, boards: list[Board]) -> str:
    def line(board: Board) -> dict[str, Any]:
        best, floor = board.best("method"), board.best("floor")
        return {
            "name": board.name,
            "href": board.href,
            "title": board.protocol.title,
            "runs": len(board.entries),
            "best": f"{best.method} {best.variant}" if best else "",
            "best_value": f"{best.value:.2f}" if best else "",
            "floor": f"{floor.method} {floor.variant}" if floor else "",
            "floor_value": f"{floor.value:.2f}" if floor else "",
        }

    sections = [
        (*words, [line(b) for b in boards if b.state == kind]) for kind, words in KINDS.items()
    ]
    known = [spec for _, spec in sorted(plugins().methods.items())]
    return room.get_template("index.html").render(
        sections=sections, methods=known, up="", crumbs=()
    )


def _board(room: jinja2.Environment, board: Board, boards: list[Board]) -> str:
    protocol = board.protocol
    same = {
        b.protocol.version: b.protocol
        for b in boards
        if (b.protocol.id, b.twin) == (protocol.id, board.twin)
    }
    versions = [same[number] for number in sorted(same)]
    history = [
        (f"{one.name} → {two.name}", [d[:3] for d in differences(one, two) if d[3]])
        for one, two in pairwise(versions)
    ]
    return room.get_template("board.html").render(
        name=board.name,
        protocol=protocol,
        twin=board.twin,
        metric=board.scored.metrics[0],
        formula=catalogued(board.metric).formula,
        rows=board.rows,
        supervisions=sorted({r.supervision for r in board.rows}),
        charts=board_charts(board.scored, board.rows, board.entries),
        against=board.against,
        legend=legend(board.against),
        failures=known_failures(board.rows),
        history=history,
        up="../",
        crumbs=((board.href, board.name),),
    )


def _run(room: jinja2.Environment, found: Entry, board: Board) -> str:
    record = found.record
    charts: list[tuple[str, Markup]] = []
    if record.curve:
        charts.append(("Error against images seen", Markup(curve_svg(record))))
    if record.probe.get("loss_by_epoch"):
        charts.append(("Probe", Markup(loss_svg(record))))
    return room.get_template("run.html").render(
        r=record,
        board=board.name,
        charts=charts,
        facts=facts(record),
        command=_command(record),
        up="../",
        crumbs=((f"{board.href}#{record.run_id}", board.name), ("", f"run {record.run_id[:8]}")),
    )


def _command(record: Record) -> str:
    words = ["bench", "run", "--method", record.method.id, "--protocol", record.protocol.id]
    words[-1] += f"@{record.protocol.version}"
    if record.method.preset:
        words += ["--preset", record.method.preset]
    for key, value in sorted(flat(record.method.settings_given).items()):
        words += ["--set", f"{key}={value}"]
    return " ".join([*words, "--seed", str(record.seed)] + ["--twin"] * record.protocol.twin)


def _method(room: jinja2.Environment, method: str, boards: list[Board]) -> str:
    return room.get_template("method.html").render(
        id=method,
        spec=plugins().methods.get(method),
        results=[(b, r) for b in boards for r in b.rows if r.method == method],
        against=[one for b in boards for one in b.against if one.said.plugin == method],
        up="../",
        crumbs=((f"methods/{method}.html", method),),
    )
