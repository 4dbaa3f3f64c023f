"""The linear probe: the four published fits, and least squares that survives a missing rank."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.probes.linear import LinearProbe, linear_probe


def folder(variable: str, relative: str) -> Path:
    root = os.environ.get(variable)
    if not root or not (Path(root) / relative).exists():
        pytest.skip(f"{variable} does not lead to {relative}")
    return Path(root) / relative


def error_percent(predicted, target):
    """Mean over faces of (mean distance / distance of points 0 and 1), in percent."""
    distance = np.linalg.norm(predicted - target, axis=-1).mean(axis=1)
    return 100 * (distance / np.linalg.norm(target[:, 0] - target[:, 1], axis=-1)).mean()


@pytest.fixture(scope="module")
def mafl():
    path = folder("BENCH_DATA", "mafl_points/mafl_gt_and_pred10.npz")
    with np.load(path) as data:
        unit = {}
        for split in ("train", "test"):
            # The frame of the stored predictions: central 80 % of the squashed image, as [0, 1].
            labels = data[f"{split}_landmarks"].astype(np.float64)
            unit[f"{split}_y"] = (labels - [89, 109]) / [142.4, 174.4] + 0.5
            unit[f"{split}_x"] = data[f"{split}_pred10_yx_norm"][..., ::-1].astype(np.float64) + 0.5
        unit["names"] = data["train_names"]
    return unit


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("linear/zhang", 3.4815),
        ("linear/imm", 3.5633),
        ("linear/scops", 3.2609),
        ("linear/ganseg", 3.5618),
    ],
)
def test_presets_give_the_known_errors_on_mafl(mafl, preset, expected):
    x, y = mafl["train_x"], mafl["train_y"]
    if preset == "linear/imm":  # its list is in CelebA's order, that of the file names
        order = np.argsort(mafl["names"])
        x, y = x[order], y[order]
    predicted = linear_probe(preset).fit(x, y).predict(mafl["test_x"])
    assert error_percent(predicted, mafl["test_y"]) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("name", ["linear/zhang", "linear/ganseg", "linear/scops"])
def test_the_unit_of_the_frame_is_of_no_consequence(mafl, name):
    size = np.array([128.0, 96.0])
    x, y, test = mafl["train_x"][:500], mafl["train_y"][:500], mafl["test_x"]
    unit = linear_probe(name).fit(x, y).predict(test)
    pixels = linear_probe(name, image_size=(128, 96)).fit(x * size, y * size).predict(test * size)
    np.testing.assert_allclose(pixels / size, unit, atol=1e-10)


def test_golden_fixture_of_scops(mafl):
    path = folder("BENCH_GOLDEN", "golden.json")
    items = {item["name"]: item for item in json.loads(path.read_text())["items"]}
    want = items["linear_regression_scops_fixture"]["expected"]

    def error(preset, rows=None, split="test", scale=(1.0, 1.0)):
        probe = linear_probe(preset).fit(mafl["train_x"][:rows], mafl["train_y"][:rows])
        predicted = probe.predict(mafl[f"{split}_x"])
        return error_percent(predicted * scale, mafl[f"{split}_y"] * scale)

    pixels = (178 / 1.25, 218 / 1.25)
    got = {
        "with_intercept": error("linear/scops"),
        "with_intercept_train_error": error("linear/scops", split="train"),
        "no_intercept_centred": error("linear/zhang"),
        "true_pixels_with_intercept": error("linear/scops", scale=pixels),
        "with_intercept_first_37": error("linear/scops", 37),
        "with_intercept_first_512": error("linear/scops", 512),
        "no_intercept_centred_first_512": error("linear/zhang", 512),
    }
    compared = {name: want[name] for name in got}
    assert got == pytest.approx(compared, abs=1e-6)


def test_golden_synthetic():
    path = folder("BENCH_GOLDEN", "linear_regression_synthetic.npz")
    with np.load(path) as item:
        train, label = item["in_train_x"], item["in_train_y"]
        test, truth = item["in_test_x"], item["in_test_y"]
        want = {key[4:]: float(item[key]) for key in item.files if key.startswith("out_")}
    presets = {
        "with_intercept": "linear/scops",
        "no_intercept_centred": "linear/zhang",
        "no_intercept_uncentred": "linear/ganseg",
    }
    for key, preset in presets.items():
        predicted = linear_probe(preset).fit(train, label).predict(test)
        assert error_percent(predicted, truth) == pytest.approx(want[key], rel=1e-7)
    predicted = linear_probe("linear/scops").fit(train, label).predict(test)
    scale = (218, 178)
    assert error_percent(predicted * scale, truth * scale) == pytest.approx(
        want["anisotropic_with_intercept"], rel=1e-7
    )


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), points=st.integers(1, 6), targets=st.integers(1, 5))
def test_an_affine_relation_is_recovered(seed, points, targets):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 96, (40, points, 2))
    weight, bias = rng.normal(size=(2 * points, 2 * targets)), rng.normal(size=2 * targets)
    y = (x.reshape(40, -1) @ weight + bias).reshape(40, targets, 2)
    probe = LinearProbe(intercept=True, centre=False).fit(x[:30], y[:30])
    np.testing.assert_allclose(probe.predict(x[30:]), y[30:], atol=1e-8)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), intercept=st.booleans(), centre=st.booleans())
def test_residuals_are_orthogonal_to_the_design(seed, intercept, centre):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 1, (30, 3, 2)), rng.uniform(0, 1, (30, 2, 2))
    probe = LinearProbe(intercept=intercept, centre=centre).fit(x, y)
    design = (x - 0.5 * centre).reshape(30, -1)
    residual = (y - probe.predict(x)).reshape(30, -1)
    assert np.abs(design.T @ residual).max() < 1e-9
    if intercept:
        assert np.abs(residual.mean(axis=0)).max() < 1e-12


@pytest.mark.parametrize("value", [0.1, 33.3, 1e5])
def test_a_constant_prediction_gives_the_mean_shape(value):
    rng = np.random.default_rng(0)
    x = np.full((997, 4, 2), value, np.float32)
    y = rng.uniform(0, 96, (997, 5, 2))
    probe = linear_probe("linear/scops").fit(x, y)
    np.testing.assert_allclose(probe.predict(x[:3]), np.tile(y.mean(axis=0), (3, 1, 1)), rtol=1e-12)
    # And it stays there when a test point strays: nothing was learnt from rounding noise.
    np.testing.assert_allclose(probe.predict(x[:1] + 1)[0], y.mean(axis=0), rtol=1e-12)


def test_repeated_points_change_nothing():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 1, (50, 3, 2)), rng.uniform(0, 1, (50, 2, 2))
    once = linear_probe("linear/zhang").fit(x, y).predict(x)
    twice = np.concatenate([x, x], axis=1)
    again = linear_probe("linear/zhang").fit(twice, y).predict(twice)
    np.testing.assert_allclose(again, once, atol=1e-10)


def following(rows, seed=0):
    """Six float32 points that follow a face in 96 pixels, and its two eyes."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(20, 76, (rows, 1, 2))
    points = place + rng.normal(0, 3, (rows, 6, 2))
    eyes = place + [[-8.0, 0.0], [8.0, 0.0]] + rng.normal(0, 1.5, (rows, 2, 2))
    return points.astype(np.float32), eyes


