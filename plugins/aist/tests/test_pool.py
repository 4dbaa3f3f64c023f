"""The pool's draws, and that its state is all that it needs to go on."""

from __future__ import annotations

import torch
from bench_aist.pool import Pool


def numbered(first: int, count: int) -> torch.Tensor:
    return torch.arange(first, first + count, dtype=torch.float32).view(-1, 1, 1, 1)


def test_until_it_is_full_new_images_are_given_back() -> None:
    pool, draw = Pool(4), torch.Generator().manual_seed(0)
    assert torch.equal(pool(numbered(0, 3), draw), numbered(0, 3))
    assert len(pool.images) == 3
    before = draw.get_state()
    assert torch.equal(pool(numbered(3, 1), draw), numbered(3, 1))
    assert torch.equal(draw.get_state(), before)  # nothing is drawn for them


def test_then_half_of_the_time_an_old_one_is_exchanged() -> None:
    pool, draw = Pool(5), torch.Generator().manual_seed(0)
    pool(numbered(0, 5), draw)
    held, old, places = set(range(5)), 0, set()
    for new in range(5, 1005):
        before = [int(image) for image in pool.images]
        given = int(pool(numbered(new, 1), draw))
        if given == new:
            assert [int(image) for image in pool.images] == before
            continue
        old += 1
        assert given in held
        places.add(before.index(given))
        held = held - {given} | {new}
        assert {int(image) for image in pool.images} == held
    assert 440 < old < 560  # 3.8 standard deviations of a fair coin
    assert places == set(range(5))


def test_no_pool_gives_back_what_it_is_given_without_gradients() -> None:
    images = numbered(0, 2).requires_grad_()
    found = Pool(0)(images, torch.Generator())
    assert torch.equal(found, images)
    assert not found.requires_grad


def test_it_goes_on_from_its_state() -> None:
    first, draw = Pool(3), torch.Generator().manual_seed(1)
    first(numbered(0, 4), draw)
    second = Pool(3)
    second.load_state_dict(first.state_dict())
    draws = [torch.Generator().manual_seed(7) for _ in range(2)]
    found = [pool(numbered(9, 6), draw) for pool, draw in zip((first, second), draws, strict=True)]
    assert torch.equal(*found)
    assert torch.equal(torch.stack(first.images), torch.stack(second.images))
