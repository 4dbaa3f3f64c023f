"""A protocol's data, rendered: same schema, units and split logic, identities disjoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.contracts.errors import Incompatible
from benchmark.contracts.names import DOMAIN
from benchmark.datasets.masks import cut_out
from benchmark.datasets.origins import folder_digest
from benchmark.datasets.prepared import (
    PreparedSplit,
    Progress,
    array_digest,
    labels_digest,
    open_or_make,
    store,
)
from benchmark.datasets.recipes import make_recipe
from benchmark.datasets.rendered_batches import drawn
from benchmark.datasets.rendered_models import cuts_out, render_models
from benchmark.home import home
from benchmark.protocols import Protocol, Twin, canonical_digest
from benchmark.protocols.data import granted_labels
from benchmark.registry.plugins import plugins
from benchmark.twins import renderer as engine
from benchmark.twins.scene import Framing

RECIPE_VERSION = 1
"""Raised when a recipe or the renderer draws other pixels, so that old ones are not taken for new."""

MEASURED = {"probe", "generation", "metrics", "cloud", "alignment", "domains"}
"""Fields of a twin that no picture of its own depends on."""

RANGE = 10_000_000
TEST_SHARE = 5  # one identity in five is test, as in the protocols on real data


def open_twin(
    protocol: Protocol,
    role: str,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
    *,
    anew: bool = False,
) -> PreparedSplit:
    """The rendered split that plays `role`; "validation" and "development" are parts of "train", and
    "development_fit" is the part of "fit" without the identities of "validation". A domain's pictures
    are of its own recipe or settings.

    Where a protocol has one split in two roles (fits where its probe is trained or on the part that
    leaves validation out, compares generated images with those fitted on), so has its twin. It is
    rendered anew where the code that renders has changed, of which `note` is told, and where `anew`
    asks for it.
    """
    twin = protocol.twin
    if twin is None:
        raise Incompatible(f"protocol {protocol.name} has no twin")
    data = protocol.data
    if role in data.domain_roles:
        protocol = domain_twin(protocol, role)
        twin = protocol.twin
        assert twin is not None
    if (role == "fit" and data.fit == data.development) or (
        role == "development_fit" and data.development_fit == data.development
    ):
        role = "development"
    if role in ("validation", "development", "development_fit"):
        train = open_twin(protocol, "train", progress, note, anew=anew)
        apart = set(sorted(set(train.identities))[TEST_SHARE - 1 :: TEST_SHARE])
        if role == "development_fit":
            fitted = open_twin(protocol, "fit", progress, note, anew=anew)
            return _identities_part(fitted, set(fitted.identities) - apart)
        return _identities_part(
            train, apart if role == "validation" else set(train.identities) - apart
        )
    series = series_of(protocol, role)
    folder = _folder(protocol, twin, series)

    def changed(manifest: Mapping[str, Any]) -> str:
        if manifest.get("made_from", {}).get("code") == renderer():
            return ""
        return "the code that renders twins has changed"

    def make() -> None:
        _render(protocol, twin, series, folder, progress)

    return open_or_make(folder, make, changed, note, anew=anew)


def renderer() -> str:
    """Digests of the code that twins are rendered by: recipes and renderer, and what calls them."""
    recipes = folder_digest(Path(engine.__file__).parent)
    return f"{recipes}-{folder_digest(Path(__file__).parent, 'rendered*.py')}"


def series_of(protocol: Protocol, role: str) -> str:
    """Which series of pictures plays the role: "fit", "train" or "test", a field of the twin each."""
    data = protocol.data
    if role in ("validation", "development") or (role == "fit" and data.fit == data.development):
        return "train"
    if role == "fit" and data.fit == data.train:
        return "train"
    return "fit" if role == "test" and data.test == data.fit else role


def identities_of(twin: Twin, series: str) -> list[int]:
    """Who may be shown in a series; those in "test" are in no other, nor those of "validation" in a
    domain's."""
    test = range(TEST_SHARE - 1, twin.people, TEST_SHARE)
    found = [p for p in range(twin.people) if (p in test) == (series == "test")]
    if series.startswith(DOMAIN):
        return [p for i, p in enumerate(found, start=1) if i % TEST_SHARE]
    return found


def domain_twin(protocol: Protocol, role: str) -> Protocol:
    """The protocol with the twin and the labels of one of its domains, whose pictures are its "fit"."""
    assert protocol.twin is not None
    domain = protocol.twin.domains[role.removeprefix(DOMAIN)]
    twin = protocol.twin.model_copy(
        update={
            "recipe": domain.recipe or protocol.twin.recipe,
            "settings": domain.settings,
            "fit": domain.images,
        }
    )
    labels = tuple(granted_labels(protocol.data, role))
    data = protocol.data.model_copy(update={"labels": labels})
    return protocol.model_copy(update={"twin": twin, "data": data})


