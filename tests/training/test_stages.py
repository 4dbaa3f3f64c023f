"""Several stages in one fit: a kill anywhere goes on there, and what has ended stays as it ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.contracts.errors import InvalidInput, TrainingFailed
from benchmark.training.loop import train
from benchmark.training.randomness import generator, seeded

STEPS = 10


def learn(
    context: Any, stages: tuple[str, ...] = ("gan", "middle", "student")
) -> dict[str, Tensor]:
    """Each stage learns to agree with the network of the stage before it, in the order given."""
    before, found = None, {}
    for stage in stages:
        with seeded(context.seed, stage):
            net = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 2))
        optimiser = torch.optim.Adam(net.parameters(), 0.01)
        stage_of_loss, teacher = stage, before

        def update(step: int, net: Any = net, optimiser: Any = optimiser, teacher: Any = teacher,
                   stage: str = stage_of_loss) -> dict[str, Tensor | float]:  # fmt: skip
            data = torch.randn(5, 4, generator=generator(context.seed, stage, step))
            wanted = torch.ones(5, 2) if teacher is None else teacher(data).detach()
            loss = (net(data) - wanted).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            return {"loss": loss.detach()}

        state = {"net": net, "optimiser": optimiser}
        train(
            context, stage, steps=STEPS, images_per_step=5, state=state, update=update, log_every=1
        )
        before = net.eval()
        found |= {f"{stage}.{k}": v for k, v in net.state_dict().items()}
    return found


def saves_of(make_context: Callable[..., Any], folder: Path) -> int:
    context = make_context(folder)
    learn(context)
    return int(context.checkpoints.saved)


def test_a_kill_anywhere_goes_on_in_its_stage(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    straight = learn(make_context(tmp_path / "straight"))
    count = saves_of(make_context, tmp_path / "counted")
    assert count == 12  # three on the way and one at the end of each of the three stages
    for killed in range(1, count + 1):
        folder = tmp_path / f"killed-{killed}"
        with pytest.raises(KeyboardInterrupt):
            learn(make_context(folder, kill_after=killed))
        again = make_context(folder)
        resumed = learn(again)
        assert resumed.keys() == straight.keys()
        for key, value in straight.items():
            assert torch.equal(value, resumed[key]), (killed, key)
        ended = ("gan", "middle", "student")[: killed // 4]
        trained = {row["stage"] for row in again.rows}
        assert not trained & set(ended), killed
        first = [3, 6, 9, 0][(killed - 1) % 4]
        assert len(again.rows) == STEPS * (3 - len(ended)) - first


def test_a_second_kill_in_the_last_stage_costs_no_earlier_one(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    straight = learn(make_context(tmp_path / "straight"))
    for after, trained in ((10, {"gan", "middle", "student"}), (1, {"student"}), (0, {"student"})):
        context = make_context(tmp_path / "killed", kill_after=after)
        if after:
            with pytest.raises(KeyboardInterrupt):
                learn(context)
        else:
            resumed = learn(context)
        assert {row["stage"] for row in context.rows} == trained
    assert all(torch.equal(value, resumed[key]) for key, value in straight.items())


def test_a_save_on_the_way_writes_its_own_stage_alone(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        learn(make_context(tmp_path, kill_after=10))
    newest = make_context(tmp_path).checkpoints.load()
    assert newest["stage"] == "student"
    assert set(newest) == {"stage", "steps", "step", "parts"}


def test_a_checkpoint_of_before_is_read(tmp_path: Path, make_context: Callable[..., Any]) -> None:
    """Stages that had ended had no file of their own: the newest checkpoint told it."""
    straight = learn(make_context(tmp_path / "straight"), ("gan",))
    for step, name in ((STEPS, "ended"), (6, "on the way")):
        context = make_context(tmp_path / name)
        with pytest.raises(KeyboardInterrupt):
            learn(make_context(tmp_path / name, kill_after=4 if step == STEPS else 2), ("gan",))
        state = context.checkpoints.load("gan") or context.checkpoints.load()
        assert state["step"] == step
        for file in (tmp_path / name).glob("checkpoint*"):
            file.unlink()
        context.checkpoints.save(state)
        again = make_context(tmp_path / name)
        resumed = learn(again, ("gan",))
        assert len(again.rows) == STEPS - step
        assert all(torch.equal(value, resumed[key]) for key, value in straight.items())


def test_stages_that_changed_are_refused(tmp_path: Path, make_context: Callable[..., Any]) -> None:
    learn(make_context(tmp_path), ("gan",))
    with pytest.raises(TrainingFailed, match="gan is of a run of 10 steps with net, optimiser"):
        train(make_context(tmp_path), "gan", steps=10, images_per_step=1, state={},
              update=lambda step: {"loss": 0.0})  # fmt: skip


def test_two_stages_of_one_name_are_refused(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    """The second would be taken for the first, which has ended, and would not be trained."""
    with pytest.raises(InvalidInput, match="'gan'") as caught:
        learn(make_context(tmp_path), ("gan", "gan"))
    assert "name" in caught.value.cure


def test_a_value_given_on_some_steps_keeps_its_size(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    context = make_context(tmp_path)

    def update(step: int) -> dict[str, Tensor | float]:
        return {"loss": float(step)} | ({"r1": torch.tensor(16.0 + step)} if step % 16 == 0 else {})

    train(context, "gan", steps=40, images_per_step=1, state={}, update=update, log_every=20)
    first, second = context.rows
    assert (first["loss"], first["r1"]) == (9.5, 24.0)  # steps 0 and 16
    assert (second["loss"], second["r1"]) == (29.5, 48.0)  # step 32
    assert "r1" not in {k for row in context.rows for k, v in row.items() if v is None}


def test_rows_without_a_rare_value_leave_it_out(
    tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    context = make_context(tmp_path)

    def update(step: int) -> dict[str, Tensor | float]:
        return {"loss": 1.0} | ({"r1": 16.0} if step == 0 else {})

    train(context, "gan", steps=4, images_per_step=1, state={}, update=update, log_every=2)
    assert [row.get("r1") for row in context.rows] == [16.0, None]
