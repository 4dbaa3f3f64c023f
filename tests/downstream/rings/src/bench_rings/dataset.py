"""The data set: its reader, and the drawing of it."""

import csv

import numpy as np
from PIL import Image, ImageDraw

from benchmark.contracts import Reader, Sample

COUNTS = {"train": 40, "test": 12}


class Rings(Reader):
    splits = ("train", "test")

    def samples(self, split):
        with (self.root / f"{split}.csv").open(newline="") as file:
            rows = list(csv.reader(file))
        return [
            Sample(
                key=f"{split}/{name}",
                path=self.root / "images" / name,
                identity=name,
                points=np.array(numbers, np.float64).reshape(68, 2),
            )
            for name, *numbers in rows
        ]


def draw(folder):
    """Write the data set into a folder."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    for split, count in COUNTS.items():
        with (folder / f"{split}.csv").open("w", newline="") as file:
            for number in range(count):
                name = f"{split}{number:03}.png"
                angle = np.arange(68) * 2 * np.pi / 68 + rng.uniform(0, 0.5)
                ring = np.stack([np.cos(angle), np.sin(angle)], 1)
                points = 40 + rng.uniform(-6, 6, 2) + rng.uniform(15, 25) * ring
                picture = Image.new("RGB", (80, 80), (20, 30, 60))
                pen = ImageDraw.Draw(picture)
                for i, (x, y) in enumerate(points):
                    pen.ellipse([x - 2, y - 2, x + 2, y + 2], fill=(255, 3 * i, 255 - 3 * i))
                picture.save(folder / "images" / name)
                csv.writer(file).writerow([name, *points.ravel().round(4)])
