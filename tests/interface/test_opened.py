"""A protocol's images and labels from Python are those that methods and scores are given."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import benchmark as bench
from benchmark.contracts.errors import DataMissing, Incompatible, UnknownName
from benchmark.contracts.images import to_signed
from benchmark.datasets.opening import open_split
from benchmark.home import builtin_folder
from benchmark.interface.progress import Silent
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.landmark_regression import targets


@pytest.fixture
def protocols(harness: Path) -> Path:
    """The folder of the protocols at hand."""
    return harness.parent / "protocols"


def test_a_split_has_the_images_and_labels_of_the_protocol(harness: Path) -> None:
    faces = bench.protocol("small_faces", twin=True, quiet=True)
    assert (faces.name, faces.size, faces.twin) == ("small_faces@1", 32, True)
    assert faces.roles == ("fit", "train", "test", "validation", "development")
    found = find_protocol("small_faces")
    for role in faces.roles:
        split = faces.split(role)
        prepared = open_split(found, role, twin=True, progress=Silent())
        assert len(split) == len(prepared)
        assert split.keys == prepared.keys
        assert split.identities == prepared.identities
        assert split.images.shape == (len(split), 32, 32, 3)
        assert split.images.dtype == np.uint8
        assert split.with_margin.shape == (len(split), 40, 40, 3)
        seen = prepared.images()
        middle = seen.batch(slice(None)).permute(0, 2, 3, 1).numpy()
        assert np.array_equal(split.images, middle)
        assert np.array_equal(split.with_margin, seen.pixels)
        assert split.labels["landmarks"].shape == (len(split), 5, 2)
        assert split.labels["landmarks"].tobytes() == targets(prepared, found).tobytes()
        assert split.clouds is None
    assert len(faces.split("test")) == 16


def test_a_margin_of_none_leaves_the_whole_image(protocols: Path) -> None:
    text = (protocols / "small_faces" / "1.toml").read_text()
    text = text.replace("cut = 4", "cut = 0").replace("small_faces", "whole_faces")
    (protocols / "whole_faces").mkdir()
    (protocols / "whole_faces" / "1.toml").write_text(text)
    split = bench.protocol("whole_faces", twin=True, quiet=True).split("test")
    assert split.images.shape == (16, 40, 40, 3)
    assert np.array_equal(split.images, split.with_margin)


def test_torch_gets_what_methods_get(harness: Path) -> None:
    split = bench.protocol("small_faces", twin=True, quiet=True).split("test")
    images, labels = next(iter(DataLoader(split.torch(), batch_size=len(split))))
    assert images.dtype == torch.float32
    assert torch.equal(images, to_signed(split.prepared.images().batch(slice(None))))
    assert labels.keys() == split.labels.keys()
    assert np.array_equal(labels["landmarks"].numpy(), split.labels["landmarks"])
    with pytest.raises(IndexError):
        split.torch()[16]


def test_masks_and_points_without_a_rule_are_labels_too(protocols: Path) -> None:
    text = (builtin_folder() / "cub" / "1.toml").read_text("utf-8")
    for name, count in {"fit": 8, "train": 10, "test": 8, "people": 10}.items():
        text = re.sub(rf"^{name} = \d+$", f"{name} = {count}", text, flags=re.M)
    (protocols / "small_cub").mkdir()
    path = protocols / "small_cub" / "1.toml"
    path.write_text(text.replace('id = "cub"', 'id = "small_cub"'))
    split = bench.protocol("small_cub", twin=True, quiet=True).split("test")
    assert {"masks", "landmarks", "visible"} <= split.labels.keys()
    for array in split.labels.values():
        assert type(array) is np.ndarray
        assert len(array) == len(split) == 8
    assert set(np.unique(split.labels["masks"])) <= {0, 1, 255}
    _, labels = split.torch()[0]
    assert labels["masks"].dtype == torch.uint8


def test_what_is_not_there_is_named(harness: Path) -> None:
    with pytest.raises(UnknownName, match="small_facse"):
        bench.protocol("small_facse")
    faces = bench.protocol("small_faces", twin=True, quiet=True)
    with pytest.raises(UnknownName, match="tset") as wrong:
        faces.split("tset")
    assert "test" in str(wrong.value.cure)
    with pytest.raises(DataMissing):
        bench.protocol("small_faces", quiet=True).split("test")


def test_a_protocol_without_a_twin_is_refused_at_once(protocols: Path) -> None:
    path = protocols / "small_faces" / "1.toml"
    text = path.read_text()
    two = text[: text.index("[twin]")].replace("version = 1", "version = 2")
    path.with_name("2.toml").write_text(two)
    with pytest.raises(Incompatible, match="no twin"):
        bench.protocol("small_faces@2", twin=True)
