"""The page of the command line: every command with its arguments, options and defaults."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from benchmark.pages.reference_code import cell


def commands(
    group: click.Group, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """All commands below a group with their full names, groups before what they hold."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*words, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


def options(command: click.Command) -> list[click.Option]:
    """The options that a person may give."""
    return [p for p in command.params if isinstance(p, click.Option) and not p.hidden]


def commands_page(cli: click.Group, made: str) -> str:
    """The page; `made` says what it is made by."""
    found = list(commands(cli, ("bench",)))
    lines = ["# Commands", made, "| command | does |", "| --- | --- |"]
    for name, command in found:
        if not isinstance(command, click.Group):
            lines.append(f"| [`{name}`](#{name.replace(' ', '-')}) | {cell(_first(command))} |")
    lines += ["", "Every command has `--help`. Before or after any of them:", "", *_table(cli)]
    for name, command in found:
        lines += ["", f"{'#' * (name.count(' ') + 1)} {name}", "", _help(command)]
        if not isinstance(command, click.Group):
            lines += ["", f"    {_usage(name, command)}"]
        if options(command):
            lines += ["", *_table(command)]
    return "\n".join(lines) + "\n"


def _help(command: click.Command) -> str:
    """A command's help: paragraphs as Markdown, those after a line "\\b" as they stand."""
    parts = []
    for part in inspect.cleandoc(command.help or "").split("\n\n"):
        if part.startswith("\b"):
            part = "\n".join(f"    {line}" for line in part.splitlines()[1:])
        parts.append(part)
    return "\n\n".join(parts)


def _first(command: click.Command) -> str:
    """The first sentence of a command's help."""
    text = " ".join(inspect.cleandoc(command.help or "").split())
    return text.partition(". ")[0].rstrip(".")


def _usage(name: str, command: click.Command) -> str:
    words = [name]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            word = _value(parameter) or str(parameter.name).upper()
            word += "…" if parameter.nargs == -1 else ""
            words.append(word if parameter.required else f"[{word}]")
        elif parameter.required:
            words += [parameter.opts[0], _value(parameter)]
    if any(not o.required for o in options(command)):
        words.append("[OPTIONS]")
    return " ".join(words)


def _table(command: click.Command) -> list[str]:
    lines = ["| option | default | does |", "| --- | --- | --- |"]
    for option in options(command):
        names = ", ".join(f"`{n}`" for n in (*option.opts, *option.secondary_opts))
        value = "" if option.is_flag else f" `{cell(_value(option))}`"
        also = f" (`{option.envvar}`)" if option.envvar else ""
        repeat = (
            " May be repeated." if option.multiple and "repeat" not in (option.help or "") else ""
        )
        default = f"`{option.default}`" if _is_plain(option.default) else ""
        lines.append(f"| {names}{value} | {default} | {cell(option.help or '')}{also}{repeat} |")
    return lines


def _is_plain(default: object) -> bool:
    """Whether a default says something: not a switch, an empty text or click's mark of none."""
    return (
        isinstance(default, str | int | float) and not isinstance(default, bool) and default != ""
    )


def _value(parameter: click.Parameter) -> str:
    """What stands for the value of a parameter."""
    if parameter.metavar:
        return parameter.metavar
    if isinstance(parameter.type, click.Choice):
        return "|".join(map(str, parameter.type.choices))
    if isinstance(parameter.type, click.Path):
        return (
            "FILE"
            if not parameter.type.dir_okay
            else "FOLDER"
            if not parameter.type.file_okay
            else "PATH"
        )
    if isinstance(parameter, click.Argument) or parameter.name is None:
        return str(parameter.name).upper()
    return (
        "NUMBER" if isinstance(parameter.type, click.types.IntParamType) else parameter.name.upper()
    )
