"""Outlines that are read from pixels, in the three forms."""

from __future__ import annotations

import pytest
import torch
from bench_aist.outline import DARKEST, outlined, soft_alpha, step_alpha

from benchmark.contracts.images import to_bytes, to_signed


def levels(*values: tuple[int, int, int]) -> torch.Tensor:
    """A picture of one row, of 8-bit colours."""
    return to_signed(torch.tensor(values, dtype=torch.uint8).T[None, :, None])


def test_the_step_is_one_where_any_channel_is_above_black() -> None:
    images = levels((0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 1, 1), (255, 255, 255))
    assert step_alpha(images).flatten().tolist() == [0, 1, 1, 1, 1]


@pytest.mark.parametrize("value", [-1.0, -0.9965, -0.9955, 0.3])
def test_the_step_is_that_of_the_stored_picture(value: float) -> None:
    images = torch.full((1, 3, 2, 2), value)
    stored = to_signed(to_bytes(images))
    assert torch.equal(step_alpha(images), step_alpha(stored))


def test_the_step_has_no_gradient_and_the_soft_one_has() -> None:
    x = torch.tensor([-0.999, -0.96, -0.5]).view(1, 1, 1, 3).repeat(1, 3, 1, 1).requires_grad_()
    assert not step_alpha(x).requires_grad
    soft_alpha(x, 0.04, 0.02).sum().backward()
    assert x.grad is not None
    # only the brightest channel counts; of equal ones each has a part
    slope = torch.sigmoid((x.detach()[:, 0] + 1 - 0.04) / 0.02)
    torch.testing.assert_close(x.grad.sum(1), slope * (1 - slope) / 0.02)
    assert float(x.grad.sum(1)[0, 0, 0]) > 5  # on the background it pulls too


def test_soft_alpha_is_a_logistic_of_the_brightest_channel() -> None:
    x = torch.tensor([-1.0, -0.96, -0.92]).view(1, 3, 1, 1)
    assert soft_alpha(x, 0.04, 0.02).item() == pytest.approx(1 / (1 + 2.718281828**-2), rel=1e-5)


def test_exact_is_the_sources_outline_whatever_was_painted() -> None:
    draw = torch.Generator().manual_seed(0)
    alpha = (torch.rand(4, 1, 8, 8, generator=draw) < 0.5).float()
    for painted in (torch.rand(4, 3, 8, 8, generator=draw) * 2 - 1, torch.full((4, 3, 8, 8), -1.0)):
        found = outlined(painted, alpha)
        assert torch.equal(step_alpha(found), alpha)
        assert torch.equal(step_alpha(to_signed(to_bytes(found))), alpha)
    dark = outlined(torch.full((1, 3, 1, 2), -1.0), torch.tensor([[[[0.0, 1.0]]]]))
    assert to_bytes(dark)[0, :, 0].tolist() == [[0, 1]] * 3
    assert float(dark.max()) == pytest.approx(DARKEST)


def test_what_is_already_cut_out_stays_as_it_is() -> None:
    images = levels((0, 0, 0), (1, 0, 0), (255, 0, 0), (1, 1, 1), (9, 200, 40))
    assert torch.equal(outlined(images, step_alpha(images)), images)


def test_gradients_reach_what_lies_inside_and_nothing_else() -> None:
    x = torch.zeros(1, 3, 1, 2, requires_grad=True)
    outlined(x, torch.tensor([[[[0.0, 1.0]]]])).sum().backward()
    assert x.grad is not None
    assert x.grad[0, :, 0].tolist() == [[0, 1]] * 3
