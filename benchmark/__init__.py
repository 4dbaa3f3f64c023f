"""bench: an evaluation harness for methods that find structure in images without labels.

`import benchmark as bench` gives `bench.protocol`, `bench.run` and the others of `__all__`; each is
imported when it is first asked for, so that the package itself stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmark.version import __version__ as __version__

if TYPE_CHECKING:
    from benchmark.interface.opened import protocol
    from benchmark.interface.running import load, run
    from benchmark.interface.scoring import score
    from benchmark.interface.tables import board, items, results

_HOME = {
    "protocol": "opened",
    **dict.fromkeys(("run", "load"), "running"),
    "score": "scoring",
    **dict.fromkeys(("board", "items", "results"), "tables"),
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"benchmark has no {name!r}")
    from importlib import import_module

    return getattr(import_module(f"benchmark.interface.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
