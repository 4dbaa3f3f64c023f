"""Which row of a board is meant by `method[:preset] key=value …`, as boards print it, or a run's id."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.boards.entries import Entry, read_entries
from benchmark.boards.rows import Group, grouped, imitates, row_words
from benchmark.contracts.errors import UnknownName, did_you_mean, listed
from benchmark.files import listed as files_in
from benchmark.home import home
from benchmark.protocols import Protocol
from benchmark.records.reading import read_record
from benchmark.settings import flat, settings_words


@dataclass(frozen=True)
class NamedRow:
    """A row that can be named: its method, the words that the board prints for it, all its settings
    as words, and its records by their seeds."""

    method: str
    version: int
    words: tuple[str, ...]
    settings: tuple[str, ...]
    withdrawn: bool
    entries: tuple[Entry, ...]

    @property
    def name(self) -> str:
        """ "lead small dimension=128 version 2", as on the board."""
        return " ".join((self.method, *self.words))

    def matches(self, typed: Iterable[str]) -> bool:
        """Whether it has all these words: those printed, values of settings alone, or any setting."""
        return self.known_words.keys() >= set(typed)

    @cached_property
    def printed(self) -> dict[str, str]:
        """The words that the board prints, as `words_of`."""
        return words_of(" ".join(self.words))

    @cached_property
    def known_words(self) -> dict[str, str]:
        """All words by which it may be named, as `words_of`."""
        values = [word.partition("=")[2] for word in self.words]
        version = f"version={self.version}"
        return words_of(" ".join((*self.words, *values, version, *self.settings)))


def words_of(text: str) -> dict[str, str]:
    """Words set apart by commas or spaces, as they are compared → as they are typed; "version 2", as
    boards print it, is one.

    >>> words_of("small, rate=1e-3 biased=True")
    {'small': 'small', 'rate=0.001': 'rate=1e-3', 'biased=true': 'biased=True'}
    """
    found = {}
    text = re.sub(r"(?<![^\s,])version\s+(?=\d)", "version=", text)
    for typed in filter(None, re.split(r"[\s,]+", text)):
        key, equals, value = typed.rpartition("=")
        try:
            plain = str(float(value))
        except ValueError:
            plain = value.strip("\"'").lower()
        found[f"{key}{equals}{plain}"] = typed
    return found


def named_rows(protocol: Protocol, *, twin: bool) -> list[NamedRow]:
    """The rows of a board as they may be named."""
    groups = grouped(read_entries(protocol, twin=twin)[0])
    words = row_words(groups, protocol.scored(twin=twin).metrics[0].id)
    defaults = _defaults(groups)
    return [
        NamedRow(
            key.method,
            key.version,
            words[key],
            tuple(settings_words(defaults[key.method, key.version] | _settings(entries[0]))),
            key.withdrawn,
            tuple(entries),
        )
        for key, entries in groups.items()
    ]


def _defaults(groups: Mapping[Group, Sequence[Entry]]) -> dict[tuple[str, int], dict[str, Any]]:
    """By method and version, settings whose defaults records leave out, with these defaults: what was
    given somewhere and left out all the same."""
    found: dict[tuple[str, int], dict[str, Any]] = defaultdict(dict)
    given: dict[tuple[str, int, str], list[Any]] = defaultdict(list)
    for key, entries in groups.items():
        if (
            imitates(entries[0].record) is None
        ):  # the settings of an untrained network are another's
            for name, value in flat(entries[0].record.method.settings_given).items():
                if name not in _settings(entries[0]):
                    given[key.method, key.version, name].append(value)
    for (method, version, name), values in given.items():
        if all(value == values[0] for value in values):  # else it was left out for not counting
            found[method, version][name] = values[0]
    return found


def _settings(entry: Entry) -> dict[str, Any]:
    return flat(entry.record.method.settings)


def fitting(rows: Sequence[NamedRow], name: str) -> list[NamedRow]:
    """The rows that a name fits; for a run id's beginning, the row with that run alone.

    A row fits that has all the words (`NamedRow.matches`). One for which the board prints just these
    is meant, even if others have them among more.
    """
    runs = [
        (row, entry)
        for row in rows
        for entry in row.entries
        if len(name) >= 4 and entry.record.run_id.startswith(name)
    ]
    if len(runs) == 1:
        row, entry = runs[0]
        return [NamedRow(row.method, row.version, row.words, row.settings, row.withdrawn, (entry,))]
    typed = words_of(_typed(name))
    found = [row for row in rows if has_method([row], name) and row.matches(typed)]
    exact = [row for row in found if row.printed.keys() <= typed.keys()]
    return exact if len(exact) == 1 else found


def validation_runs(name: str) -> list[Path]:
    """Records in `$BENCH_HOME/runs` of validation runs whose id begins so (4 letters or more);
    no board has them."""
    if len(name) < 4 or not name.isalnum():
        return []
    found = files_in(home() / "runs", f"{name}*/record.json")
    return [path for path in found if read_record(path).protocol.on == "validation"]


def validation_run(name: str) -> NamedRow:
    """The one of them that is meant, as a row of its own; raises `UnknownName`."""
    paths = validation_runs(name)
    if len(paths) != 1:
        known = [path.parent.name for path in paths]
        raise UnknownName(
            "validation run",
            name,
            known,
            cure=f"several begin so: {', '.join(known)}"
            if known
            else "`bench ls runs` lists runs by id; a validation run is compared with another",
        )
    record = read_record(paths[0])
    method = record.method
    words = [method.preset] * bool(method.preset) + settings_words(method.settings_given)
    return NamedRow(
        method.id,
        method.version,
        tuple(words),
        tuple(settings_words(method.settings)),
        any(edit.action == "withdrawn" for edit in record.edits),
        (Entry(record, paths[0]),),
    )


def has_method(rows: Iterable[NamedRow], name: str) -> bool:
    """Whether the method that a name begins with has a row."""
    return any(not row.withdrawn and row.method == _method(name) for row in rows)


def find_row(rows: Sequence[NamedRow], name: str, board: str, *, elsewhere: str = "") -> NamedRow:
    """The row that a name stands for; raises `UnknownName`, which says why none or several do.

    `elsewhere` is the cure where the board lacks the row and another has it.
    """
    found = fitting(rows, name)
    if len(found) == 1:
        return found[0]
    standing = [row for row in rows if not row.withdrawn]
    known = _names(found or standing, rows)
    if found:
        raise UnknownName(
            f"single row on {board}", name, known, cure=f"several rows fit: {', '.join(known)}"
        )
    own = [row for row in rows if has_method([row], name)]
    known_words = {word for row in own for word in row.known_words}
    if elsewhere:
        cure = elsewhere
    elif own:
        keys = {word.partition("=")[0] for word in known_words}
        wrong = [typed for word, typed in words_of(_typed(name)).items() if word not in known_words]
        why = (
            f"no row of {own[0].method} says {word!r}; "
            + ("" if (key := word.partition("=")[0]) in keys else did_you_mean(key, keys))
            for word in wrong
        )
        cure = f"{''.join(why)}rows: {listed(_names(own, rows))}"
    elif not standing:
        cure = f"no run stands on {board}"
    else:
        guess = did_you_mean(_method(name), {row.method for row in standing})
        cure = f"{guess}rows: {listed(known)}; `bench ls runs` lists the ids of runs"
    raise UnknownName(f"row on {board}", name, known, cure=cure)


def _method(name: str) -> str:
    return re.split(r"[:\s]", name.strip(), maxsplit=1)[0]


def _typed(name: str) -> str:
    """What follows the method."""
    return name.strip()[len(_method(name)) + 1 :]


def _names(chosen: Iterable[NamedRow], rows: Sequence[NamedRow]) -> list[str]:
    """Names that tell rows apart, quoted for a shell; run ids where words can't."""
    names = []
    for row in chosen:
        name = f"{row.method}:{','.join(row.words)}".rstrip(":")
        if [found.entries for found in fitting(rows, name)] == [row.entries]:
            names.append(shlex.quote(name))
        else:
            names += [entry.record.run_id[:8] for entry in row.entries]
    return sorted(names)
