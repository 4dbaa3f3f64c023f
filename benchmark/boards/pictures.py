"""The pictures a run may have in its folder: their files, titles, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.home import home
from benchmark.records.model import Record

KNOWN = {
    "predictions": (
        "Test images, from best to worst",
        "Green: truth. Red: {prediction}. The number is the image's {metric}.",
    ),
    "outlines": (
        "Outlines, from best to worst",
        "Line: the outline predicted. Red: what only the prediction holds. Green: what only the truth "
        "holds. The number is the image's {metric}.",
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
    "truncation": (
        "Truncation",
        "The first four generated images drawn towards the mean of w: at mean + ψ (w − mean), from "
        "ψ = 0, which is the mean itself, in equal steps to ψ = 1, which is the image.",
    ),
    "smooth_paths": (
        "Paths with the smallest steps",
        "From the tenth of the path length's paths whose images change least, the least first: a row "
        "leads in equal steps from one end of a path to the other. The number under it is the distance "
        "of its two measured images over the step squared.",
    ),
    "rough_paths": (
        "Paths with the largest steps",
        "The same from the tenth whose images change most, the most first. Unnatural images are often "
        "among these.",
    ),
    "far": (
        "Farthest from real images",
        "Of all generated images that were scored, the 30 whose features have the largest Mahalanobis "
        "distance (the number) to those of the real images, by their mean and covariance. Where the "
        "covariance has no inverse, as with fewer real images than dimensions, it is shrunk towards "
        "equal variances by the rule of Ledoit and Wolf: a pseudo-inverse would not see what no real "
        "image has. The line above says which it was.",
    ),
    "edits": (
        "Attributes changed",
        "The first generated image at −3, −2, …, 3 along a unit vector of w for each attribute: the "
        "normal of the plane of largest margin between the w of the tenth of images that the classifier "
        "scores highest and of the tenth that it scores lowest, fitted to seven tenths of these. The "
        "share is of the other w that lie on their side of it. No number of the record is made of it.",
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


ITEMS = 8
"""Items of a board that are shown under all its methods."""


def chosen_items(count: int) -> np.ndarray:
    """Which of `count` test items are shown: evenly spread over the split, none picked.

    >>> chosen_items(15).tolist()
    [0, 2, 4, 6, 8, 10, 12, 14]
    """
    return np.unique(np.linspace(0, count - 1, min(ITEMS, count)).round().astype(int))


def items_picture(pixels: str) -> Path:
    """Where the pictures of these items lie side by side, if they were drawn on this machine: by the
    digest of the test split's pixels, which boards may share."""
    return home() / "items" / f"{pixels[:32]}.jpg"
