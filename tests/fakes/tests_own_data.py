"""A plugin that brings a data set and its protocol, as someone with data of their own would write it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import install_fake

from benchmark.datasets.origins import code_digest
from benchmark.protocols.files import _read_cached
from benchmark.registry.plugins import plugins

READER = """
import numpy as np

from benchmark.contracts.dataset import Reader, Sample
from benchmark.contracts.errors import UnknownName
from joints_set.words import rows


class Joints(Reader):
    splits = ("train", "test", "validation", "development", "pool")

    def samples(self, split):
        found = []
        for name, part, *numbers in rows(self.root):
            joints = np.array(numbers, float).reshape(4, 3)
            points, visible = joints[:, :2], joints[:, 2] == 1
            points[~visible] = HIDDEN
            mine = {"development": part == "train" and int(name[:2]) % 3 > 0,
                    "validation": part == "train" and int(name[:2]) % 3 == 0,
                    "train": part == "train", "test": part == "test",
                    "pool": part == "pool" or part == "train" and int(name[:2]) % 3 > 0}
            if mine[split]:
                if split == "pool":
                    points = visible = None
                found.append(Sample(name, self.root / "images" / name, points=points, visible=visible))
        return found
"""

WORDS = """
def rows(root):
    return [line.split() for line in (root / "joints.txt").read_text().splitlines()]
"""

REGISTRATION = """
import os
from pathlib import Path

from benchmark.contracts import hookimpl
from benchmark.contracts.dataset import DatasetSpec


@hookimpl
def bench_datasets(register):
    for name, folder in (("joints", ""), ("joints_again", "joints")):
        register(DatasetSpec(
            id=name, implementation="joints_set.reader:Joints", summary="pictures with four joints",
            homepage="https://example.org/joints", terms="CC0", obtain="Draw it.",
            layout="  images/00.png", folder=folder,
        ))
"""

PROTOCOL = """
id = "joints4"
version = 1
title = "four joints, some hidden"
task = "landmark_regression"
needs = ["landmarks"]

[data]
fit = "joints:pool"
train = "joints:train"
test = "joints:test"
validation = "joints:validation"
development = "joints:development"
labels = ["visible"]

[geometry.joints]
crop = "points_square"
scale = 1.6
resize = 24

[geometry."joints:pool"]
crop = "whole"
resize = 24

[landmarks]
rule = "all"
count = 4

[probes.landmarks]
name = "linear/scops"

[[metrics]]
id = "keypoint_l2_edge"
unit = "%"
better = "lower"
aggregate = "ratio_of_sums"
"""


@dataclass(frozen=True)
class OwnData:
    """Where the data, the plugin's package and the protocol lie."""

    root: Path
    package: Path
    protocol: Path

    def write(self, **changes: str) -> None:
        """Write the reader again, with other words in it, as in a new process."""
        text = READER
        for old, new in {"HIDDEN": "0.0", **changes}.items():
            assert old in text
            text = text.replace(old, new)
        (self.package / "reader.py").write_text(text)
        self.forget()

    def state(self, *changes: tuple[str, str]) -> None:
        """Write the protocol again, with changes."""
        text = PROTOCOL
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.protocol.write_text(text)
        self.forget()

    @staticmethod
    def forget() -> None:
        """What a process keeps of code and protocols."""
        for name in [n for n in sys.modules if n.partition(".")[0] == "joints_set"]:
            del sys.modules[name]
        for cached in (code_digest, plugins, _read_cached):
            cached.cache_clear()


@pytest.fixture
def own_data(
    floors: Path, bench_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> OwnData:
    """26 pictures of four joints, of which about a fifth is hidden, in a plugin of their own."""
    (bench_home / "prepared").unlink()  # the shared twins of other tests
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,bench_floors,joints_set")
    own = OwnData(
        bench_home / "data" / "joints",
        floors / "joints_set",
        tmp_path / "protocols" / "joints4" / "1.toml",
    )
    for folder in (own.root / "images", own.package, own.protocol.parent):
        folder.mkdir(parents=True)
    draw = np.random.default_rng(3)
    lines = []
    for number in range(26):
        name = f"{number:02}.png"
        pixels = draw.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(own.root / "images" / name)
        joints = np.c_[draw.uniform((8, 6), (32, 24), (4, 2)).round(1), draw.random(4) < 0.8]
        joints[:2, 2] = 1
        part = "test" if number % 4 == 3 else "pool" if number % 4 == 1 else "train"
        lines.append(" ".join([name, part, *(f"{v:g}" for v in joints.ravel())]) + "\n")
    (own.root / "joints.txt").write_text("".join(lines))
    install_fake(floors, "joints_set", "joints_set")
    (own.package / "__init__.py").write_text(REGISTRATION)
    (own.package / "words.py").write_text(WORDS)
    own.write()
    own.state()
    yield own
    own.forget()
