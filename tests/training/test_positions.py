"""Positions of pixels, and points seen from them."""

from __future__ import annotations

import torch

from benchmark.training.positions import Encoding, pixel_centres


def test_a_margin_goes_on_with_the_same_step() -> None:
    torch.testing.assert_close(pixel_centres(8, 3)[3:-3], pixel_centres(8))
    step = pixel_centres(8, 3).diff()
    torch.testing.assert_close(step, torch.full_like(step, 0.25))


def grid(side: int, margin: int = 0) -> torch.Tensor:
    line = pixel_centres(side, margin)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), -1)


def test_an_encoding_is_sines_and_cosines_of_half_turns() -> None:
    encoding = Encoding(1, 1)
    with torch.no_grad():
        encoding.linear.weight.copy_(torch.tensor([1.0, 0.0]).view(1, 2, 1, 1))
    found = encoding(torch.tensor([[[0.25, 0.9]]]), grid(2))[0].detach()
    phase = torch.pi * torch.tensor([0.75, -0.25])[:, None].expand(2, 2)  # rows at -0.5 and 0.5
    torch.testing.assert_close(found, torch.stack([phase.sin(), phase.cos()]))


def test_an_encoding_moves_with_its_points() -> None:
    torch.manual_seed(0)
    encoding, points = Encoding(3, 8), torch.rand(2, 3, 2)
    here, there = (encoding(points + torch.tensor([x, 0.0]), grid(8, 2)) for x in (0.0, 0.25))
    torch.testing.assert_close(there[:, :, 1:], here[:, :, :-1], atol=1e-4, rtol=0)


def test_half_precision_does_not_blur_where_pixels_lie() -> None:
    torch.manual_seed(0)
    encoding, points, where = Encoding(3, 8), torch.rand(1, 3, 2), grid(8, 2)
    with torch.autocast("cpu", torch.bfloat16):
        low = encoding(points, where)
    assert torch.equal(low, encoding(points, where))
