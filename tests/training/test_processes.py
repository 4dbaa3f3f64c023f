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
    train(context, "gan", steps=4, images_per_step=2, parts={}, update=update, log_every=4)
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
    parts = {"still": same, "net": net}
    try:
        train(context, "gan", steps=6, images_per_step=2, parts=parts, update=update, log_every=1)
    except TrainingFailed as error:
        saved = context.checkpoints.load() or {"step": None}
        return {"error": error.message, "cure": error.cure, "step": saved["step"]}
    return {"step": (context.checkpoints.load("gan") or {"step": None})["step"]}


def staying(rank: int, folder: Path) -> dict[str, Any]:
    return drifting(rank, folder, drift=0.0)


def drifting_at_the_end(rank: int, folder: Path) -> dict[str, Any]:
    return drifting(rank, folder, at=5)


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
