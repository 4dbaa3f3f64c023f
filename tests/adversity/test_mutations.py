"""Records and protocol files with something wrong in them, drawn from a seed: each is one sentence."""

from __future__ import annotations

import copy
import json
import random
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests_fixtures import Call
from tests_support import SMALL_PROTOCOL

from benchmark.boards.entries import read_entries
from benchmark.contracts.errors import BenchError
from benchmark.files import listed
from benchmark.home import leaderboards
from benchmark.pages.tables import update_boards
from benchmark.protocols import Protocol, ProtocolInvalid
from benchmark.protocols.files import read_model
from benchmark.records.reading import read_record
from benchmark.registry.protocols import all_protocols, find_protocol
from benchmark.tasks.faults import require_sound
from benchmark.verification.edits import import_record
from benchmark.verification.verify import verify_record

NASTY: list[Any] = [
    None, "", -1, 0, 1, 2**63, 2**70, 1e308, -0.0, 0.5, True, [], {}, [[]], {"a": {}}, "banana",
    "a" * 5000, "../../../x", "/dev/zero", "\x1b[31m", "\ud800", "\u202e", "| x |", "<script>",
    "lеad", "NaN", "0", "2999-01-01", [1, "a", None], float("inf"), float("nan"),
]  # fmt: skip


def deep(depth: int) -> Any:
    found: Any = []
    for _ in range(depth):
        found = [found]
    return found


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value, tables and lists themselves too."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(content, dict):
        inner = list(content.items())
    elif isinstance(content, list):
        inner = list(enumerate(content))
    return [path] * bool(path) + [p for key, value in inner for p in places(value, (*path, key))]


def mutated(content: dict[str, Any], draw: random.Random) -> str:
    """JSON of the content with one to three things other than they were."""
    found = copy.deepcopy(content)
    for _ in range(draw.randint(1, 3)):
        *way, last = draw.choice(places(found))
        table = found
        for key in way:
            table = table[key]
        what = draw.randrange(4)
        if what == 0:
            del table[last]
        elif what == 1 and isinstance(table, dict):
            table[draw.choice(["extra", "__class__", "", "id"])] = draw.choice(NASTY)
        else:
            table[last] = draw.choice([*NASTY, deep(200)])
    return json.dumps(found)


def torn(text: bytes, draw: random.Random) -> bytes:
    """Bytes with some of them changed, left out or doubled."""
    found = bytearray(text)
    for _ in range(draw.randint(1, 8)):
        place = draw.randrange(len(found))
        what = draw.randrange(4)
        if what == 0:
            found[place] = draw.randrange(256)
        elif what == 1:
            del found[place : place + draw.randint(1, 40)]
        elif what == 2:
            found[place:place] = found[place : place + draw.randint(1, 40)]
        else:
            found[place:place] = draw.choice(
                [b"\x00", b"\xff", b'"', b"]", b"inf", b"1e999", b"\n"]
            )
        if not found:
            found = bytearray(b" ")
    return bytes(found)


def records_mutated(original: Path, count: int, sent: Path) -> None:
    """Whatever a record says, to verify it, to show it and to take it in end in a sentence at most; what
    is taken in has the original's numbers."""
    content, draw = json.loads(original.read_text()), random.Random(0)
    whole = original.read_bytes()
    shutil.copytree(original.parent, sent)
    numbers = read_record(original).metrics
    protocol = find_protocol("small_faces")
    for trial in range(count):
        text = mutated(content, draw).encode() if trial % 2 else torn(whole, draw)
        (sent / original.name).write_bytes(text)
        original.write_bytes(text)
        with suppress(BenchError):
            verify_record(original)
        standing, left_out = read_entries(protocol, twin=True)
        assert len(standing) + len(left_out) == 1
        if trial % 10 == 0:
            update_boards(all_protocols())
        shutil.rmtree(leaderboards())
        with suppress(BenchError):
            import_record(sent / original.name)
        for taken in listed(leaderboards(), "**/*.json"):
            assert read_record(taken).metrics == numbers
            assert {c.state for c in verify_record(taken)} <= {"ok", "not here"}
        shutil.rmtree(leaderboards(), ignore_errors=True)
        original.parent.mkdir(parents=True)
        for file in sent.glob("*.npz"):
            shutil.copy(file, original.parent)
    original.write_bytes(whole)
    assert {c.state for c in verify_record(original)} == {"ok"}


@pytest.fixture
def record(run: Call) -> Path:
    return Path(run("grid", "--json").json["record"])


@pytest.mark.long
def test_forty_mutated_records(record: Path, tmp_path: Path) -> None:
    records_mutated(record, 40, tmp_path / "sent")


@pytest.mark.slow
def test_two_thousand_mutated_records(record: Path, tmp_path: Path) -> None:
    records_mutated(record, 2000, tmp_path / "sent")


VALUES = [
    "inf", "-inf", "nan", "1e400", "-1", "0", "99999999999999999999", '""', "[]", "{}", "true",
    "2026-01-01", '"x"', "[" * 500 + "]" * 500, '"\\u001b"', "0.5", '["a"]',
]  # fmt: skip


def swapped(text: str, draw: random.Random) -> str:
    """TOML with the value of one or two lines another, or lines left out, doubled or moved."""
    lines = text.splitlines()
    for _ in range(draw.randint(1, 2)):
        at = draw.randrange(len(lines))
        key, equals, _ = lines[at].partition(" = ")
        what = draw.randrange(5)
        if what == 0:
            del lines[at]
        elif what == 1:
            lines.insert(draw.randrange(len(lines)), lines[at])
        elif equals:
            lines[at] = f"{key} = {draw.choice(VALUES)}"
        if not lines:
            lines = [""]
    return "\n".join(lines) + "\n"


def protocols_mutated(count: int, path: Path) -> None:
    draw, refused = random.Random(0), 0
    for trial in range(count):
        text = SMALL_PROTOCOL
        path.write_bytes(torn(text.encode(), draw) if trial % 2 else swapped(text, draw).encode())
        try:
            protocol = read_model(path, Protocol)
            protocol.read_from(path)
            assert len(protocol.digest()) == 64
            require_sound(protocol)
        except BenchError:
            refused += 1
    assert refused > count / 2


@pytest.mark.parametrize("name", ["fit", "train", "test", "people"])
def test_more_than_can_be_rendered_is_refused_when_the_file_is_read(
    harness: Path, tmp_path: Path, name: str
) -> None:
    """Counting so many would fill the memory."""
    path = tmp_path / "small_faces.toml"
    path.write_text(re.sub(rf"(?m)^{name} = \d+$", f"{name} = {10**9}", SMALL_PROTOCOL))
    with pytest.raises(ProtocolInvalid, match=f"twin.{name}.*1000000"):
        read_model(path, Protocol)


def test_two_hundred_mutated_protocols(harness: Path, tmp_path: Path) -> None:
    protocols_mutated(200, tmp_path / "small_faces.toml")


@pytest.mark.slow
def test_five_thousand_mutated_protocols(harness: Path, tmp_path: Path) -> None:
    protocols_mutated(5000, tmp_path / "small_faces.toml")
