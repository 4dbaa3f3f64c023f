"""Birds, flowers, people and cars: the same bytes whatever is asked beside, and true annotations."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from scipy.spatial.transform import Rotation

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.datasets.recipes import make_recipe
from benchmark.datasets.twin_specs import TWINS
from benchmark.twins import FaceRecipe, Framing, TwinBatch, render
from benchmark.twins.bird import BirdRecipe
from benchmark.twins.bird_species import Species
from benchmark.twins.car import CarRecipe, forward_up_right
from benchmark.twins.car_models import Model
from benchmark.twins.car_shape import Car, camera_rotation
from benchmark.twins.flower import FlowerRecipe
from benchmark.twins.flower_kinds import Bloom
from benchmark.twins.person import PersonRecipe
from benchmark.twins.person_body import Gesture, Skeleton
from benchmark.twins.person_traits import Someone
from benchmark.twins.scene import SceneBuilder
from benchmark.twins.surface import surface_points

SIZE = 80
PEOPLE = 12
COUNT = 36
NAMES = ("bird", "flower", "person", "car")
SHARES = {"bird": (0.06, 0.5), "flower": (0.1, 0.8), "person": (0.05, 0.35), "car": (0.08, 0.4)}
ARRAYS = [f.name for f in dataclasses.fields(TwinBatch) if not f.name.endswith("_names")]


@pytest.fixture(scope="module")
def batches():
    return {name: render(recipe(name), COUNT, SIZE, 11, cloud=200) for name in NAMES}


@pytest.fixture(scope="module")
def birds(batches):
    return batches["bird"]


@pytest.fixture(scope="module")
def people(batches):
    return batches["person"]


@pytest.fixture(scope="module")
def cars(batches):
    return batches["car"]


def recipe(name):
    return make_recipe(name, range(PEOPLE), **({"views": 3} if name == "car" else {}))


def rotations(batch):
    return Rotation.from_quat(np.roll(batch.quaternions, -1, axis=1)).as_matrix()


def projected(batch, points):
    seen = np.einsum("nij,nkj->nki", rotations(batch), points) + batch.translations[:, None]
    pixels = np.einsum("nij,nkj->nki", batch.intrinsics, seen)
    return pixels[..., :2] / pixels[..., 2:], seen[..., 2]


def near(masks, points, pixels=1):
    """Whether points (N, K, 2) lie within that many pixels of masks (N, H, W)."""
    grown = np.stack([binary_dilation(m, iterations=pixels) for m in masks])
    place = np.clip(np.rint(points).astype(int), 0, masks.shape[1] - 1)
    return grown[np.arange(len(masks))[:, None], place[..., 1], place[..., 0]]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_depends_on_recipe_size_seed_and_index_alone(name, batches):
    one = render(recipe(name), 3, SIZE, 11, first=17, cloud=200, threads=2)
    for array in ARRAYS:
        expected = getattr(batches[name], array)[17:20]
        assert getattr(one, array).tobytes() == expected.tobytes(), array
    other = render(recipe(name), 3, SIZE, 12, first=17)
    assert (other.images != one.images).mean() > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_foreground_parts_depth_and_colours_are_sensible(name, batches):
    batch = batches[name]
    np.testing.assert_array_equal(batch.foreground, batch.parts != 0)
    np.testing.assert_array_equal(np.isfinite(batch.depth), batch.foreground)
    assert {batch.part_names[i] for i in np.unique(batch.parts)} == set(batch.part_names)
    share = batch.foreground.mean(axis=(1, 2))
    assert SHARES[name][0] < share.min()
    assert share.max() < SHARES[name][1]
    assert batch.images.std(axis=(1, 2)).mean() > 25
    assert batch.attributes.shape == (COUNT, len(batch.attribute_names))
    assert np.isfinite(batch.attributes).all()


@pytest.mark.parametrize("name", NAMES)
def test_landmarks_and_clouds_project_onto_the_picture(name, batches):
    batch = batches[name]
    pixels, _ = projected(batch, batch.landmarks_3d)
    np.testing.assert_allclose(pixels, batch.landmarks, atol=1e-3)
    pixels, depth = projected(batch, batch.clouds)
    inside = ((pixels >= 0) & (pixels <= SIZE - 1)).all(axis=2)
    on = near(batch.foreground, pixels)
    # a branch or a leaf may hide a little of the subject
    assert on[inside].mean() > 0.97
    # no point of the surface is in front of the first surface
    place = np.clip(np.rint(pixels).astype(int), 0, SIZE - 1)
    first = batch.depth[np.arange(COUNT)[:, None], place[..., 1], place[..., 0]]
    slack = 0.04 * np.ptp(depth, axis=1, keepdims=True)
    clear = inside & on & np.isfinite(first)
    assert (depth >= first - slack)[clear].mean() > 0.93
    assert (np.abs(depth - first) < slack)[clear].mean() > 0.3


@pytest.mark.parametrize("name", ["bird", "flower", "person"])
def test_visible_landmarks_lie_on_the_subject(name, batches):
    batch = batches[name]
    assert batch.visible.mean() > 0.5
    assert near(batch.foreground, batch.landmarks)[batch.visible].mean() > 0.99
    points = batch.landmarks[batch.visible]
    assert points.min() >= -0.5
    assert points.max() < SIZE - 0.5


@pytest.mark.parametrize("name", NAMES)
def test_identities_follow_the_rule(name, batches):
    index = np.arange(COUNT)
    expected = index // 3 if name == "car" else index % PEOPLE
    np.testing.assert_array_equal(batches[name].identity, expected % PEOPLE)
    some = make_recipe(name, (5, 3), **({"views": 1} if name == "car" else {}))
    assert render(some, 3, 16, 0).identity.tolist() == [5, 3, 5]


@pytest.mark.parametrize("traits", [Species, Bloom, Someone, Model])
def test_traits_are_the_identitys(traits):
    assert traits.draw(11, 7) == traits.draw(11, 7)
    assert len({str(traits.draw(11, i)) for i in range(20)}) == 20
    assert traits.draw(11, 7) != traits.draw(12, 7)


def test_kinds_and_builds_are_kept_by_identity(batches):
    for name, ending in (("bird", "_build"), ("flower", "_kind"), ("car", "_style")):
        batch = batches[name]
        columns = [i for i, n in enumerate(batch.attribute_names) if n.endswith(ending)]
        assert len(columns) >= 7
        kinds = batch.attributes[:, columns]
        np.testing.assert_array_equal(kinds.sum(axis=1), 1)
        assert (kinds.sum(axis=0) > 0).sum() >= 4
        for identity in range(PEOPLE):
            same = kinds[batch.identity == identity]
            assert (same == same[0]).all()


def test_birds_look_where_their_yaw_says(birds):
    tip, nape = birds.landmarks_3d[:, 1], birds.landmarks_3d[:, 9]
    tail, crown = birds.landmarks_3d[:, 13], birds.landmarks_3d[:, 4]
    assert (tip[:, 2] < nape[:, 2]).mean() > 0.9
    assert (tail[:, 2] > crown[:, 2]).all()
    yaw = np.radians(birds.attribute("yaw"))
    body = birds.landmarks[:, 13, 0] - birds.landmarks[:, 4, 0]
    side = np.abs(np.sin(yaw)) > 0.6
    assert side.mean() > 0.6
    assert (np.sign(body) == -np.sign(np.sin(yaw)))[side].all()


def test_a_birds_left_is_its_own(birds):
    """Facing the right of the picture a bird shows its right side, and the other way round."""
    names = birds.landmark_names
    left, right = names.index("left eye"), names.index("right eye")
    assert (birds.landmarks_3d[:, left, 0] - birds.landmarks_3d[:, right, 0]).mean() > 0.1
    yaw = birds.attribute("yaw")
    assert birds.visible[yaw > 40][:, right].mean() > birds.visible[yaw > 40][:, left].mean() + 0.3
    assert (
        birds.visible[yaw < -40][:, left].mean() > birds.visible[yaw < -40][:, right].mean() + 0.3
    )
    eyes = birds.parts == birds.part_names.index("eyes")
    seen = birds.visible[:, [left, right]]
    assert near(eyes, birds.landmarks[:, [left, right]])[seen].mean() > 0.9


def test_bird_points_lie_on_their_parts(birds):
    for part, points in (
        ("beak", ["beak"]),
        ("head", ["crown", "forehead", "nape"]),
        ("wings", ["left wing", "right wing"]),
        ("legs", ["left leg", "right leg"]),
        ("tail", ["tail"]),
    ):
        columns = [birds.landmark_names.index(p) for p in points]
        mask = birds.parts == birds.part_names.index(part)
        if part == "tail":  # folded wings reach over it
            mask |= birds.parts == birds.part_names.index("wings")
        if part == "legs":  # so does the down of the belly
            mask |= birds.parts == birds.part_names.index("body")
        seen = birds.visible[:, columns]
        assert near(mask, birds.landmarks[:, columns], 2)[seen].mean() > 0.8, part


def test_flying_and_perching_are_settings():
    flying = render(BirdRecipe(range(6), flying=1.0), 6, 32, 3)
    assert flying.attribute("flying").all()
    assert not flying.attribute("perched").any()
    assert not render(BirdRecipe(range(6), flying=0.0), 6, 32, 3).attribute("flying").any()
    profile = render(BirdRecipe(range(6), profile=1.0), 40, 16, 3).attribute("yaw")
    assert (np.abs(np.abs(profile) - 90) <= 40).all()


def test_flowers_show_petals_round_their_centre(batches):
    flowers = batches["flower"]
    centre = flowers.parts == flowers.part_names.index("centre")
    petals = flowers.parts == flowers.part_names.index("petals")
    upright = flowers.attribute("tulip_kind") == 0
    assert (petals.sum(axis=(1, 2)) > centre.sum(axis=(1, 2))).all()
    seen = flowers.visible[:, 0] & upright
    assert seen[upright].mean() > 0.8
    assert near(centre, flowers.landmarks, 2)[seen].mean() > 0.9
    y, x = np.indices((SIZE, SIZE))
    for mask, point in zip(petals[seen], flowers.landmarks[seen, 0], strict=True):
        dx, dy = x[mask] - point[0], y[mask] - point[1]
        assert min((dx < 0).mean(), (dx > 0).mean(), (dy < 0).mean(), (dy > 0).mean()) > 0.05


def test_pitch_lifts_a_flower_and_yaw_turns_it():
    def middle(**angles):
        flat = {"yaw": (0, 0), "pitch": (0, 0)} | angles
        return rotations(render(FlowerRecipe(range(1), **flat), 30, 16, 1)) @ [0, 0, -1.0]

    # daisies and the like look along -z; rolls are small and even out
    assert middle(yaw=(40, 40)).mean(axis=0)[0] > 0.5
    level = FlowerRecipe([i for i in range(30) if Bloom.draw(1, i).kind != "tulip"][:5],
                         pitch=(40, 40), yaw=(0, 0))  # fmt: skip
    assert (rotations(render(level, 10, 16, 1)) @ [0, 0, -1.0]).mean(axis=0)[1] < -0.5


def test_joints_are_in_coco_order_and_bones_keep_their_length(people):
    names = people.landmark_names
    assert names[:8] == ("nose", "neck", "right shoulder", "right elbow", "right wrist",
                         "left shoulder", "left elbow", "left wrist")  # fmt: skip
    assert names[8:14] == ("right hip", "right knee", "right ankle", "left hip", "left knee",
                           "left ankle")  # fmt: skip
    assert names[14:] == ("right eye", "left eye", "right ear", "left ear")
    points = people.landmarks_3d.astype(np.float64)
    for a, b in ((2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (11, 12), (12, 13), (14, 15)):
        length = np.linalg.norm(points[:, a] - points[:, b], axis=1).reshape(3, PEOPLE)
        np.testing.assert_allclose(length, length[:1].repeat(3, axis=0), rtol=1e-5)
        assert np.ptp(length[0]) > 1e-4
    for right, left in ((2, 5), (3, 6), (8, 11), (9, 12)):
        bones = [np.linalg.norm(points[:, i] - points[:, i + 1], axis=1) for i in (right, left)]
        np.testing.assert_allclose(*bones, rtol=1e-5)
    height = points[:, [10, 13], 1].max(axis=1) - points[:, 0, 1]
    assert height.min() > 1.0
    assert height.max() < 1.8


def test_people_face_where_their_yaw_says(people):
    front = render(PersonRecipe(range(8), yaw=(0, 0)), 16, 48, 2)
    back = render(PersonRecipe(range(8), yaw=(180, 180)), 16, 48, 2)
    # one's right side is on the left of the picture when one faces the viewer
    assert (front.landmarks[:, 2, 0] < front.landmarks[:, 5, 0]).all()
    assert (back.landmarks[:, 2, 0] > back.landmarks[:, 5, 0]).all()
    face = [0, 14, 15]
    assert front.visible[:, face].mean() > 0.8
    assert back.visible[:, face].mean() < 0.1
    assert back.visible[:, [2, 5]].mean() > 0.8


def test_joints_lie_in_their_limbs(people):
    for part, points in (
        (("head", "hair"), (0, 14, 15)),
        (("arms", "hands", "torso"), (2, 3, 5, 6)),
        (("arms", "hands"), (4, 7)),
        (("legs", "feet"), (9, 10, 12, 13)),
    ):
        mask = np.isin(people.parts, [people.part_names.index(p) for p in part])
        seen = people.visible[:, points]
        assert near(mask, people.landmarks[:, points])[seen].mean() > 0.93, part


def test_a_hanging_arm_hangs_and_a_lifted_one_rises():
    someone = Someone.draw(0, 0)
    still = {
        "walking": False, "lean": (0.0, 0.0), "twist": 0.0, "head": (0.0, 0.0, 0.0),
        "arm_round": (0.0, 0.0), "elbow": (0.0, 0.0), "elbow_turn": (0.0, 0.0),
        "leg_out": (0.0, 0.0), "leg_ahead": (0.0, 0.0), "knee": (0.0, 0.0),
    }  # fmt: skip
    joints = Skeleton(someone, Gesture(lift=(0.0, 170.0), **still)).joints
    assert joints["right wrist"][1] > joints["right elbow"][1] > joints["right shoulder"][1]
    assert joints["left wrist"][1] < joints["left elbow"][1] < joints["left shoulder"][1]
    assert joints["left ankle"][1] > joints["left knee"][1] > joints["left hip"][1]
    assert joints["nose"][2] < joints["left ear"][2]
    ahead = Skeleton(someone, Gesture(lift=(90.0, 0.0), **(still | {"arm_round": (90.0, 0.0)})))
    assert ahead.joints["right wrist"][2] < -0.3  # ahead is -z


@pytest.mark.parametrize("background", ["plain", "indoor", "outdoor"])
def test_a_persons_background_leaves_the_annotations(background, people):
    one = render(PersonRecipe(range(PEOPLE), background=background), 2, SIZE, 11)
    assert one.images.std() > 10
    assert one.parts.shape == (2, SIZE, SIZE)


def test_views_share_the_shape_and_differ_in_the_camera(cars):
    scenes = [CarRecipe(range(4), views=3).scene(5, i, 48) for i in range(6)]
    for field in ("centre", "axes", "radii", "part", "colour"):
        first, second, other = (getattr(scenes[i].solids, field) for i in (0, 1, 3))
        np.testing.assert_array_equal(first, second)
        assert first.shape != other.shape or (first != other).any()
    assert np.ptp(cars.attribute("azimuth").reshape(-1, 3), axis=1).min() > 1
    assert len({s.camera.rotation.tobytes() for s in scenes}) == 6
    # the ground's shadow does not change what the car is
    shaded = CarRecipe(range(4), views=3, background="clutter", elevation=(20, 30)).scene(5, 0, 48)
    kept = shaded.solids.part != 0
    np.testing.assert_array_equal(shaded.solids.centre[kept], scenes[0].solids.centre)
    assert (~kept).sum() == 1


def test_the_corners_of_a_cars_box_hold_it_in_every_view():
    marked = make_recipe("car", range(3), landmarks=8, views=2)
    assert marked.landmark_names[:2] == ("lower front left", "lower back left")
    with_corners = render(marked, 6, 64, 5)
    plain = render(CarRecipe(range(3), views=2), 6, 64, 5)
    assert plain.landmarks.shape == (6, 0, 2)
    np.testing.assert_array_equal(with_corners.images, plain.images)
    for points, covered in zip(with_corners.landmarks, with_corners.foreground, strict=True):
        rows, columns = np.nonzero(covered)
        (left, top), (right, bottom) = points.min(0), points.max(0)
        assert left - 1 <= columns.min()
        assert columns.max() <= right + 1
        assert top - 1 <= rows.min()
        assert rows.max() <= bottom + 1
    low, high = with_corners.landmarks_3d.min(1), with_corners.landmarks_3d.max(1)
    np.testing.assert_allclose(np.linalg.norm(high - low, axis=1), 1, atol=1e-6)
    assert (with_corners.landmarks_3d[:, 0] == low).all()  # left, lower, and the nose is at -z


def test_cars_are_of_diagonal_one_upright_and_nose_first(cars):
    clouds = cars.clouds
    size = np.ptp(clouds, axis=1)
    assert (np.abs(clouds) < 0.52).all()
    assert (size[:, 2] > 1.8 * size[:, 0]).all()
    assert (size[:, 2] > 1.8 * size[:, 1]).all()
    np.testing.assert_allclose(np.linalg.norm(size, axis=1), 1, atol=0.08)
    for identity in range(4):
        model, builder = Model.draw(11, identity), SceneBuilder()
        Car(model).build(builder)
        solids = builder.solids()
        wheels = solids.centre[solids.part == cars.part_names.index("wheels")]
        assert wheels[:, 1].max() < 0  # y is up, so wheels are below the middle
        lamps = solids.centre[solids.part == cars.part_names.index("lights")]
        colour = solids.colour[solids.part == cars.part_names.index("lights")]
        red = colour[:, 0] > 3 * colour[:, 1]
        assert lamps[red, 2].min() > 0.3
        assert lamps[~red, 2].max() < -0.3


def test_the_cars_camera_is_that_of_the_reference_renders(cars):
    np.testing.assert_allclose(cars.translations, [[0, 0, 2]] * COUNT)
    middle = (SIZE - 1) / 2
    expected = [[1.875 * SIZE, 0, middle], [0, 1.875 * SIZE, middle], [0, 0, 1]]
    np.testing.assert_allclose(cars.intrinsics, np.broadcast_to(expected, (COUNT, 3, 3)), rtol=1e-6)
    assert cars.attribute("elevation").min() >= -20
    assert cars.attribute("elevation").max() < 40
    edge = np.concatenate([cars.foreground[:, [0, -1]].ravel(),
                           cars.foreground[:, :, [0, -1]].ravel()])  # fmt: skip
    assert not edge.any()
    pixels, _ = projected(cars, cars.clouds)
    assert near(cars.foreground, pixels).mean() > 0.995


@pytest.mark.parametrize("azimuth", [-170, -90, -20, 0, 35, 90, 140])
@pytest.mark.parametrize("elevation", [-20, 0, 39])
def test_camera_rotation_is_a_look_at_and_the_references_quaternion(azimuth, elevation):
    a, e = np.radians(azimuth), np.radians(elevation)
    # the camera's place in the axes of the renders, z up, which take (x, y, z) to (x, -z, y)
    x, y, z = np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)
    forward = -np.array([x, z, -y])
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    rotation = camera_rotation(azimuth, elevation)
    np.testing.assert_allclose(rotation, [right, np.cross(forward, right), forward], atol=1e-12)
    yaw = np.arccos(x / np.hypot(x, y))
    yaw = (2 * np.pi - yaw if y > 0 else yaw) + np.pi
    reference = Rotation.from_euler("z", np.arcsin(z)) * Rotation.from_euler("y", yaw)
    ours = np.roll(Rotation.from_matrix(rotation).as_quat(), 1)
    turned = forward_up_right(ours[None])[0]
    assert turned[0] >= 0
    np.testing.assert_allclose(
        Rotation.from_quat(np.roll(turned, -1)).as_matrix(), reference.as_matrix(), atol=1e-12
    )


@pytest.mark.parametrize("identity", range(8))
def test_car_clouds_are_outside_all_solids(identity):
    builder = SceneBuilder()
    Car(Model.draw(2, identity)).build(builder)
    solids = builder.solids()
    points = surface_points(solids, 1500, np.random.default_rng(identity)).astype(np.float64)
    touches = np.zeros(len(points), dtype=bool)
    for i in range(len(solids.kind)):
        place = (points - solids.centre[i]) @ solids.axes[i] / solids.radii[i]
        levels = [p @ np.asarray(n) - o for n, o in solids.clips[i] for p in [points]]
        kept = np.all([level > -1e-6 for level in levels], axis=0) if levels else True
        if solids.kind[i] == 1:
            inside = (np.abs(place) < 1 - 1e-2).all(axis=1)
            edge = [np.abs(np.abs(place).max(axis=1) - 1) < 1e-3]
            edge += [(np.abs(level) < 1e-5) & (np.abs(place) < 1 + 1e-6).all(axis=1)
                     for level in levels]  # fmt: skip
            inside &= np.all([level > 1e-4 for level in levels], axis=0) if levels else True
            touches |= np.any(edge, axis=0) & kept
        else:
            radius = np.linalg.norm(place, axis=1)
            inside = radius < 1 - 1e-2 if not levels else np.zeros(len(points), dtype=bool)
            touches |= (np.abs(radius - 1) < 1e-3) & kept
        assert not inside.any(), i
    assert touches.all()


def test_white_and_black_are_plain():
    for background, level in (("white", 255), ("black", 0)):
        batch = render(CarRecipe(range(2), background=background), 2, 48, 0)
        grown = binary_dilation(batch.foreground, np.ones((1, 3, 3)))
        assert (batch.images[~grown] == level).all()
    clutter = render(CarRecipe(range(2), background="clutter"), 2, 48, 0)
    assert clutter.images[~clutter.foreground].std() > 5


def test_the_evening_is_darker_and_warmer_and_the_cars_are_the_same():
    day, evening = (
        render(CarRecipe(range(4), background="black", light=light), 4, 48, 0)
        for light in ("", "evening")
    )
    assert np.array_equal(day.foreground, evening.foreground)
    bright, dim = (b.images[b.foreground].mean(0, dtype=float) for b in (day, evening))
    assert dim.mean() < 0.9 * bright.mean()
    assert dim[0] / dim[1] > 1.05 * bright[0] / bright[1]


def test_grain_is_of_the_levels_that_are_asked_for():
    plain, noisy = (
        render(CarRecipe(range(2), background="black", grain=grain), 2, 48, 0)
        for grain in (None, (6.0, 6.0))
    )
    difference = (noisy.images.astype(float) - plain.images)[plain.foreground]
    assert 4 < difference.std() < 7


@pytest.mark.parametrize("name", NAMES)
def test_framing_is_taken(name):
    framing = Framing(scale=(0.4, 0.4), shift=(0, 0))
    batch = render(make_recipe(name, range(2), framing=framing), 2, 64, 0)
    if name in ("bird", "person"):
        sides = np.ptp(batch.landmarks, axis=1).max(axis=1)
        np.testing.assert_allclose(sides, 0.4 * 64, atol=1e-3)
    else:
        rows, columns = (batch.foreground.any(axis=a).sum(axis=1) for a in (2, 1))
        longest = np.maximum(rows, columns)
        assert longest.max() <= 0.5 * 64
        assert longest.min() >= 0.3 * 64


def test_the_registry_makes_each_by_name_and_imports_late():
    own = [spec.id for spec in TWINS]
    assert set(own) == {"face", *NAMES}
    for name in own:
        made = make_recipe(name, range(3))
        assert made.name == name
        assert render(made, 1, 16, 0).images.shape == (1, 16, 16, 3)
    face = make_recipe("face", range(3), landmarks=5)
    assert face == FaceRecipe(range(3), 5)
    assert len(make_recipe("bird", range(3), landmarks=15).landmark_names) == 15
    code = (
        "import sys, benchmark.datasets.recipes as r; print(sorted(m for m in sys.modules "
        "if m.rsplit('.')[-1] in ('bird', 'flower', 'person', 'car')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: BirdRecipe(()), "identities"),
        (lambda: FlowerRecipe((1, -2)), "identities"),
        (lambda: PersonRecipe(()), "identities"),
        (lambda: CarRecipe(()), "identities"),
        (lambda: BirdRecipe(range(2), elevation=(5, -5)), "elevation"),
        (lambda: BirdRecipe(range(2), flying=1.5), "flying"),
        (lambda: FlowerRecipe(range(2), yaw=(5, -5)), "yaw"),
        (lambda: PersonRecipe(range(2), background="moon"), "background"),
        (lambda: CarRecipe(range(2), background="moon"), "background"),
        (lambda: CarRecipe(range(2), views=0), "views"),
        (lambda: CarRecipe(range(2), light="noon"), "light"),
        (lambda: CarRecipe(range(2), grain=(4, 2)), "grain"),
        (lambda: CarRecipe(range(2), landmarks=4), "landmarks"),
        (lambda: make_recipe("dog", range(2)), "twin recipe"),
        (lambda: make_recipe("bird", range(2), landmarks=9), "15 landmarks"),
        (lambda: make_recipe("face", range(2), landmarks=9), "68 or 5"),
    ],
)
def test_bad_settings_are_refused_with_a_cure(make, match):
    with pytest.raises((InvalidInput, UnknownName), match=match) as caught:
        make()
    assert caught.value.cure
