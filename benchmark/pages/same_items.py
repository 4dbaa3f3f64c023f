"""The same eight test items under all methods of a board, drawn from what runs keep of them.

Truth is what the ceiling's run predicts, so that nothing is needed but committed files, and no pixel is
shown whose terms forbid it: points and masks stand on an empty ground, or on the pictures of a twin or
of free data, where the site's builder gives them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from markupsafe import Markup, escape
from PIL import Image

from benchmark.boards.pictures import ITEMS, chosen_items
from benchmark.boards.rows import Row
from benchmark.contracts.errors import DataAltered
from benchmark.files import file_sha256, load_arrays
from benchmark.metrics.pose import rotate
from benchmark.pages.board_rows import ShownBoard, ShownRow
from benchmark.pages.boards import Board

METHODS = 6
"""How many methods stand below one another."""
SIDE = 112
MANY_POINTS = 20
"""From so many on, points are the ends of lines alone."""
CLOUD = 160
"""Points of a cloud that are drawn."""

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Strip:
    """Rows of eight drawings: `rows` holds (name, variant, drawings, what is below each)."""

    rows: list[tuple[str, str, list[Markup], list[str]]]
    words: str
    items: list[int]


def same_items(shown: ShownBoard, pictures: str = "") -> Strip | None:
    """The strip of a board; None where its runs keep nothing to draw, or none is given the truth.

    `pictures` is the address of a JPEG with the pictures of `chosen_items`, side by side.
    """
    board = shown.board
    truth = _truth(board)
    if truth is None:
        return None
    name, drawn, pixels = truth
    drawing = DRAWINGS[name]
    rows = []
    items: np.ndarray | None = None
    for one in _chosen(shown):
        arrays = kept(board, one.row)
        same = board.record[one.row.runs[0]].data["test"].pixels == pixels
        if name not in arrays or not same or not drawing.fits(arrays, drawn):
            continue
        items = drawing.items(drawn)
        seen = Ground(board.protocol.size, pictures)
        cells = drawing.cells(one.row.runs[0], arrays, drawn, items, seen)
        rows.append((one.row.method, one.row.variant, cells, _errors(board, one.row, items)))
    if not rows or items is None:
        return None
    return Strip(rows, _words(drawing, rows), items.tolist())


def _words(drawing: Drawing, rows: Iterable[tuple[str, str, list[Markup], list[str]]]) -> str:
    """What is seen. Not every headline has a value for each item: a ratio of sums has none."""
    numbered = any(value for *_, values in rows for value in values)
    number = " The number is the item's value." if numbered else ""
    return f"{drawing.words}{number} The items are evenly spread over those that runs keep, none picked."


def _chosen(shown: ShownBoard) -> Iterable[ShownRow]:
    """The best row of each method, from the best on, then the best floor, and after an untrained network
    the best of what is none, the mean shape, say."""
    standing = [s for s in shown.rows if not s.row.withdrawn]
    best: dict[str, ShownRow] = {}
    for one in standing:
        if one.row.role == "method":
            best.setdefault(one.row.method, one)
    yield from list(best.values())[:METHODS]
    best_floor = shown.board.best("floor")
    floors = [s for s in standing if s.row.role == "floor"]
    first = [s for s in floors if s.row is best_floor]
    plain = [s for s in floors if s.row.method != "random-features" and s not in first]
    yield from [*first, *plain[: first != [] and first[0].row.method == "random-features"]]


def _truth(board: Board) -> tuple[str, Arrays, str] | None:
    """What the ceiling predicts, under the name of the drawing that shows it, and on which pixels."""
    for row in board.rows:
        if row.role == "ceiling" and not row.withdrawn:
            arrays = kept(board, row)
            for name, kind in DRAWINGS.items():
                if name in arrays and kind.fits(arrays, arrays):
                    return name, arrays, board.record[row.runs[0]].data["test"].pixels
    return None


def kept(board: Board, row: Row) -> Arrays:
    """What the row's first run kept of its predictions, if that is committed and can be read."""
    entry = board.entry[row.runs[0]]
    path = entry.path.with_name(f"{row.runs[0]}.predictions.npz")
    wanted = {artefact.path: artefact.sha256 for artefact in entry.record.artefacts}
    if not path.is_file() or file_sha256(path) != wanted.get(path.name):
        return {}
    try:
        return load_arrays(path)
    except DataAltered:
        return {}


