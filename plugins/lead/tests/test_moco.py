"""MoCo: the loss, the queue and the slow copy against their formulas."""

from __future__ import annotations

import math

import pytest
import torch
from bench_lead.moco import Moco, info_nce
from bench_lead.networks import narrow
from torch.nn import functional


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(*shape, generator=draw, dtype=torch.float64), dim=-1)


def make(queue: int = 6) -> Moco:
    torch.manual_seed(0)
    return Moco(narrow((4, 8, 8, 8)), projection=5, queue=queue, temperature=0.07)


def test_info_nce_is_its_formula() -> None:
    queries, keys, others = unit(3, 4), unit(3, 4, seed=1), unit(7, 4, seed=2)
    total = 0.0
    for query, key in zip(queries, keys, strict=True):
        own = math.exp(float(query @ key) / 0.07)
        rest = sum(math.exp(float(query @ other) / 0.07) for other in others)
        total -= math.log(own / (own + rest)) / 3
    assert float(info_nce(queries, keys, others, 0.07)) == pytest.approx(total, rel=1e-12)


def test_info_nce_of_no_preference_is_the_log_of_the_count() -> None:
    one = torch.tensor([[1.0, 0.0]])
    assert float(info_nce(one, one, one.expand(9, 2), 0.07)) == pytest.approx(math.log(10))


def test_the_queue_replaces_the_oldest() -> None:
    model = make(queue=5)
    before = model.queue.clone()
    keys = torch.arange(8.0)[:, None].expand(8, 5)
    model.enqueue(keys[:3])
    assert torch.equal(model.queue, torch.cat([keys[:3], before[3:]]))
    model.enqueue(keys[3:6])
    assert model.queue[:, 0].tolist() == [5, 1, 2, 3, 4]
    model.enqueue(keys[6:])
    assert model.queue[:, 0].tolist() == [5, 6, 7, 3, 4]
    assert int(model.place) == 3


def test_a_call_compares_with_earlier_keys_and_then_keeps_its_own() -> None:
    model = make()
    first, second = torch.randn(2, 4, 3, 32, 32)
    before = model.queue.clone()
    torch.testing.assert_close(before.norm(dim=1), torch.ones(6))
    loss = model(first, second)
    queries = functional.normalize(model.query(first), dim=1)
    keys = functional.normalize(model.key(second), dim=1)
    torch.testing.assert_close(loss, info_nce(queries, keys, before, 0.07))
    assert torch.equal(model.queue[4:], before[4:])
    torch.testing.assert_close(model.queue[:4], keys)
    loss.backward()
    assert all(p.grad is None for p in model.key.parameters())
    assert all(p.grad is not None for p in model.query.parameters())


def test_the_key_network_follows_by_one_momentum_throughout() -> None:
    model = make()
    with torch.no_grad():
        for weight in model.query.parameters():
            weight.add_(1.0)
    start = [p.clone() for p in model.key.parameters()]
    for step in (0, 99):
        model.follow(step, 100, 0.999)
    wanted = [
        old * 0.999**2 + new * (1 - 0.999**2)
        for old, new in zip(start, model.query.parameters(), strict=True)
    ]
    torch.testing.assert_close(list(model.key.parameters()), wanted)


def test_shuffling_the_keys_would_change_nothing_where_one_batch_norm_sees_all() -> None:
    model = make()
    images = torch.randn(6, 3, 32, 32)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(model.key(images)[order], model.key(images[order]))