def copied(points, noise):
    return np.concatenate([points, points[:, :1] + noise[:, :1]], axis=1)


def middle(points, noise):
    return np.concatenate([points, (points[:, :1] + points[:, 1:2]) / 2], axis=1)


def collapsed(points, noise):
    return np.repeat(points[:, :1], 10, axis=1) + noise


@pytest.mark.parametrize("name", ["linear/scops", "linear/zhang", "linear/imm", "linear/ganseg"])
@pytest.mark.parametrize("rows", [30, 90, 1000])
@pytest.mark.parametrize("more", [copied, middle, collapsed])
def test_rounding_of_float32_is_no_direction(name, rows, more):
    alone, eyes = following(rows + 400)
    noise = np.random.default_rng(1).uniform(-4e-6, 4e-6, (rows + 400, 10, 2))  # its last bit
    with_more = more(alone, noise).astype(np.float32)
    if more is collapsed:
        alone = alone[:, :1]
    errors = []
    for points in (alone, with_more):
        probe = linear_probe(name, (96, 96)).fit(points[:rows], eyes[:rows])
        errors.append(error_percent(probe.predict(points[rows:]), eyes[rows:]))
        assert abs(probe.weight).max() < 1e3
    assert errors[1] == pytest.approx(errors[0], rel=1e-4)


def test_what_float32_can_tell_from_zero_is_a_direction():
    points, _ = following(1000)
    points[:, 1] = points[:, 0] + np.random.default_rng(2).normal(0, 1e-3, (1000, 2))
    wanted = 1000 * (points[:, 1:2] - points[:, :1]).astype(np.float64)
    read = linear_probe("linear/scops").fit(points, wanted).predict(points)
    np.testing.assert_allclose(read, wanted, atol=1e-7)


