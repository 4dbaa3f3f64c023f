"""Predictions on their way to disk: order kept, faults of a method named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.contracts import Descriptors, Images, Landmarks, Method
from benchmark.contracts.errors import DiskFull, PluginBroken
from benchmark.tasks.collect import BATCH, collect

COUNT = BATCH + 3


def images() -> Images:
    pixels = np.zeros((COUNT, 8, 8, 3), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(COUNT)
    return Images(pixels, 8, "x")


class Numbering(Method):
    """Gives back the number that is written in the first pixel."""

    def fit(self, images, context):  # type: ignore[no-untyped-def]
        pass

    def number(self, images: torch.Tensor) -> torch.Tensor:
        return (images[:, 0, 0, 0] + 1) * 127.5

    def predict(self, images: torch.Tensor) -> Landmarks:
        return Landmarks(self.number(images)[:, None, None].expand(-1, 1, 2))


class Maps(Numbering):
    scale = 1.0

    def predict(self, images: torch.Tensor) -> Descriptors:  # type: ignore[override]
        maps = self.number(images)[:, None, None, None].expand(-1, 2, 3, 3)
        return Descriptors.covering(maps * self.scale, 8)


def quiet(stage: str, step: int, total: int, **values: float) -> None:
    pass


def test_landmarks_lie_in_the_order_of_the_images(tmp_path: Path) -> None:
    collect(Numbering(None), "landmarks", images(), None, tmp_path, quiet, "test")  # type: ignore[arg-type]
    points = np.load(tmp_path / "points.npy")
    assert np.allclose(points[:, 0, 0], np.arange(COUNT), atol=1e-3)
    assert len(points) == COUNT


def test_maps_of_a_changing_size_are_refused(tmp_path: Path) -> None:
    class Growing(Maps):
        side = 2

        def predict(self, images: torch.Tensor) -> Descriptors:  # type: ignore[override]
            self.side += 2
            return Descriptors.covering(torch.zeros(len(images), 2, self.side, self.side), 8)

    with pytest.raises(PluginBroken, match=r"Growing predicts descriptors of shape \(2, 6, 6\)"):
        collect(Growing(None), "descriptors", images(), None, tmp_path, quiet, "test")  # type: ignore[arg-type]


def test_maps_lie_in_the_order_of_the_images_in_half_precision(tmp_path: Path) -> None:
    collect(Maps(None), "descriptors", images(), None, tmp_path, quiet, "test")  # type: ignore[arg-type]
    maps = np.load(tmp_path / "maps.npy", mmap_mode="r")
    assert maps.dtype == np.float16
    assert maps.shape == (COUNT, 2, 3, 3)
    assert np.allclose(maps[:, 1, 2, 2], np.arange(COUNT), atol=0.1)


def test_descriptors_beyond_half_precision_are_refused(tmp_path: Path) -> None:
    method = Maps(None)  # type: ignore[arg-type]
    method.scale = 1e5
    with pytest.raises(PluginBroken, match="beyond half precision"):
        collect(method, "descriptors", images(), None, tmp_path, quiet, "test")


def test_a_prediction_of_another_kind_or_count_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginBroken, match="gave Descriptors, expected Landmarks"):
        collect(Maps(None), "landmarks", images(), None, tmp_path, quiet, "test")  # type: ignore[arg-type]

    class One(Numbering):
        def predict(self, images: torch.Tensor) -> Landmarks:
            return super().predict(images[:1])

    with pytest.raises(PluginBroken, match=f"1 predictions for {BATCH} images"):
        collect(One(None), "landmarks", images(), None, tmp_path, quiet, "test")  # type: ignore[arg-type]


def test_maps_that_lie_otherwise_on_the_image_are_refused(tmp_path: Path) -> None:
    class Shifted(Maps):
        def predict(self, images: torch.Tensor) -> Descriptors:  # type: ignore[override]
            return Descriptors(super().predict(images).maps, stride=2.0, offset=0.0)

    with pytest.raises(PluginBroken, match="stride 2 and offset 0"):
        collect(Shifted(None), "descriptors", images(), None, tmp_path, quiet, "test")  # type: ignore[arg-type]


def test_too_small_a_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 10, 0))  # type: ignore[attr-defined]
    with pytest.raises(DiskFull, match="the descriptors need"):
        collect(Maps(None), "descriptors", images(), None, tmp_path, quiet, "test")  # type: ignore[arg-type]
    assert not (tmp_path / "maps.npy").exists()
