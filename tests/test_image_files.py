"""Picture files: opened by the formats named, in 8 bits, and no other program is ever started."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image
from tests_fixtures import ROOT

from benchmark.contracts.errors import DataAltered
from benchmark.image_files import FORMATS, decode, image_size

RAMP = np.arange(2**16, dtype=np.uint16).reshape(256, 256)


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_gives_the_pixels_that_were_written(tmp_path: Path, kind: str) -> None:
    pixels = np.zeros((6, 9, 3), np.uint8)
    pixels[:, 4:] = 200, 40, 90
    path = tmp_path / "picture.jpg"  # the name says nothing
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}
    Image.fromarray(pixels).save(path, kind, **lossless.get(kind, {}))
    found = np.asarray(decode(path, "RGB"), int)
    assert np.abs(found - pixels).max() <= (12 if kind == "JPEG" else 0)
    assert image_size(path) == (9, 6)


@pytest.mark.parametrize(
    "ramp",
    [RAMP, RAMP.astype(np.int32), (RAMP / 2**16).astype(np.float32)],
    ids=["uint16", "int32", "float"],
)
def test_more_than_8_bits_are_refused_not_cut_off(tmp_path: Path, ramp: np.ndarray) -> None:
    for name in ("a.tiff", "b.tiff"):
        Image.fromarray(ramp).save(tmp_path / name)
    with pytest.raises(DataAltered, match=r"a\.tiff has values of more than 8 bits") as caught:
        decode(tmp_path / "a.tiff", "RGB")
    assert "values from 0 to 255" in caught.value.cure


def test_postscript_under_another_name_starts_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object, **__: object) -> None:
        pytest.fail("Ghostscript was asked")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", started)
    path = tmp_path / "face.jpg"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 40\n%%EndComments\n{ } loop\n")
    with pytest.raises(DataAltered, match=r"face\.jpg can't be decoded \(it is none of JPEG, PNG"):
        decode(path, "RGB")


def test_pipes_devices_and_folders_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for path in (tmp_path / "pipe.jpg", tmp_path / "folder.jpg", Path("/dev/zero")):
        with pytest.raises(DataAltered, match="is no regular file"):
            decode(path, "RGB")
    with pytest.raises(DataAltered, match=r"gone\.jpg is not there"):
        decode(tmp_path / "gone.jpg", "RGB")


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow remarks on torn TIFF files
@pytest.mark.parametrize("kind", FORMATS)
def test_whatever_a_decoder_raises_names_the_file(tmp_path: Path, kind: str) -> None:
    draw = np.random.default_rng(0)
    path = tmp_path / "picture.jpg"
    Image.fromarray(draw.integers(0, 256, (24, 24, 3), dtype=np.uint8)).save(path, kind)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    refused = 0
    for _ in range(60):
        torn = whole.copy()
        places = draw.integers(0, len(torn), 6)
        torn[places] = draw.integers(0, 256, 6)
        path.write_bytes(torn.tobytes()[: draw.integers(1, len(torn) + 1)])
        try:
            decode(path, "RGB")
        except DataAltered as error:
            refused += "picture.jpg" in error.message
    assert refused > 0


def test_pictures_are_opened_in_one_place() -> None:
    """Wherever a picture's file is opened, it is by `image_files`."""
    opening = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "benchmark").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) == ("Image", "open")
    ]
    assert opening == ["benchmark/image_files.py"]
