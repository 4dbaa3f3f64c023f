"""A study: methods × presets × settings × protocols × seeds, and floors, as a TOML file says them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from benchmark.contracts.errors import BenchError, did_you_mean
from benchmark.registry.plugins import plugins
from benchmark.runner.beside import gives_what_is_scored, untrained
from benchmark.runner.request import On, Request
from benchmark.studies.seeds import seeds_from

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class StudyInvalid(BenchError):
    """A study's file says something that no study can."""

    exit_code = 2


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Seeds(_Strict):
    """What may name seeds of its own."""

    seeds: tuple[int, ...] = ()
    """`"0-2"`, `[0, 1, 2]` or `0`."""

    @field_validator("seeds", mode="before")
    @classmethod
    def _in_words(cls, given: Any) -> Any:
        if isinstance(given, str):
            return seeds_from(given)
        return [given] if isinstance(given, int) else given


class Row(_Seeds):
    """One method of a study: each of its presets with each of its settings.

    Protocols and seeds are the study's where it names none.
    """

    method: str
    presets: tuple[str, ...] = ("",)
    """Names of presets; "" is the one that the method takes by itself."""
    settings: tuple[dict[str, Any], ...] = ({},)
    """Tables of settings on top of the preset, one variant each."""
    protocols: tuple[str, ...] = ()


class Study(_Seeds):
    """What a study asks for.

    Example: `Study(protocols=["ytf5"], seeds="0-2", methods=[{"method": "lead"}])` asks for three runs.
    """

    title: str = ""
    protocols: tuple[str, ...] = ()
    methods: tuple[Row, ...] = Field(min_length=1)
    floors: bool = False
    """Also all floors, references and ceilings that fit, and each method's network untrained."""
    twin: bool = False
    on: On = "test"
    device: str = "auto"

    def requests(self) -> list[Request]:
        """Every run that is asked for, each once. Pairs that can't be are among them, floors apart.

        Runs with one setting and different seeds follow one another: what shares a stage of its fit with
        another (it has its seed) is then rarely under way at the same time, and finds it made.
        """
        found = [*self.of_methods(), *(self._of_floors() if self.floors else ())]
        return list({tuple(request.words()): request for request in found}.values())

    def of_methods(self) -> Iterator[Request]:
        """The runs of the methods that it names, without floors."""
        for row in self.methods:
            for protocol in self._protocols(row):
                for preset in row.presets:
                    for given in row.settings:
                        for seed in row.seeds or self.seeds or (0,):
                            yield self._request(row.method, protocol, preset, given, seed)

    def _protocols(self, row: Row) -> tuple[str, ...]:
        if not (row.protocols or self.protocols):
            raise StudyInvalid(
                f"no protocol is named for {row.method}", cure='write protocols = ["ytf5"]'
            )
        return row.protocols or self.protocols

    def _of_floors(self) -> Iterator[Request]:
        asked = [(row, protocol) for row in self.methods for protocol in self._protocols(row)]
        protocols = dict.fromkeys(protocol for _, protocol in asked)
        others = [spec for spec in plugins().methods.values() if spec.role != "method"]
        for protocol in protocols:
            for spec in others:
                if not spec.imitates and gives_what_is_scored(spec, protocol):
                    # they learn nothing that a seed could change
                    yield self._request(spec.id, protocol, "", {}, 0)
        if any(spec.imitates for spec in others):
            for request in self.of_methods():
                if plugins().method(request.method).role == "method":
                    yield untrained(request)

    def _request(
        self, method: str, protocol: str, preset: str, given: Mapping[str, Any], seed: int
    ) -> Request:
        return Request(
            method=method,
            protocol=protocol,
            preset=preset,
            given=given,
            seed=seed,
            twin=self.twin,
            on=self.on,
            device=self.device,
        )


def read_study(path: Path) -> Study:
    """The study that a TOML file says; raises `StudyInvalid`."""
    try:
        return study_from(tomllib.loads(path.read_text("utf-8")), str(path))
    except OSError as error:
        raise StudyInvalid(f"{path} can't be read: {error.strerror}", cure=SHOWN) from None
    except ValueError as error:
        raise StudyInvalid(f"{path} is not TOML: {error}", cure=SHOWN) from None


def study_from(content: Mapping[str, Any], where: str) -> Study:
    """The study that a table says; `where` it comes from is named by errors (`StudyInvalid`)."""
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        faults = error.errors()
        raise StudyInvalid(
            f"{where}: {'; '.join(map(_in_words, faults))}",
            cure=f"a study has {', '.join(Study.model_fields)}; each of [[methods]] has "
            f"{', '.join(Row.model_fields)}",
        ) from None


SHOWN = "docs/how-to/sweep.md shows one"
EXPECTED = {
    "bool": "true or false",
    "dict": "a table",
    "int": "a whole number",
    "model": "a table",
    "string": "a text in quotes",
    "tuple": "a list",
}
"""What a value of the wrong type should have been, by the first word of the fault's name."""


def _in_words(fault: ErrorDetails) -> str:
    """One fault of a study as its author would say it: "seeds is 1.5, expected a list".

    Example: `sed = 1` in the second of [[methods]] is "there is no 'sed' in [[methods]] number 2, did
    you mean 'seeds'?".
    """
    *within, last = fault["loc"]
    row = f" in [[methods]] number {int(within[1]) + 1}" if len(within) > 1 else ""
    if fault["type"] == "extra_forbidden":
        known = Row.model_fields if row else Study.model_fields
        return f"there is no {last!r}{row}, {did_you_mean(str(last), known)}".rstrip(", ")
    if fault["type"] in ("missing", "too_short"):
        return f"{last} is missing{row}" if row else "it names no method: write [[methods]]"
    name = next((str(part) for part in reversed(fault["loc"]) if isinstance(part, str)), "it")
    expected = EXPECTED.get(fault["type"].partition("_")[0])
    if fault["type"] == "literal_error":
        expected = fault["ctx"]["expected"]
    reason = f"expected {expected}" if expected else fault["msg"].removeprefix("Value error, ")
    return f"{name} is {fault['input']!r}{row}, {reason}"
