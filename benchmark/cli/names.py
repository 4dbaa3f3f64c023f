"""Tab completion of names: light, and silent when something is wrong."""

from __future__ import annotations

import click


def complete_methods(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Methods that start with what was typed."""
    from benchmark.registry.plugins import plugins

    return [m for m in sorted(plugins().methods) if m.startswith(incomplete)]


def complete_protocols(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Protocols that start with what was typed."""
    from benchmark.registry.protocols import known_files

    names = {n.partition("@")[0] for n in known_files()}
    return [n for n in sorted(names) if n.startswith(incomplete)]


def complete_presets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Presets of the method typed before."""
    from benchmark.registry.plugins import plugins

    spec = plugins().methods.get(ctx.params.get("method") or "")
    return [p for p in sorted(spec.presets if spec else []) if p.startswith(incomplete)]


def complete_datasets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Data sets that start with what was typed."""
    from benchmark.registry.plugins import plugins

    return [name for name in plugins().datasets if name.startswith(incomplete)]


def complete_either(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Methods and protocols that start with what was typed."""
    return [
        *complete_methods(ctx, param, incomplete),
        *complete_protocols(ctx, param, incomplete),
    ]
