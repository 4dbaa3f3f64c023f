"""The loss of DVE against its formula, written with loops over positions."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from bench_dve.loss import exchanged, match_cost, of_length
from torch import Tensor

SIDE, CHANNELS, IMAGES = 3, 4, 3


def given() -> dict[str, Tensor]:
    """Float64 maps of three images and targets, one of them far outside the image."""
    draw = torch.Generator().manual_seed(0)
    first, second = torch.randn(
        2, IMAGES, CHANNELS, SIDE, SIDE, generator=draw, dtype=torch.float64
    )
    wanted = 6 * torch.rand(IMAGES, SIDE**2, 2, generator=draw, dtype=torch.float64)
    wanted[0, 0] = torch.tensor([-9.0, 20.0])
    return {"first": first, "second": second, "wanted": wanted}


def by_hand(given: dict[str, Tensor], exchange: bool, power: float) -> float:
    """The same number position by position, with the exponentials of plain Python."""
    total = 0.0
    pixels = [(y, x) for y in range(SIDE) for x in range(SIDE)]
    for image in range(IMAGES):
        one, two = given["first"][image], given["second"][image]
        other = given["first"][(image + 1) % IMAGES]
        for number, (y, x) in enumerate(pixels):
            query = one[:, y, x].tolist()
            if exchange:
                votes = [math.exp(float(one[:, y, x] @ other[:, i, j])) for i, j in pixels]
                query = [
                    sum(v * float(other[c, i, j]) for v, (i, j) in zip(votes, pixels, strict=True))
                    / sum(votes)
                    for c in range(CHANNELS)
                ]
            votes = [
                math.exp(sum(q * float(two[c, i, j]) for c, q in enumerate(query)))
                for i, j in pixels
            ]
            u, v = given["wanted"][image, number].tolist()
            for vote, (i, j) in zip(votes, pixels, strict=True):
                total += vote / sum(votes) * math.hypot(u - 2 * j, v - 2 * i) ** power
    return total / (IMAGES * SIDE**2)


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("power", [0.5, 1.0])
def test_the_loss_is_its_formula(exchange: bool, power: float) -> None:
    found = match_cost(**given(), stride=2, exchange=exchange, power=power)
    assert float(found) == pytest.approx(by_hand(given(), exchange, power), rel=1e-12)


@pytest.mark.parametrize("exchange", [True, False])
def test_folded_softmaxes_are_the_plain_ones(exchange: bool) -> None:
    found: list[Any] = []
    for folded in (False, True):
        maps = given()
        first, second = (maps[name].requires_grad_() for name in ("first", "second"))
        loss = match_cost(first, second, maps["wanted"], stride=2, exchange=exchange, folded=folded)
        found.append((loss.detach(), *torch.autograd.grad(loss, [first, second])))
    torch.testing.assert_close(*found, rtol=1e-12, atol=1e-14)


def test_the_auxiliary_image_learns_and_is_the_next_first_view() -> None:
    maps = given()
    first = maps["first"].requires_grad_()
    queries = exchanged(first[:1].flatten(2).mT, first[1:2].flatten(2).mT)
    queries.sum().backward()
    touched = [float(first.grad[i].abs().sum()) > 0 for i in range(IMAGES)]
    assert touched == [True, True, False]
    wanted = maps["wanted"]
    alone = match_cost(first[:2], maps["second"][:2], wanted[:2], stride=2)
    swapped = match_cost(first[[1, 0]], maps["second"][[1, 0]], wanted[[1, 0]], stride=2)
    torch.testing.assert_close(alone, swapped)  # of two images each is the other's auxiliary


def test_a_descriptor_is_rebuilt_from_what_it_resembles() -> None:
    others = of_length(torch.eye(4)[None, :, :, None], 20.0).flatten(2).mT
    torch.testing.assert_close(exchanged(0.3 * others, others), others, atol=1e-4, rtol=0)


def test_lengths() -> None:
    maps = torch.randn(2, 5, 3, 3)
    assert of_length(maps, None) is maps
    torch.testing.assert_close(of_length(maps, 20.0).norm(dim=1), torch.full((2, 3, 3), 20.0))
