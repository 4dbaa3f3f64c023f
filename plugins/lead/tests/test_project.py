"""The projector's loss against its formula, and what it moves."""

from __future__ import annotations

import math

import pytest
import torch
from bench_lead.networks import Projector, hypercolumn, narrow
from bench_lead.project import Locality, self_match_cost


def test_the_loss_is_its_formula() -> None:
    draw = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 4, 3, 3, generator=draw, dtype=torch.float64)
    pixels = [(y, x) for y in range(3) for x in range(3)]
    total = 0.0
    for image in maps:
        for y, x in pixels:
            mine = image[:, y, x]
            votes = [
                math.exp(7 * float(torch.cosine_similarity(mine, image[:, i, j], dim=0)))
                for i, j in pixels
            ]
            for vote, (i, j) in zip(votes, pixels, strict=True):
                total += vote / sum(votes) * math.sqrt(math.hypot(4 * (y - i), 4 * (x - j))) / 18
    assert float(self_match_cost(maps, 4, 7.0)) == pytest.approx(total, rel=1e-12)


def test_local_descriptors_cost_less_than_equal_ones() -> None:
    own = torch.eye(9).view(1, 9, 3, 3)
    assert float(self_match_cost(own, 4, 50.0)) < 1e-6
    assert float(self_match_cost(torch.ones_like(own), 4, 50.0)) > 1.5


def test_channels_are_shares_of_positions() -> None:
    encoder = narrow((4, 8, 8, 8)).eval()
    images = torch.randn(2, 3, 32, 32)
    projector = Projector(encoder, 5, scale=7.0)
    found = projector(images, 8)
    torch.testing.assert_close(found.sum((2, 3)), torch.ones(2, 5))
    plain = projector.convolution(hypercolumn(encoder.maps(images), 8))
    ratio = torch.log(found[0, 2, 1, 3] / found[0, 2, 0, 0])
    torch.testing.assert_close(ratio, 7 * (plain[0, 2, 1, 3] - plain[0, 2, 0, 0]))


def test_only_the_convolution_learns_and_the_encoder_stays_still() -> None:
    projector = Projector(narrow((4, 8, 8, 8)), 5, scale=7.0)
    projector.encoder.requires_grad_(False)
    model = Locality(projector, 7.0).train()
    before = {name: value.clone() for name, value in projector.encoder.state_dict().items()}
    model(torch.randn(2, 3, 32, 32)).backward()
    assert all(torch.equal(before[n], v) for n, v in projector.encoder.state_dict().items())
    assert float(projector.convolution.weight.grad.abs().sum()) > 0
