"""LatentKeypointGAN as a method: settings, sizes, generator, points, pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from bench_latentkeypointgan.method import LatentKeypointGan
from bench_latentkeypointgan.pictures import marked
from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from pydantic import ValidationError

from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import to_signed
from benchmark.registry.plugins import plugins
from benchmark.testing.standin import make_context, make_images


def spec() -> Any:
    return plugins().method("latentkeypointgan")


def untrained(folder: Path, **given: Any) -> LatentKeypointGan:
    method = LatentKeypointGan(LatentKeypointGanSettings(**spec().tiny | given))
    method.initialise(make_images(), make_context(folder))
    return method


def some() -> torch.Tensor:
    images = make_images()
    return to_signed(torch.from_numpy(images.pixels[:3]).permute(0, 3, 1, 2)[..., 4:-4, 4:-4])


@pytest.mark.parametrize("preset", ["paper", "small", "demo"])
def test_presets_can_be_read(preset: str) -> None:
    settings = LatentKeypointGanSettings(**spec().presets[preset])
    assert settings.landmarks == 10
    assert settings.sides[-1] == settings.size


@pytest.mark.parametrize(
    "given, message",
    [
        ({"size": 48}, "size 48 is no power of two"),
        ({"start_side": 6}, "start_side 6 is no power of two"),
        ({"size": 16, "start_side": 32, "downs": 2}, "start_side 32 is beyond size 16"),
        ({"size": 8, "downs": 4}, "can't be halved 4 times"),
    ],
)
def test_sides_that_cannot_be_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LatentKeypointGanSettings(**given)


def test_images_smaller_than_the_generators_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Incompatible, match="smaller than the generator's 64") as caught:
        untrained(tmp_path, size=64)
    assert "size=32" in caught.value.cure


def test_generated_images_follow_from_z_alone(tmp_path: Path) -> None:
    made = untrained(tmp_path).generator()
    assert (made.layers, made.size, made.z_dim) == (1, 32, 26)  # the side of the images fitted on
    z = torch.randn(5, made.z_dim)
    whole = made.synthesis(made.mapping(z), 0)
    alone = made.synthesis(made.mapping(z[2:3]), 7)
    assert whole.shape == (5, 3, 32, 32)
    torch.testing.assert_close(whole[2:3], alone, atol=1e-5, rtol=0)
    assert float(whole.abs().max()) <= 1
    first, second = z[:1], z[1:2]
    middle = made.mapping(first).lerp(made.mapping(second), 0.5)[0, 0, :8]
    halves = (made.mapping(first) + made.mapping(second))[0, 0, :8] / 2
    torch.testing.assert_close(middle, halves)  # points lie halfway


def test_points_are_pixels_of_the_image_given(tmp_path: Path) -> None:
    """Of an image three times as large they are at the same place."""
    method = untrained(tmp_path)
    with torch.inference_mode():
        points = method.predict(some()).points
        large = method.predict(some().repeat_interleave(3, -1).repeat_interleave(3, -2)).points
    assert points.shape == (3, 4, 2)
    assert ((points > -0.5) & (points < some().shape[-1] - 0.5)).all()
    torch.testing.assert_close((large + 0.5) / 3 - 0.5, points, atol=1e-3, rtol=0)


def test_a_mark_is_where_the_point_is() -> None:
    images = torch.zeros(1, 3, 32, 32)
    found = marked(images, torch.tensor([[[-0.5, 0.25]]]))
    rows, columns = (found[0, 0] != 0).nonzero().double().mean(0).tolist()
    assert columns == pytest.approx(31.5, abs=0.5)
    assert rows == pytest.approx(79.5, abs=0.5)
    assert found.shape == (1, 3, 128, 128)
    assert torch.equal(marked(images, torch.zeros(1, 0, 2)), torch.zeros(1, 3, 128, 128))


def test_pictures_change_one_thing_at_a_time(tmp_path: Path) -> None:
    method = untrained(tmp_path, last=3.0)
    with torch.inference_mode():
        shown = method.pictures(some())
    plain = shown["generated"]
    for name in (
        "this point moved",
        "its embedding of the next image",
        "without this part",
        "the background of the next image",
    ):
        assert shown[name].shape == plain.shape
        assert not torch.equal(shown[name], plain), name
