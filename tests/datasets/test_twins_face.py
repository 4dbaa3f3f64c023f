"""The face twin: the same bytes whatever is asked beside, and annotations that fit the pixels."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from scipy.spatial.transform import Rotation

from benchmark.contracts.errors import InvalidInput
from benchmark.twins import FaceRecipe, Framing, five_of, render, render_faces
from benchmark.twins.face_traits import Person

SIZE = 96
ARRAYS = [
    field.name
    for field in dataclasses.fields(render_faces(0, 16))
    if not field.name.endswith("_names")
]
MIRROR = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31]
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
)


@pytest.fixture(scope="module")
def faces():
    return render_faces(120, SIZE, seed=11, identities=40, cloud=64)


@pytest.fixture(scope="module")
def frontal():
    recipe = FaceRecipe(range(60), yaw=(-8, 8), pitch=(-5, 5), roll=(-5, 5))
    return render(recipe, 60, SIZE, 4)


def assert_same(one, two):
    for name in ARRAYS:
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes(), name


def part(batch, name):
    return batch.parts == batch.part_names.index(name)


def sampled(labels, points):
    """Labels (N, K) of the pixels nearest to points (N, K, 2), clipped to the picture."""
    place = np.clip(np.rint(points).astype(int), 0, labels.shape[1] - 1)
    return labels[np.arange(len(labels))[:, None], place[..., 1], place[..., 0]]


def distances(masks, points):
    """Pixels (N, K) from points to the nearest pixel of each picture's mask."""
    return np.stack(
        [
            sampled(distance_transform_edt(~mask)[None], p[None])[0]
            for mask, p in zip(masks, points, strict=True)
        ]
    )


def test_shapes_and_types(faces):
    n, k, a = 120, 68, len(faces.attribute_names)
    expected = {
        "images": ((n, SIZE, SIZE, 3), np.uint8),
        "landmarks": ((n, k, 2), np.float32),
        "visible": ((n, k), np.bool_),
        "parts": ((n, SIZE, SIZE), np.uint8),
        "foreground": ((n, SIZE, SIZE), np.bool_),
        "depth": ((n, SIZE, SIZE), np.float32),
        "identity": ((n,), np.int64),
        "attributes": ((n, a), np.float32),
        "landmarks_3d": ((n, k, 3), np.float32),
        "quaternions": ((n, 4), np.float32),
        "translations": ((n, 3), np.float32),
        "intrinsics": ((n, 3, 3), np.float32),
        "clouds": ((n, 64, 3), np.float32),
    }
    assert set(expected) == set(ARRAYS)
    for name, (shape, dtype) in expected.items():
        array = getattr(faces, name)
        assert array.shape == shape, name
        assert array.dtype == dtype, name
        assert name == "depth" or np.isfinite(array).all(), name
    assert len(faces) == n
    assert len(faces.landmark_names) == k


def test_the_same_again_and_in_threads():
    assert_same(render_faces(6, 40, seed=2, cloud=8), render_faces(6, 40, seed=2, cloud=8))
    assert_same(
        render_faces(6, 40, seed=2, cloud=8), render_faces(6, 40, seed=2, cloud=8, threads=3)
    )


def test_a_part_of_a_series_is_the_part_of_the_whole(faces):
    some = render_faces(3, SIZE, seed=11, first=70, identities=40, cloud=64)
    for name in ARRAYS:
        assert getattr(some, name).tobytes() == getattr(faces, name)[70:73].tobytes(), name


def test_seeds_and_indices_differ():
    one, two = render_faces(2, 32, seed=0), render_faces(2, 32, seed=1)
    assert (one.images != two.images).mean() > 0.5
    assert (one.images[0] != one.images[1]).mean() > 0.5


def test_none_asked_none_given():
    nothing = render_faces(0, 32)
    assert nothing.images.shape == (0, 32, 32, 3)
    assert nothing.landmarks.shape == (0, 68, 2)


def test_size_changes_the_sampling_not_the_geometry():
    small, large = render_faces(4, 48, seed=3), render_faces(4, 96, seed=3)
    np.testing.assert_allclose((small.landmarks + 0.5) * 2 - 0.5, large.landmarks, atol=1e-3)
    np.testing.assert_array_equal(small.attributes, large.attributes)
    shrunk = large.images.reshape(4, 48, 2, 48, 2, 3).mean(axis=(2, 4))
    smooth = np.abs(small.images - shrunk).mean()
    assert smooth < 8  # 8-bit levels; grain alone is up to 5


def test_foreground_parts_and_depth_tell_the_same(faces):
    np.testing.assert_array_equal(faces.foreground, faces.parts != 0)
    np.testing.assert_array_equal(np.isfinite(faces.depth), faces.foreground)
    assert faces.depth[faces.foreground].min() > 0
    assert faces.parts.max() < len(faces.part_names)
    share = faces.foreground.mean(axis=(1, 2))
    assert share.min() > 0.3
    assert share.max() < 0.98


def test_every_part_appears_somewhere(faces):
    seen = {faces.part_names[i] for i in np.unique(faces.parts)}
    assert seen == set(faces.part_names)


