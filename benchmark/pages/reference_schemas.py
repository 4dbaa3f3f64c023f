"""JSON Schemas of records and of protocol files, with the words of the code as descriptions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from benchmark.pages.reference_code import field_words
from benchmark.protocols import Protocol, data, generation, model, scoring
from benchmark.records import model as record

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def record_schema() -> str:
    """The schema of `Record`, as text."""
    return _schema(record.Record, f"A record of bench, schema {record.SCHEMA}", record)


def protocol_schema() -> str:
    """The schema of a protocol file, as text; TOML's tables are JSON's objects."""
    return _schema(Protocol, "A protocol file of bench", model, data, scoring, generation)


def _schema(top: type[BaseModel], title: str, *modules: Any) -> str:
    words: dict[str, dict[str, str]] = {}
    for module in modules:
        words |= field_words(Path(str(sys.modules[module.__name__].__file__)))
    made = top.model_json_schema()
    for name, part in [(top.__name__, made), *made.get("$defs", {}).items()]:
        for key, meaning in words.get(name, {}).items():
            part["properties"][key]["description"] = meaning
    content = {"$schema": DIALECT, "title": title, **_plain(made)}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _plain(node: Any) -> Any:
    """The schema without what libraries add of their own, its keys sorted but for fields' order."""
    if isinstance(node, list):
        return [_plain(n) for n in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: {k: _plain(v) for k, v in value.items()}
        if key in ("properties", "$defs")
        else value
        if key in ("default", "const", "enum")
        else _plain(value)
        for key, value in sorted(node.items())
        if key != "title" and (key, value) != ("additionalProperties", True)
    }
    if isinstance(words := kept.get("description"), str):
        kept["description"] = " ".join(words.split())
    return kept
