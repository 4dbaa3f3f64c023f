"""What changes along a training: spread of the points, how many there are, and the rate."""

from __future__ import annotations


def linear(ends: tuple[float, float], done: float) -> float:
    """From the first of `ends` at done = 0 to the second at done = 1.

    >>> linear((3.0, 0.2), 0.5)
    1.6
    """
    start, end = ends
    return start + (end - start) * min(max(done, 0.0), 1.0)


def kept(points: int, share: float) -> int:
    """How many points of a cloud take part: the whole ones of a share, at least one.

    >>> kept(1000, 0.0705)
    70
    """
    return max(1, int(points * share))


def rate(peak: float, cooling: float, cooled: float, done: float) -> float:
    """`peak`, and over the last share `cooling` of the steps linearly down to `cooled` of it.

    >>> rate(1.0, 0.5, 0.1, 0.25), rate(1.0, 0.5, 0.1, 0.75)
    (1.0, 0.55)
    """
    if not cooling:
        return peak
    return peak * linear((1.0, cooled), (done - (1 - cooling)) / cooling)
