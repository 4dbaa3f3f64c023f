from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from benchmark.contracts.errors import BenchError, InvalidInput
from benchmark.contracts.images import Images
from benchmark.training.batches import Batches, Order
from benchmark.training.device import make_fabric, prepare
from benchmark.training.ema import follow, frozen_copy
from benchmark.training.meters import Rate, peak_memory
from benchmark.training.optimisers import make_optimiser, set_learning_rate
from benchmark.training.randomness import derived_seed, seeded
from benchmark.training.schedules import learning_rate, momentum


@pytest.fixture
def images() -> Images:
    pixels = np.arange(10, dtype=np.uint8)[:, None, None, None]
    return Images(np.broadcast_to(pixels, (10, 8, 8, 3)).copy(), 4, "0" * 64)


def test_learning_rate_warms_up_and_cools_down() -> None:
    rates = [learning_rate(s, 100, 0.2, warm_up=10) for s in range(101)]
    assert rates[0] == pytest.approx(0.02)
    assert rates[9] == pytest.approx(0.2)
    assert rates[10] == pytest.approx(0.2)
    assert rates[55] == pytest.approx(0.1)
    assert rates[100] == pytest.approx(0.0, abs=1e-12)


def test_momentum_is_byols() -> None:
    assert momentum(0, 1000, 0.996) == pytest.approx(0.996)
    assert momentum(500, 1000, 0.996) == pytest.approx(0.998)
    assert momentum(1000, 1000, 0.996) == pytest.approx(1.0)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 2**31), st.integers(0, 3))
def test_an_epoch_shows_no_image_twice(count: int, batch: int, seed: int, epoch: int) -> None:
    batch = min(batch, count)
    order = Order(count, batch, seed)
    steps = range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch)
    seen = np.concatenate([order.indices(step) for step in steps])
    assert len(np.unique(seen)) == len(seen) == count // batch * batch
    fresh = Order(count, batch, seed).indices(steps[-1])
    np.testing.assert_array_equal(order.indices(steps[-1]), fresh)


def test_processes_share_a_batch() -> None:
    whole = Order(20, 6, 0).indices(4)
    parts = [Order(20, 6, 0, rank=r, share=2).indices(4) for r in range(2)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    with pytest.raises(InvalidInput, match="shared by 4"):
        Order(20, 6, 0, share=4)


def test_a_batch_larger_than_the_set_is_refused() -> None:
    with pytest.raises(InvalidInput, match="batch of 11"):
        Order(10, 11, 0)


@pytest.mark.parametrize("margin", [True, False])
def test_kept_and_streamed_batches_are_the_same(images: Images, margin: bool) -> None:
    subset = np.array([1, 4, 5, 8, 9])
    kept = Batches(images, Order(5, 2, 0), margin=margin, subset=subset)
    streamed = Batches(images, Order(5, 2, 0), margin=margin, subset=subset, cache_bytes=0)
    for step in (0, 1, 2, 7, 3):
        assert torch.equal(kept(step), streamed(step))
        assert kept(step).shape == (2, 3, 8 if margin else 4, 8 if margin else 4)
        assert set(kept(step)[:, 0, 0, 0].tolist()) <= set(subset.tolist())


def test_follow_is_a_weighted_mean_and_leaves_buffers() -> None:
    net = nn.BatchNorm1d(2)
    average = frozen_copy(net)
    nn.init.constant_(net.weight, 3.0)
    net.running_mean.fill_(7.0)
    follow(average, net, 0.75)
    assert average.weight.tolist() == [1.5, 1.5]
    assert average.running_mean.tolist() == [0.0, 0.0]
    assert not average.weight.requires_grad


def test_decay_is_for_weights_only() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    optimiser = make_optimiser("sgd", [net], 0.1, 0.01)
    assert [len(g["params"]) for g in optimiser.param_groups] == [1, 3]
    assert [g["weight_decay"] for g in optimiser.param_groups] == [0.01, 0.0]
    set_learning_rate(optimiser, 0.5)
    assert [g["lr"] for g in optimiser.param_groups] == [0.5, 0.5]


def test_seeds_differ_by_purpose_and_step() -> None:
    seeds = {derived_seed(s, key, i) for s in (0, 1) for key in ("a", "b") for i in range(50)}
    assert len(seeds) == 200
    assert derived_seed(0, "views", 7) == derived_seed(0, "views", 7) < 2**63


def test_seeded_puts_the_global_generator_back() -> None:
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    with seeded(3, "net"):
        one = nn.Linear(2, 2).weight
    assert torch.equal(torch.rand(2), expected)
    with seeded(3, "net"):
        assert torch.equal(nn.Linear(2, 2).weight, one)


def test_fabric_computes_in_bfloat16_and_keeps_float32_weights() -> None:
    fabric = make_fabric("cpu", "bfloat16")
    seen: list[torch.dtype] = []
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    net[0].register_forward_hook(lambda module, given, out: seen.append(out.dtype))
    learner, optimiser = prepare(fabric, net, make_optimiser("sgd", [net], 0.1, 0.0))
    out = learner(torch.randn(2, 3, 8, 8))
    fabric.backward(out.mean())
    optimiser.step()
    assert seen == [torch.bfloat16]
    assert out.dtype == net[0].weight.dtype == net[0].weight.grad.dtype == torch.float32


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_gpu_that_is_not_there_is_named() -> None:
    with pytest.raises(BenchError, match="no CUDA GPU"):
        make_fabric("cuda")


def test_meters_measure() -> None:
    rate = Rate()
    rate.add(10)
    assert rate.read() > 0
    assert rate.read() == 0
    assert 2**20 < peak_memory("cpu") < 2**45
