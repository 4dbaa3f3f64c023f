"""Silhouettes of clouds: against the rasteriser's masks of the same surface, and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.contracts.errors import InvalidInput
from benchmark.datasets.meshes.mesh import Mesh
from benchmark.datasets.meshes.raster import draw
from benchmark.metrics.camera import camera_rotation
from benchmark.metrics.pose import rotate
from benchmark.metrics.segmentation import mask_disagreement
from benchmark.metrics.silhouette import cloud_silhouette

RULE = {"grid": 128, "radius": 0.04}


def box(low: list[float], high: list[float]) -> np.ndarray:
    """The twelve triangles (12, 3, 3) of a box."""
    corner = np.array([low, high])
    faces = []
    for axis in range(3):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        for end in range(2):
            square = np.zeros((4, 3))
            square[:, axis] = corner[end, axis]
            square[:, a] = corner[[0, 1, 1, 0], a]
            square[:, b] = corner[[0, 0, 1, 1], b]
            faces += [square[[0, 1, 2]], square[[0, 2, 3]]]
    return np.array(faces)


@pytest.fixture(scope="module")
def car() -> np.ndarray:
    """A body, a cabin and four wheels, y up, the nose to -z."""
    wheels = [
        box([x - 0.03, -0.2, z - 0.07], [x + 0.03, -0.06, z + 0.07])
        for x in (-0.16, 0.16)
        for z in (-0.25, 0.25)
    ]
    body = box([-0.19, -0.13, -0.42], [0.19, 0.02, 0.42])
    return np.concatenate([body, box([-0.16, 0.02, -0.15], [0.16, 0.18, 0.3]), *wheels])


def sampled(corners: np.ndarray, count: int) -> np.ndarray:
    """Points spread evenly over triangles."""
    random = np.random.default_rng(0)
    area = np.linalg.norm(np.cross(*(corners[:, 1:] - corners[:, :1]).transpose(1, 0, 2)), axis=1)
    chosen = corners[random.choice(len(corners), count, p=area / area.sum())]
    weight = random.dirichlet(np.ones(3), count)
    points: np.ndarray = np.einsum("nc,ncd->nd", weight, chosen)
    return points


@pytest.mark.parametrize("count, most", [(8000, 0.035), (1000, 0.12)])
def test_a_cloud_of_a_surface_covers_what_the_rasteriser_draws(car, count, most) -> None:
    """A few per cent of the mask with as many points as methods give, on 12 views from all sides."""
    cloud = sampled(car, count)
    positions = np.random.default_rng(1).normal(size=(12, 3)) * [1, 1, 0.4]
    drawn, covered = [], []
    for rotation in camera_rotation(positions):
        view = draw(Mesh.plain(car), rotate(rotation, np.eye(3)).T, 64, samples=4)
        drawn.append(view.rgba[..., 3] > 127.5)
        covered.append(cloud_silhouette(rotate(rotation, cloud), 64, **RULE))
    found = mask_disagreement(np.array(covered), np.array(drawn))
    assert found.mean() < most
    assert found.max() < 1.5 * most


def test_a_lone_point_is_its_own_cell() -> None:
    """Dilated and eroded it is one cell again, at the place that the projection says."""
    mask = cloud_silhouette([[-1.0, 0.1, 0.2]], 16, grid=16, radius=0.1)
    assert np.argwhere(mask).tolist() == [[int(16 * (0.5 - 0.1875)), int(16 * (0.5 + 0.375))]]


def test_holes_fill_where_the_disc_does_not_fit_and_stay_where_it_does() -> None:
    edge = (np.arange(40) + 0.5 - 20) / 64 / 0.9375  # a point in each of 40 cells of 64
    plane = np.stack(np.broadcast_arrays(0.0, edge[:, None], edge), axis=-1).reshape(-1, 3)
    off = np.hypot(plane[:, 1], plane[:, 2]) * 0.9375 * 64
    holed = plane[off > 4.5]  # a hole of 9 cells across
    solid = cloud_silhouette(plane, 64, grid=64, radius=0)
    assert solid.sum() == 1600
    assert (cloud_silhouette(holed, 64, grid=64, radius=0) == solid).sum() < 64**2 - 50
    assert (cloud_silhouette(holed, 64, grid=64, radius=6 / 64) == solid).all()
    assert not cloud_silhouette(holed, 64, grid=64, radius=2 / 64)[32, 32]


def test_the_border_cuts_nothing_but_what_lies_beyond() -> None:
    """A plane larger than the picture covers all of it; points behind the camera none."""
    edge = np.linspace(-0.9, 0.9, 150)
    plane = np.stack(np.broadcast_arrays(0.0, edge[:, None], edge), axis=-1).reshape(-1, 3)
    assert cloud_silhouette(plane, 32, grid=64, radius=0.03).all()
    assert not cloud_silhouette(plane - [2.5, 0, 0], 32, grid=64, radius=0.03).any()


def test_a_pixel_needs_more_than_the_threshold_of_its_cells() -> None:
    point = [[0.0, 0.01, 0.01]]
    assert cloud_silhouette(point, 8, grid=16, radius=0, threshold=0.2).sum() == 1
    assert cloud_silhouette(point, 8, grid=16, radius=0, threshold=0.25).sum() == 0


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"grid": 100}, "100 is no multiple of the 64 pixels"),
        ({"radius": -0.1}, "radius -0.1 must be 0 or more"),
        ({"threshold": 1.0}, r"threshold 1 in \[0, 1\)"),
    ],
)
def test_numbers_out_of_range_are_refused(wrong, said) -> None:
    with pytest.raises(InvalidInput, match=said):
        cloud_silhouette([[0.0, 0, 0]], 64, **{**RULE, **wrong})
    with pytest.raises(InvalidInput, match="points"):
        cloud_silhouette([[0.0, 0, np.nan]], 64, **RULE)
