"""The networks: how many parameters, what depends on what, and what moves when points move."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import pytest
import torch
from bench_latentkeypointgan import PAPER, SMALL
from bench_latentkeypointgan.detector import Detector
from bench_latentkeypointgan.discriminator import Discriminator
from bench_latentkeypointgan.generator import LatentKeypointGenerator, Scene
from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from torch import Tensor, nn

NARROW: dict[str, Any] = {
    "size": 32, "landmarks": 3, "noise": 4, "width": 8, "depth": 2, "embedding": 4, "start_side": 8,
    "base": 128, "most": 8, "hidden": 0, "convolutions": 1, "modulation": 1, "output": "linear",
    "discriminator_base": 128, "discriminator_most": 8, "detector_width": 4, "downs": 2,
    "ups": 1, "tau": 0.05,
}  # fmt: skip


def made(**given: Any) -> LatentKeypointGenerator:
    torch.manual_seed(0)
    net = LatentKeypointGenerator(LatentKeypointGanSettings(**NARROW | given))
    return net.eval().requires_grad_(False)


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def linear(*widths: int) -> int:
    return sum(a * b + b for a, b in pairwise(widths))


def conv(inward: int, outward: int, kernel: int) -> int:
    return inward * outward * kernel**2 + outward


def test_the_papers_networks_have_as_many_parameters_as_their_layers_say() -> None:
    settings = LatentKeypointGanSettings(**PAPER)
    with torch.device("meta"):
        nets = [kind(settings) for kind in (LatentKeypointGenerator, Discriminator, Detector)]
    widths = [512, 512, 512, 512, 256, 128, 64]  # before the first block, and after each
    generator = linear(256, 512, 512, 20) + 2 * linear(256, 512, 512, 128) + 10 * 128
    generator += 512 * 4 * 4 + conv(64, 3, 3)
    for inward, outward in pairwise(widths):
        for channels in (inward, outward):  # what each of the two convolutions is modulated by
            generator += conv(128, 128, 3) + conv(128, 2 * channels, 3)
        generator += conv(inward, outward, 3) + conv(outward, outward, 3)
        generator += conv(inward, outward, 1) if inward != outward else 0
    judge = conv(3, 64, 3)
    for inward, outward in ((64, 128), (128, 256), (256, 512), (512, 512), (512, 512)):
        judge += conv(inward, inward, 3) + conv(inward, outward, 3) + conv(inward, outward, 1)
    judge += conv(512, 512, 3) + linear(512 * 16, 512, 1)
    detector = 0
    for inward, outward in ((3, 64), (64, 128), (128, 256), (256, 512)):
        detector += 2 * conv(inward, outward, 3) + conv(outward, outward, 3) + 6 * outward
    detector += conv(512, 256, 3) + 512 + conv(256, 128, 3) + 256 + conv(128, 10, 3)
    assert [count(net) for net in nets] == [generator, judge, detector]


@pytest.mark.parametrize("preset", [SMALL, NARROW])
def test_shapes(preset: dict[str, Any]) -> None:
    settings = LatentKeypointGanSettings(**preset)
    net, points = LatentKeypointGenerator(settings).requires_grad_(False), settings.landmarks
    scene = net.scene(torch.randn(4, net.z_dim))
    assert scene.points.shape == (4, points, 2)
    assert float(scene.points.abs().max()) < 1
    images = net(scene)
    assert images.shape == (4, 3, 32, 32)
    assert Discriminator(settings)(images).shape == (4, 1)
    found = Detector(settings)(images).detach()
    assert found.shape == (4, points, 2)
    assert float(found.abs().max()) < 1


def test_w_is_points_embeddings_background() -> None:
    net = made()
    scene = net.scene(torch.randn(2, net.z_dim))
    w = scene.packed()
    assert w.shape == (2, 3 * 2 + 3 * 4 + 4)
    torch.testing.assert_close(w[:, :6].unflatten(1, (3, 2)), scene.points)
    torch.testing.assert_close(w[:, -4:], scene.background)
    again = net.unpacked(w)
    torch.testing.assert_close(again.embeddings, scene.embeddings)
    torch.testing.assert_close(net(again), net(scene))


def test_the_three_noises_are_independent_and_parts_share_one_appearance() -> None:
    net = made()
    z = torch.randn(1, net.z_dim)
    scene = net.scene(z)
    for place, kept in ((0, ("embeddings", "background")), (4, ("points", "background")),
                        (8, ("points", "embeddings"))):  # fmt: skip
        other = z.clone()
        other[:, place : place + 4] = torch.randn(4)
        found = net.scene(other)
        for name in ("points", "embeddings", "background"):
            assert torch.equal(getattr(found, name), getattr(scene, name)) == (name in kept)
    factor = scene.embeddings / net.constants
    torch.testing.assert_close(factor, factor[:, :1].expand_as(factor))


def test_roaming_moves_all_points_of_an_image_together() -> None:
    """By the share of normal numbers below two of z; what lies at the points stays as it is."""
    net = made(roam=0.25)
    assert net.z_dim == 3 * 4 + 2
    z = torch.randn(1, net.z_dim).expand(2, -1).clone()
    z[:, -2:] = torch.tensor([[0.0, 0.0], [1.0, -0.5]])
    scene = net.scene(z)
    here, there = scene.points
    wanted = [0.25 * (2 * NormalDist().cdf(number) - 1) for number in (1.0, -0.5)]
    torch.testing.assert_close(there - here, torch.tensor(wanted).expand(3, 2))
    torch.testing.assert_close(*scene.embeddings)
    torch.testing.assert_close(*scene.background)
    torch.testing.assert_close(here, 0.75 * made().scene(z[:1, :12]).points[0])
    far = net.scene(100 * torch.randn(64, net.z_dim)).points
    assert 0.9 < float(far.abs().max()) <= 1  # never outside the image


def test_an_image_does_not_depend_on_its_batch() -> None:
    net = made()
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    scene = net.scene(torch.randn(5, net.z_dim))
    alone = Scene(scene.points[2:3], scene.embeddings[2:3], scene.background[2:3])
    torch.testing.assert_close(net(scene)[2:3], net(alone), atol=1e-5, rtol=0)


def shifted(net: LatentKeypointGenerator) -> tuple[Tensor, Tensor]:
    """An image, and that of all points a quarter of the half side, which are 4 pixels, further right."""
    scene = net.scene(torch.randn(1, net.z_dim))
    points = torch.tensor([[[-0.5, -0.3], [-0.2, 0.4], [0.1, 0.0]]])
    return tuple(net(replace(scene, points=points + torch.tensor([x, 0.0]))) for x in (0.0, 0.25))


def test_the_picture_moves_with_its_points() -> None:
    here, there = shifted(made(start="positional", margin=4))
    assert float(here.std()) > 0.05
    torch.testing.assert_close(there[..., 4:], here[..., :-4], atol=1e-4, rtol=0)


def test_without_margins_it_does_so_inside_and_not_at_the_border() -> None:
    here, there = shifted(made(start="positional", margin=0))
    apart = (there[..., 4:] - here[..., :-4]).abs().amax((0, 1))
    assert float(apart[11:21, 11:17].max()) < 1e-4  # out of reach of what is padded
    assert float(apart.max()) > 1e-2


def test_a_constant_start_knows_where_it_is() -> None:
    here, there = shifted(made(start="constant", margin=4))
    assert float((there[..., 4:] - here[..., :-4]).abs().max()) > 1e-2


def test_parts_may_be_left_out_or_added() -> None:
    net = made()
    scene = net.scene(torch.randn(2, net.z_dim))
    present = torch.ones(2, 3)
    torch.testing.assert_close(net(replace(scene, present=present)), net(scene))
    present[:, 1] = 0
    without = net(replace(scene, present=present))
    assert not torch.equal(without, net(scene))
    rows = [0, 2]
    two = Scene(scene.points[:, rows], scene.embeddings[:, rows], scene.background)
    torch.testing.assert_close(without, net(two), atol=1e-5, rtol=0)
    more = Scene(
        *(torch.cat([x, x[:, :1]], 1) for x in (scene.points, scene.embeddings)), scene.background
    )
    assert net(more).shape == (2, 3, 32, 32)


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": 6, "modulation": 3},
        {"convolutions": 2},
        {"normalisation": "instance"},
        {"output": "tanh"},
    ],
)
def test_variants_make_other_images(change: dict[str, Any]) -> None:
    plain, other = made(), made(**change)
    z = torch.randn(1, plain.z_dim)
    found = other(other.scene(z))
    assert found.shape == (1, 3, 32, 32)
    assert not torch.allclose(found, plain(plain.scene(z)))
    if change.get("output"):
        assert float(found.abs().max()) <= 1
