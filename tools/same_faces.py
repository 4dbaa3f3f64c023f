"""Draws `docs/same_faces.png`: the same rendered test faces under every method, from committed records.

    python tools/same_faces.py docs/same_faces.png

Rows are the truth, the mean shape, a network untrained, the same network trained, and another method;
columns are faces at even steps from the trained network's smallest error to its largest, none picked.
Pictures are of the twin of `ytf5`, which may be published.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmark.boards.entries import Entry, read_entries
from benchmark.datasets.opening import open_split
from benchmark.files import load_arrays
from benchmark.interface.progress import make_progress
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.landmark_regression import targets

SIDE, DOT, LABEL, COLUMNS = 200, 4, 190, 5
"""Pixels of a face, of a dot's radius, of the words beside a row; faces in a row."""

TRUTH, FOUND = (60, 200, 90), (230, 50, 50)
ROWS = (
    ("mean-shape", {}, "mean shape"),
    ("random-features", {"settings": {"reduction": "none"}}, "LEAD, untrained"),
    ("lead", {"reduction": "none"}, "LEAD, trained"),
    ("imm", {"renderer": "transposed"}, "IMM, trained"),
)
"""Methods of the board, the settings given, and what the row is called. The trained one sorts."""


def main(path: Path) -> None:
    """Write the figure."""
    protocol = find_protocol("ytf5")
    with closing(make_progress()) as progress:
        split = open_split(protocol, "test", twin=True, progress=progress)
    entries = [e for e in read_entries(protocol, twin=True)[0] if e.record.seed == 0]
    found = {name: _entry(entries, method, given) for method, given, name in ROWS}
    metric = protocol.metrics[0].id
    errors = {name: entry.all_errors()[metric] for name, entry in found.items()}
    steps = np.linspace(0, len(split) - 1, COLUMNS + 2)[1:-1].round().astype(int)
    items = np.argsort(errors["LEAD, trained"])[steps]
    sheet = Image.new("RGB", (LABEL + COLUMNS * SIDE, (len(ROWS) + 1) * SIDE), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(20)
    lines = {"truth": (targets(split, protocol), "")}
    for name, entry in found.items():
        points = load_arrays(entry.path.with_suffix(".predictions.npz"))["points"]
        lines[name] = points, f"\n{entry.value(metric).value:.1f} %"
    margin = (split.pixels.shape[1] - split.size) // 2
    for row, (name, (points, value)) in enumerate(lines.items()):
        draw.multiline_text(
            (8, row * SIDE + SIDE // 2 - 24), name + value, "black", font, spacing=8
        )
        for column, item in enumerate(items):
            pixels = split.pixels[item, margin : margin + split.size, margin : margin + split.size]
            face = Image.fromarray(np.asarray(pixels)).resize(
                (SIDE, SIDE), Image.Resampling.BICUBIC
            )
            corner = np.array([LABEL + column * SIDE, row * SIDE])
            sheet.paste(face, tuple(corner.tolist()))
            places = corner + (points[item] + 0.5) * (SIDE / split.size)
            colour = TRUTH if name == "truth" else FOUND
            for x, y in np.clip(places, corner + DOT, corner + SIDE - DOT - 1):
                draw.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), fill=colour, outline="white")
            if name != "truth":
                said = f"{errors[name][item]:.0f} %"
                draw.text((corner[0] + 6, corner[1] + 4), said, "white", font, stroke_width=2,
                          stroke_fill="black")  # fmt: skip
    sheet.quantize(200).save(path, optimize=True)


def _entry(entries: list[Entry], method: str, given: dict[str, object]) -> Entry:
    (one,) = [
        e for e in entries
        if e.record.method.id == method and e.record.method.settings_given == given
    ]  # fmt: skip
    return one


if __name__ == "__main__":
    main(Path(sys.argv[1]))
