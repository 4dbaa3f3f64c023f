"""Protocols: what is frozen stays, what is wrong is said in words."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmark.registry.protocols import find_protocol
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import SMALL_PROTOCOL

from benchmark.contracts.errors import DataAltered, UnknownName
from benchmark.home import builtin_folder
from benchmark.probes.constants import lock_entries
from benchmark.protocols import (
    ProtocolInvalid,
    canonical_digest,
    freeze,
    protocol_files,
    read_lock,
    read_protocol,
)


def written(folder: Path, text: str = SMALL_PROTOCOL, name: str = "small_faces/1.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_every_protocol_of_bench_is_valid_and_frozen() -> None:
    lock = read_lock(builtin_folder())
    found = protocol_files((builtin_folder(),))
    probes = lock_entries([read_protocol(path) for path in found.values()])
    assert {*found, *probes} == set(lock)
    for name, digest in probes.items():
        assert lock[name] == digest, f"the constants of {name} were changed after their freeze"
    for name, path in found.items():
        assert read_protocol(path).digest() == lock[name], f"{name} was changed after its freeze"


def test_words_and_order_do_not_move_the_digest_but_every_constant_does(tmp_path: Path) -> None:
    before = read_protocol(written(tmp_path)).digest()
    reworded = SMALL_PROTOCOL.replace("a few rendered", "some rendered")
    assert read_protocol(written(tmp_path, reworded)).digest() == before
    for old, new in [
        ("scale = 1.5", "scale = 1.6"),
        ("cut = 4", "cut = 3"),
        ("eyes = [0, 1]", "eyes = [0, 2]"),
        ("epochs = 2", "epochs = 3"),
        ("linear/scops", "linear/imm"),
        ("test = 16", "test = 17"),
        ("people/test", "published/test"),
    ]:
        assert old in SMALL_PROTOCOL
        assert read_protocol(written(tmp_path, SMALL_PROTOCOL.replace(old, new))).digest() != before


def test_a_frozen_protocol_that_was_changed_is_refused(harness: Path, tmp_path: Path) -> None:
    from benchmark.protocols.files import _read_cached

    folder = tmp_path / "protocols"
    digest = find_protocol("small_faces").digest()
    assert freeze(folder, {"small_faces@1": digest}) == ["small_faces@1"]
    find_protocol("small_faces")
    written(folder, SMALL_PROTOCOL.replace("scale = 1.5", "scale = 1.6"))
    _read_cached.cache_clear()
    with pytest.raises(DataAltered, match="changed after it was frozen"):
        find_protocol("small_faces")
    assert freeze(folder, {"small_faces@1": "0" * 64}) == []
    assert read_lock(folder) == {"small_faces@1": digest}


def test_the_newest_version_is_meant_unless_one_is_named(harness: Path, tmp_path: Path) -> None:
    second = SMALL_PROTOCOL.replace("version = 1", "version = 12")
    written(tmp_path / "protocols", second, "small_faces/12.toml")
    assert find_protocol("small_faces").version == 12
    assert find_protocol("small_faces@1").version == 1
    with pytest.raises(UnknownName, match="protocol version 'small_faces@3'"):
        find_protocol("small_faces@3")
    with pytest.raises(UnknownName) as caught:
        find_protocol("smal_faces")
    assert "small_faces" in caught.value.cure


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("cut = 4", "cut = 20", "leaves nothing"),
        ("scale = 1.5", "", "needs 'scale'"),
        ("cut = 4", "cut = 4\ncutt = 3", "Extra inputs are not permitted"),
        ("[geometry.ytf68]", "[geometry.other]", "no geometry for data set"),
        ("version = 1\n", "version = 2\n", "move it to small_faces/2.toml"),
        ('task = "', "task = ", "is not TOML"),
    ],
)
def test_a_wrong_protocol_says_what_is_wrong(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ProtocolInvalid) as caught:
        read_protocol(written(tmp_path, SMALL_PROTOCOL.replace(old, new, 1)))
    assert said in str(caught.value)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False) | st.text(max_size=5)))
def test_the_canonical_digest_knows_content_not_order(content: dict) -> None:
    backwards = dict(reversed(list(content.items())))
    if any(isinstance(v, float) and abs(v) == float("inf") for v in content.values()):
        with pytest.raises(ValueError):
            canonical_digest(content)
    else:
        assert canonical_digest(content) == canonical_digest(backwards)


def test_installed_protocols_are_those_of_the_checkout(tmp_path: Path) -> None:
    shutil.copytree(builtin_folder(), tmp_path / "copy")
    assert list(protocol_files((tmp_path / "copy",))) == list(protocol_files((builtin_folder(),)))


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('"ytf68:people/test"', '"ytf68:../../x"', "must read data_set:split"),
        ('"ytf68:people/test"', '"../x:people"', "must read data_set:split"),
        ('"ytf68:people/test"', '"ytf68"', "must read data_set:split"),
        ("cut = 4", 'cut = 4\ncrops = "../../x.csv"', "must be a file beside the protocol"),
        ("cut = 4", 'cut = 4\ncrops = "/etc/passwd"', "must be a file beside the protocol"),
        ("a few rendered", "\\u001b[2J", "control characters"),
        ("a few rendered", "<script>", "markup"),
        ("a few rendered", "x" * 400, "300 are allowed"),
        ('id = "small_faces"', 'id = "../x"', "pattern"),
    ],
)
def test_a_hostile_protocol_file_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SMALL_PROTOCOL
    with pytest.raises(ProtocolInvalid, match=said):
        read_protocol(written(tmp_path, SMALL_PROTOCOL.replace(old, new)))
