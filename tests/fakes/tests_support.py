"""A small protocol, and a fake installed plugin."""

from __future__ import annotations

from pathlib import Path

SMALL_PROTOCOL = """
id = "small_faces"
version = 1
title = "5 landmarks on a few rendered faces"
task = "landmark_regression"
needs = ["descriptors", "landmarks"]

[data]
fit = "ytf68:people/train"
train = "ytf68:people/train"
test = "ytf68:people/test"
validation = "ytf68:people/validation"
development = "ytf68:people/development"

[geometry.ytf68]
crop = "points_square"
scale = 1.5
resize = 40
cut = 4

[landmarks]
rule = "mafl5_from_68"
count = 5
eyes = [0, 1]

[probes.descriptors]
name = "softargmax/dve"
settings = { epochs = 2, filters = 5 }

[probes.landmarks]
name = "linear/scops"

[[metrics]]
id = "nme_iod"
unit = "%"
better = "lower"

[twin]
recipe = "face"
fit = 64
train = 64
test = 16
people = 20
"""


def _small_matching() -> str:
    """The same faces, of which pairs of views are matched."""
    text = SMALL_PROTOCOL.replace("small_faces", "small_matching")
    text = text.replace("landmark_regression", "landmark_matching")
    text = text.replace('needs = ["descriptors", "landmarks"]', 'needs = ["descriptors"]')
    start, end = text.index("[probes.descriptors]"), text.index("[twin]")
    pairs = """
[pairs]
layout = "paper"
rule = "paper"
count = 8
digest = ""

[[metrics]]
id = "match_different"
unit = "%"
better = "lower"

[[metrics]]
id = "match_same"
unit = "%"
better = "lower"

"""
    return text[:start] + pairs + text[end:]


SMALL_MATCHING = _small_matching()


def install_fake(site: Path, name: str, module: str) -> None:
    """Leave the metadata that an installed plugin leaves: an entry point in the group `bench`."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[bench]\n{name} = {module}\n")
