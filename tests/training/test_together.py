"""Two processes over gloo, each with its half of every batch, train as one with the whole batch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmark.training.ema import follow, frozen_copy
from benchmark.training.together import BatchNormOverProcesses, share_statistics

RANK = """
import sys, torch
from torch import distributed, nn
sys.path.insert(0, sys.argv[1])
from test_together import learn
rank = int(sys.argv[3])
store = distributed.FileStore(sys.argv[2] + "/meeting", 2)
distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
state = learn(rank, 2)
torch.save(state, f"{sys.argv[2]}/{rank}.pt")
distributed.barrier()
distributed.destroy_process_group()
"""


def learn(rank: int, count: int) -> dict[str, Tensor]:
    """Weights and running values after a few steps on this rank's part of random images."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Tanh(), nn.Flatten(), nn.Linear(216, 4),
        nn.BatchNorm1d(4, momentum=None, affine=False), nn.Linear(4, 2),
    )  # fmt: skip
    pair = nn.ModuleList([net, frozen_copy(net)])
    pair.forward = lambda x: (pair[0](x), pair[1](x))  # type: ignore[method-assign]
    optimiser = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    learner: nn.Module = pair
    if count > 1:
        share_statistics(pair, torch.device("cpu"))
        learner = nn.parallel.DistributedDataParallel(pair)
    for step in range(6):
        images = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(step))
        ours, slow = learner(images.chunk(count)[rank])
        loss = (ours - 1).square().mean() + (ours - slow).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        follow(pair[1], net, 0.9)
    return dict(pair.state_dict())


@pytest.mark.long
def test_halves_of_a_batch_train_as_the_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RANK, str(Path(__file__).parent), str(tmp_path)]
    processes = [subprocess.Popen([*command, str(rank)]) for rank in range(2)]
    whole = learn(0, 1)
    assert [p.wait(timeout=300) for p in processes] == [0, 0]
    first, second = (torch.load(tmp_path / f"{r}.pt", weights_only=True) for r in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert first.keys() == whole.keys()
    for name, value in whole.items():
        torch.testing.assert_close(first[name], value, rtol=1e-4, atol=1e-6)


def test_shared_batch_norm_keeps_weights_and_names_and_evaluates_as_before() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Sequential(nn.BatchNorm1d(4)))
    names, weights = list(net.state_dict()), [p.data_ptr() for p in net.parameters()]
    net[1].running_mean.normal_()
    given = torch.randn(5, 3)
    expected = net.eval()(given)
    for _ in range(2):
        assert share_statistics(net, torch.device("cpu")) is net
    assert isinstance(net[2][0], BatchNormOverProcesses)
    assert torch.equal(net(given), expected)
    assert (list(net.state_dict()), [p.data_ptr() for p in net.parameters()]) == (names, weights)


def test_on_gpus_it_is_torchs_own() -> None:
    net = share_statistics(nn.Sequential(nn.BatchNorm2d(4)), torch.device("cuda"))
    assert isinstance(net[0], nn.SyncBatchNorm)
    assert pytest.approx(0.1) == net[0].momentum
