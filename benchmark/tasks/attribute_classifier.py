"""The classifier that attribute linearity looks through: one of our own making, or a file of yours.

Those named here are fitted on rendered faces, whose attributes are exact, the first time they are asked
for, and kept in `$BENCH_HOME/weights`. Fitted again elsewhere the weights may differ in their last
digits, so a record holds their sha256 and a comparison of values needs it to be the same.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from benchmark.contracts.errors import DataMissing
from benchmark.contracts.images import to_signed
from benchmark.contracts.method import Progress
from benchmark.files import file_sha256, made_once, whole_file
from benchmark.home import data_places, home
from benchmark.probes.attributes import (
    AttributeNet,
    Fitting,
    fit_attributes,
    load_attributes,
    save_attributes,
)
from benchmark.protocols import canonical_digest

ATTRIBUTES = ("smile", "mouth_open", "glasses", "beard", "bald", "long_hair", "pale_skin")


@dataclass(frozen=True)
class OnTwins:
    """Fitted on so many rendered faces of `size` pixels, tried on `held_out` of other people."""

    images: int
    size: int
    epochs: int
    held_out: int = 200
    people: int = 400
    seed: int = 20_220_807
    attributes: tuple[str, ...] = ATTRIBUTES


OWN = {
    "face-twin": OnTwins(images=8000, size=64, epochs=30, held_out=1000),
    "face-twin/tiny": OnTwins(images=300, size=32, epochs=12, held_out=100),
}
"""The first takes minutes to fit and sees what it should; the second, seconds: for twins and CI."""


@dataclass(frozen=True)
class Classifier:
    """A network, its file's digest, and what is known of how it was fitted."""

    name: str
    net: AttributeNet
    sha256: str
    about: dict[str, object]

    def identity(self) -> dict[str, object]:
        """What a number measured through this classifier depends on."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "attributes": list(self.net.attributes),
            "size": self.net.size,
            **self.about,
        }


def require_classifier(name: str) -> None:
    """Refuse a classifier that is neither our own nor there; raises `DataMissing`."""
    if name not in OWN:
        _given_path(name)


def _own_path(name: str) -> Path:
    digest = canonical_digest(asdict(OWN[name]))[:12]
    return home() / "weights" / f"attributes-{name.replace('/', '-')}-{digest}.safetensors"


def _given_path(name: str) -> Path:
    places = [home() / "weights", *data_places("weights")]
    found = next((p / name for p in places if (p / name).is_file()), None)
    if found is None:
        raise DataMissing(
            f"the attribute classifier {name} is not in {', '.join(map(str, places))}",
            cure="fit one on images with known attributes (CelebA's 40, say) with "
            "benchmark.probes.attributes.fit_attributes, and put what save_attributes writes at "
            f"{places[0] / name}. The classifiers of the papers exist for TensorFlow 1 alone",
        )
    return found


def attribute_classifier(name: str, progress: Progress) -> Classifier:
    """The classifier of that name; one of our own is fitted first where that was not done yet."""
    if name in OWN:
        path = made_once(_own_path(name), lambda: _make(name, progress))
    else:
        path = _given_path(name)
    net, about = load_attributes(path)
    return Classifier(name, net, file_sha256(path), about)


def _make(name: str, progress: Progress) -> None:
    how = OWN[name]
    net, accuracy = _fit(how, progress)
    about: dict[str, object] = {
        "fitted_on": f"{how.images} faces of the twin, {how.people} people",
        "accuracy_on_other_people": accuracy,
    }
    with whole_file(_own_path(name)) as temporary:
        save_attributes(net, temporary, about)


def _fit(how: OnTwins, progress: Progress) -> tuple[AttributeNet, dict[str, float]]:
    images, truth = _faces(how, range(how.people), 0, how.images, progress)
    net = fit_attributes(
        images,
        truth,
        how.attributes,
        size=min(how.size, 64),
        seed=how.seed,
        fitting=Fitting(epochs=how.epochs),
        progress=lambda done, total: progress("fit the attribute classifier", done, total),
    )
    others = range(how.people, 2 * how.people)
    images, truth = _faces(how, others, 10_000_000, how.held_out, progress)
    with torch.no_grad():
        logits = net(to_signed(torch.from_numpy(images).permute(0, 3, 1, 2)))
    right = ((logits.numpy() > 0) == (truth > 0)).mean(axis=0)
    return net, {n: round(float(r), 4) for n, r in zip(how.attributes, right, strict=True)}


def _faces(
    how: OnTwins, people: range, first: int, count: int, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Rendered faces uint8 (N, H, W, 3) and their attributes (N, A), 0 or 1."""
    import os

    from benchmark.datasets.recipes import make_recipe
    from benchmark.twins.renderer import render

    recipe = make_recipe("face", people)
    images, attributes = [], []
    for start in range(0, count, 64):
        batch = render(
            recipe,
            min(64, count - start),
            how.size,
            how.seed,
            first=first + start,
            threads=os.cpu_count() or 1,
        )
        images.append(batch.images)
        attributes.append(np.stack([batch.attribute(n) for n in how.attributes], axis=1))
        progress("render faces with attributes", start + len(batch), count)
    return np.concatenate(images), np.concatenate(attributes)
