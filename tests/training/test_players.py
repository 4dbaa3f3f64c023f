from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.contracts.errors import TrainingFailed
from benchmark.training.adversarial import (
    Balance,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    least_squares,
    path_lengths,
    squared_gradients,
)
from benchmark.training.device import make_fabric
from benchmark.training.loop import train
from benchmark.training.optimisers import lazy_adam, make_optimiser, set_learning_rate
from benchmark.training.players import Average, Numbers, Player


def player(rate: float = 0.1) -> Player:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    return Player(make_fabric("cpu"), network, torch.optim.Adam(network.parameters(), rate))


def test_a_step_is_the_optimisers_own() -> None:
    mine, data = player(), torch.randn(5, 3)
    plain = copy.deepcopy(mine.network)
    optimiser = torch.optim.Adam(plain.parameters(), 0.1)
    for _ in range(3):
        loss = mine(data).square().mean()
        found = mine.step(loss)
        assert (found, found.requires_grad) == (loss, False)
        optimiser.zero_grad()
        plain(data).square().mean().backward()
        optimiser.step()
    assert all(torch.equal(a, b) for a, b in zip(mine.network.parameters(), plain.parameters()))  # noqa: B905


def test_gradients_of_other_losses_do_not_join_a_step() -> None:
    one, two, data = player(), player(), torch.randn(5, 3)
    one(data).sum().backward()
    for each in (one, two):
        each.step(each(data).square().mean())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters()))  # noqa: B905


def test_a_step_is_clipped_by_the_norm_of_all_gradients() -> None:
    mine = player()
    mine.step(100 * mine(torch.randn(5, 3)).square().mean(), clip=0.5)
    norm = torch.stack([p.grad.norm() for p in mine.parameters() if p.grad is not None]).norm()
    assert float(norm) == pytest.approx(0.5, rel=1e-4)


def test_a_still_player_passes_gradients_and_keeps_none() -> None:
    mine, data = player(), torch.randn(5, 3, requires_grad=True)
    mine.network[0].bias.requires_grad_(False)
    with mine.still():
        mine(data).sum().backward()
    assert data.grad is not None
    assert bool(data.grad.abs().sum() > 0)
    assert all(p.grad is None for p in mine.parameters())
    assert [p.requires_grad for p in mine.parameters()] == [True, False, True, True]
    with pytest.raises(ValueError), mine.still():
        raise ValueError
    assert mine.network[0].weight.requires_grad


def test_the_state_of_a_player_is_its_networks_and_its_optimisers() -> None:
    straight, data = player(), torch.randn(5, 3)
    for _ in range(2):
        straight.step(straight(data).square().mean())
    state = copy.deepcopy(straight.state_dict())
    resumed = player(rate=7.0)
    resumed.load_state_dict(state)
    for each in (straight, resumed):
        each.step(each(data).square().mean())
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), resumed.parameters()))  # noqa: B905


def test_an_average_is_halfway_after_its_half_life_and_copies_buffers() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    with torch.no_grad():
        network[0].weight.fill_(0.0)
    average = Average(network, half_life=1000)
    with torch.no_grad():
        network[0].weight.fill_(1.0)
    network[1].running_mean.fill_(5.0)
    average.follow(network, seen=0, batch=1000)
    assert float(average.network[0].weight) == 0.5
    assert float(average.network[1].running_mean) == 5.0
    average.follow(network, seen=1000, batch=2000)
    assert float(average.network[0].weight) == 0.875
    assert not any(p.requires_grad for p in average.parameters())
    assert not average.train().network.training


@pytest.mark.parametrize("seen, kept", [(0, 0.0), (2000, 0.5), (1e9, 0.5 ** (100 / 1000))])
def test_an_average_follows_at_once_before_its_ramp(seen: float, kept: float) -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1.0)
    average = Average(network, half_life=1000, ramp=0.05)
    nn.init.constant_(network.weight, 0.0)
    average.follow(network, seen, batch=100)
    assert float(average.network.weight.detach()) == pytest.approx(kept)


