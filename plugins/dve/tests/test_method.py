"""DVE as a method: networks, presets, and fits that are killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_dve
import pytest
import torch
from bench_dve.method import Dve
from bench_dve.networks import Hourglass, SmallNet, biases
from bench_dve.settings import DveSettings
from pydantic import ValidationError
from torch import nn

from benchmark.contracts import MethodSpec
from benchmark.contracts.images import Images

Make = Callable[..., Any]
TINY: dict[str, Any] = {
    "network": "smallnet",
    "width": 0.2,
    "dimension": 5,
    "size": 16,
    "length": 10.0,
    "steps": 4,
    "batch": 4,
}


def settings(**more: Any) -> DveSettings:
    return DveSettings(**TINY | more)


def some(images: Images) -> torch.Tensor:
    return images.batch(slice(0, 3)).float().div(127.5).sub(1)


def spec() -> MethodSpec:
    found: list[MethodSpec] = []
    bench_dve.bench_methods(found.append)
    return found[0]


def test_registration_is_whole_and_light() -> None:
    assert spec().problems() == []
    assert {DveSettings(**preset).network for preset in spec().presets.values()} == {
        "hourglass",
        "smallnet",
    }
    code = "import bench_dve, sys; assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_smallnet_has_the_layers_of_the_paper() -> None:
    network = SmallNet(1.0, 64)
    layers = [part for part in network if isinstance(part, nn.Conv2d)]
    shapes = [(part.out_channels, part.kernel_size[0], part.dilation[0]) for part in layers]
    assert shapes == [(20, 5, 1), (48, 5, 1), (64, 5, 2), (80, 3, 4), (256, 3, 2), (64, 1, 1)]
    assert network.eval()(torch.zeros(1, 3, 70, 70)).shape == (1, 64, 35, 35)
    assert not any(bias.any() for bias in biases(network))


def test_hourglass_has_the_weights_of_the_paper() -> None:
    with torch.device("meta"):
        network = Hourglass(64)
        assert network(torch.zeros(1, 3, 96, 96)).shape == (1, 64, 48, 48)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 1) == 12.6


def test_sizes_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValidationError, match="not a multiple of 32, as hourglass"):
        DveSettings(network="hourglass", size=72)


def test_what_is_fitted_is_what_is_loaded(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    context = make_context(tmp_path / "run")
    method = Dve(settings(unit_length=True))
    method.fit(images, context)
    found = method.predict(some(images))
    assert found.maps.shape == (3, 5, 8, 8)
    assert (found.stride, found.offset) == (4.0, 1.5)
    torch.testing.assert_close(found.maps.norm(dim=1), torch.ones(3, 8, 8))
    assert [row["step"] for row in context.seen.log] == [1, 2, 4]
    loaded = Dve(settings(unit_length=True))
    loaded.load(context.seen.milestones[-1][1], "cpu")
    assert torch.equal(loaded.predict(some(images)).maps, found.maps)


@pytest.mark.parametrize("given", [{"exchange": False}, {"length": None}, {"folded": True}])
def test_variants_learn_other_networks(
    given: dict[str, Any], images: Images, tmp_path: Path, make_context: Make
) -> None:
    maps = []
    for i, more in enumerate(({}, given)):
        method = Dve(settings(**more))
        method.fit(images, make_context(tmp_path / str(i)))
        maps.append(method.predict(some(images)).maps)
    same = "folded" in given
    assert torch.allclose(maps[0], maps[1], atol=1e-4) is same


@pytest.mark.long
def test_killed_and_resumed_is_bit_identical(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    straight, resumed = Dve(settings(steps=6)), Dve(settings(steps=6))
    straight.fit(images, make_context(tmp_path / "straight"))
    with pytest.raises(KeyboardInterrupt):
        resumed.fit(images, make_context(tmp_path / "killed", every=1, kill_after=1))
    resumed.fit(images, make_context(tmp_path / "killed", every=1))
    assert torch.equal(straight.predict(some(images)).maps, resumed.predict(some(images)).maps)


@pytest.mark.long
def test_the_loss_falls(images: Images, tmp_path: Path, make_context: Make) -> None:
    context = make_context(tmp_path / "run")
    Dve(settings(steps=120, drops=(), width=0.5)).fit(images, context)
    losses = [row["loss"] for row in context.seen.log]
    assert losses[-1] < 0.85 * losses[0]
