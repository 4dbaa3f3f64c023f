"""The pictures a run may have in its folder: their files, titles, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.home import home
from benchmark.records.model import Record

KNOWN = {
    "predictions": (
        "Test images, from best to worst",
        "Green: truth. Red: {prediction}. The number is the image's {metric}.",
    ),
    "points": (
        "Points discovered",
        "On test images, none picked, before any probe: equal colours for equal points.",
    ),
    "points_by_step": (
        "Points as training goes on",
        "The same test images at each milestone of the fit.",
    ),
    "parts": (
        "Parts on test images",
        "Each colour is one part as the method found it, on test images evenly spread; what belongs "
        "to no part is dark.",
    ),
    "translations": (
        "Translated images",
        "Test images, none picked; below them what the method makes of them, and how much of each pixel "
        "it repaints (white: all).",
    ),
    "matches": (
        "Matches, from best to worst",
        "Left the source, right the target. Rings: the true places; lines lead to where the method "
        "finds each point; red ones end far from the truth. The number is the pair's {metric}.",
    ),
    "clouds": (
        "Predicted shapes, from best to worst",
        "Picture; true (green) and predicted (red) cloud from the true camera, after the alignment; the "
        "predicted cloud from the camera predicted; both clouds from above.",
    ),
    "turntable": (
        "Turntable",
        "True (green) and predicted (red) clouds, turned by an eighth from tile to tile.",
    ),
    "generated": ("Generated images", "The first 32 from seed 0, none picked."),
    "interpolations": (
        "Interpolations",
        "Each row leads in equal steps from one generated image to the next, in the space of w.",
    ),
    "samples": (
        "Along training",
        "What the method shows of itself as its fit goes on: a row for each number of images seen.",
    ),
    "own": (
        "The method's own pictures",
        "Test images, none picked; below them a row for each thing that the method shows of them.",
    ),
}
"""Title and words by the file's stem, in the order of a page."""


@dataclass(frozen=True)
class Picture:
    """A picture of a run: `name` is its file's stem."""

    name: str
    title: str
    words: str
    path: Path


def run_folder(record: Record) -> Path:
    """Where the run keeps what it made, on the machine that made it."""
    return home() / "runs" / record.run_id


def pictures_of(record: Record, folder: Path) -> list[Picture]:
    """The pictures that lie in the run's folder, in the order of a page."""
    read = str(record.probe.get("name", "")).startswith(("linear/", "softargmax/"))
    prediction = "prediction, as the probe reads it from the method" if read else "prediction"
    metric = (record.by_item or record.headline).metric
    found = []
    for name, (title, words) in KNOWN.items():
        path = folder / "pictures" / f"{name}.png"
        if path.exists():
            words = words.format(metric=metric, prediction=prediction)
            found.append(Picture(name, title, words, path))
    return found
