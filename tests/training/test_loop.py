from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.contracts.errors import TrainingFailed
from benchmark.training.ema import follow, frozen_copy
from benchmark.training.loop import spaced, train
from benchmark.training.optimisers import make_optimiser
from benchmark.training.randomness import generator, seeded


def learn(context: Any, *, steps: int = 20, name: str = "adamw", **more: Any) -> dict[str, Tensor]:
    """A tiny network with batch norm, dropout, an average and its own random data."""
    with seeded(context.seed, "net"):
        net = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 2))
    average = frozen_copy(net)
    optimiser = make_optimiser(name, [net], 0.01, 1e-4)  # type: ignore[arg-type]

    def update(step: int) -> dict[str, Tensor | float]:
        data = torch.randn(5, 6, generator=generator(context.seed, "data", step))
        loss = (net(data) - average(data)).pow(2).mean() + net(data).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        follow(average, net, 0.9)
        return {"loss": loss.detach()}

    train(
        context,
        "stage",
        steps=steps,
        images_per_step=5,
        state={"net": net, "average": average, "optimiser": optimiser},
        update=update,
        log_every=2,
        **more,
    )
    return {**net.state_dict(), **{f"average.{k}": v for k, v in average.state_dict().items()}}


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_killed_and_resumed_is_bit_identical(
    tmp_path: Path, make_context: Callable[..., Any], name: str
) -> None:
    straight = learn(make_context(tmp_path / "straight"), name=name)
    with pytest.raises(KeyboardInterrupt):
        learn(make_context(tmp_path / "killed", kill_after=1), name=name)
    state = make_context(tmp_path / "killed").checkpoints.load()
    assert 0 < state["step"] < 20
    resumed = learn(make_context(tmp_path / "killed"), name=name)
    assert straight.keys() == resumed.keys()
    for key, value in straight.items():
        assert torch.equal(value, resumed[key]), key


def test_finished_stage_is_not_trained_again(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    first = learn(make_context(tmp_path))
    again = make_context(tmp_path)
    second = learn(again)
    assert not again.rows
    assert all(torch.equal(first[k], second[k]) for k in first)


def test_another_seed_gives_other_weights(tmp_path: Path, make_context: Callable[..., Any]) -> None:
    one, two = (learn(make_context(tmp_path / str(s), seed=s)) for s in (0, 1))
    assert not torch.equal(one["0.weight"], two["0.weight"])


def test_global_generator_is_left_alone(tmp_path: Path, make_context: Callable[..., Any]) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    learn(make_context(tmp_path))
    assert torch.equal(torch.rand(3), expected)


def test_loss_that_is_not_finite_names_the_steps(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    def update(step: int) -> dict[str, Tensor | float]:
        return {"loss": math.nan if step == 7 else 1.0}

    with pytest.raises(TrainingFailed, match="between steps 5 and 10") as failure:
        train(
            make_context(tmp_path),
            "stage",
            steps=20,
            images_per_step=1,
            state={},
            update=update,
            log_every=5,
        )
    assert "learning rate" in failure.value.cure


def test_checkpoint_of_another_length_is_refused(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    learn(make_context(tmp_path), steps=4)
    with pytest.raises(TrainingFailed, match="a run of 4 steps"):
        learn(make_context(tmp_path), steps=8)


def test_milestones_and_evaluations_come_when_asked(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    context = make_context(tmp_path)
    learn(
        context,
        milestones=spaced(20, 2),
        save_milestone=lambda folder: None,
        evaluate=lambda: {"held_out": 1.0},
        evaluate_at=[0, 3, 20],
    )
    assert context.milestones == [0, 50, 100]
    assert [row["step"] for row in context.rows if "held_out" in row] == [0, 3, 20]
    losses = [row for row in context.rows if "loss" in row]
    assert losses[-1]["step"] == 20
    assert losses[-1]["images"] == 100
    assert losses[-1]["images_per_second"] > 0


def test_spaced_doubles_up_to_the_total() -> None:
    assert spaced(1000, 3) == [0, 250, 500, 1000]
    assert spaced(4, 6) == [0, 1, 2, 4]
