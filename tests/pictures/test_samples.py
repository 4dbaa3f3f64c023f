"""Pictures along training: rows that are written once, and the strip of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.contracts.errors import PluginBroken
from benchmark.pictures.samples import strip
from benchmark.runner.samples import write_sample


def shades(*values: float, side: int = 4) -> torch.Tensor:
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, side, side)


def test_pictures_lie_side_by_side_and_come_back_as_bytes(tmp_path: Path) -> None:
    write_sample(tmp_path, "gan", 640, shades(-1, 0, 1, 2))
    assert [p.name for p in tmp_path.iterdir()] == ["0000000640-gan.png"]
    with Image.open(tmp_path / "0000000640-gan.png") as image:
        row = np.asarray(image)
    assert row.shape == (4, 16, 3)
    assert row[0, ::4, 0].tolist() == [0, 128, 255, 255]


def test_what_is_kept_stays(tmp_path: Path) -> None:
    write_sample(tmp_path, "gan", 640, shades(-1))
    before = (tmp_path / "0000000640-gan.png").read_bytes()
    write_sample(tmp_path, "gan", 640, shades(1))
    assert (tmp_path / "0000000640-gan.png").read_bytes() == before


@pytest.mark.parametrize(
    "pictures, words",
    [
        (torch.zeros(3, 4, 4), "not (B, 3, s, s)"),
        (torch.zeros(2, 1, 4, 4), "not (B, 3, s, s)"),
        (torch.zeros(17, 3, 4, 4), "from 1 to 16"),
        (torch.zeros(0, 3, 4, 4), "from 1 to 16"),
        (torch.full((2, 3, 4, 4), torch.nan), "not finite"),
    ],
)
def test_what_are_no_pictures_is_refused_and_nothing_is_left(
    tmp_path: Path, pictures: torch.Tensor, words: str
) -> None:
    with pytest.raises(PluginBroken) as caught:
        write_sample(tmp_path / "samples", "gan", 0, pictures)
    assert words in caught.value.message
    assert not list(tmp_path.rglob("*.png"))


def test_a_strip_has_a_row_for_each_point_in_the_order_of_training(tmp_path: Path) -> None:
    for stage, images, shade in (("gan/a", 90, 0.0), ("gan/a", 1000, 1.0), ("b", 10, -1.0)):
        write_sample(tmp_path, stage, images, shades(shade, shade))
    found = strip([tmp_path])
    assert found is not None
    assert found.size == (192, 3 * 112)  # of 4 pixels a side: 24 times as large
    middles = [np.asarray(found)[112 * i + 64, 48, 0] for i in range(3)]
    assert middles == [128, 255, 0]
    assert strip([tmp_path / "none"]) is None