def test_landmarks_are_the_projections_of_their_points(faces):
    rotation = Rotation.from_quat(np.roll(faces.quaternions, -1, axis=1)).as_matrix()
    seen = np.einsum("nij,nkj->nki", rotation, faces.landmarks_3d) + faces.translations[:, None]
    pixels = np.einsum("nij,nkj->nki", faces.intrinsics, seen)
    np.testing.assert_allclose(pixels[..., :2] / pixels[..., 2:], faces.landmarks, atol=1e-3)


def test_the_points_box_is_framed_as_asked(faces):
    low, high = faces.landmarks.min(axis=1), faces.landmarks.max(axis=1)
    side = (high - low).max(axis=1) / SIZE
    assert side.min() >= 0.61
    assert side.max() <= 0.72
    assert np.ptp(side) > 0.08
    offset = ((low + high) / 2 - (SIZE - 1) / 2) / SIZE
    assert np.abs(offset).max() <= 0.045 + 1e-5
    fixed = render_faces(2, 64, framing=Framing(scale=(0.5, 0.5), shift=(0, 0)))
    box = np.ptp(fixed.landmarks, axis=1).max(axis=1)
    np.testing.assert_allclose(box, 32, atol=1e-3)


def test_visible_landmarks_are_in_the_picture_and_on_the_figure(faces):
    points = faces.landmarks[faces.visible]
    assert points.min() >= -0.5
    assert points.max() < SIZE - 0.5
    near = distances(faces.foreground, faces.landmarks)
    assert near[faces.visible].max() <= 2
    inner = faces.visible[:, 17:] & (faces.landmarks[:, 17:] > 0).all(axis=2)
    assert (near[:, 17:][inner] <= 1).mean() > 0.995


@pytest.mark.parametrize(
    ("name", "points", "limit"),
    [("eyes", range(36, 48), 2.0), ("lips", range(48, 60), 2.3), ("brows", range(17, 27), 2.5)],
)
def test_landmarks_lie_on_or_beside_their_part(faces, name, points, limit):
    points = list(points)
    mask = part(faces, name) | (part(faces, "mouth") if name == "lips" else False)
    has = mask.any(axis=(1, 2)) & (faces.attribute("eyes_open") > 0)
    near = distances(mask[has], faces.landmarks[has][:, points])
    seen = faces.visible[has][:, points]
    assert seen.sum() > 300
    assert np.mean(near[seen] <= limit) > 0.95
    assert np.median(near[seen]) <= 1.0


def test_eye_centres_are_eyes_and_nose_tips_noses(frontal):
    five = five_of(frontal.landmarks)
    open_eyes = frontal.attribute("eyes_open") > 0
    bare = open_eyes & (frontal.attribute("glasses") == 0)
    eyes = sampled(part(frontal, "eyes"), five[:, :2])[bare]
    assert eyes.mean() > 0.97
    assert sampled(part(frontal, "nose"), five[:, 2:3]).mean() > 0.97


def test_five_points_are_those_of_the_sixty_eight(faces):
    five = render_faces(4, SIZE, seed=11, identities=40, landmarks=5)
    assert five.images.tobytes() == faces.images[:4].tobytes()
    np.testing.assert_allclose(five.landmarks_3d, five_of(faces.landmarks_3d[:4]), atol=1e-6)
    np.testing.assert_allclose(five.landmarks, five_of(faces.landmarks[:4]), atol=0.5)
    assert five.landmark_names[2] == "nose tip"


def test_order_is_ibugs_on_frontal_faces(frontal):
    x, y = frontal.landmarks[..., 0].mean(axis=0), frontal.landmarks[..., 1].mean(axis=0)
    for left_to_right in (range(17), range(17, 27), range(31, 36), range(48, 55), range(60, 65)):
        assert (np.diff(x[list(left_to_right)]) > 0).all()
    for right_to_left in (range(54, 60), range(64, 68)):
        assert (np.diff(x[list(right_to_left)]) < 0).all()
    assert (np.diff(y[27:31]) > 0).all()
    assert y[8] == y.max()
    for up, down in ((37, 41), (38, 40), (43, 47), (44, 46), (51, 57), (62, 66)):
        assert y[up] < y[down]
        assert abs(x[up] - x[down]) < 3
    assert x[36] < x[37] < x[38] < x[39] < x[42] < x[43] < x[44] < x[45]


def test_mirrored_yaw_mirrors_the_points():
    def mean(yaw):
        recipe = FaceRecipe(
            range(40), yaw=(yaw, yaw), pitch=(0, 0), roll=(0, 0), framing=Framing(shift=(0, 0))
        )
        batch = render(recipe, 40, 32, 5)
        return batch.landmarks.mean(axis=0), batch.visible.mean(axis=0)

    (right, right_seen), (left, left_seen) = mean(40.0), mean(-40.0)
    mirrored = left[MIRROR] * [-1, 1] + [31, 0]
    np.testing.assert_allclose(mirrored, right, atol=0.1)
    np.testing.assert_allclose(left_seen[MIRROR], right_seen, atol=0.2)
    # the nose turns to the right of the picture, past the middle of the eyes
    assert right[30, 0] - right[36:48, 0].mean() > 2


