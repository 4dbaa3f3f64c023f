"""Cut-outs of photographs, made into a folder: pictures with alpha, a split, and what was left out."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.datasets.cutouts.filters import FILTERS, Filters, fault, rectangle
from benchmark.datasets.cutouts.framing import drawn_ratio, margin_for, ratio_of, squared
from benchmark.datasets.cutouts.segmentations import (
    Segmentation,
    photographs_in,
    segmentations_in,
)
from benchmark.files import whole_folder, write_json
from benchmark.image_files import decode

COLUMNS = ("cutout", "photograph", "label", "confidence", "split", "split_by_cutout", "ratio")
TEST_SHARE = 0.2

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class CutOuts:
    """What came of photographs: how many cut-outs each split has, what each filter took out, and how
    many stand larger in their frame than was drawn for them, which padding can't mend."""

    splits: Mapping[str, int]
    left_out: Mapping[str, int]
    too_large: int


@dataclass(frozen=True)
class _Made:
    segmentation: Segmentation
    ratio: float


def cut_out(
    photographs: Path,
    masks: Path,
    out: Path,
    *,
    filters: Filters | None = None,
    ratio: tuple[float, float] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> CutOuts:
    """Cut objects out of the photographs in a folder, into the new folder `out`, whole or not at all.

    It then holds `cutouts/NAME.png` (RGBA, square, empty around the object), `items.csv` with the
    splits, `left_out.csv` with the filter that each other segmentation failed, and `cutouts.json`, which
    says how it was made. `ratio` are mean and standard deviation of the ratio of object to frame that
    cut-outs are padded to; None: they are made square, no more. A fifth is for testing: of the
    photographs (`split`), and for the thesis' own rule, under which two cut-outs of one photograph
    may part, of the cut-outs (`split_by_cutout`). All draws follow from the `seed` and the names.
    Raises `InvalidInput` where nothing passes, or the folder is there already.
    """
    if out.exists():
        raise InvalidInput(f"{out} is there already", cure="name a new folder")
    want = filters or Filters()
    pictures = photographs_in(photographs)
    found = list(segmentations_in(masks, pictures))
    left_out: list[tuple[str, str, str]] = []
    made: list[_Made] = []
    too_large = 0
    with whole_folder(out) as folder:
        (folder / "cutouts").mkdir()
        opened: tuple[Path, np.ndarray] | None = None
        for done, one in enumerate(found, start=1):
            if opened is None or opened[0] != one.photograph:
                opened = one.photograph, np.asarray(decode(one.photograph, "RGB"))
            mask = one.mask()
            if mask.shape != opened[1].shape[:2]:
                raise DataAltered(
                    f"{one.file} has {mask.shape[1]} × {mask.shape[0]} pixels, its photograph "
                    f"{opened[1].shape[1]} × {opened[1].shape[0]}"
                )
            if why := fault(one, mask, opened[1], want):
                left_out.append((one.name, one.photograph.name, why))
            else:
                picture, fits = _framed(opened[1], mask, ratio, _random(seed, one.name))
                too_large += not fits
                Image.fromarray(picture).save(folder / "cutouts" / f"{one.name}.png")
                made.append(_Made(one, ratio_of(picture[..., 3])))
            if progress:
                progress(done, len(found))
        if not made:
            raise InvalidInput(f"none of {len(found):,} segmentations passes the filters")
        splits = _write_items(folder / "items.csv", made, seed)
        _write_table(folder / "left_out.csv", ("segmentation", "photograph", "filter"), left_out)
        taken_out = Counter(why for *_, why in left_out)
        counts = CutOuts(splits, {name: taken_out[name] for name in FILTERS}, too_large)
        write_json(
            folder / "cutouts.json",
            {"filters": asdict(want), "ratio": ratio, "seed": seed, "photographs": len(pictures),
             "segmentations": len(found), **asdict(counts)},
        )  # fmt: skip
    return counts


def _framed(
    photograph: np.ndarray,
    mask: np.ndarray,
    ratio: tuple[float, float] | None,
    random: np.random.Generator,
) -> tuple[np.ndarray, bool]:
    """The object alone, uint8 (S, S, 4), and whether padding could give it the ratio that was drawn."""
    alpha = np.uint8(255) * mask
    # what lies around the object is empty in its colours too: nothing of the photograph leaks
    picture = np.dstack([photograph * mask[..., None], alpha])[rectangle(mask)]
    picture = squared(picture, random)
    if ratio is None:
        margin = 0
    else:
        margin = margin_for(drawn_ratio(*ratio, random), int(mask.sum()), len(picture))
    if (picture[..., 3] > 0).all():
        margin = max(margin, 1)
    return np.pad(picture, ((max(margin, 0),) * 2, (max(margin, 0),) * 2, (0, 0))), margin >= 0


def _random(seed: int, name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, *name.encode()]))


def _write_items(path: Path, made: Sequence[_Made], seed: int) -> dict[str, int]:
    photographs = sorted({one.segmentation.photograph.name for one in made})
    names = [one.segmentation.name for one in made]
    by_photograph, by_cutout = _test_fifth(photographs, seed), _test_fifth(sorted(names), seed)
    rows = []
    for one in made:
        of = one.segmentation
        confidence = "" if of.confidence is None else f"{of.confidence:.4f}"
        split = "test" if of.photograph.name in by_photograph else "train"
        other = "test" if of.name in by_cutout else "train"
        rows.append(
            (of.name, of.photograph.name, of.label, confidence, split, other, f"{one.ratio:.6f}")
        )
    _write_table(path, COLUMNS, rows)
    counts = Counter(row[COLUMNS.index("split")] for row in rows)
    return {split: counts[split] for split in ("train", "test")}


def _test_fifth(names: Sequence[str], seed: int) -> set[str]:
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(names))
    return {names[i] for i in order[: round(TEST_SHARE * len(names))]}


def _write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