def _errors(board: Board, row: Row, items: np.ndarray) -> list[str]:
    """The headline of each item, of the row's first run, where it has one value for each."""
    entry = board.entry[row.runs[0]]
    values = entry.errors(board.headline.id)
    if values.ndim != 1 or len(values) <= items.max():
        return [""] * len(items)
    return [f"{values[item]:.1f}" for item in items]


@dataclass(frozen=True)
class Ground:
    """What drawings lie on: squares of `size` pixels, and the address of a JPEG with the items side by
    side, "" where there is none."""

    size: int
    pictures: str = ""

    def under(self, i: int) -> str:
        """The picture of the item at `i`; nothing where there is none."""
        if not self.pictures:
            return ""
        return (
            f'<image href="{escape(self.pictures)}" x="{-1000 * i}" width="{1000 * ITEMS}" '
            'height="1000" preserveAspectRatio="xMinYMin"/>'
        )


class Drawing(Protocol):
    """One way of drawing what runs keep: whether arrays can be drawn beside the truth, the items that
    are, and a square for each; `words` say what is seen."""

    words: str

    def fits(self, arrays: Arrays, truth: Arrays) -> bool: ...

    def items(self, truth: Arrays) -> np.ndarray: ...

    def cells(
        self, run: str, arrays: Arrays, truth: Arrays, items: np.ndarray, ground: Ground
    ) -> list[Markup]: ...


class Points:
    """Landmarks and matches: a line from each true point to the predicted one."""

    words = (
        "Green: the annotated points. Red: predicted ones, each joined to the point that it should "
        "be."
    )

    def __init__(self, name: str) -> None:
        self.name = name

    def fits(self, arrays: Arrays, truth: Arrays) -> bool:
        found = arrays[self.name]
        return found.shape == truth[self.name].shape and found.ndim == 3 and found.shape[2] == 2

    def items(self, truth: Arrays) -> np.ndarray:
        return chosen_items(len(truth[self.name]))

    def cells(
        self, run: str, arrays: Arrays, truth: Arrays, items: np.ndarray, ground: Ground
    ) -> list[Markup]:
        """A drawing of each item, in the pixels of the scored square."""
        found, true = arrays[self.name], truth[self.name]
        return [
            self._cell(found[item], true[item], ground.size, ground.under(i))
            for i, item in enumerate(items)
        ]

    def _cell(self, found: np.ndarray, true: np.ndarray, size: int, under: str) -> Markup:
        seen = np.isfinite(found).all(-1) & np.isfinite(true).all(-1)
        found, true = found[seen], true[seen]
        lines = "".join(
            f"M{a:.0f} {b:.0f}L{c:.0f} {d:.0f}"
            for (a, b), (c, d) in zip(_fine(true, size), _fine(found, size), strict=True)
        )
        dots = (
            "" if len(true) > MANY_POINTS else f'<path class="p" d="{_dots(_fine(found, size))}"/>'
        )
        return drawing(
            f'{under}<path class="l" d="{lines}"/>'
            f'<path class="t" d="{_dots(_fine(true, size))}"/>{dots}'
        )


