"""Options whose words several commands read: what a launcher is given."""

from __future__ import annotations

import click


def options_of(pairs: tuple[str, ...]) -> dict[str, str]:
    """Options of a launcher from KEY=VALUE words."""
    given = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key.strip() or not equals:
            raise click.BadParameter(f"{pair!r} is not key=value", param_hint="--launcher-option")
        given[key.strip()] = value.strip()
    return given
