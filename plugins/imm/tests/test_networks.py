"""The layer tables of Jain's re-implementation, to the last parameter."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from bench_imm.networks import Networks, encoder, pose_encoder, renderer
from bench_imm.settings import ImmSettings
from pydantic import ValidationError
from torch import nn


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("layout", ["seed", "released"])
def test_parameters_are_those_of_the_tables(layout: str) -> None:
    assert count(encoder(32, 4, layout)) == 1_178_016
    assert count(pose_encoder(10, 32, 4, layout)) == 1_180_586
    assert count(renderer("bilinear", 10, 32, 4, layout)) == 1_777_731
    assert count(renderer("transposed", 10, 32, 4, layout)) == 3_155_331


@pytest.mark.parametrize("landmarks", [5, 30])
def test_each_landmark_costs_a_map_and_a_channel(landmarks: int) -> None:
    assert count(pose_encoder(landmarks, 32, 4, "seed")) == 1_178_016 + 257 * landmarks
    more = (landmarks - 10) * 9 * 256
    assert count(renderer("bilinear", landmarks, 32, 4, "seed")) == 1_777_731 + more


def sides(network: nn.Sequential, side: int, channels: int = 3) -> list[int]:
    """The side after each convolution, given one image."""
    found: list[int] = []
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            part.register_forward_hook(lambda _, __, out: found.append(out.shape[-1]))
    with torch.inference_mode():
        network.eval()(torch.zeros(1, channels, side, side))
    return found


def test_sides_are_those_of_the_tables() -> None:
    assert sides(encoder(2, 4, "seed"), 128) == [124, 124, 62, 62, 31, 31, 16, 16]
    assert sides(encoder(2, 4, "released"), 128) == [128, 128, 64, 64, 32, 32, 16, 16]
    up = [16, 16, 32, 32, 64, 64, 128, 128]
    assert sides(renderer("bilinear", 3, 8, 4, "seed"), 16, 67) == up
    up = [16, 16, 32, 32, 32, 64, 64, 64, 128, 128, 128]
    assert sides(renderer("transposed", 3, 8, 4, "seed"), 16, 67) == up


def test_channels_halve_down_to_eight() -> None:
    widths = [p.out_channels for p in renderer("bilinear", 2, 4, 4, "seed").modules()
              if isinstance(p, nn.Conv2d)]  # fmt: skip
    assert widths == [32, 32, 16, 16, 8, 8, 8, 3]


TINY: dict[str, Any] = {
    "size": 32, "width": 4, "blocks": 3, "layout": "released", "perceptual": "none", "depth": 0,
}  # fmt: skip


@pytest.mark.parametrize("kind", ["bilinear", "transposed"])
@pytest.mark.parametrize("size", [32, 64])
def test_the_target_is_rendered_at_its_size(kind: str, size: int) -> None:
    networks = Networks(ImmSettings(**TINY | {"renderer": kind, "size": size, "landmarks": 5}))
    images = torch.zeros(2, 3, size, size)
    assert networks(images, images).shape == (2, 3, size, size)
    assert networks.points(images).shape == (2, 5, 2)


def test_a_seed_layout_renders_at_its_size() -> None:
    settings = ImmSettings(width=2, size=64, perceptual="none", depth=0)
    images = torch.zeros(2, 3, 64, 64)
    assert Networks(settings)(images, images).shape == (2, 3, 64, 64)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": 30}, "not a multiple of 4"),
        ({"layout": "seed"}, "4 blocks or more"),
        ({"discount": (0.3, 0.3)}, "leaves nothing"),
        ({"depth": 2}, "compares pixels alone"),
        ({"weights": ()}, "1 positive weights"),
        ({"landmarks": 0}, "greater than or equal to 1"),
    ],
)
def test_wrong_settings_say_why(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ImmSettings(**TINY | change)
