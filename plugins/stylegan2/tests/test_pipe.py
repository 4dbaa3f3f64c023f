"""The pipe "bgc" moves images as the release's does, and nothing where nothing is hit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from bench_stylegan2.pipe import Dice, bgc, placement, resampled, rotation, scaling, translation
from torch import Tensor
from torch.nn import functional


def smooth() -> Tensor:
    draw = np.random.Generator(np.random.PCG64(9))
    noise = torch.from_numpy(draw.standard_normal((1, 3, 32, 32))).float()
    return functional.avg_pool2d(noise, 5, 1, 2) * 3


def one(value: float) -> Tensor:
    return torch.tensor([value])


def normal(percentile: float) -> float:
    return float(torch.erfinv(torch.tensor(2 * percentile - 1)))


#: By stylegan2-ada-pytorch d72cc7d with one transformation and a fixed percentile: three pixels of the
#: first channel, one of the second.
RELEASED = {
    "rotation": (rotation(one(-0.2 * math.pi)),
                 [-0.06992673128843307, 0.12444072961807251, -0.03174702078104019, -0.5177816152572632]),
    "scale": (scaling(one(2 ** (0.2 * normal(0.7))), one(2 ** (0.2 * normal(0.7)))),
              [-0.4535976052284241, 0.0951165109872818, -0.059373363852500916, -0.1459324210882187]),
    "stretch": (scaling(one(2 ** (0.2 * normal(0.7))), one(2 ** (-0.2 * normal(0.7)))),
                [-0.4763259291648865, 0.07779528200626373, -0.06317540258169174, -0.081621915102005]),
    "fraction": (translation(one(4 * normal(0.6)), one(4 * normal(0.6))),
                 [-0.1415981650352478, -0.006843638606369495, 0.1597641557455063, -0.1658160537481308]),
    "whole": (translation(one(3.0), one(3.0)),
              [-0.06451491266489029, -0.5727267861366272, -0.4909575879573822, 1.52568781375885]),
    "turn": (rotation(one(-0.5 * math.pi)).round(),
             [0.044649481773376465, 0.26442188024520874, 0.051497381180524826, -0.45774000883102417]),
    "mirror": (scaling(one(-1.0), one(1.0)),
               [0.04388560354709625, -0.054413724690675735, 0.05149707570672035, 0.11349900811910629]),
}  # fmt: skip


@pytest.mark.parametrize("name", RELEASED)
def test_each_transformation_is_that_of_the_release(name: str) -> None:
    matrix, expected = RELEASED[name]
    found = resampled(smooth(), matrix)
    pixels = [*found[0, 0, 16, 14:17].tolist(), float(found[0, 1, 10, 20])]
    assert pixels == pytest.approx(expected, abs=1e-5)


def test_what_moves_nothing_changes_nothing() -> None:
    images = smooth()
    torch.testing.assert_close(resampled(images, rotation(one(0.0))), images, rtol=0, atol=2e-6)
    draw = torch.Generator().manual_seed(0)
    assert torch.equal(bgc(images.expand(8, -1, -1, -1), 0.0, draw), images.expand(8, -1, -1, -1))


def test_the_probability_is_that_of_each_transformation() -> None:
    draw = torch.Generator().manual_seed(1)
    matrix = placement(Dice(20_000, 0.3, draw), 32)
    still = (matrix == torch.eye(3)).flatten(1).all(1).float().mean()
    # mirror and turn change nothing in half and a quarter of their hits, two turns make one p
    expected = 0.85 * (1 - 0.3 * 0.75) * 0.7**3 * 0.7 * 0.7
    assert float(still) == pytest.approx(expected, abs=0.012)
    certain = placement(Dice(20_000, 1.0, draw), 32)[:, :2, :2].det().abs()
    assert float(certain.log2().std()) == pytest.approx(0.4, rel=0.03)  # isotropic scale, twice


def test_r1_passes_through_it_and_it_is_another_draw_for_each_image() -> None:
    draw = torch.Generator().manual_seed(2)
    images = smooth().double().expand(6, -1, -1, -1).clone().requires_grad_()
    shown = bgc(images, 1.0, draw)
    assert len({round(float(s), 6) for s in shown.detach().std((1, 2, 3))}) == 6
    (gradient,) = torch.autograd.grad(shown.square().sum(), images, create_graph=True)
    gradient.square().sum().backward()
    assert images.grad is not None
    assert bool((images.grad.flatten(1).abs().sum(1) > 0).all())
