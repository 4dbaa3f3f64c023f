"""Weight files are found, proven to be the ones meant, and never fetched or unpickled."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from benchmark.contracts.errors import DataAltered, DataMissing
from benchmark.contracts.weights import Weights
from benchmark.files import file_sha256
from benchmark.networks import weights


def pinned(path: Path, folder: str = "") -> Weights:
    return Weights(path.name, "somewhere", file_sha256(path), "some licence", folder)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A state dict under a folder that no variable names yet."""
    for variable in ("BENCH_WEIGHTS", "BENCH_DATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    path = tmp_path / "elsewhere" / "net.pth"
    path.parent.mkdir()
    torch.save({"weight": torch.arange(3.0)}, path)
    return path


@pytest.mark.parametrize("below", ["", "v0.1"])
@pytest.mark.parametrize("way", ["path", "folder", "BENCH_WEIGHTS", "BENCH_HOME", "BENCH_DATA"])
def test_a_file_is_found_wherever_it_may_lie(file, tmp_path, monkeypatch, way, below):
    weight = pinned(file, below)
    root = {
        "BENCH_HOME": tmp_path / "home" / "weights",
        "BENCH_DATA": tmp_path / "data" / "weights",
    }.get(way, tmp_path / "root")
    target = root / below / file.name
    target.parent.mkdir(parents=True)
    file.rename(target)
    given = None
    if way == "path":
        given = target
    elif way == "folder":
        given = str(root)
    elif way == "BENCH_WEIGHTS":
        monkeypatch.setenv(way, os.pathsep.join([str(tmp_path / "nothing"), str(root)]))
    elif way == "BENCH_DATA":
        monkeypatch.setenv(way, str(tmp_path / "data"))
    assert weights.find(weight, given) == target
    torch.testing.assert_close(weights.load(weight, given), {"weight": torch.arange(3.0)})


def test_a_missing_file_says_what_to_get_and_where_to_put_it(file, tmp_path):
    weight = pinned(file)
    with pytest.raises(DataMissing) as error:
        weights.find(weight)
    for word in (weight.source, weight.sha256, weight.licence, "BENCH_WEIGHTS"):
        assert word in error.value.cure
    assert str(tmp_path / "home" / "weights" / "net.pth") in error.value.cure
    with pytest.raises(DataMissing, match="nowhere"):
        weights.find(weight, tmp_path / "nowhere")


def test_an_altered_file_is_refused_even_after_it_was_accepted(file):
    weight = pinned(file)
    assert weights.find(weight, file) == file
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content + b"0"))
    with pytest.raises(DataAltered, match=weight.sha256):
        weights.load(weight, file)


def test_pickled_objects_are_not_loaded(file):
    torch.save({"weight": file}, file)  # a Path is no tensor
    with pytest.raises(Exception, match="weights_only"):
        weights.load(pinned(file), file)


def test_pins_look_like_sha256_and_agree_with_torchvisions_name():
    files = [value for value in vars(weights).values() if isinstance(value, Weights)]
    assert len(files) == 8
    assert all(len(f.sha256) == 64 and int(f.sha256, 16) for f in files)
    assert len({f.sha256 for f in files}) == 8
    assert weights.VGG16.sha256.startswith("397923af")


def test_the_heads_of_the_installed_package_are_the_pinned_ones(file):
    for weight in (weights.LPIPS_VGG, weights.LPIPS_SQUEEZE):
        assert weights.find(weight).name == weight.name
