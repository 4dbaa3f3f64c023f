from __future__ import annotations

import pytest
import torch
from bench_lead.networks import Student, encoder, hypercolumn, narrow


@pytest.mark.parametrize("name, channels", [("narrow", 360), ("resnet50", 3840)])
def test_hypercolumn_has_the_channels_of_all_stages(name: str, channels: int) -> None:
    net = encoder(name).eval()
    with torch.inference_mode():
        maps = net.maps(torch.zeros(1, 3, 96, 96))
        column = hypercolumn(maps, 24)
    assert [m.shape[-1] for m in maps] == [24, 12, 6, 3]
    assert column.shape == (1, channels, 24, 24)
    assert sum(net.channels) == channels


def test_hypercolumn_is_coarsest_first_and_keeps_the_finest_as_it_is() -> None:
    maps = [torch.rand(2, c, s, s) for c, s in ((3, 24), (4, 12), (5, 6), (6, 3))]
    column = hypercolumn(maps, 24)
    assert torch.equal(column[:, -3:], maps[0])
    torch.testing.assert_close(column[:, :6].mean((2, 3)), maps[3].mean((2, 3)))


def test_narrow_network_is_small() -> None:
    weights = sum(p.numel() for p in narrow().parameters())
    assert 600_000 < weights < 800_000


def test_every_scale_reaches_the_descriptors() -> None:
    student = Student(narrow((4, 8, 12, 16)), width=8, dimension=5).eval()
    maps = [m.detach().requires_grad_() for m in student.encoder.maps(torch.randn(1, 3, 64, 64))]
    out = student.pyramid(maps)
    assert out.shape == (1, 5, 16, 16)
    out.square().sum().backward()
    assert all(float(m.grad.abs().sum()) > 0 for m in maps)
