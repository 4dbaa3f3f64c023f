"""The pictures that a fit kept of itself on its way, all as one strip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote

from PIL import Image, ImageDraw

from benchmark.image_files import decode
from benchmark.pictures.sheet import readable
from benchmark.pictures.shown import PicturedRun
from benchmark.runner.fitting import read_done
from benchmark.runner.plan import Plan

HEAD = 16


def samples_sheet(run: PicturedRun) -> Image.Image | None:
    """All rows of the fit and of the parts that it shares; None where it kept none here."""
    return strip(_folders(run.plan))


def _folders(plan: Plan) -> Iterator[Path]:
    if (plan.fit_folder / "done.json").exists():
        for part in read_done(plan.fit_folder)["parts"].values():
            if "folder" in part:
                yield plan.fit_folder.parent / "parts" / part["folder"] / "samples"
    yield plan.fit_folder / "samples"


def strip(folders: Iterable[Path]) -> Image.Image | None:
    """All rows that lie in the folders, from the first to the last, each under its stage and images.

    None where there is none.
    """
    files = [file for folder in folders for file in sorted(folder.glob("*.png"))]
    if not files:
        return None
    stages = list(dict.fromkeys(_stage(file) for file in sorted(files, key=_written)))
    files.sort(key=lambda file: (stages.index(_stage(file)), file.name))
    rows = [readable(decode(file, "RGB")) for file in files]
    size = max(row.width for row in rows), sum(row.height + HEAD for row in rows)
    canvas, top = Image.new("RGB", size, (24, 24, 24)), 0
    for file, row in zip(files, rows, strict=True):
        words = f"{_stage(file)}: {int(file.name.partition('-')[0]):,} images"
        ImageDraw.Draw(canvas).text((2, top + 2), words, fill=(220, 220, 220))
        canvas.paste(row, (0, top + HEAD))
        top += row.height + HEAD
    return canvas


def _stage(file: Path) -> str:
    return unquote(file.stem.partition("-")[2])


def _written(file: Path) -> float:
    return file.stat().st_mtime
