"""The pictures of a board's eight items side by side, for the drawings of its page to stand on."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image

from benchmark.boards.pictures import chosen_items, items_picture
from benchmark.boards.standings import with_entries
from benchmark.contracts.errors import BenchError
from benchmark.contracts.method import Progress
from benchmark.datasets.opening import open_split
from benchmark.datasets.places import spec_of
from benchmark.datasets.prepared import PreparedSplit
from benchmark.files import whole_file
from benchmark.pictures.sheet import contact_sheet, enlarged, pictures_of_arrays
from benchmark.protocols import Protocol


def draw_items(
    progress: Progress, protocols: Iterable[Protocol], *, private: bool = False
) -> tuple[int, list[str]]:
    """Draw what is missing of the items of all boards whose pictures may be shown; twins are rendered.

    Returns how many files were made, and for which boards none could be, with the reason.
    """
    drawn, failed = 0, []
    for board, entries in with_entries(protocols):
        if not entries or not (private or may_be_shown(board.protocol, twin=board.twin)):
            continue
        pixels = entries[0].record.data["test"].pixels
        target = items_picture(pixels)
        if target.exists():
            continue
        try:
            split = open_split(board.protocol, "test", twin=board.twin, progress=progress)
        except BenchError as error:
            failed.append(f"{board.name}: {error.message}")
            continue
        if split.pixels_digest != pixels:
            failed.append(f"{board.name}: its records were scored on other pixels")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as path:
            items_sheet(split).save(path, "JPEG", quality=85)
        drawn += 1
    return drawn, failed


def may_be_shown(protocol: Protocol, *, twin: bool) -> bool:
    """Whether the terms let pictures of a board's images be published: of twins, and of free data."""
    return twin or all(spec_of(name).publishable for name in protocol.data.datasets())


def items_sheet(split: PreparedSplit) -> Image.Image:
    """The items of a split side by side, each `SIDE` pixels wide and high."""
    images = split.images().batch(chosen_items(len(split))).permute(0, 2, 3, 1).numpy()
    cells = [enlarged(picture) for picture in pictures_of_arrays(images)]
    return contact_sheet(cells, columns=len(cells), gap=0)
