"""What a fit hands over to be kept is refused at once where it could not be read back."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests_fake_methods import Slow
from tests_fixtures import Call

from benchmark.contracts.errors import PluginBroken
from benchmark.contracts.keeping import logged, require_readable
from benchmark.home import home
from benchmark.testing.standin import make_context


def trained() -> dict[str, Any]:
    """States as torch's own things give them."""
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.BatchNorm2d(4))
    adam = torch.optim.Adam(net.parameters())
    sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    net(torch.rand(2, 3, 4, 4)).sum().backward()
    adam.step()
    sgd.step()
    rates = [torch.optim.lr_scheduler.MultiStepLR(sgd, [2, 3]),
             torch.optim.lr_scheduler.CosineAnnealingLR(sgd, 4)]  # fmt: skip
    parts = {"net": net, "adam": adam, "sgd": sgd, **dict(zip("ab", rates, strict=True))}
    return {name: part.state_dict() for name, part in parts.items()}


FINE = {
    "numbers": [1, 2.5, True, None, "a", b"a", 10**30, 1j],
    "torch's words": (torch.float32, torch.device("cpu"), torch.Size([2])),
    "more containers": [{1, 2}, Counter("aab"), OrderedDict(a=1), (1, (2,)), {1: 2, None: 3}],
    "tensors": [
        torch.zeros(2).bfloat16(),
        torch.nn.Parameter(torch.zeros(2)),
        torch.get_rng_state(),
    ],
    "trained": trained(),
}


@pytest.mark.parametrize("name", FINE)
def test_what_torch_reads_back_may_be_kept(name: str, tmp_path: Path) -> None:
    state = {"parts": FINE[name], "step": 3}
    checkpoints = make_context(tmp_path).checkpoints
    checkpoints.save(state)
    found = checkpoints.load()
    assert found is not None
    assert found["step"] == 3


BAD = {
    "w": ({"w": FINE.get}, "w is of type builtin_function_or_method"),
    "deep": ({"parts": {"optimiser": {"x": object()}}}, "parts.optimiser.x is of type object"),
    "in a list": ({"seen": [1, Path("a")]}, "seen.1 is of type PosixPath"),
    "NumPy's number": ({"loss": np.float32(1)}, "loss is of type float32"),
    "NumPy's array": ({"loss": np.zeros(2)}, "loss is of type ndarray"),
    "a key": ({"of": {np.int64(7): 1}}, r"of.7.\(the key\) is of type int64"),
    "another dict": ({"of": defaultdict(list)}, "of is of type defaultdict"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_it_does_not_is_refused_by_its_path(name: str, tmp_path: Path) -> None:
    state, said = BAD[name]
    with pytest.raises(PluginBroken, match=said) as caught:
        require_readable(state)
    assert caught.value.cure == "keep tensors, numbers, strings, and lists and dicts of them"
    with pytest.raises(PluginBroken):
        make_context(tmp_path).checkpoints.save(state)
    assert not list(tmp_path.glob("checkpoint*"))


def test_a_run_is_refused_at_its_first_checkpoint_and_the_last_good_one_stays(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(self: Slow, images: Any, context: Any) -> None:
        context.checkpoints.save({"step": 1})
        context.checkpoints.save({"w": self})

    monkeypatch.setattr(Slow, "fit", fit)
    said = run("slow", "--quiet")
    assert said.code == 8
    assert (
        "error: context.checkpoints.save: w is of type Slow, which can't be read back" in said.err
    )
    (kept,) = home().rglob("checkpoint.pt")
    assert torch.load(kept, weights_only=True) == {"step": 1}
    assert not [p for p in kept.parent.iterdir() if p.name.startswith(".checkpoint")]


def test_a_line_of_the_log_takes_what_is_one_number() -> None:
    values = {"step": 1, "loss": torch.tensor(0.5), "a": np.float32(2), "b": np.array(3), "c": None,
              "stage": "first"}  # fmt: skip
    assert logged(values) == {"step": 1, "loss": 0.5, "a": 2.0, "b": 3, "c": None, "stage": "first"}


@pytest.mark.parametrize("value", [torch.zeros(1), np.zeros(2), [1.0], {"a": 1}, 1j])
def test_a_line_of_the_log_refuses_the_rest_by_key_and_type(value: Any, tmp_path: Path) -> None:
    said = f"context.log: loss is of type {type(value).__name__}, not a number"
    with pytest.raises(PluginBroken, match=said) as caught:
        make_context(tmp_path).log({"step": 1, "loss": value})
    assert "float(loss)" in caught.value.cure


def test_a_run_keeps_what_was_logged_before_a_call_failed(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(self: Slow, images: Any, context: Any) -> None:
        context.log({"loss": torch.tensor(0.5)})
        context.progress("half")

    monkeypatch.setattr(Slow, "fit", fit)
    said = run("slow", "--quiet")
    assert said.code == 8
    assert "_progress() missing 2 required positional arguments" in said.err
    (log,) = home().rglob("log.jsonl")
    assert log.read_text() == '{"loss": 0.5}\n'
