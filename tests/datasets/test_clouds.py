"""Clouds of any length, each object's once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.datasets.clouds import EXTENT, load_clouds, write_clouds


@settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=12), st.integers(0, 1000))
def test_what_is_written_comes_back_for_every_image(tmp_path: Path, objects, seed) -> None:
    random = np.random.default_rng(seed)
    known = {o: random.normal(size=(random.integers(1, 9), 3)).astype("f4") for o in "abcd"}
    asked: list[str] = []

    def read(image: int):
        asked.append(objects[image])
        return known.get(objects[image])

    if set(objects) == {"e"}:
        with pytest.raises(InvalidInput, match="none of the objects has a point cloud"):
            write_clouds(tmp_path, objects, read)
        return
    clouds = write_clouds(tmp_path, objects, read)
    assert asked == list(dict.fromkeys(objects))
    assert len(clouds) == len(objects)
    for i, name in enumerate(objects):
        assert np.array_equal(clouds[i], known.get(name, np.zeros((0, 3), "f4")))
    rows = list(range(len(objects)))[::-1]
    assert all(np.array_equal(clouds.take(rows)[i], clouds[r]) for i, r in enumerate(rows))


@pytest.mark.parametrize(
    "cloud, said",
    [(np.full((2, 3), np.inf), "NaN or infinity"), (np.zeros((2, 2)), r"shape \(2, 2\)"),
     (np.zeros((0, 3)), r"shape \(0, 3\)")],
)  # fmt: skip
def test_broken_clouds_are_named(tmp_path: Path, cloud, said: str) -> None:
    with pytest.raises(DataAltered, match=f"cloud of cow .*{said}"):
        write_clouds(tmp_path, ["cow"], lambda image: cloud)


def test_files_that_do_not_fit_each_other(tmp_path: Path) -> None:
    write_clouds(tmp_path, ["a", "b"], lambda image: np.zeros((4, 3)))
    np.save(tmp_path / EXTENT, np.array([[0, 4], [4, 5]]))
    with pytest.raises(ValueError, match="reaches beyond"):
        load_clouds(tmp_path)