def test_numbers_are_set_followed_and_kept() -> None:
    numbers = Numbers(p=0.25, path=1.0)
    held = numbers.p
    numbers.p = 0.5
    numbers.follow(0.01, path=torch.tensor([2.0, 4.0], requires_grad=True))
    assert held is numbers.p
    assert (float(numbers.p), float(numbers.path)) == (0.5, 1.02)
    other = Numbers(p=0.0, path=0.0)
    other.load_state_dict(numbers.state_dict())
    assert (float(other.p), float(other.path)) == (0.5, 1.02)
    with pytest.raises(AttributeError):
        numbers.absent  # noqa: B018


def test_lazy_steps_are_shorter_and_remember_more() -> None:
    found = lazy_adam(16, 0.0025, betas=(0, 0.99))
    assert found["lr"] == pytest.approx(0.0025 * 16 / 17)
    assert found["betas"] == (0.0, pytest.approx(0.99 ** (16 / 17)))
    assert all(isinstance(beta, float) for beta in found["betas"])  # type: ignore[union-attr]
    torch.optim.Adam(nn.Linear(1, 1).parameters(), **found)  # type: ignore[arg-type]


def test_optimisers_take_all_of_torchs_arguments() -> None:
    net = nn.Linear(2, 2)
    adam = make_optimiser("adam", [net], 0.1, 0.0, betas=(0, 0.99), eps=1e-6, amsgrad=True)
    assert adam.defaults["betas"] == (0.0, 0.99)
    assert (adam.defaults["eps"], adam.defaults["amsgrad"]) == (1e-6, True)
    sgd = make_optimiser("sgd", [net], 0.1, 0.0, momentum=0.5, nesterov=True)
    assert (sgd.defaults["momentum"], sgd.defaults["nesterov"]) == (0.5, True)
    assert make_optimiser("sgd", [net], 0.1, 0.0).defaults["momentum"] == 0.9
    with pytest.raises(TypeError):
        make_optimiser("sgd", [net], 0.1, 0.0, betas=(0.0, 0.99))


def test_a_new_rate_keeps_the_ratio_of_groups_through_zero_and_a_checkpoint() -> None:
    a, b = nn.Linear(1, 1), nn.Linear(1, 1)

    def made() -> torch.optim.Optimizer:
        slow = {"params": b.parameters(), "lr": 0.001}
        return torch.optim.Adam([{"params": a.parameters()}, slow], lr=0.1)

    optimiser = made()
    set_learning_rate(optimiser, 0.05)
    assert [g["lr"] for g in optimiser.param_groups] == [0.05, pytest.approx(0.0005)]
    set_learning_rate(optimiser, 0.0)
    other = made()
    other.load_state_dict(optimiser.state_dict())
    set_learning_rate(other, 0.2)
    assert [g["lr"] for g in other.param_groups] == [0.2, pytest.approx(0.002)]
    plain = make_optimiser("sgd", [a], 0.1, 0.0)
    set_learning_rate(plain, 0.3)
    assert [g["lr"] for g in plain.param_groups] == [0.3, 0.3]
    assert "ratio" not in plain.param_groups[0]  # checkpoints are those of before


def test_losses_are_those_of_the_papers() -> None:
    none = torch.zeros(4)
    assert float(generator_loss(none)) == pytest.approx(0.6931, abs=1e-4)
    assert float(discriminator_loss(none, none)) == pytest.approx(1.3863, abs=1e-4)
    assert float(discriminator_loss(none + 9, none - 9)) < 1e-3
    assert float(generator_loss(none - 50)) == pytest.approx(50)  # does not saturate
    assert float(least_squares(none + 3, 1.0)) == 4.0