def _points(protocol: Protocol) -> int:
    rule = protocol.landmarks
    return 68 if rule is None or rule.rule == "mafl5_from_68" else rule.count


def _resize(protocol: Protocol) -> int:
    return max(g.resize for g in protocol.geometry.values())


def _folder(protocol: Protocol, twin: Twin, series: str) -> Path:
    about = {
        "recipe_version": RECIPE_VERSION,
        "twin": twin.model_dump(mode="json", exclude=MEASURED),
        "points": _points(protocol),
        "resize": _resize(protocol),
        "size": protocol.size,
    }
    if protocol.data.labels:
        about["labels"] = sorted(protocol.data.labels)
    if (version := plugins().twin(twin.recipe).version) > 1:
        about["version"] = version
    if cuts_out(protocol, series):
        about["background"] = "cut_out"
    if (shown := protocol.models) is not None:
        about["models"] = [shown.views, shown.camera_axes, twin.cloud]
    if series.startswith(DOMAIN):
        about["first"] = _first(protocol, series)
    return home() / "prepared" / f"twin-{twin.recipe}-{canonical_digest(about)[:12]}" / series


def _render(
    protocol: Protocol, twin: Twin, series: str, folder: Path, progress: Progress | None
) -> None:
    count = twin.fit if series in protocol.data.domain_roles else getattr(twin, series)
    first = _first(protocol, series)
    identities = identities_of(twin, series)
    about = {
        "twin": twin.model_dump(mode="json"),
        "recipe_version": RECIPE_VERSION,
        "made_from": {"code": renderer()},
    }
    if protocol.models is not None:
        # pictures until the first model comes again
        around = protocol.models.views * len(identities)
        start = first - first % around
        render_models(protocol, identities, start, count, folder, series, about, progress)
        return
    resize = _resize(protocol)
    points_asked = None if protocol.landmarks is None else _points(protocol)
    recipe = make_recipe(
        twin.recipe, identities, landmarks=points_asked, framing=_framing(twin), **twin.settings
    )
    points: list[np.ndarray] = []
    labels: dict[str, list[np.ndarray]] = {name: [] for name in protocol.data.labels}
    margin = (resize - protocol.size) // 2
    middle = slice(margin, margin + protocol.size)

    def frames() -> Iterator[np.ndarray]:
        for batch in drawn(recipe, resize, twin.seed, first, count):
            if cuts_out(protocol, series):
                batch.images[:] = cut_out(batch.images, batch.foreground)
            points.append(batch.landmarks - margin)
            known = {
                "visible": batch.visible,
                "masks": batch.foreground[:, middle, middle].astype(np.uint8),
                "attributes": batch.attributes,
                "quaternions": batch.quaternions,
                "silhouettes": np.where(batch.foreground, 255, 0).astype(np.uint8),
                "clips": batch.identity,
            }
            for name, parts in labels.items():
                parts.append(known[name])
            yield from batch.images

    shown = (identities[(first + i) % len(identities)] for i in range(count))
    store(
        folder,
        frames(),
        (count, resize, resize, 3),
        protocol.size,
        points=lambda: np.concatenate(points).astype(np.float32),
        labels=lambda: {name: np.concatenate(parts) for name, parts in labels.items()},
        keys=[f"{series}/{i:06d}" for i in range(count)],
        identities=[f"person {person:04d}" for person in shown],
        about=about,
        progress=progress,
    )


def _first(protocol: Protocol, series: str) -> int:
    """Series never overlap: each has its own range of picture numbers, and test its own identities."""
    return RANGE * ["train", "fit", "test", *protocol.data.domain_roles].index(series)


def _framing(twin: Twin) -> Framing | None:
    """The protocol's framing; the recipe's own where it says nothing."""
    if twin.scale is None and twin.shift is None:
        return None
    usual = Framing()
    return Framing(twin.scale or usual.scale, twin.shift or usual.shift)


def _identities_part(train: PreparedSplit, chosen: set[str]) -> PreparedSplit:
    train.check()  # the part's own digests are made from what is read here
    rows = [i for i, person in enumerate(train.identities) if person in chosen]
    pixels = train.pixels[rows]
    points = None if train.points is None else train.points[rows]
    labels = {name: np.asarray(array)[rows] for name, array in train.labels.items()}
    keys = [train.keys[i] for i in rows]
    identities = [train.identities[i] for i in rows]
    clouds = None if train.clouds is None else train.clouds.take(rows)
    return replace(
        train,
        pixels=pixels,
        points=points,
        keys=keys,
        identities=identities,
        pixels_digest=array_digest(pixels),
        labels_digest=labels_digest(points, keys, identities, labels, clouds),
        labels=labels,
        clouds=clouds,
        image_digests=None if train.image_digests is None else train.image_digests[rows],
        part=True,
    )
