"""What each metric id means, in one sentence with its formula, and which function computes it.

Light: no metric is imported. A test holds every id against the protocols and every function against
the code.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """`formula` for people; `function` is "module:name" under `benchmark.metrics`."""

    formula: str
    function: str


CATALOGUE: dict[str, Entry] = {
    "nme_iod": Entry(
        "mean distance of predicted from annotated points, divided by the distance of the eyes "
        "(inter-ocular distance), per image",
        "landmarks:normalised_mean_error",
    ),
    "match_different": Entry(
        "mean distance of matched from true points in another person's image, divided by the distance "
        "of that image's eyes, per pair",
        "matching:match_descriptors",
    ),
    "match_same": Entry(
        "the same between two views of one image, of which at least one is warped",
        "matching:match_descriptors",
    ),
}


def entry(metric: str) -> Entry:
    """The entry of a metric id; a variant ("fid/clean@…") is looked up by what stands before "/"."""
    return CATALOGUE[metric if metric in CATALOGUE else metric.partition("/")[0]]
