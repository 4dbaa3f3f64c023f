"""LMDIS as a method: networks, warps, presets, and fits that are killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_lmdis
import numpy as np
import pytest
import torch
from bench_lmdis.method import Lmdis
from bench_lmdis.networks import DECODER, DESCRIBER, DETECTOR, Hourglass, Networks, PrivateLinear
from bench_lmdis.settings import LmdisSettings
from bench_lmdis.warps import draw_warps, with_border
from pydantic import ValidationError

from benchmark.contracts import MethodSpec
from benchmark.contracts.images import Images

Make = Callable[..., Any]


def spec() -> MethodSpec:
    found: list[MethodSpec] = []
    bench_lmdis.bench_methods(found.append)
    return found[0]


def settings(**more: Any) -> LmdisSettings:
    return LmdisSettings(**dict(spec().tiny) | more)


def some(images: Images) -> torch.Tensor:
    return images.batch(slice(0, 3)).float().div(127.5).sub(1)


def test_registration_is_whole_and_light() -> None:
    assert spec().problems() == []
    for preset in spec().presets.values():
        LmdisSettings(**preset)
    code = "import bench_lmdis, sys; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_paper_is_what_was_released() -> None:
    paper, aflw = (LmdisSettings(**spec().presets[name]) for name in ("paper", "aflw"))
    weights = (paper.concentration, paper.separation, paper.equivariance)
    # 100, 20 and 1e4 of means over both pictures, concentration and equivariance over shares of the side
    share = paper.size / paper.padded
    assert weights == pytest.approx((100 / 2 / share**2, 20 / 2, 1e4 / share))
    assert (2 * aflw.separation, aflw.separation_bandwidth) == (16.0, 0.06)
    assert paper.claims == aflw.claims == "released"
    steps = (0, 99_999, 100_000, 199_999, 200_000)
    assert [paper.stretch(step) for step in steps] == [0, 0, 1, 1, 2]
    assert paper.border == 8


def test_fits_from_before_claims_could_be_chosen_keep_their_identity() -> None:
    small = LmdisSettings(**spec().presets["small"])
    assert "claims" not in small.model_dump()
    assert LmdisSettings(**spec().presets["paper"]).model_dump()["claims"] == "released"
    assert LmdisSettings(**small.model_dump()) == small


def test_hourglasses_have_the_channels_of_the_released_code() -> None:
    with torch.device("meta"):
        networks = Networks(LmdisSettings(**spec().presets["paper"]))
        maps, rendered = networks(torch.zeros(4, 3, 96, 96))
    assert maps.shape == (4, 11, 96, 96)
    assert rendered.shape == (2, 3, 80, 80)
    assert networks.decoder.down[0][0].in_channels == 5 * 11 + 5 * 64
    for glass, channels in (
        (networks.detector, DETECTOR),
        (networks.describer, DESCRIBER),
        (networks.decoder, DECODER),
    ):
        found = [
            [b.num_features for b in side if hasattr(b, "num_features")] for side in glass.down
        ]
        assert tuple(map(tuple, found)) == channels
        assert all(len(skip) == 3 * 3 for skip in glass.skips)


def test_an_hourglass_sees_each_side_once_halved() -> None:
    seen: list[int] = []
    glass = Hourglass(3, ((4,), (5, 6), (7,)), 2, 1, 0.1)
    for side in glass.down:
        side.register_forward_hook(lambda *a: seen.append(a[-1].shape[-1]))
    assert glass(torch.zeros(2, 3, 16, 16)).shape == (2, 2, 16, 16)
    assert seen == [16, 8, 4]


def test_each_point_has_a_layer_of_its_own() -> None:
    layer = PrivateLinear(3, 2, 4)
    with torch.no_grad():
        layer.bias.normal_()
    given = torch.randn(5, 3, 2)
    found = layer(given)
    for k in range(3):
        expected = given[:, k] @ layer.weight[k] + layer.bias[k]
        torch.testing.assert_close(found[:, k], expected)


def test_warps_are_of_the_stated_strength() -> None:
    s = LmdisSettings(bend=0.0)
    draw = np.random.Generator(np.random.PCG64(0))
    affine = draw_warps(4000, s, draw, torch.device("cpu")).affine
    shift, linear = affine[:, 0], affine[:, 1:]
    assert float(shift.abs().max()) < 0.3
    assert float(shift.std()) == pytest.approx(0.3 / 3**0.5, rel=0.05)
    scale = torch.linalg.det(linear).sqrt()
    assert float(scale.log().std()) == pytest.approx(np.log(1.25), rel=0.05)
    turn = torch.rad2deg(torch.atan2(linear[:, 1, 0], linear[:, 0, 0]))
    assert float(turn.std()) == pytest.approx(10.0, rel=0.05)


def test_the_border_repeats_the_outermost_pixels() -> None:
    images = torch.rand(1, 3, 4, 4)
    found = with_border(images, 2)
    assert found.shape == (1, 3, 8, 8)
    assert torch.equal(found[..., 2:6, 2:6], images)
    assert torch.equal(found[..., 0, 2:6], images[..., 0, :])
    assert with_border(images, 0) is images


@pytest.mark.parametrize(
    "given, said",
    [
        ({"size": 40}, "not a multiple of 16"),
        ({"size": 32, "padded": 24}, "no less than size 32"),
        ({"padded": 28}, "multiple of 8"),
        ({"changes": (0.5,)}, "1 changes need 2 values"),
        ({"changes": (0.7, 0.3)}, "must rise"),
        ({"reconstruction": (1.0, -1.0, 1.0)}, "none below 0"),
        ({"landmarks": 0}, "landmarks"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**given)


def test_what_is_fitted_is_what_is_loaded(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    context = make_context(tmp_path / "run")
    method = Lmdis(settings())
    method.fit(images, context)
    with torch.inference_mode():
        found = method.predict(some(images))
        pictures = method.pictures(some(images))
    assert found.points.shape == (3, 4, 2)
    assert bool(((found.points >= 0) & (found.points <= 31)).all())
    assert all(p.shape == (3, 3, 16, 16) and float(p.abs().max()) <= 1 for p in pictures.values())
    assert {"concentration", "separation", "equivariance", "reconstruction"} <= set(
        context.seen.log[-1]
    )
    loaded = Lmdis(settings())
    loaded.load(context.seen.milestones[-1][1], "cpu")
    with torch.inference_mode():
        assert torch.equal(loaded.predict(some(images)).points, found.points)


def test_the_loss_is_the_weighted_sum(images: Images, tmp_path: Path, make_context: Make) -> None:
    context = make_context(tmp_path / "run")
    s = settings(steps=1, reconstruction=(0.1, 1.0, 10.0))
    Lmdis(s).fit(images, context)
    (row,) = context.seen.log
    # one step is the last stretch already: a third of one step is rounded to none
    expected = 100 * row["concentration"] + 20 * row["separation"] + 1e4 * row["equivariance"]
    expected += s.reconstruction[s.stretch(0)] * row["reconstruction"]
    assert row["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.long
def test_killed_and_resumed_is_bit_identical(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    straight, resumed = Lmdis(settings()), Lmdis(settings())
    straight.fit(images, make_context(tmp_path / "straight"))
    with pytest.raises(KeyboardInterrupt):
        resumed.fit(images, make_context(tmp_path / "killed", every=1, kill_after=1))
    resumed.fit(images, make_context(tmp_path / "killed", every=1))
    expected, found = straight.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.long
def test_the_loss_falls(images: Images, tmp_path: Path, make_context: Make) -> None:
    context = make_context(tmp_path / "run")
    more = {"steps": 240, "learning_rates": (3e-3,), "reconstruction": (1.0,), "changes": ()}
    Lmdis(settings(**more)).fit(images, context)
    rows = [row for row in context.seen.log if "loss" in row]
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]
    assert rows[-1]["reconstruction"] < 0.8 * rows[0]["reconstruction"]
