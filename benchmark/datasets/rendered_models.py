"""Twins of rendered models: a few views of each, one after another, with cameras and one cloud.

The recipe puts the model in the middle of its frame and looks at it as the published renders do; here
its pictures become a split whose labels have the axes that the protocol names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts.errors import Incompatible
from benchmark.datasets.masks import cut_out
from benchmark.datasets.prepared import Progress, store
from benchmark.datasets.recipes import make_recipe
from benchmark.datasets.rendered_batches import drawn
from benchmark.protocols import Protocol
from benchmark.twins.car import forward_up_right
from benchmark.twins.renderer import SMALLEST, render


def cuts_out(protocol: Protocol, series: str) -> bool:
    """Whether the geometry of the split that a series stands for cuts the object out."""
    split = protocol.data.split(series) or protocol.data.fit
    return protocol.geometry_of(split).background == "cut_out"


def render_models(
    protocol: Protocol,
    identities: list[int],
    start: int,
    count: int,
    folder: Path,
    series: str,
    about: dict[str, Any],
    progress: Progress | None,
) -> None:
    """Render `count` pictures, `views` of each of the first of the models, and store them.

    `start` is the number of the first picture, at which the recipe shows the first model. Raises
    Incompatible where the models have not so many views.
    """
    shown, twin = protocol.models, protocol.twin
    assert shown is not None
    assert twin is not None
    models, left = divmod(count, shown.views)
    if left or models > len(identities):
        raise Incompatible(
            f"the twin of {protocol.name} asks for {count} pictures in {series!r}; {shown.views} "
            f"views of each of {len(identities)} models are {shown.views * len(identities)}"
        )
    recipe = make_recipe(twin.recipe, identities, views=shown.views, **twin.settings)
    size, seed = protocol.size, twin.seed
    known: dict[str, list[np.ndarray]] = {
        "quaternions": [], "translations": [], "focals": [], "silhouettes": [], "masks": [],
    }  # fmt: skip

    def frames() -> Iterator[np.ndarray]:
        for batch in drawn(recipe, size, seed, start, count):
            if cuts_out(protocol, series):
                batch.images[:] = cut_out(batch.images, batch.foreground)
            rotation, away = batch.quaternions, batch.translations
            if shown.camera_axes == "forward_up_right":
                rotation = forward_up_right(rotation).astype(np.float32)
                away = away[:, ::-1] * np.array([1, -1, 1], np.float32)
            known["quaternions"].append(rotation)
            known["translations"].append(away)
            known["focals"].append(batch.intrinsics[:, 0, 0] / np.float32(size))
            known["silhouettes"].append(np.where(batch.foreground, 255, 0).astype(np.uint8))
            known["masks"].append(batch.foreground.astype(np.uint8))
            yield from batch.images

    def cloud(image: int) -> np.ndarray:
        return render(recipe, 1, SMALLEST, seed, first=start + image, cloud=twin.cloud).clouds[0]

    wanted = [name for name in protocol.data.labels if name in known]
    store(
        folder,
        frames(),
        (count, size, size, 3),
        size,
        points=lambda: None,
        labels=lambda: {name: np.concatenate(known[name]) for name in wanted},
        cloud=cloud,
        keys=[f"{series}/{i:06d}" for i in range(count)],
        identities=[f"model {identities[i // shown.views]:04d}" for i in range(count)],
        about=about,
        progress=progress,
    )
