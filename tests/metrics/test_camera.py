"""The camera from its position, against one that is built by looking at the origin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.camera import camera_rotation, project
from benchmark.metrics.pose import rotate, select_for_alignment

seeds = st.integers(0, 2**32 - 1)


def look_at(position):
    """(forward, up, right) as rows, in the frame of the renderer."""
    forward = -position / np.linalg.norm(position)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    return np.stack([forward, np.cross(right, forward), right])


@settings(deadline=None, max_examples=50)
@given(seeds)
def test_rotations_are_those_of_a_camera_that_looks_at_the_origin(seed):
    rng = np.random.default_rng(seed)
    positions, points = rng.normal(size=(3, 3)), rng.normal(size=(5, 3))
    # The importer of the renderer takes (x, y, z) of an OBJ file to (x, -z, y).
    imported = np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)
    for position, quaternion in zip(positions, camera_rotation(positions), strict=True):
        expected = imported @ look_at(position).T
        np.testing.assert_allclose(rotate(quaternion, points), expected, atol=1e-12)


def test_only_the_direction_counts():
    position = np.array([[1.0, -2.0, 0.5]])
    np.testing.assert_allclose(camera_rotation(position), camera_rotation(3 * position))


def test_projection_scales_with_the_focal_length_and_depth():
    points = np.array([[0.0, 0.2, -0.4], [2.0, 0.2, -0.4]])
    near, far = project(points)
    np.testing.assert_allclose(near, 1.875 * np.array([-0.4, 0.2]) / 2)
    np.testing.assert_allclose(far, near / 2)
    np.testing.assert_allclose(project(points, focal=1.0), project(points) / 1.875)


def test_what_has_no_answer_is_refused():
    with pytest.raises(InvalidInput, match="camera 1 stands on the vertical"):
        camera_rotation([[1.0, 0, 0], [0, 0, 2.0]])
    with pytest.raises(InvalidInput, match="camera 0 stands on the vertical"):
        camera_rotation(np.array([[1e-8, -1e-8, 2.0]], np.float32))
    with pytest.raises(InvalidInput, match="1 of 2 are behind"):
        project([[0.0, 0, 0], [-2.0, 0, 0]])


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_the_views_selected_fit_best(seed):
    errors = np.random.default_rng(seed).uniform(size=(9, 5))
    models, views = select_for_alignment(errors, models=4, views=2)
    taken = np.take_along_axis(errors[models], views, axis=1)
    np.testing.assert_array_equal(taken, np.sort(errors[models], axis=1)[:, :2])
    left = np.delete(np.sort(errors, axis=1)[:, :2].mean(axis=1), models)
    means = taken.mean(axis=1)
    assert (np.diff(means) >= 0).all()
    assert means.max() <= left.min()


@pytest.mark.parametrize("asked", [(4, 1), (0, 1), (1, 3), (1, 0)])
def test_more_than_there_is_cannot_be_selected(asked):
    with pytest.raises(InvalidInput, match="cannot take"):
        select_for_alignment(np.ones((3, 2)), *asked)
