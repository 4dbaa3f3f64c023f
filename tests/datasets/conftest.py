from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmark.datasets.readers.ytf68 import Ytf68


@pytest.fixture(scope="session")
def real_ytf68() -> Path:
    """The real frames, where BENCH_DATA names a folder that has them."""
    for root in os.environ.get("BENCH_DATA", "").split(os.pathsep):
        if root and (Path(root) / "ytf68" / "data").is_dir():
            return Path(root) / "ytf68"
    pytest.skip("BENCH_DATA names no folder with ytf68")


@pytest.fixture
def bench_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty $BENCH_HOME, and no other place to look at."""
    folder = tmp_path / "home"
    monkeypatch.setenv("BENCH_HOME", str(folder))
    monkeypatch.delenv("BENCH_DATA", raising=False)
    return folder


def write_image(path: Path, size: tuple[int, int] = (60, 50), seed: int = 0) -> np.ndarray:
    """A smooth random picture; returns its pixels (height, width, 3)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    image.save(path, "PNG" if path.suffix == ".png" else "JPEG")
    return np.asarray(image)


@pytest.fixture
def picture() -> Callable[..., np.ndarray]:
    return write_image


TINY = {"training": 14, "test": 6}


@pytest.fixture
def tiny_ytf68(bench_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten people's frames in the publisher's layout: RGBA PNG files whose names end in .jpg.

    Training has people A to J (14 frames), test repeats file names of six of them.
    """
    monkeypatch.setattr(Ytf68, "frames", TINY)
    root = bench_home / "data" / "ytf68"
    people = "ABCDEFGHIJ"
    names = {
        "training": [f"P_{p}_00.jpg" for p in people] + [f"P_{p}_01.jpg" for p in "AEIJ"],
        "test": [f"P_{p}_00.jpg" for p in "JDEBAC"],
    }
    generator = np.random.default_rng(7)
    for part, files in names.items():
        (root / "data" / part).mkdir(parents=True)
        with (root / "data" / f"{part}_frames_keypoints.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["", *range(136)])
            for name in files:
                pixels = generator.integers(0, 256, (50, 60, 4), dtype=np.uint8)
                Image.fromarray(pixels, "RGBA").save(root / "data" / part / name, "PNG")
                points = generator.integers(5, 45, (68, 2)).astype(float)
                writer.writerow([name, *points.ravel()])
    (root / "data" / "test" / "P_A_99.jpg").write_bytes(b"shipped without annotation")
    return root
