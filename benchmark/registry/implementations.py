"""From a name to the class or command that a registration names, imported when it is asked for."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING, Any

from benchmark.contracts.errors import PluginBroken, did_you_mean
from benchmark.contracts.extension import CommandSpec
from benchmark.contracts.spec import MethodSpec
from benchmark.method_errors import errors_of, in_one_line
from benchmark.registry.plugins import MEND

if TYPE_CHECKING:
    from benchmark.contracts.method import Method, MethodInfo, MethodSettings


def named(reference: str, what: str) -> Any:
    """What a "module:name" names; where it can't be imported, an error that says whose it is."""
    module, _, name = reference.partition(":")
    fault = f"{what}: the registration's implementation={reference} could not be imported"
    try:
        with redirect_stdout(sys.stderr):  # what it prints is nothing that bench says
            found = import_module(module)
            if hasattr(found, name):
                return getattr(found, name)
    except (Exception, SystemExit) as error:
        raise PluginBroken(f"{fault}: {_plainly(error)}", cure=MEND) from error
    own = (n for n, v in vars(found).items() if getattr(v, "__module__", "") == module)
    there = sorted(n for n in own if not n.startswith("_"))
    raise PluginBroken(
        f"{fault}: {module} has no {name!r}",
        cure=f"{did_you_mean(name, there)}{module} defines: {', '.join(there) or 'nothing'}",
    )


def _plainly(error: BaseException) -> str:
    """`in_one_line`, and in plain words what pydantic says of a setting without a type."""
    if getattr(error, "code", "") == "model-field-missing-annotation":
        setting = re.search(r"`(\w+) = .*?`", str(error))
        if setting:
            return (
                f"the setting {setting[0]} has no type: give it one, `{setting[1]}: int = …` "
                "(or float, str, bool)"
            )
    return in_one_line(error)


def implementation(spec: MethodSpec) -> type[Method]:
    """Import a method's class and check that it keeps the contract.

    Of a method with an environment of its own, the class that stands for it here.
    """
    from benchmark.contracts.method import Method

    if spec.environment is not None:
        from benchmark.isolation.proxy import isolated

        return isolated(spec)
    found = named(spec.implementation, f"method {spec.id!r}")
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise PluginBroken(f"method {spec.id!r}: {spec.implementation} is not a subclass of Method")
    return found


def info_of(spec: MethodSpec, cls: type[Method], settings: MethodSettings) -> MethodInfo:
    """What a method says of itself with these settings; raises `PluginBroken` where it fails, or says
    something else."""
    from benchmark.contracts.method import MethodInfo

    with errors_of(cls, "info"):
        found = cls.info(settings)
    if not isinstance(found, MethodInfo):
        raise PluginBroken(
            f"method {spec.id!r}: {cls.__name__}.info gave {type(found).__name__}, not MethodInfo",
            cure=MEND,
        )
    return found


def command_of(spec: CommandSpec) -> Any:
    """Import the click command that a registration names."""
    import click

    command = named(spec.implementation, f"command {spec.id!r}")
    if not isinstance(command, click.Command):
        raise PluginBroken(
            f"command {spec.id!r}: {spec.implementation} is no click command",
            cure="decorate it with @click.command()",
        )
    return command
