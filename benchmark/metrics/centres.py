"""Where a part lies in its probability map, by the rules that published scores were read with."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics import checks

RULES = ("ganseg", "scops", "mcs")


def part_centres(maps: Any, rule: str) -> np.ndarray:
    """Centre of each part, float64 (N, K, 2), (x, y).

    maps: probabilities (N, K + 1, H, W), channel 0 the background, which is left out. The centre is
    the mean position, weighted by the part's map. Rules:

    - `scops`: weights over their sum; pixels, centre of the top-left pixel at (0, 0).
    - `mcs`: 1e-6 is added to every weight first, so a part that is nowhere goes to the middle of
      the image; pixels.
    - `ganseg`: weights over their sum + 1e-6, so a part that is nowhere goes to the origin;
      positions run from 0 to 128, both included, whatever H and W.

    Raises `InvalidInput` for an unknown rule, bad shapes, NaN, negative weights, and (`scops`)
    naming the first part that is nowhere.

    Source: xingzhehe/GANSeg@a3f5078 test_seg.py; NVlabs/SCOPS@05da7e4 visualize.py;
    AliaksandrSiarohin/motion-cosegmentation@571e26f evaluate.py.

    >>> maps = np.zeros((1, 2, 3, 5))
    >>> maps[0, 1, 2, 3] = 0.5
    >>> part_centres(maps, "scops")
    array([[[3., 2.]]])
    """
    checks.one_of("rule", rule, RULES)
    (maps,) = checks.arrays(maps=(maps, "N K+1 H W"))
    if maps.shape[1] < 2 or (maps < 0).any():
        raise InvalidInput(
            f"maps: expected a background and at least one part, none negative, got {maps.shape}"
            f" from {maps.min():g}"
        )
    weights = maps[:, 1:] + (1e-6 if rule == "mcs" else 0.0)
    height, width = weights.shape[2:]
    last = (128.0, 128.0) if rule == "ganseg" else (width - 1.0, height - 1.0)
    x, y = np.linspace(0, last[0], width), np.linspace(0, last[1], height)
    mass = weights.sum(axis=(2, 3)) + (1e-6 if rule == "ganseg" else 0.0)
    nowhere = np.argwhere(mass == 0)
    if len(nowhere):
        image, part = nowhere[0].tolist()
        raise InvalidInput(f"maps: part {part + 1} of image {image} is zero everywhere")
    return np.stack([weights.sum(axis=2) @ x / mass, weights.sum(axis=3) @ y / mass], axis=-1)