@pytest.mark.parametrize("rows, apart", [(10, 35.87), (17, 0.0)], ids=["10 rows", "17 rows"])
def test_scops_fits_the_same_where_rows_are_enough(rows, apart):
    """SCOPS's fit, the least norm after standardising both sides, computed by the pseudo-inverse."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(60, [3, 12], (rows, 8, 2)), rng.normal(60, 9, (rows, 5, 2))
    test = rng.normal(60, [3, 12], (40, 8, 2))
    sides = [
        (side.reshape(len(side), -1).mean(0), side.reshape(len(side), -1).std(0)) for side in (x, y)
    ]
    (x_mean, x_std), (y_mean, y_std) = sides
    weight = np.linalg.pinv((x.reshape(len(x), -1) - x_mean) / x_std, rcond=1e-9) @ (
        (y.reshape(len(y), -1) - y_mean) / y_std
    )
    theirs = ((test.reshape(40, -1) - x_mean) / x_std) @ weight * y_std + y_mean
    ours = linear_probe("linear/scops", (128, 128)).fit(x, y).predict(test)
    assert abs(theirs - ours.reshape(40, -1)).max() == pytest.approx(apart, abs=5e-3)


@pytest.mark.parametrize(
    "rows, fitted", [(10_122, 9_110), (19_000, 17_100), (3_375, 3_037), (15, 13)]
)
def test_imm_holds_out_a_tenth_rounded_to_the_row(rows, fitted):
    """What IMM's data sets leave of their lists (`aflw_dataset.py`, `celeba_dataset.py`)."""
    x = np.random.default_rng(0).uniform(size=(rows, 1, 2))
    used = np.arange(rows) < fitted
    whole = linear_probe("linear/imm@2").fit(x, np.where(used[:, None, None], x, np.pi * x + 1))
    np.testing.assert_allclose(whole.weight, np.eye(2), atol=1e-12)
    one_more = linear_probe("linear/imm@2").fit(x, np.where(used[:, None, None], x + 1, x))
    less = linear_probe("linear/imm@2").fit(
        x, np.where(np.arange(rows)[:, None, None] < fitted - 1, x + 1, x)
    )
    assert abs(one_more.weight - less.weight).max() > 1e-9


def test_fewer_rows_than_unknowns_are_fitted_exactly():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 1, (5, 10, 2)), rng.uniform(0, 1, (5, 2, 2))
    np.testing.assert_allclose(linear_probe("linear/ganseg").fit(x, y).predict(x), y, atol=1e-10)


def test_the_held_out_tenth_is_not_looked_at():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 1, (40, 2, 2)), rng.uniform(0, 1, (40, 2, 2))
    spoilt = y.copy()
    spoilt[36:] += 100
    a, b = linear_probe("linear/imm").fit(x, y), linear_probe("linear/imm").fit(x, spoilt)
    np.testing.assert_array_equal(a.predict(x), b.predict(x))


def test_bad_input_is_refused_in_words():
    x = np.zeros((4, 3, 2))
    probe = LinearProbe(intercept=True, centre=False)
    with pytest.raises(InvalidInput, match="not been fitted"):
        probe.predict(x)
    with pytest.raises(InvalidInput, match=r"\(N, K, 2\).*\(4, 6\)"):
        probe.fit(x.reshape(4, 6), x)
    with pytest.raises(InvalidInput, match="4 points and 3 targets"):
        probe.fit(x, x[:3])
    holed = x.copy()
    holed[2, 0, 0] = np.nan
    with pytest.raises(InvalidInput, match="first in row 2"):
        probe.fit(x, holed)
    with pytest.raises(InvalidInput, match="fitted on 3 points per image, got 2"):
        probe.fit(x, x).predict(x[:, :2])
    with pytest.raises(InvalidInput, match="fraction"):
        LinearProbe(intercept=True, centre=False, fraction=0.0)
    with pytest.raises(InvalidInput, match="held_out"):
        LinearProbe(intercept=True, centre=False, held_out=1.0)
    with pytest.raises(InvalidInput, match="points: expected numbers that can be squared"):
        probe.fit(x + 1e200, x)
    with pytest.raises(InvalidInput, match="leaves none"):
        LinearProbe(intercept=True, centre=False, fraction=0.1).fit(x, x)
    with pytest.raises(UnknownName, match="linear/zhang"):
        linear_probe("linear/zang")


def test_a_protocol_may_change_a_preset_in_named_options_only() -> None:
    assert linear_probe("linear/zhang", intercept=True).intercept is True
    assert linear_probe("linear/imm", fraction=0.5).fraction == 0.5
    with pytest.raises(UnknownName, match="intercepts"):
        linear_probe("linear/zhang", intercepts=True)


def test_a_point_that_is_not_annotated_has_no_say_in_its_own_fit() -> None:
    generator = np.random.default_rng(5)
    points = generator.normal(size=(60, 4, 2))
    targets = generator.normal(size=(60, 3, 2))
    visible = generator.random((60, 3)) < 0.7
    spoilt = np.where(visible[..., None], targets, 1e6)
    probe = linear_probe("linear/scops").fit(points, spoilt, visible)
    for a in range(3):
        alone = linear_probe("linear/scops").fit(
            points[visible[:, a]], targets[visible[:, a], a : a + 1]
        )
        np.testing.assert_allclose(
            probe.predict(points)[:, a], alone.predict(points)[:, 0], atol=1e-9
        )
    everything = np.ones_like(visible)
    np.testing.assert_allclose(
        linear_probe("linear/zhang").fit(points, targets, everything).predict(points),
        linear_probe("linear/zhang").fit(points, targets).predict(points),
        atol=1e-12,
    )


def test_visible_must_fit_the_targets_and_show_every_point() -> None:
    points = np.random.default_rng(0).normal(size=(9, 2, 2))
    with pytest.raises(InvalidInput, match=r"visible must be \(9, 2\)"):
        linear_probe("linear/scops").fit(points, points, np.ones((9, 3), bool))
    with pytest.raises(InvalidInput, match="no row shows annotated point 1"):
        linear_probe("linear/scops").fit(points, points, [[True, False]] * 9)