def test_squared_gradients_are_of_each_image_and_can_be_learned_from() -> None:
    weight = torch.tensor(3.0, requires_grad=True)
    images = torch.ones(2, 3, 2, 2, requires_grad=True)
    scale = torch.tensor([1.0, 2.0])[:, None, None, None]
    found = squared_gradients((weight * scale * images).flatten(1).sum(1, keepdim=True), images)
    assert found.tolist() == [9.0 * 12, 36.0 * 12]
    found.mean().backward()
    assert float(weight.grad) == 2 * 3.0 * 12 * 2.5  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "target, wanted", [(0.0, 14.5), (1.0, ((14**0.5 - 1) ** 2 + (15**0.5 - 1) ** 2) / 2)]
)
def test_the_penalty_asks_for_a_slope_of_none_or_one(target: float, wanted: float) -> None:
    """Scores a·x have the slope a: of squared norms 14 and 15 here."""
    slopes = torch.tensor([[1.0, 2, 3], [1, -(14.0**0.5), 0]])
    images = torch.rand(2, 3, 1, 1, requires_grad=True)
    scores = (slopes[:, :, None, None] * images).sum((1, 2, 3))
    assert float(gradient_penalty(scores, images, target)) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_the_penalty_teaches_as_differences_say(target: float) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Tanh(), nn.Linear(4, 1)).double()
    images = torch.rand(3, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    weight = net[1].weight
    (slope,) = torch.autograd.grad(gradient_penalty(net(images), images, target), weight)
    values = []
    for step in (1e-6, -2e-6):
        with torch.no_grad():
            weight[0, 0] += step
        values.append(gradient_penalty(net(images), images, target).item())
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(slope[0, 0].item(), rel=1e-4)


def test_path_lengths_of_a_linear_map() -> None:
    w = torch.zeros(3, 2, 4, requires_grad=True)
    slope = torch.tensor(2.0, requires_grad=True)
    images = (slope * w.sum((1, 2)))[:, None, None, None] * torch.ones(3, 3, 4, 4)
    draw = torch.Generator().manual_seed(0)
    found = path_lengths(images, w, draw)
    y = torch.randn(3, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    wanted = (2 * y.sum((1, 2, 3)) / 4).abs() * 2  # √4 channels, the mean over layers
    torch.testing.assert_close(found.detach(), wanted)
    found.sum().backward()
    assert slope.grad is not None


@pytest.mark.parametrize(
    "loss, real, fake, words",
    [
        (0.01, torch.tensor([1.0, -1.0]), torch.randn(2, 3, 4, 4), "has won"),
        (1.3, torch.tensor([1.0, 2.0]), torch.randn(2, 3, 4, 4), "by heart"),
        (1.3, torch.tensor([1.0, -1.0]), torch.ones(2, 3, 4, 4), "collapsed"),
    ],
)
def test_a_lost_game_ends_after_so_many_steps_on_end(
    loss: float, real: Tensor, fake: Tensor, words: str
) -> None:
    balance = Balance(steps=5)
    fine = torch.tensor(1.3), torch.tensor([1.0, -1.0]), torch.randn(2, 3, 4, 4)
    for _ in range(4):
        balance.add(torch.tensor(loss), real, fake)
    balance.add(*fine)  # begins anew
    for _ in range(4):
        balance.add(torch.tensor(loss), real, fake)
    again = Balance(steps=5)
    again.load_state_dict(balance.state_dict())
    with pytest.raises(TrainingFailed, match=words) as caught:
        again.add(torch.tensor(loss), real, fake)
    assert caught.value.cure


def test_a_lost_game_leaves_the_last_good_checkpoint(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    context, balance = make_context(tmp_path), Balance(steps=3)

    def update(step: int) -> dict[str, Tensor | float]:
        balance.add(torch.tensor(1.0 if step < 6 else 0.001))
        return {"loss": 1.0}

    with pytest.raises(TrainingFailed, match="has won"):
        train(context, "gan", steps=40, images_per_step=1, state={"balance": balance},
              update=update, log_every=1)  # fmt: skip
    assert context.checkpoints.load()["step"] == 6
