"""What a person asks for, in words and from a record; light, for what is done is looked up by it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from benchmark.records.model import External, Record
from benchmark.settings import settings_words

On = Literal["test", "validation"]


@dataclass(frozen=True)
class Request:
    """What a person asks for: `bench run` in words."""

    method: str
    protocol: str
    preset: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    twin: bool = False
    on: On = "test"
    device: str = "auto"
    devices: int = 1

    def words(self) -> list[str]:
        """The words of the command, `run` first, that asks for the same; what is usual is left out.

        >>> " ".join(Request("lead", "ytf5", given={"dimension": None}, twin=True).words())
        'run --method lead --protocol ytf5 --set dimension=none --seed 0 --twin'
        """
        return [
            *("run", "--method", self.method, "--protocol", self.protocol),
            *(("--preset", self.preset) if self.preset else ()),
            *(w for setting in settings_words(self.given) for w in ("--set", setting)),
            *("--seed", str(self.seed)),
            *(("--twin",) if self.twin else ()),
            *(("--on", self.on) if self.on != "test" else ()),
            *(("--device", self.device) if self.device != "auto" else ()),
            *(("--devices", str(self.devices)) if self.devices != 1 else ()),
        ]


def command(record: Record) -> str:
    """The words that make this run again."""
    method, protocol = record.method, record.protocol
    if record.external is not None:
        return _scoring(record, record.external, f"{protocol.id}@{protocol.version}")
    request = Request(
        method.id,
        f"{protocol.id}@{protocol.version}",
        preset=method.preset,
        given=method.settings_given,
        seed=record.seed,
        twin=protocol.twin,
        on=protocol.on,
    )
    return shlex.join(["bench", *request.words()])


def _scoring(record: Record, file: External, protocol: str) -> str:
    """The same where a file was scored, which whoever made it has."""
    words = ["bench", "score", "--protocol", protocol, "--predictions", shlex.quote(file.file)]
    words += ["--name", record.method.id, "--made-by", shlex.quote(file.made_by)]
    words += ["--supervision", record.method.supervision, "--seed", str(record.seed)]
    return " ".join(words + ["--twin"] * record.protocol.twin)