def test_visibility_falls_with_yaw():
    def seen(low, high):
        recipe = FaceRecipe(range(30), yaw=(low, high), pitch=(0, 0), roll=(0, 0))
        return render(recipe, 30, 32, 6).visible.mean(axis=0)

    front, half, side = seen(-3, 3), seen(28, 32), seen(57, 60)
    assert front.mean() > half.mean() + 0.05 > side.mean() + 0.1
    assert front[17:].mean() > 0.85
    # turned to the right of the picture, the jaw on the right goes first
    assert side[9:17].mean() < 0.25
    assert side[0:8].mean() > side[9:17].mean() + 0.3


def test_pitch_and_roll_turn_as_documented():
    def mean(**angles):
        poses = {"yaw": (0, 0), "pitch": (0, 0), "roll": (0, 0)} | angles
        return render(FaceRecipe(range(20), **poses), 20, 32, 7).landmarks.mean(axis=0)

    level, up, clockwise = mean(), mean(pitch=(15, 15)), mean(roll=(15, 15))
    assert up[30, 1] - up[36:48, 1].mean() < level[30, 1] - level[36:48, 1].mean() - 0.5
    assert clockwise[45, 1] - clockwise[36, 1] > 2
    recipe = FaceRecipe(range(20), yaw=(20, 20), pitch=(5, 5), roll=(-4, -4))
    batch = render(recipe, 2, 32, 0)
    for name, value in (("yaw", 20), ("pitch", 5), ("roll", -4)):
        np.testing.assert_allclose(batch.attribute(name), value)


def test_pictures_of_one_identity_share_traits_and_differ_in_pose(faces):
    assert (faces.identity == np.arange(120) % 40).all()
    kept = [n for n in faces.attribute_names if n.endswith("_hair") or n in ("beard", "pale_skin")]
    for name in kept:
        values = faces.attribute(name).reshape(3, 40)
        assert (values == values[0]).all(), name
    yaw = faces.attribute("yaw").reshape(3, 40)
    assert np.ptp(yaw, axis=0).min() > 0.5
    assert Person.draw(11, 7) == Person.draw(11, 7)
    assert Person.draw(11, 7) != Person.draw(11, 8)
    # the proportions are the person's: eye distance in head units does not change with the shot
    eyes = five_of(faces.landmarks_3d)
    apart = np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1).reshape(3, 40)
    assert np.ptp(apart, axis=0).max() < 0.01
    assert np.ptp(apart[0]) > 0.05


def test_attributes_vary_and_show(faces):
    for name in ("smile", "glasses", "beard", "eyes_open", "mouth_open"):
        assert 0.02 < faces.attribute(name).mean() < 0.98, name
    yaw = faces.attribute("yaw")
    assert yaw.min() < -45
    assert yaw.max() > 45
    glasses = part(faces, "glasses").any(axis=(1, 2))
    np.testing.assert_array_equal(glasses, faces.attribute("glasses") > 0)
    mouth = part(faces, "mouth").sum(axis=(1, 2))
    wide = faces.attribute("mouth_open") > 0
    assert mouth[wide].mean() > 3 * mouth[~wide].mean()
    beard = part(faces, "beard").any(axis=(1, 2))
    assert not beard[faces.attribute("moustache") == 0].any()


def test_position_alone_is_a_mediocre_predictor(faces):
    """The mean shape errs by far more than the few percent a good method reaches."""
    half = len(faces) // 2
    points = five_of(faces.landmarks)
    mean = points[:half].mean(axis=0)
    scale = np.linalg.norm(points[half:, 0] - points[half:, 1], axis=1)
    error = np.linalg.norm(points[half:] - mean, axis=2).mean(axis=1) / scale
    assert 0.15 < np.median(error) < 0.6


def test_colours_are_neither_flat_nor_clipped(faces):
    assert 60 < faces.images.mean() < 190
    assert (faces.images == 255).mean() < 0.1
    assert faces.images.std(axis=(1, 2)).mean() > 25


def test_clouds_lie_around_the_head(faces):
    assert np.abs(faces.clouds[..., 0]).max() < 4
    near = np.linalg.norm(faces.clouds, axis=-1) < 1.3
    assert near.mean() > 0.1


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ({"count": -1}, "count"),
        ({"count": 2.0}, "count"),
        ({"count": True}, "count"),
        ({"size": 15}, "size"),
        ({"seed": -1}, "seed"),
        ({"first": -3}, "first"),
        ({"cloud": -1}, "cloud"),
        ({"threads": 0}, "threads"),
        ({"landmarks": 29}, "landmarks must be 68 or 5"),
        ({"identities": 0}, "identities"),
        ({"identities": (3, -1)}, "identities"),
    ],
)
def test_bad_input_is_refused_with_a_cure(bad, match):
    with pytest.raises(InvalidInput, match=match) as caught:
        render_faces(**({"count": 1, "size": 16} | bad))
    assert caught.value.cure


def test_an_unknown_attribute_is_an_error(faces):
    with pytest.raises(ValueError, match="not in tuple"):
        faces.attribute("hat")
