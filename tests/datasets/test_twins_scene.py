"""Frames, cameras and ray casting of the twins, against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from benchmark.contracts.errors import InvalidInput
from benchmark.twins import Framing
from benchmark.twins.raycast import FAR, Rays, cast, outlines
from benchmark.twins.renderer import at_points, attach
from benchmark.twins.scene import BOX, Camera, SceneBuilder, quaternion, turning
from benchmark.twins.surface import surface_points

AHEAD = np.array([0.0, 0.0, 10.0])
CAMERA = Camera(np.eye(3), AHEAD, 100.0, (31.5, 31.5))
GREY = (0.5, 0.5, 0.5)
degrees = st.floats(-180, 180)


def grid(camera, size=64):
    place = np.arange(size, dtype=np.float64)
    return Rays(camera, place, place, grid=True)


def solids(*rows, **options):
    builder = SceneBuilder()
    for number, (centre, radii) in enumerate(rows):
        builder.solid(centre, radii, number + 1, GREY, **options)
    return builder.solids()


@settings(deadline=None)
@given(degrees, degrees, degrees)
def test_turning_is_scipys_rotation_about_fixed_axes(x, y, z):
    expected = Rotation.from_euler("xyz", [x, y, z], degrees=True).as_matrix()
    np.testing.assert_allclose(turning((x, y, z)), expected, atol=1e-12)


@settings(deadline=None)
@given(degrees, degrees, degrees)
def test_quaternion_gives_the_rotation_back(x, y, z):
    rotation = turning((x, y, z))
    q = quaternion(rotation)
    assert q[0] >= 0
    np.testing.assert_allclose(np.linalg.norm(q), 1, atol=1e-12)
    again = Rotation.from_quat(np.roll(q, -1)).as_matrix()
    np.testing.assert_allclose(again, rotation, atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(degrees, st.integers(16, 300), st.lists(st.floats(0, 0.999), min_size=3, max_size=3))
def test_framing_puts_the_box_where_it_says(yaw, size, draws):
    points = np.random.default_rng(3).uniform(-1, 1, (20, 3))
    framing = Framing(scale=(0.5, 0.7), shift=(-0.1, 0.1))
    pixels = framing.camera(points, turning((0, yaw, 0)), AHEAD, size, draws).project(points)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    assert (high - low).max() == pytest.approx(size * (0.5 + 0.2 * draws[0]))
    offset = (low + high) / 2 - (size - 1) / 2
    np.testing.assert_allclose(offset, [size * (0.2 * d - 0.1) for d in draws[1:]], atol=1e-9)


@pytest.mark.parametrize("bad", [{"scale": (0.7, 0.6)}, {"scale": (0, 1)}, {"shift": (0.1, 0)}])
def test_framing_refuses_ranges_upside_down(bad):
    with pytest.raises(InvalidInput, match="framing"):
        Framing(**bad)


def test_depth_and_normal_of_a_sphere_are_the_closed_form():
    hits = cast(solids(((0.3, -0.2, 0), (2, 2, 2))), CAMERA, grid(CAMERA))
    place = (np.arange(64) - 31.5) / 100
    ray = np.stack([*np.meshgrid(place, place), np.ones((64, 64))], axis=-1)
    centre = np.array([0.3, -0.2, 10])
    a, h = (ray**2).sum(axis=-1), ray @ centre
    inside = h**2 - a * (centre @ centre - 4)
    expected = (h - np.sqrt(np.maximum(inside, 0))) / a
    hit = hits.solid == 0
    clear = np.abs(inside) > 0.05
    np.testing.assert_array_equal(hit[clear], (inside > 0)[clear])
    seen = hit & clear
    np.testing.assert_allclose(hits.depth[seen], expected[seen], rtol=2e-6)
    normal = expected[..., None] * ray - centre
    normal, ray = normal[seen], ray[seen]
    normal /= (normal * ray).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(hits.normal_x[seen], normal[:, 0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(hits.normal_y[seen], normal[:, 1], rtol=1e-3, atol=1e-4)
    assert (hits.depth[~hit] == FAR).all()


def test_front_face_of_a_box_is_flat_and_faces_the_camera():
    hits = cast(solids(((0, 0, 0), (1, 2, 0.5)), kind=BOX), CAMERA, grid(CAMERA))
    hit = hits.solid == 0
    np.testing.assert_allclose(hits.depth[hit], 9.5, rtol=1e-6)
    np.testing.assert_allclose(hits.normal_x[hit], 0, atol=1e-6)
    rows, columns = np.nonzero(hit)
    half = 100 / 9.5  # pixels per unit at the face
    assert (columns.min(), columns.max()) == (round(32 - half), round(31 + half))
    assert (rows.min(), rows.max()) == (round(32 - 2 * half), round(31 + 2 * half))


def test_a_clip_of_a_box_is_a_closed_slanted_face():
    wedge = solids(((0, 0, 0), (1, 1, 1)), kind=BOX, clips=[((0, 1, 1), 0.0)])
    hits = cast(wedge, CAMERA, grid(CAMERA))
    v = (np.arange(64) - 31.5) / 100
    expected = 10 / (1 + v)  # where y + z = 0 along the ray (u, v, 1) from 10 in front
    column = hits.depth[:, 31]
    hit = hits.solid[:, 31] == 0
    cut = hit & (np.abs(v * expected) < 0.97)
    assert cut.sum() > 12
    np.testing.assert_allclose(column[cut], expected[cut], rtol=1e-5)
    # scaled to n . d = 1, the normal of y + z = 0 is (0, 1, 1) / (v + 1)
    np.testing.assert_allclose(hits.normal_y[cut, 31], 1 / (1 + v[cut]), rtol=1e-5)
    np.testing.assert_allclose(hits.normal_x[cut, 31], 0, atol=1e-6)
    # seen from behind, where nothing is cut, it is the whole box
    behind = Camera(turning((0, 180, 0)), AHEAD, 100.0, (31.5, 31.5))
    whole = cast(solids(((0, 0, 0), (1, 1, 1)), kind=BOX), behind, grid(behind))
    again = cast(wedge, behind, grid(behind))
    np.testing.assert_array_equal(again.depth, whole.depth)


def test_a_box_clipped_away_is_not_there():
    gone = cast(
        solids(((0, 0, 0), (1, 1, 1)), kind=BOX, clips=[((1, 0, 0), 2.0)]), CAMERA, grid(CAMERA)
    )
    assert (gone.solid == -1).all()


def test_the_nearer_solid_wins_in_either_order():
    near, far = ((0, 0, -2), (0.5, 0.5, 0.5)), ((0, 0, 1), (1, 1, 1))
    one = cast(solids(near, far), CAMERA, grid(CAMERA))
    two = cast(solids(far, near), CAMERA, grid(CAMERA))
    np.testing.assert_array_equal(one.depth, two.depth)
    assert one.solid[31, 31] == 0
    assert two.solid[31, 31] == 1


def test_blending_changes_nothing_where_depths_are_far_apart_and_never_recedes():
    rows = [((0, 0, 0), (2, 2, 2)), ((0, 0, -1.9), (0.8, 0.8, 0.8))]
    hard = cast(solids(*rows), CAMERA, grid(CAMERA))
    soft = cast(solids(*rows, blend=0.2), CAMERA, grid(CAMERA))
    assert soft.depth[31, 31] == pytest.approx(hard.depth[31, 31], rel=1e-6)
    assert soft.depth[31, 16] == pytest.approx(hard.depth[31, 16], rel=1e-6)
    one = np.isclose(hard.depth, soft.depth, atol=1e-4)
    assert 0.02 < (~one[hard.solid >= 0]).mean() < 0.5
    assert np.abs(soft.depth - hard.depth)[hard.solid >= 0].max() < 0.4


def test_a_clip_opens_a_shell_onto_its_inner_face():
    half = solids(((0, 0, 0), (2, 2, 2)), clips=[((0, 0, 1), 0.0)])
    hits = cast(half, CAMERA, grid(CAMERA))
    assert hits.depth[31, 31] == pytest.approx(12, abs=0.01)
    above = solids(((0, 0, 0), (2, 2, 2)), clips=[((0, -1, 0), 0.0)])
    hits = cast(above, CAMERA, grid(CAMERA))
    assert hits.solid[20, 31] == 0
    assert hits.solid[36, 31] == -1
    whole = cast(solids(((0, 0, 0), (2, 2, 2))), CAMERA, grid(CAMERA))
    np.testing.assert_array_equal(hits.depth[:30], whole.depth[:30])


def test_a_hole_leaves_a_ring():
    ring = solids(((0, 0, 0), (2, 2, 0.01)), hole=0.8)
    hits = cast(ring, CAMERA, grid(CAMERA))
    radius = np.hypot(*np.meshgrid(np.arange(64) - 31.5, np.arange(64) - 31.5)) / 10
    hit = hits.solid == 0
    assert hit[(radius > 1.66) & (radius < 1.94)].all()
    assert not hit[(radius < 1.54) | (radius > 2.06)].any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_grid_and_single_rays_agree_so_no_rectangle_is_too_small(seed):
    random = np.random.default_rng(seed)
    builder = SceneBuilder()
    for number in range(6):
        builder.solid(
            random.uniform(-1.5, 1.5, 3).tolist(),
            random.uniform(0.05, 1.2, 3).tolist(),
            number + 1,
            GREY,
            turn=random.uniform(-180, 180, 3).tolist(),
            kind=number % 2,
        )
    scene = builder.solids()
    camera = Camera(turning(random.uniform(-180, 180, 3)), AHEAD, 90.0, (30.0, 33.0))
    whole = cast(scene, camera, grid(camera))
    y, x = np.indices((64, 64)).reshape(2, -1).astype(np.float64)
    single = at_points(scene, camera, np.stack([x, y], axis=1))
    np.testing.assert_array_equal(single.solid, whole.solid.ravel())
    np.testing.assert_array_equal(single.depth, whole.depth.ravel())


def test_outline_of_a_centred_sphere():
    bounds = outlines(np.array([[0.0, 0.0, 5.0]]), np.eye(3)[None], np.full((1, 3), 3.0))
    np.testing.assert_allclose(bounds, [[-0.75, 0.75, -0.75, 0.75]])  # tan(asin(3 / 5))


def test_a_solid_that_reaches_the_camera_is_refused():
    with pytest.raises(InvalidInput, match="in front of the camera"):
        cast(solids(((0, 0, -9), (2, 2, 2))), CAMERA, grid(CAMERA))


def test_attach_moves_points_onto_the_surface_and_leaves_those_that_miss():
    sphere = solids(((0, 0, 0), (2, 2, 2)))
    points = np.array([[0.5, 0.3, -1.0], [0.0, 0.0, -3.0], [4.0, 4.0, 0.0]])
    moved = attach(sphere, CAMERA, points)
    np.testing.assert_allclose(np.linalg.norm(moved[:2], axis=1), 2, atol=1e-5)
    np.testing.assert_allclose(CAMERA.project(moved), CAMERA.project(points), atol=1e-9)
    np.testing.assert_allclose(moved[2], points[2])


def test_surface_points_are_even_on_one_ellipsoid_and_outside_all():
    one = solids(((1, 0, 0), (2, 2, 2)))
    points = surface_points(one, 4000, np.random.default_rng(0)) - np.array([1, 0, 0])
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 2, atol=1e-5)
    np.testing.assert_allclose((points**2).mean(axis=0), 4 / 3, rtol=0.08)
    needle = solids(((0, 0, 0), (4, 1, 1)))
    x = surface_points(needle, 4000, np.random.default_rng(0))[:, 0] / 4
    place = np.linspace(-1, 1, 20001)  # area of a prolate spheroid along its axis
    area = np.sqrt(1 - (1 - 1 / 16) * place**2)
    assert (x**2).mean() == pytest.approx((area * place**2).sum() / area.sum(), rel=0.06)
    two = solids(((0, 0, 0), (2, 2, 2)), ((2, 0, 0), (1, 1, 1)))
    points = surface_points(two, 1000, np.random.default_rng(0))
    assert (np.linalg.norm(points, axis=1) > 2 - 1e-3).all()
    assert (np.linalg.norm(points - [2, 0, 0], axis=1) > 1 - 1e-3).all()


def test_surface_points_of_a_scene_clipped_away_are_refused():
    nothing = solids(((0, 0, 0), (1, 1, 1)), clips=[((0, 1, 0), 5.0)])
    with pytest.raises(InvalidInput, match="surface points"):
        surface_points(nothing, 10, np.random.default_rng(0))


def test_surface_points_keep_to_the_kept_side_of_a_clip():
    half = solids(((0, 0, 0), (2, 2, 2)), clips=[((0, -1, 0), 0.5)])
    points = surface_points(half, 500, np.random.default_rng(1))
    assert (points[:, 1] <= -0.5 + 1e-5).all()


def test_surface_points_of_a_box_are_even_over_its_faces():
    half = np.array([3.0, 1.0, 0.5])
    turn = (20, 40, -70)
    builder = SceneBuilder()
    builder.solid((1, 2, 3), half.tolist(), 1, GREY, kind=BOX, turn=turn)
    points = surface_points(builder.solids(), 12_000, np.random.default_rng(2))
    place = (points - [1, 2, 3]) @ turning(turn) / half
    np.testing.assert_allclose(np.abs(place).max(axis=1), 1, atol=1e-5)
    face = np.abs(place).argmax(axis=1)
    area = np.array([half[1] * half[2], half[0] * half[2], half[0] * half[1]])
    np.testing.assert_allclose(np.bincount(face) / len(face), area / area.sum(), atol=0.015)
    on_x = place[face == 2][:, 0]  # even along the long side of the largest face
    np.testing.assert_allclose(np.histogram(on_x, 4, (-1, 1))[0] / len(on_x), 0.25, atol=0.02)


def test_surface_points_of_boxes_and_balls_go_by_area_and_leave_the_inside_out():
    builder = SceneBuilder()
    builder.solid((0, 0, 0), (1, 1, 1), 1, GREY, kind=BOX)
    builder.solid((3, 0, 0), (1, 1, 1), 2, GREY)
    builder.solid((1, 0, 0), (0.5, 0.5, 0.5), 3, GREY, kind=BOX)
    points = surface_points(builder.solids(), 20_000, np.random.default_rng(3))
    ball = np.linalg.norm(points - [3, 0, 0], axis=1) < 1 + 1e-5
    small = ~ball & (points[:, 0] > 1 + 1e-5)
    area = np.array([24 - 1, 4 * np.pi, 5 - 4 * 0.5])  # the small box sticks out by a half
    shares = np.array([(~ball & ~small).mean(), ball.mean(), small.mean()])
    np.testing.assert_allclose(shares, area / area.sum(), atol=0.012)
    inside_big = (np.abs(points) < 1 - 1e-3).all(axis=1)
    inside_small = (np.abs(points - [1, 0, 0]) < 0.5 - 1e-3).all(axis=1)
    assert not (inside_big | inside_small).any()


def test_surface_points_cover_the_cut_of_a_box_evenly():
    builder = SceneBuilder()
    builder.solid((0, 0, 0), (1, 1, 1), 1, GREY, kind=BOX, clips=[((0, 2, 2), 0.0)])
    points = surface_points(builder.solids(), 20_000, np.random.default_rng(4))
    level = points[:, 1] + points[:, 2]
    assert (level >= -1e-5).all()
    assert (np.abs(points) <= 1 + 1e-5).all()
    on_cut = np.abs(level) < 1e-5
    area = 2 * 2 * np.sqrt(2)  # two whole faces, two halves and the cut remain
    assert on_cut.mean() == pytest.approx(area / (area + 2 * 4 + 2 * 2), abs=0.015)
    assert np.abs(points[~on_cut]).max(axis=1) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(points[on_cut].mean(axis=0), 0, atol=0.03)


def test_surface_points_leave_out_scenery_and_the_bore_of_a_ring():
    builder = SceneBuilder()
    builder.solid((0, 0, 0), (2, 2, 0.1), 1, GREY, hole=0.8)
    builder.solid((0, 0, 0.5), (1, 1, 1), 0, GREY)
    points = surface_points(builder.solids(), 400, np.random.default_rng(5))
    assert np.abs(points[:, 2]).max() < 0.1 + 1e-6
    assert np.hypot(points[:, 0], points[:, 1]).min() >= 1.6 - 1e-5
    only_scenery = SceneBuilder()
    only_scenery.solid((0, 0, 0), (1, 1, 1), 0, GREY)
    with pytest.raises(InvalidInput, match="surface points"):
        surface_points(only_scenery.solids(), 1, np.random.default_rng(0))
