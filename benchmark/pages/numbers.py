"""Numbers and their units as pages print them."""

from __future__ import annotations

import re

FACTORS = {"1e-3": 1e-3, "x100": 1e-2}
"""Units that are factors: what a number in them is multiplied by to be plain."""
WORDS = {"1e-3": "10⁻³", "x100": "10⁻²"}


def digits(value: float) -> str:
    """A number for people: two decimals, one from 100 on, none from 1,000 on.

    >>> digits(-1.884), digits(134.59), digits(588053.4)
    ('−1.88', '134.6', '588,053')
    """
    size = abs(value)
    places = 2 if size < 99.995 else 1 if size < 999.95 else 0
    return minus(f"{value:,.{places}f}")


def signed(value: float) -> str:
    """The same with its sign, as differences have it.

    >>> signed(1.5), signed(-0.25)
    ('+1.50', '−0.25')
    """
    return digits(value) if value < 0 else f"+{digits(value)}"


def unit_words(unit: str) -> str:
    """A unit as it stands behind a metric's name: "%", "10⁻³", "" where there is none."""
    return WORDS.get(unit, unit)


def with_unit(value: float, unit: str) -> str:
    """A number with its unit; one that is large for its factor is multiplied out.

    >>> with_unit(588053.4, "1e-3"), with_unit(9.5, "x100"), with_unit(7.04, "%")
    ('588.1', '9.50 × 10⁻²', '7.04 %')
    """
    if unit in FACTORS:
        large = abs(value) * FACTORS[unit] >= 1
        return digits(value * FACTORS[unit]) if large else f"{digits(value)} × {WORDS[unit]}"
    return f"{digits(value)} {unit}".rstrip()


def minus(text: str) -> str:
    """Text with a minus before its numbers, where a hyphen stands.

    >>> minus("-1.88 (-3.96 to +0.19)")
    '−1.88 (−3.96 to +0.19)'
    """
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def duration(seconds: float) -> str:
    """Time for people.

    >>> duration(12.4), duration(774), duration(7500)
    ('12 s', '12.9 min', '2.1 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
