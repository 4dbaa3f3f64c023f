"""What frozen networks give, how it is factored, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bench_frozen import LITE0, PARTS, SQUEEZENET, TINY
from bench_frozen.descriptors import FrozenBackbone
from bench_frozen.factors import DeepFeatureFactorisation
from pydantic import ValidationError

from benchmark.contracts.images import Images
from benchmark.networks.trunks import TRUNKS
from benchmark.testing.standin import make_context, make_images


@pytest.mark.parametrize("preset", [LITE0, SQUEEZENET])
def test_descriptors_declare_what_they_look_through(preset: dict[str, Any]) -> None:
    settings = FrozenBackbone.Settings(**preset)
    assert FrozenBackbone.info(settings).pretrained == (TRUNKS[preset["backbone"]].weight,)
    assert FrozenBackbone.info(settings.model_copy(update={"trained": False})).pretrained == ()


def test_layers_lie_side_by_side_each_of_length_one(tmp_path: Path) -> None:
    method = FrozenBackbone(FrozenBackbone.Settings(**TINY, grid=6))
    method.fit(make_images(), make_context(tmp_path))
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.inference_mode():
        found = method.predict(images)
        one = method.predict(images[:1])
    assert found.maps.shape == (2, 256 + 512, 6, 6)
    assert (found.stride, found.offset) == (32 / 6, (32 / 6 - 1) / 2)
    for part in found.maps.split([256, 512], 1):
        torch.testing.assert_close(part.norm(dim=1), torch.ones(2, 6, 6))
    torch.testing.assert_close(one.maps, found.maps[:1], rtol=1e-3, atol=1e-4)


def discs() -> Images:
    """A dark disc on bright ground, at another place in each image."""
    pixels, rows = np.full((12, 32, 32, 3), 230, np.uint8), np.arange(32)
    for i, picture in enumerate(pixels):
        x, y = 16 + (i % 3 - 1) * 2, 16 + (i % 2) * 2
        picture[(rows[:, None] - y) ** 2 + (rows - x) ** 2 < 64] = (20, 90, 30)
    return Images(pixels, 32, "0" * 64)


class OfColours(DeepFeatureFactorisation):
    """Its network sees how bright and how dark each channel is."""

    def maps(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [torch.cat([images.clamp(min=0), (-images).clamp(min=0)], 1)]


def test_a_factor_is_background_where_it_lies_along_the_border(tmp_path: Path) -> None:
    given = TINY | {"layers": ("fire4",), "size": 32, "parts": 2, "fitted": 12, "updates": 100}
    method = OfColours(OfColours.Settings(**given))
    images = discs()
    method.fit(images, make_context(tmp_path))
    assert method.behind.sum() == 1
    with torch.inference_mode():
        signed = torch.from_numpy(images.pixels[:4].copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
        parts = method.predict(signed)
    torch.testing.assert_close(parts.probabilities.sum(1), torch.ones(4, *signed.shape[-2:]))
    inside = (signed[:, 0] < 0).float()
    found = parts.foreground().float()
    overlap = (inside * found).sum() / torch.maximum(inside, found).sum()
    assert float(overlap) == 1.0
    method.save(tmp_path)
    again = OfColours(method.settings)
    again.load(tmp_path, "cpu")
    with torch.inference_mode():
        assert torch.equal(again.predict(signed).probabilities, parts.probabilities)


class Late(OfColours):
    """Its cells lie at the last pixel of each four, as SqueezeNet's do."""

    def maps(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [super().maps(images)[0][..., 3::4, 3::4]]


def test_a_part_lies_where_the_cells_of_the_network_do(tmp_path: Path) -> None:
    given = TINY | {"layers": ("fire4",), "size": 32, "parts": 2, "fitted": 12, "updates": 100}
    method = Late(Late.Settings(**given))
    images = discs()
    method.fit(images, make_context(tmp_path))
    pixels = torch.from_numpy(images.pixels.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        front = method.predict(pixels).probabilities[:, 1]
    discs_are = torch.from_numpy(images.pixels[..., 0] < 100).float()
    apart = (_centres(front) - _centres(discs_are)).mean(0)
    assert float(apart.abs().max()) < 0.3  # stretched over the picture they lie 1.7 pixels off


def _centres(maps: torch.Tensor) -> torch.Tensor:
    """(B, 2) of maps (B, S, S): x and y of their centres of mass, in pixels."""
    share, places = maps / maps.sum((1, 2), keepdim=True), torch.arange(maps.shape[-1]).float()
    return torch.stack([share.sum(1) @ places, share.sum(2) @ places], 1)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"resnet18 looks .* multiples of 32, not 200"):
        DeepFeatureFactorisation.Settings(size=200, backbone="resnet18", layers=("layer3",))
    with pytest.raises(ValidationError, match="none of vgg16"):
        FrozenBackbone.Settings(backbone="resnet")
    with pytest.raises(ValidationError, match="name one at least"):
        FrozenBackbone.Settings(layers=())
    with pytest.raises(ValidationError, match="sha256 of that file"):
        FrozenBackbone.Settings(backbone="timm/vit_base_patch16_224.dino", layers=("11",))
    DeepFeatureFactorisation.Settings(**PARTS)
