"""The methods of a study held side by side: under each protocol its rows, and what is still to be run.

Made from committed records alone. A method stands in the setting that the study names, the same under
every protocol that is asked for with it, so that none is chosen by the numbers that are compared.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmark.boards.entries import Entry, read_entries
from benchmark.boards.rows import Row, make_rows
from benchmark.protocols import Protocol
from benchmark.records.model import Record
from benchmark.registry.implementations import implementation
from benchmark.registry.plugins import plugins
from benchmark.registry.protocols import find_protocol
from benchmark.runner.request import Request
from benchmark.settings import SettingsInvalid, resolve_settings, settings_words, validated
from benchmark.studies.study import Study

TRAINED_ON = {
    "efficientnet-lite0-57934424.pth": "ImageNet",
    "squeezenet1_1_features.pth": "ImageNet",
    "vgg16-397923af.pth": "ImageNet",
}
"""Published weights → the labelled images that they were learned from; others are named as they are."""


@dataclass(frozen=True)
class Arm:
    """A method in one setting, as the study names it."""

    method: str
    preset: str
    words: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """All of its settings, those that nobody names as well."""
    version: int = field(default=1, compare=False, repr=False)
    """Of the method, as it is installed."""

    @property
    def name(self) -> str:
        """ "lead small dimension=64"."""
        return " ".join(filter(None, (self.method, self.preset, *self.words)))

    def made(self, record: Record) -> bool:
        """Whether a run is of this version of the method in this setting, however it was asked for.

        What a method had no setting for when a run was made is as it is now by default.
        """
        about = record.method
        if (about.id, about.version) != (self.method, self.version):
            return False
        return _as_now(record) == self.settings


@dataclass(frozen=True)
class Place:
    """One method under one protocol.

    `row` is None where no run stands. `saw` is what it learned from besides images; `missing` are the
    seeds of the study without a run, and `command` the one that runs them.
    """

    arm: Arm
    row: Row | None
    saw: tuple[str, ...]
    missing: tuple[int, ...]
    command: str


@dataclass(frozen=True)
class Comparison:
    """The methods of a study under one protocol, from best to worst, those without a run last."""

    protocol: Protocol
    floor: Row | None
    places: tuple[Place, ...]

    def of(self, arm: Arm) -> Place | None:
        """Where a method stands; None where the study does not ask for it."""
        return next((place for place in self.places if place.arm == arm), None)


def arms(study: Study) -> list[Arm]:
    """The methods of a study in their settings, each once, in its order."""
    return list(dict.fromkeys(map(_arm, _requests(study))))


def compare(study: Study) -> list[Comparison]:
    """A comparison for each protocol of a study, in its order.

    Ranks are among the methods compared, so that they are those of no board with further settings.
    """
    asked: dict[str, dict[Arm, list[Request]]] = {}
    for request in _requests(study):
        asked.setdefault(request.protocol, {}).setdefault(_arm(request), []).append(request)
    return [_comparison(find_protocol(name), of, study.twin) for name, of in asked.items()]


def _requests(study: Study) -> list[Request]:
    """What a study asks of methods; floors that it names stand for what is to be beaten."""
    return [r for r in study.of_methods() if plugins().method(r.method).role == "method"]


def _arm(request: Request) -> Arm:
    spec = plugins().method(request.method)
    _, settings = resolve_settings(
        spec, implementation(spec), request.preset, request.given, twin=request.twin
    )
    words = tuple(settings_words(request.given))
    every = settings.model_dump(mode="json")
    return Arm(request.method, request.preset, words, every, spec.version)


def _as_now(record: Record) -> Mapping[str, Any] | None:
    """A run's settings as its method has them today; None where it no longer takes them."""
    about = record.method
    model = implementation(plugins().method(about.id)).Settings
    try:
        return validated(about.id, model, about.settings).model_dump(mode="json")
    except SettingsInvalid:
        return None


def _comparison(protocol: Protocol, asked: dict[Arm, list[Request]], twin: bool) -> Comparison:
    entries = {
        entry.record.run_id: entry
        for entry in read_entries(protocol, twin=twin)[0]
        if entry.record.method.role == "floor" or any(arm.made(entry.record) for arm in asked)
    }
    rows = make_rows(protocol.scored(twin=twin), list(entries.values())) if entries else []
    rows = [row for row in rows if not row.withdrawn]
    floors = [row for row in rows if row.role == "floor"]
    sign = 1 if protocol.scored(twin=twin).metrics[0].better == "lower" else -1
    places = list(_places(asked, rows, entries))
    places.sort(key=lambda p: (p.row is None, sign * p.row.value if p.row else 0.0))
    return Comparison(protocol, floors[0] if floors else None, tuple(places))


def _places(
    asked: dict[Arm, list[Request]],
    rows: Sequence[Row],
    entries: dict[str, Entry],
) -> Iterator[Place]:
    for arm, requests in asked.items():
        own = [row for row in rows if arm.made(entries[row.runs[0]].record)]
        row = max(own, key=lambda row: len(row.runs), default=None)
        missing = tuple(r.seed for r in requests if row is None or r.seed not in row.seeds)
        yield Place(
            arm=arm,
            row=row,
            saw=_saw(entries[row.runs[0]].record) if row else (),
            missing=missing,
            command=_command(requests[0], missing) if missing else "",
        )


def _saw(record: Record) -> tuple[str, ...]:
    """What a run learned from besides images: labels, what pretrained weights were learned from, and
    what its protocol grants."""
    found = [] if record.method.supervision == "none" else [record.method.supervision]
    found += [TRAINED_ON.get(w["name"], w["name"]) for w in record.method.pretrained]
    if any(part.granted for part in record.data.values()):
        found += find_protocol(f"{record.protocol.id}@{record.protocol.version}").data.grants
    return tuple(dict.fromkeys(found))


def _command(request: Request, seeds: Sequence[int]) -> str:
    """The one command that runs a request with these seeds."""
    words: list[Any] = request.words()
    words[words.index("--seed") + 1] = ",".join(map(str, seeds))
    return shlex.join(["bench", *words])
