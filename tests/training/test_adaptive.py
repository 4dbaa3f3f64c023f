from __future__ import annotations

import pytest
import torch

from benchmark.contracts.errors import UnknownName
from benchmark.training.adaptive import KINDS, Adaptive, augmented
from benchmark.training.adversarial import squared_gradients


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 6, side: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=draw(1)) * 2 - 1


def test_at_nought_images_are_the_same_to_the_bit() -> None:
    assert torch.equal(augmented(images(), 0.0, draw()), images())


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_about_its_share_and_follows_from_the_draw(kind: str) -> None:
    given = images(400, 8)
    found = augmented(given, 0.3, draw(), [kind])
    changed = ((found - given).abs().amax((1, 2, 3)) > 1e-4).float().mean()
    hit = {"flip": 0.15, "shift": 1 - 0.7**2, "colour": 1 - 0.7**4 * 0.85}.get(kind, 0.3)
    assert float(changed) == pytest.approx(hit, abs=0.08)
    assert torch.equal(found, augmented(given, 0.3, draw(), [kind]))
    assert found.shape == given.shape
    assert found.dtype == torch.float32


def test_a_flip_is_a_mirror() -> None:
    given = images(40)
    found = augmented(given, 1.0, draw(), ["flip"])
    mirrored = (found - given.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    same = (found - given).abs().amax((1, 2, 3)) < 1e-4
    assert bool((mirrored | same).all())
    assert 10 < int(mirrored.sum()) < 30


def test_a_turn_keeps_the_middle_and_a_flat_picture_whole() -> None:
    flat = torch.full((8, 3, 16, 16), 0.25)
    torch.testing.assert_close(
        augmented(flat, 1.0, draw(), ["turn", "scale", "shift", "flip"]), flat
    )
    disc = torch.zeros(8, 3, 33, 33)
    y, x = torch.meshgrid(torch.arange(33) - 16.0, torch.arange(33) - 16.0, indexing="ij")
    disc[:] = torch.exp(-(x**2 + y**2) / 20)
    torch.testing.assert_close(augmented(disc, 1.0, draw(), ["turn"]), disc, atol=0.03, rtol=0)


def test_colours_turn_about_grey() -> None:
    grey = torch.full((64, 3, 2, 2), 0.5)
    found = augmented(grey, 1.0, draw(), ["colour"])
    torch.testing.assert_close(found[:, :1].expand_as(found), found, atol=1e-5, rtol=0)
    assert float(found.std()) > 0.1


def test_gradients_pass_twice() -> None:
    given = images(4).double().requires_grad_()
    weight = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    shown = augmented(given, 0.8, draw())
    found = squared_gradients((weight * shown).pow(2).flatten(1).sum(1), given)
    found.mean().backward()
    assert weight.grad is not None
    assert torch.isfinite(given.grad).all()  # type: ignore[arg-type]
    assert float(given.grad.abs().sum()) > 0  # type: ignore[union-attr]


def test_another_kind_is_refused() -> None:
    with pytest.raises(UnknownName, match="blur"):
        augmented(images(), 0.5, draw(), ["blur"])


def test_p_moves_every_four_batches_towards_the_target_and_stays_in_range() -> None:
    ada = Adaptive(target=0.6, images=1000)
    sure, unsure = torch.ones(10), torch.tensor([1.0, -1.0] * 5)
    seen = []
    for _ in range(8):
        ada.observe(sure, 10)
        seen.append(round(float(ada.p), 9))
    assert seen == [0, 0, 0, 0.04, 0.04, 0.04, 0.04, 0.08]
    for _ in range(12):
        ada.observe(unsure, 10)
    assert float(ada.p) == 0.0
    for _ in range(400):
        ada.observe(sure, 10)
    assert float(ada.p) == 1.0


def test_the_controller_goes_on_from_its_state() -> None:
    straight, first = Adaptive(images=1000), Adaptive(images=1000)
    for ada in (straight, first):
        for _ in range(6):
            ada.observe(torch.ones(4), 4)
    resumed = Adaptive(images=1000)
    resumed.load_state_dict(first.state_dict())
    for ada in (straight, resumed):
        for _ in range(2):
            ada.observe(torch.ones(4), 4)
    assert float(straight.p) == float(resumed.p) == pytest.approx(0.032)


def test_the_share_of_positive_scores_counts_not_their_size() -> None:
    ada = Adaptive(images=1000)
    for scores in (torch.tensor([99.0, -0.1]),) * 4:
        ada.observe(scores, 10)
    assert float(ada.p) == 0.0