class Masks:
    """Foregrounds: what only one of prediction and truth holds, and what both do."""

    words = (
        "Grey: foreground that prediction and truth share. Red: what only the prediction holds. "
        "Green: what only the truth holds."
    )
    PALETTE = np.array(
        [(0, 0, 0, 0), (128, 140, 155, 255), (215, 48, 39, 255), (26, 152, 80, 255)], np.uint8
    )

    def fits(self, arrays: Arrays, truth: Arrays) -> bool:
        found, side = arrays["foreground"], int(arrays.get("side", 0))
        same = found.shape == truth["foreground"].shape and side == int(truth.get("side", 0))
        return bool(
            same and found.ndim == 2 and side > 0 and -(-side * side // 8) == found.shape[1]
        )

    def items(self, truth: Arrays) -> np.ndarray:
        return chosen_items(len(truth["foreground"]))

    def cells(
        self, run: str, arrays: Arrays, truth: Arrays, items: np.ndarray, ground: Ground
    ) -> list[Markup]:
        """A drawing of each item, in the pixels of the kept masks: its part of one sheet, which weighs
        less than a picture for each."""
        side = int(truth["side"])
        sheet = np.hstack([self._colours(arrays, truth, int(item), side) for item in items])
        buffer = io.BytesIO()
        Image.fromarray(sheet).save(buffer, "WEBP", lossless=True, quality=100, method=6)
        data = base64.b64encode(buffer.getvalue()).decode()
        see = ' opacity=".75"' if ground.pictures else ""
        first = (
            f'<image id="masks-{run}" href="data:image/webp;base64,{data}" width="{1000 * len(items)}" '
            f'height="1000"{see}/>'
        )
        shown = [
            first,
            *(f'<use href="#masks-{run}" x="{-1000 * i}"/>' for i in range(1, len(items))),
        ]
        return [drawing(f"{ground.under(i)}{part}") for i, part in enumerate(shown)]

    def _colours(self, arrays: Arrays, truth: Arrays, item: int, side: int) -> np.ndarray:
        """An item in the colours of `PALETTE`, uint8 (side, side, 4)."""
        found, true = (_bits(a["foreground"][item], side) for a in (arrays, truth))
        kinds = np.where(found & true, 1, np.where(found, 2, np.where(true, 3, 0)))
        colours: np.ndarray = self.PALETTE[kinds]
        return colours


class Clouds:
    """Shapes: true and predicted clouds from the side, in the frame of the truth."""

    words = (
        "Green: the true shape. Red: the predicted one, turned into the true frame; both from the "
        "side."
    )

    def fits(self, arrays: Arrays, truth: Arrays) -> bool:
        if not {"drawn", "reference"} <= arrays.keys():
            return False
        fine = arrays["drawn_points"].ndim == 3 and arrays["reference"].shape == (4,)
        return fine and np.array_equal(np.sort(arrays["drawn"]), np.sort(truth["drawn"]))

    def items(self, truth: Arrays) -> np.ndarray:
        models = np.sort(truth["drawn"])
        return models[chosen_items(len(models))]

    def cells(
        self, run: str, arrays: Arrays, truth: Arrays, items: np.ndarray, ground: Ground
    ) -> list[Markup]:
        """A drawing of each model; a model of diagonal 1 fits however it is turned."""
        cells = []
        for item in items:
            true, found = (_cloud(a, int(item)) for a in (truth, arrays))
            cells.append(
                drawing(
                    f'<path class="t" d="{_dots(true)}"/><path class="p" d="{_dots(found)}"/>', "c"
                )
            )
        return cells


def _cloud(arrays: Arrays, item: int) -> np.ndarray:
    """(right, down) of a kept cloud in thousandths of the drawing, seen along the model's x."""
    at = int(np.flatnonzero(arrays["drawn"] == item)[0])
    points = arrays["drawn_points"][at].astype(np.float64)
    turned = rotate(arrays["reference"], points)[:: max(1, len(points) // CLOUD)]
    return 500 + 1000 * turned[:, [2, 1]] * [1, -1] / 1.1


DRAWINGS: dict[str, Drawing] = {
    "points": Points("points"),
    "points_unseen": Points("points_unseen"),
    "matches": Points("matches"),
    "foreground": Masks(),
    "drawn_points": Clouds(),
}
"""By the array of the kept predictions that is drawn."""


def drawing(inside: str, kind: str = "") -> Markup:
    """One square of the strip, 1000 units wide; what it shows is said by the words beside it."""
    return Markup(
        f'<svg class="item{" " if kind else ""}{kind}" viewBox="0 0 1000 1000" width="{SIDE}" '
        f'height="{SIDE}" aria-hidden="true">{inside}</svg>'
    )


def _fine(points: np.ndarray, size: int) -> np.ndarray:
    """Pixel centres of an image `size` wide as thousandths of the drawing."""
    return np.clip(np.asarray((points + 0.5) / size * 1000), -200, 1200)


def _dots(points: np.ndarray) -> str:
    return "".join(f"M{x:.0f} {y:.0f}h0" for x, y in points)


def _bits(packed: np.ndarray, side: int) -> np.ndarray:
    return np.unpackbits(packed, count=side * side).reshape(side, side).astype(bool)
