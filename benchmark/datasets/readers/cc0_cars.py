"""The cars of Kenney's car kit, drawn once from all sides and read as rendered models."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from benchmark.contracts.errors import DataAltered
from benchmark.datasets.layout import AGAIN, required
from benchmark.datasets.meshes.reading import meshes_in
from benchmark.datasets.meshes.rendering import Rendering, render_meshes
from benchmark.datasets.origins import code_digest, files_digest
from benchmark.datasets.readers.model_views import ModelViews
from benchmark.files import made_once
from benchmark.home import home
from benchmark.protocols import canonical_digest

CARS: Mapping[str, Sequence[str]] = {
    "train": (
        "ambulance", "delivery", "delivery-flat", "garbage-truck", "race-future", "sedan",
        "sedan-sports", "suv-luxury", "taxi", "truck-flat",
    ),
    "validation": ("hatchback-sports", "suv", "truck"),
    "test": ("firetruck", "police", "race", "van"),
}  # fmt: skip
"""17 of the kit's 25 vehicles, by model; the others are karts and tractors."""

DRAWN = Rendering(views=20, size=128)
DENSE = Rendering(views=60, size=128, seed=1)


class Cc0Cars(ModelViews):
    """The kit's OBJ files, drawn into `$BENCH_HOME/rendered` where that was not done yet.

    It is what `bench data render "$BENCH_DATA/cars" --views 20 --size 128` makes of them, apart from the
    split, which is `CARS`. `ModelViews` says what samples are.
    """

    drawn: ClassVar[Rendering] = DRAWN
    views = DRAWN.views

    @cached_property
    def folder(self) -> Path:
        kit = required(self.root / "Models" / "OBJ format")
        wanted = [model for part in CARS.values() for model in part]
        meshes = meshes_in(kit)
        meshes = {model: meshes.get(model, kit / f"{model}.obj") for model in wanted}
        made_from: dict[str, Any] = {
            "files": files_digest(kit),
            "code": code_digest(f"{__name__}:Cc0Cars"),
        }
        made_from |= {"drawn": asdict(self.drawn)} if self.drawn != DRAWN else {}
        target = home() / "rendered" / f"cc0_cars-{canonical_digest(made_from)[:12]}"

        def make() -> None:
            warnings.warn(
                f"{len(wanted)} cars are drawn from {self.drawn.views} sides, once: a minute or two",
                stacklevel=2,
            )
            found = render_meshes(
                meshes, target, self.drawn, name="cars", splits=CARS, progress=self.progress
            )
            for model, why in found.left_out.items():
                shutil.rmtree(target)
                raise DataAltered(f"the car {model} can't be drawn: {why}", cure=AGAIN)

        return made_once(target, make)


class Cc0CarsDense(Cc0Cars):
    """The same cars from 60 other sides each, for fits: 20 are learned by heart."""

    drawn = DENSE
    views = DENSE.views
