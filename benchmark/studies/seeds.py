"""Seeds in words."""

from __future__ import annotations

import re

from benchmark.settings import SettingsInvalid

MOST_SEEDS = 1000
"""In one range of seeds; a slip of the finger asks for more."""


def seeds_from(text: str) -> list[int]:
    """Seeds from "0,1,2", "0-2", or both; one named twice is one. Raises `SettingsInvalid`.

    >>> seeds_from("0-2,7")
    [0, 1, 2, 7]
    """
    seeds: list[int] = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d+)\s*-\s*(\d+)\s*", part)
        try:
            found = range(int(ends[1]), int(ends[2]) + 1) if ends else [int(part)]
        except ValueError:
            found = []
        if not 0 < len(found) <= MOST_SEEDS:
            raise SettingsInvalid(
                f"seed {part!r} is not a number or a range", cure="write 0,1,2 or 0-2"
            )
        seeds += found
    return list(dict.fromkeys(seeds))
