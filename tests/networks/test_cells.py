"""Cells of frozen networks lie where they are said to, and are laid over the picture there."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmark.contracts.errors import InvalidInput
from benchmark.networks.backbones import Backbone
from benchmark.networks.cells import over_picture, stride, tiled
from benchmark.networks.trunks import TRUNKS, untrained_trunk

FIRST = {
    "vgg16": ("relu1_2", "relu2_2", "relu3_2"),
    "resnet18": ("layer1", "layer2"),
    "squeezenet": ("relu1", "fire2", "fire4", "fire6"),
    "efficientnet-lite0": ("stage1", "stage2", "stage3"),
}
"""Layers whose receptive fields end inside the picture."""


class Sum(nn.Module):
    """In place of a rectifier or a norm: what is seen reaches through, and nothing cancels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def positive(features: nn.Module) -> None:
    """All weights 1 and nothing but sums, so that gradients show whole receptive fields."""
    for name, child in features.named_children():
        if isinstance(child, nn.ReLU | nn.ReLU6 | nn.BatchNorm2d):
            setattr(features, name, Sum())
        elif isinstance(child, nn.MaxPool2d):
            averaging = nn.AvgPool2d(
                child.kernel_size, child.stride, child.padding, child.ceil_mode
            )
            setattr(features, name, averaging)
        else:
            positive(child)
    for parameter in features.parameters(recurse=False):
        parameter.data.fill_(1.0)


@pytest.mark.parametrize("name", TRUNKS)
def test_cells_lie_where_the_trunk_says(name: str) -> None:
    side = 192
    maps = untrained_trunk(name, FIRST[name], 0).double()
    positive(maps.features)
    picture = torch.ones(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    for found in maps(picture):
        offset, cell = Backbone(name, ()).offset, found.shape[-1] // 2
        step = stride(found.shape[-1], side, offset)
        (seen,) = torch.autograd.grad(found[0, :, cell, cell].sum(), picture, retain_graph=True)
        rows = seen.abs().sum((0, 1, 3)).nonzero().flatten()
        assert 0 < int(rows[0]) < int(rows[-1]) < side - 1, "the whole field lies inside"
        wanted = offset * (step - 1) + step * cell
        assert float(rows[0] + rows[-1]) / 2 == wanted, (name, found.shape)


def test_networks_of_timm_are_taken_to_tile() -> None:
    assert Backbone("timm/vit_base_patch16_224.dino", ("11",)).offset == 0.5


@pytest.mark.parametrize("offset", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [5, 24, 48, 96])
def test_what_cells_hold_is_found_at_their_pixels(offset: float, size: int) -> None:
    step, cells, picture = 8, 12, 96
    at = offset * (step - 1) + step * torch.arange(cells, dtype=torch.float64)
    maps = torch.stack(torch.meshgrid(at, at, indexing="xy"))[None]  # each cell holds its own place
    found = over_picture(maps, picture, size, offset)
    wanted = (torch.arange(size, dtype=torch.float64) + 0.5) * picture / size - 0.5
    wanted = wanted.clamp(at[0], at[-1])  # beyond the outermost cells values go on
    torch.testing.assert_close(found[0, 0], wanted.expand(size, -1))
    torch.testing.assert_close(found[0, 1], wanted[:, None].expand(-1, size))


def test_maps_that_tile_stay_as_they_are() -> None:
    maps = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    for picture in (192, 168):  # cells of 16 pixels, and of 14
        assert torch.equal(tiled(maps, picture, 0.5), maps)
        larger = nn.functional.interpolate(maps, (96, 96), mode="bilinear")
        torch.testing.assert_close(over_picture(maps, picture, 96, 0.5), larger)


def test_maps_without_a_last_cell_get_one() -> None:
    assert tiled(torch.rand(1, 2, 11, 11), 192, 1.0).shape == (1, 2, 12, 12)
    assert tiled(torch.rand(1, 2, 1, 1), 16, 1.0).shape == (1, 2, 1, 1)


def test_maps_that_are_not_square_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"square maps .* got \(1, 2, 3, 4\)"):
        over_picture(torch.zeros(1, 2, 3, 4), 48, 48, 0.5)
