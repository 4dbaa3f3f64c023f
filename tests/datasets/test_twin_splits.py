"""A protocol's twin: same schema and split logic as the real data, people disjoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.contracts.errors import DataAltered, Incompatible
from benchmark.datasets.opening import open_split
from benchmark.registry.protocols import find_protocol


def opened(role: str):  # type: ignore[no-untyped-def]
    return open_split(find_protocol("small_faces"), role, twin=True, progress=lambda *a, **k: None)


def test_sizes_units_and_people(harness: Path) -> None:
    train, test = opened("train"), opened("test")
    assert train.pixels.shape == (64, 40, 40, 3)
    assert test.pixels.shape == (16, 40, 40, 3)
    assert train.size == test.size == 32
    assert train.points is not None
    assert train.points.shape == (64, 68, 2)
    assert not set(train.identities) & set(test.identities)
    assert len(set(train.identities)) == 16
    inside = (train.points > -8) & (train.points < 40)
    assert inside.mean() > 0.95


def test_fit_is_train_where_the_protocol_says_so(harness: Path) -> None:
    assert opened("fit").pixels_digest == opened("train").pixels_digest


def test_validation_and_development_part_the_training_people(harness: Path) -> None:
    train, validation, development = map(opened, ("train", "validation", "development"))
    assert len(validation) + len(development) == len(train)
    assert not set(validation.identities) & set(development.identities)
    assert set(validation.identities) | set(development.identities) == set(train.identities)
    assert validation.points is not None
    rows = [train.keys.index(k) for k in validation.keys]
    assert np.array_equal(validation.pixels, train.pixels[rows])
    validation.verify()


def test_a_protocol_without_a_twin_says_so(harness: Path) -> None:
    protocol = find_protocol("small_faces").model_copy(update={"twin": None})
    with pytest.raises(Incompatible, match="has no twin"):
        open_split(protocol, "test", twin=True, progress=lambda *a, **k: None)


def test_a_fit_for_validation_sees_the_pool_without_the_people_of_validation(
    harness: Path,
) -> None:
    protocol = find_protocol("small_faces")
    data = protocol.data.model_copy(
        update={"fit": "ytf68:published/train", "development_fit": "ytf68:all"}
    )
    pool = protocol.model_copy(update={"data": data})

    def split(role: str):  # type: ignore[no-untyped-def]
        return open_split(pool, role, twin=True, progress=lambda *a, **k: None)

    fit, fitted, validation = map(split, ("fit", "development_fit", "validation"))
    assert 0 < len(fitted) < len(fit)
    assert not set(fitted.identities) & set(validation.identities)
    assert set(fitted.identities) | set(validation.identities) == set(fit.identities)
    assert len(fitted.image_digests) == len(fitted)
    fitted.verify()


def test_a_part_of_altered_pictures_is_refused(harness: Path, bench_home: Path) -> None:
    (bench_home / "prepared").unlink()  # the shared twins of other tests
    folder = opened("train").folder
    opened("validation").check()
    pixels = np.load(folder / "pixels.npy", mmap_mode="r+")
    pixels[0] ^= 1
    pixels.flush()
    del pixels
    with pytest.raises(DataAltered, match="its pixels have sha256"):
        opened("validation")
