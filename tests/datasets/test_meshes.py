"""OBJ files and even samples of their surface."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmark.contracts.errors import DataAltered, DataMissing, InvalidInput
from benchmark.metrics.alignment import iterative_closest_point
from benchmark.metrics.points import chamfer
from benchmark.metrics.pose import rotate, rotation_error_degrees
from tools.meshes import Mesh, normalised, read_obj, sample_surface

SQUARE = """\
# a unit square, once as a quad with colours and once as triangles further up
v 0 0 0 1 0 0
v 1 0 0 1 0 0
v 1 1 0 1 0 0
v 0 1 0 1 0 0
vt 0 0
f 1/1 2/1 3/1 4/1
v 0 0 3
v 1 0 3
v 1 1 3
f -3 -2//5 -1
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mesh.obj"
    path.write_text(text)
    return path


def test_quads_negative_indices_and_colours(tmp_path: Path) -> None:
    mesh = read_obj(write(tmp_path, SQUARE.replace("\n", "\r\n")))
    assert mesh.vertices.shape == (7, 3)
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    "text, said",
    [
        ("v 0 0 0\nf 1 2 3\n", "line 2: there is no vertex 2 among 1"),
        ("v 0 0 0\nv 1 x 0\n", "line 2"),
        ("v 0 0 0\nv 1 nan 0\n", "line 2: a vertex needs three finite numbers"),
        ("v 0 0 0\nv 1 0 0\nf 1 2\n", "line 3: a face needs three corners"),
        ("v 0 0 0\nf 0 1 1\n", "line 2: there is no vertex 0"),
        ("v 0 0 0\n", "has no face"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataAltered, match=said):
        read_obj(write(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataMissing):
        read_obj(tmp_path / "none.obj")


def test_points_are_spread_by_area_and_lie_on_their_faces(tmp_path: Path) -> None:
    points = sample_surface(read_obj(write(tmp_path, SQUARE)), 30_000, seed=0)
    assert points.dtype == np.float32
    below = points[:, 2] == 0
    assert np.isin(points[:, 2], (0, 3)).all()
    assert below.mean() == pytest.approx(2 / 3, abs=0.01)
    np.testing.assert_allclose(points[below][:, :2].mean(0), 0.5, atol=0.01)
    np.testing.assert_allclose(points[below][:, :2].var(0), 1 / 12, atol=0.003)
    upper = points[~below]
    assert (upper[:, 1] <= upper[:, 0] + 1e-6).all()
    np.testing.assert_allclose(upper[:, :2].mean(0), [2 / 3, 1 / 3], atol=0.01)


def test_the_seed_is_all_the_chance_there_is(tmp_path: Path) -> None:
    mesh = read_obj(write(tmp_path, SQUARE))
    first, again, other = (sample_surface(mesh, 50, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_has_no_surface_is_refused() -> None:
    flat = Mesh(np.zeros((3, 3)), np.array([[0, 1, 2]]))
    with pytest.raises(InvalidInput, match="no area"):
        sample_surface(flat, 5, 0)
    with pytest.raises(InvalidInput, match="0 points"):
        sample_surface(flat, 0, 0)
    with pytest.raises(InvalidInput, match="all points are the same"):
        normalised(np.ones((4, 3)))


@pytest.fixture(scope="module")
def real_cars() -> dict[str, np.ndarray]:
    folder = Path(os.environ.get("BENCH_DATA", "")) / "cars" / "Models" / "OBJ format"
    if not os.environ.get("BENCH_DATA") or not folder.is_dir():
        pytest.skip("the car meshes are found through BENCH_DATA, which is unset or has none")
    files = sorted(folder.glob("*.obj"))
    assert len(files) == 25
    return {f.stem: normalised(sample_surface(read_obj(f), 3000, seed=0)) for f in files}


def test_real_cars_are_read_whole_and_long_along_z(real_cars) -> None:
    for name, points in real_cars.items():
        extent = points.max(0) - points.min(0)
        assert np.linalg.norm(extent) == pytest.approx(1), name
        assert extent[2] > extent[0], name


def test_chamfer_tells_real_cars_apart_and_not_two_samples_of_one(real_cars) -> None:
    folder = Path(os.environ["BENCH_DATA"]) / "cars" / "Models" / "OBJ format"
    again = normalised(sample_surface(read_obj(folder / "sedan.obj"), 3000, seed=1))
    sedan = real_cars["sedan"]
    same = chamfer(again, sedan).distance
    others = {n: chamfer(p, sedan).distance for n, p in real_cars.items() if n != "sedan"}
    assert same < min(others.values())
    nearest = min(others, key=others.__getitem__)
    assert nearest in ("police", "taxi", "sedan-sports", "hatchback-sports", "suv", "suv-luxury")
    assert others["tractor-shovel"] > 2 * same


def test_icp_turns_a_real_car_back(real_cars) -> None:
    car, small = real_cars["ambulance"], np.array([np.cos(0.08), 0, np.sin(0.08), 0])
    found = iterative_closest_point(
        rotate(small, car), car, [1, 0, 0, 0], reach=0.2, iterations=60, tolerance=1e-6
    )
    back = small * [1, -1, -1, -1]
    assert rotation_error_degrees(found.rotation[None], back[None])[0] < 1


def test_the_cow(real_cars) -> None:
    mesh = read_obj(Path(os.environ["BENCH_DATA"]) / "meshes" / "data" / "spot.obj")
    assert mesh.vertices.shape == (2930, 3)
    assert mesh.faces.shape == (5856, 3)
    points = sample_surface(mesh, 5000, seed=0)
    assert (points.min(0) >= mesh.vertices.min(0) - 1e-6).all()
    np.testing.assert_allclose(points.max(0), [0.472, 0.954, 1.049], atol=0.03)
