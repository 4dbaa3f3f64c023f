"""The loop in two processes: means over what each gave, and networks that must stay the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

RANK = """
import sys, torch
from pathlib import Path
from torch import distributed
sys.path.insert(0, sys.argv[1])
import test_processes
from benchmark.contracts.errors import BenchError
folder, rank, case = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
store = distributed.FileStore(str(folder / "meeting"), 2)
distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
try:
    found = getattr(test_processes, case)(rank, folder / str(rank))
except BenchError as error:
    found = {"error": error.message, "cure": error.cure}
torch.save(found, folder / f"{rank}.pt")
distributed.destroy_process_group()
"""


def both(folder: Path, case: str) -> list[Any]:
    """What a function of this module returns in each of two processes."""
    command = [sys.executable, "-c", RANK, str(Path(__file__).parent), str(folder)]
    processes = [subprocess.Popen([*command, str(rank), case]) for rank in range(2)]
    assert [p.wait(timeout=300) for p in processes] == [0, 0]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def rare_values(rank: int, folder: Path) -> list[dict[str, Any]]:
    """Process 0 gives "r1" at steps 0 and 2, process 1 at step 0 only, and "own" is process 1's."""
    from benchmark.testing.standin import make_context
    from benchmark.training.loop import train

    def update(step: int) -> dict[str, float]:
        values = {"loss": 2.0 * rank + step}
        if step % (2 + 2 * rank) == 0:
            values["r1"] = 16.0 + step + 3 * rank
        return values | ({"own": 5.0} if rank else {})

    context = make_context(folder, rank=rank, devices=2)
    train(context, "gan", steps=4, images_per_step=2, state={}, update=update, log_every=4)
    return context.seen.log  # type: ignore[attr-defined,no-any-return]


def drifting(rank: int, folder: Path, *, drift: float = 1e-6, at: int = 3) -> dict[str, Any]:
    """A network of which process 1's takes another step at step `at`; what was saved before."""
    from benchmark.contracts.errors import TrainingFailed
    from benchmark.testing.standin import make_context
    from benchmark.training.loop import train

    torch.manual_seed(0)
    net = torch.nn.Linear(3, 2)
    same = torch.nn.Linear(1, 1)

    def update(step: int) -> dict[str, float]:
        with torch.no_grad():
            net.bias += 0.5
            if step == at and rank == 1:
                net.bias[0] += drift
        return {"loss": 1.0}

    context = make_context(folder, rank=rank, devices=2, every=1 if rank == 0 else 0)
    state = {"still": same, "net": net}
    try:
        train(context, "gan", steps=6, images_per_step=2, state=state, update=update, log_every=1)
    except TrainingFailed as error:
        saved = context.checkpoints.load() or {"step": None}
        return {"error": error.message, "cure": error.cure, "step": saved["step"]}
    return {"step": (context.checkpoints.load("gan") or {"step": None})["step"]}


def staying(rank: int, folder: Path) -> dict[str, Any]:
    return drifting(rank, folder, drift=0.0)


def drifting_at_the_end(rank: int, folder: Path) -> dict[str, Any]:
    return drifting(rank, folder, at=5)


class Moody(torch.nn.Module):
    """Two entry points, a running mean, a constant, and layers that not every step or process uses."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)
        self.rare, self.unused = torch.nn.Linear(4, 1), torch.nn.Linear(4, 1)
        self.register_buffer("seen", torch.zeros(4))
        self.register_buffer("filter", torch.tensor([0.1, 0.3, 0.7]))

    def mapping(self, z: torch.Tensor) -> torch.Tensor:
        w: torch.Tensor = self.first(z).tanh()
        self.seen.lerp_(w.detach().mean(0), 0.5)
        return w


def playing(rank: int, folder: Path | None, count: int = 2) -> dict[str, Any]:
    """Steps through parts of a network, twice derived, on this rank's share of eight vectors."""
    from benchmark.training.device import make_fabric
    from benchmark.training.players import Numbers, Player

    torch.manual_seed(rank)  # process 0's weights count
    network = Moody()
    makes = Player(make_fabric("cpu"), network, torch.optim.Adam(network.parameters(), 0.05))
    numbers = Numbers(path=0.0)
    for step in range(5):
        data = torch.randn(8, 4, generator=torch.Generator().manual_seed(step)).chunk(count)[rank]
        w = network.mapping(data.requires_grad_())
        found = network.second(w)
        (gradient,) = torch.autograd.grad(found.sum(), data, create_graph=True)
        lengths = gradient.square().sum(1)
        numbers.follow(0.1, path=lengths)
        loss = (found - 1).square().mean() + lengths.mean()
        if step == 3 and rank == 0:
            loss = loss + count * network.rare.weight.sum()
        makes.step(loss, clip=0.7)
    return {"makes": dict(makes.state_dict()), "numbers": dict(numbers.state_dict())}


def flat(state: Any) -> dict[str, torch.Tensor]:
    moments = state["makes"]["_extra_state"]["state"]
    tensors = {f"{k}.{name}": v for k, each in moments.items() for name, v in each.items()}
    networks = {k: v for k, v in state["makes"].items() if k != "_extra_state"}
    return {**tensors, **networks, **state["numbers"]}


@pytest.mark.long
def test_players_step_as_one_with_the_whole_batch_and_stay_equal(tmp_path: Path) -> None:
    one, two = (flat(state) for state in both(tmp_path, "playing"))
    whole = flat(playing(0, None, 1))
    assert one.keys() == two.keys() == whole.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    for name, value in whole.items():
        torch.testing.assert_close(one[name], value, rtol=1e-4, atol=1e-5)
    assert torch.equal(one["network.filter"], torch.tensor([0.1, 0.3, 0.7]))


@pytest.mark.long
def test_a_mean_is_over_what_was_given_by_whom_it_was(tmp_path: Path) -> None:
    zero, one = both(tmp_path, "rare_values")
    for key in ("loss", "r1", "own"):
        assert zero[0][key] == one[0][key]
    assert zero[0]["loss"] == 2.5
    assert zero[0]["r1"] == pytest.approx((16 + 18 + 19) / 3)
    assert zero[0]["own"] == 5.0


@pytest.mark.long
def test_networks_that_drift_apart_end_the_fit_before_they_are_saved(tmp_path: Path) -> None:
    for found in both(tmp_path, "drifting"):
        assert "the processes no longer hold the same network: net of gan" in found["error"]
        assert "still" not in found["error"]
        assert "Player" in found["cure"]
    assert found["step"] is None or found["step"] == 3
    assert torch.load(tmp_path / "0.pt", weights_only=True)["step"] == 3


@pytest.mark.long
def test_networks_are_compared_at_the_end_as_well(tmp_path: Path) -> None:
    found = both(tmp_path, "drifting_at_the_end")
    assert all("no longer hold the same network" in each["error"] for each in found)


@pytest.mark.long
def test_networks_that_stay_equal_are_saved(tmp_path: Path) -> None:
    assert both(tmp_path, "staying")[0]["step"] == 6
