"""LEAD in two processes: a step of BYOL is that of the whole batch, both end with the same networks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from bench_lead.byol import Byol
from bench_lead.networks import narrow

from benchmark.training.device import make_fabric, prepare
from benchmark.training.ema import follow

RANK = """
import sys, torch
from pathlib import Path
from torch import distributed
tests, folder, rank = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, str(tests))
from benchmark.testing.standin import make_context, make_images
from test_devices import byol_step
from test_method import settings
from bench_lead.method import Lead
from benchmark.contracts.errors import InvalidInput
store = distributed.FileStore(str(folder / "meeting"), 2)
distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
context = make_context(folder / str(rank) / "run", rank=rank, devices=2)
lead = Lead(settings("fpn", distil_optimiser="adamw"))
lead.fit(make_images(), context)
try:
    Lead(settings("fpn", distil_batch=2)).fit(make_images(), make_context(context.folder.parent / "two"))
    refused = ""
except InvalidInput as error:
    refused = error.message
found = {"byol": byol_step(rank, 2), "student": lead.network.network.state_dict(), "refused": refused}
found["losses"] = [row["loss"] for row in context.seen.log if "loss" in row]
torch.save(found, folder / f"{rank}.pt")
distributed.destroy_process_group()
"""


def byol_step(rank: int, count: int) -> dict[str, torch.Tensor]:
    """Online and target networks after one step on this rank's share of eight pairs of views."""
    torch.manual_seed(0)
    fabric = make_fabric("cpu")
    model = Byol(narrow((4, 8, 8, 8)), 16, 8)
    optimiser = torch.optim.SGD([*model.online.parameters(), *model.predictor.parameters()], 0.1)
    learner, optimiser = prepare(fabric, model, optimiser)
    first, second = torch.randn(2, 8, 3, 32, 32)
    loss = learner(first.chunk(count)[rank], second.chunk(count)[rank])
    fabric.backward(loss)
    optimiser.step()
    follow(model.target, model.online, 0.5)
    return dict(model.state_dict())


@pytest.mark.slow
def test_two_processes_take_the_step_of_one_and_stay_equal(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RANK, str(Path(__file__).parent), str(tmp_path)]
    processes = [subprocess.Popen([*command, str(rank)]) for rank in range(2)]
    whole = byol_step(0, 1)
    assert [p.wait(timeout=600) for p in processes] == [0, 0]
    found: list[dict[str, Any]] = [
        torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)
    ]
    for what in ("byol", "student"):
        one, two = (f[what] for f in found)
        assert one.keys() == two.keys()
        assert all(torch.equal(one[name], two[name]) for name in one), what
    assert found[0]["byol"].keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(found[0]["byol"][name], value, rtol=1e-4, atol=1e-5)
    assert found[0]["losses"] == found[1]["losses"]
    assert "pairs need two" in found[0]["refused"]
