"""Values that change over a training run, as pure functions of the step."""

from __future__ import annotations

import math


def half_cosine(start: float, end: float, done: float) -> float:
    """From `start` at done = 0 to `end` at done = 1 along half a cosine wave.

    Example: `half_cosine(1.0, 0.0, 0.5)` is 0.5.
    """
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(max(done, 0.0), 1.0)))


def learning_rate(
    step: int, steps: int, peak: float, *, warm_up: int = 0, end: float = 0.0
) -> float:
    """Linear to `peak` over the first `warm_up` steps, then half a cosine down to `end`.

    Steps count from 0. Example: with `peak=0.2, warm_up=10` step 0 has 0.02 and step 9 has 0.2.
    """
    if step < warm_up:
        return peak * (step + 1) / warm_up
    return half_cosine(peak, end, (step - warm_up) / max(1, steps - warm_up))


def momentum(step: int, steps: int, start: float, end: float = 1.0) -> float:
    """Momentum of an averaged network, `start` to `end` along half a cosine.

    Source: BYOL (Grill et al. 2020, §3.3): 1 - (1 - start)·(cos(πk/K) + 1)/2.
    """
    return half_cosine(start, end, step / steps)
