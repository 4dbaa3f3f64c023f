"""The networks are StyleGAN2's: sizes, layers, and the release's numbers for the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from bench_stylegan2.discriminator import Discriminator
from bench_stylegan2.generator import Modulated, StyleGan2
from bench_stylegan2.layers import Convolution, blurred, enlarged
from torch import Tensor, nn
from torch.nn import functional

from benchmark.training.adversarial import squared_gradients


def filled(network: nn.Module, seed: int = 7) -> None:
    """Weights from PCG64, in the order of their names."""
    draw, state = np.random.Generator(np.random.PCG64(seed)), network.state_dict()
    for name in sorted(state):
        scale = 0.1 if name.endswith("bias") else 1.0
        if name.startswith("mapping.fc") and name.endswith("weight"):
            scale = 100.0
        if "noise_strength" in name:
            scale = 0.3
        drawn = np.asarray(scale * draw.standard_normal(tuple(state[name].shape)))
        state[name].copy_(torch.from_numpy(drawn))


def normal(*shape: int, seed: int = 8) -> Tensor:
    draw = np.random.Generator(np.random.PCG64(seed))
    return torch.from_numpy(draw.standard_normal(shape)).float()


@pytest.mark.parametrize(
    "size, base, mapping, generator, discriminator",
    [
        (256, 16384, 2, 23_191_522, 24_001_089),
        (256, 16384, 8, 24_767_458, 24_001_089),
        (256, 32768, 8, 30_034_338, 28_864_129),
        (1024, 32768, 8, 30_370_060, 29_012_513),
        (64, 16384, 2, 22_243_608, 23_407_361),
        (32, 16384, 2, 19_947_539, 21_507_073),
    ],
)
def test_parameters_are_as_many_as_those_of_the_release(
    size: int, base: int, mapping: int, generator: int, discriminator: int
) -> None:
    with torch.device("meta"):
        nets = (
            StyleGan2(size, 512, 512, mapping, base, 512),
            Discriminator(size, base, 512, 4),
        )
    counts = [sum(p.numel() for p in net.parameters()) for net in nets]
    assert counts == [generator, discriminator]
    assert nets[0].layers == {1024: 18, 256: 14, 64: 10, 32: 8}[size]


def test_a_generator_gives_what_the_release_gives() -> None:
    """Figures of stylegan2-ada-pytorch d72cc7d, its reference operations in float32 on a CPU."""
    net = StyleGan2(32, 16, 12, 3, 256, 32)
    filled(net)
    with torch.no_grad():
        w = net.mapping.w_avg.lerp(net.mapping(normal(4, 16)), 0.7)
        images, kept = net.synthesis(net.every(w), net.synthesis.constant(), keep=(8, 32))
    expected = [-0.07993345707654953, 0.3912106156349182, -0.5888893008232117]
    assert images[0, :, 5, 7].tolist() == pytest.approx(expected, abs=1e-5)
    expected = [0.19451528787612915, 0.1874910444021225, 0.10950775444507599]
    assert images[3, 1, 31, :3].tolist() == pytest.approx(expected, abs=1e-5)
    assert float(images.abs().mean()) == pytest.approx(0.3912324905395508, abs=1e-6)
    assert float(images.std()) == pytest.approx(0.4401146471500397, abs=1e-6)
    assert {side: tuple(maps.shape) for side, maps in kept.items()} == {
        8: (4, 32, 8, 8),
        32: (4, 8, 32, 32),
    }


def test_a_discriminator_and_its_r1_give_what_the_release_gives() -> None:
    draw = np.random.Generator(np.random.PCG64(8))
    draw.standard_normal((4, 16))
    images = torch.from_numpy(draw.standard_normal((8, 3, 32, 32))).float().requires_grad_()
    net = Discriminator(32, 256, 32, 4)
    filled(net)
    scores = net(images)
    (gradient,) = torch.autograd.grad(scores.sum(), images)
    expected = [
        -0.029036108404397964, -0.01898956671357155, -0.03851540759205818, -0.06943605840206146,
        0.005597662180662155, -0.005231399089097977, -0.04091935232281685, -0.08862225711345673,
    ]  # fmt: skip
    assert scores[:, 0].tolist() == pytest.approx(expected, abs=1e-6)
    squared = gradient.square().sum((1, 2, 3))[:3].tolist()
    expected = [0.00229030754417181, 0.0023313916753977537, 0.002193931955844164]
    assert squared == pytest.approx(expected, rel=1e-4)


def test_r1_is_the_squared_slope_in_float64_and_by_differences() -> None:
    net = Discriminator(8, 64, 8, 4)
    filled(net)
    images = normal(4, 3, 8, 8).requires_grad_()
    single = squared_gradients(net(images), images)
    net, exact = net.double(), images.detach().double().requires_grad_()
    squared = squared_gradients(net(exact), exact)
    torch.testing.assert_close(single.double(), squared, rtol=1e-4, atol=1e-12)
    (slope,) = torch.autograd.grad(net(exact).sum(), exact)
    for place in ((0, 0, 0, 0), (1, 2, 3, 4), (3, 1, 7, 7)):
        step = torch.zeros_like(exact)
        step[place] = 1e-6
        with torch.no_grad():
            apart = (net(exact + step) - net(exact - step)).sum() / 2e-6
        assert float(apart) == pytest.approx(float(slope[place]), rel=1e-4)
    weight = net.b8.conv0.weight
    (by_autograd,) = torch.autograd.grad(squared.sum(), weight)
    with torch.no_grad():
        weight[0, 0, 1, 1] += 1e-6
    above = squared_gradients(net(exact), exact).sum().item()
    with torch.no_grad():
        weight[0, 0, 1, 1] -= 2e-6
    below = squared_gradients(net(exact), exact).sum().item()
    assert (above - below) / 2e-6 == pytest.approx(by_autograd[0, 0, 1, 1].item(), rel=1e-3)


@pytest.mark.parametrize("up", [False, True])
def test_scaling_activations_is_a_convolution_of_each_image_with_its_own_weights(up: bool) -> None:
    torch.manual_seed(0)
    layer = Modulated(5, 7, 4, 3, demodulated=True, up=up).double()
    x, w = torch.randn(3, 5, 8, 8).double(), torch.randn(3, 4).double()
    weight = layer.weight[None] * layer.affine(w)[:, None, :, None, None]
    weight = weight / (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    if up:
        grouped = weight.transpose(1, 2).reshape(15, 7, 3, 3)
        own = functional.conv_transpose2d(x.view(1, 15, 8, 8), grouped, stride=2, groups=3)
        own = blurred(own.view(3, 7, 17, 17), 1, gain=4)
    else:
        grouped = weight.reshape(21, 5, 3, 3)
        own = functional.conv2d(x.view(1, 15, 8, 8), grouped, padding=1, groups=3).view(3, 7, 8, 8)
    torch.testing.assert_close(layer.convolved(x, w), own, rtol=1e-10, atol=1e-10)


def test_half_precision_cannot_overflow_and_is_near() -> None:
    net = StyleGan2(32, 16, 12, 2, 256, 32, half=2)
    filled(net)
    net.synthesis.b16.conv1.weight.data *= 3000
    w = net.every(net.mapping(normal(2, 16)))
    with torch.no_grad():
        exact, _ = net.synthesis(w, net.synthesis.constant())
        rough, _ = net.synthesis(w, net.synthesis.constant(), low=torch.float16)
    assert bool(torch.isfinite(rough).all())
    assert rough.dtype == torch.float32
    assert float((exact - rough).abs().mean()) < 0.01 * float(exact.abs().mean())


def test_filters_are_those_of_the_release() -> None:
    """Zeros between pixels, then [1, 3, 3, 1] along both axes; and that before every second pixel."""
    x = normal(2, 3, 6, 6)
    taps = torch.tensor([1.0, 3, 3, 1]) / 8
    kernel = (taps[:, None] * taps).expand(3, 1, 4, 4)
    spread = torch.zeros(2, 3, 12, 12)
    spread[..., ::2, ::2] = x
    spread = functional.pad(spread, (2, 1, 2, 1))
    torch.testing.assert_close(enlarged(x), functional.conv2d(spread, 4 * kernel, groups=3))
    torch.testing.assert_close(
        blurred(x, 2), functional.conv2d(functional.pad(x, (2,) * 4), kernel, groups=3)
    )
    inside = functional.interpolate(x, scale_factor=2, mode="bilinear")[..., 2:-2, 2:-2]
    torch.testing.assert_close(enlarged(x)[..., 2:-2, 2:-2], inside)


def test_a_shortcut_halves_by_the_filter_and_not_by_means() -> None:
    layer = Convolution(1, 1, 1, bias=False, active=False, down=True)
    layer.weight.data.fill_(1.0)
    x = normal(1, 1, 8, 8)
    torch.testing.assert_close(layer(x), blurred(x, 1)[..., ::2, ::2])


def test_batches_that_are_scored_together_do_not_mix() -> None:
    net = Discriminator(8, 64, 8, 4)
    images = normal(8, 3, 8, 8)
    torch.testing.assert_close(
        net(torch.cat([images, 0.5 * images]), sets=2),
        torch.cat([net(images), net(0.5 * images)]),
        rtol=1e-4,
        atol=1e-5,
    )


def test_z_of_any_length_is_one_z_and_w_has_a_running_mean() -> None:
    net = StyleGan2(8, 16, 12, 2, 64, 8)
    z = normal(4, 16)
    torch.testing.assert_close(net.mapping(z), net.mapping(7 * z), rtol=1e-4, atol=1e-5)
    net.mapping.follow(torch.full((12,), 2.0))
    torch.testing.assert_close(net.mapping.w_avg, torch.full((12,), 0.01))
