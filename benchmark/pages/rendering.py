"""Templates of pages, and the files that lie beside them."""

from __future__ import annotations

from functools import cache

import jinja2

from benchmark.pages.numbers import digits, duration, minus, signed, unit_words, with_unit
from benchmark.pages.prose import capital, linked, marked, paragraphs, sentence
from benchmark.pages.reported_tables import printed, words

FILTERS = (
    *(capital, digits, duration, linked, marked, minus, paragraphs, printed, sentence, signed),
    *(unit_words, with_unit, words),
)
"""Functions that templates call by their names."""


def asset(name: str) -> str:
    """The text of a file beside the templates."""
    text, _, _ = jinja2.PackageLoader("benchmark.pages").get_source(environment(), name)
    return text


@cache
def environment() -> jinja2.Environment:
    """Templates that escape what they are given and refuse names they are not given, made once."""
    room = jinja2.Environment(
        loader=jinja2.PackageLoader("benchmark.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.filters |= {filter_.__name__: filter_ for filter_ in FILTERS}
    return room
