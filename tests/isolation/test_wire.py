"""Two sides that call each other: what goes through, and what a call in between may do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.contracts.arithmetic import arithmetic
from benchmark.contracts.errors import InvalidInput
from benchmark.isolation.wire import Gone, Raised, Wire, plain
from benchmark.isolation.worker import Worker


@pytest.fixture
def sides(tmp_path: Path) -> Callable[..., Wire]:
    """One side; the other answers in a thread by a function that is given its side too."""

    def make(answer: Callable[..., Any], mine: Callable[..., Any] = lambda name: None) -> Wire:
        here, there = Pipe()
        other = Wire(there, tmp_path, "told", "asked", lambda *words: answer(other, *words))

        def serve() -> None:
            with pytest.raises(Gone):
                other.serve()

        threading.Thread(target=serve, daemon=True).start()
        return Wire(here, tmp_path, "asked", "told", mine)

    return make


def test_pictures_of_a_method_come_through(sides: Callable[..., Wire]) -> None:
    worker = Worker("tests_fake_methods:Repaint", "repaint")
    with arithmetic():  # the worker's, which is this process here
        worker.do_make({}, "cpu", {})
    worker.method.colours = torch.tensor([[0.0, 0, 0], [255, 255, 255]])  # type: ignore[attr-defined]
    images = torch.tensor([-1.0, 1.0])[:, None, None, None].expand(2, 3, 4, 4)
    wire = sides(lambda other, name, *words: worker.answer(name, *words))
    found = wire.call("pictures", images)
    assert list(found) == ["alpha"]
    torch.testing.assert_close(found["alpha"], -images.sign(), atol=1e-3, rtol=0)


def test_values_and_tensors_come_through(sides: Callable[..., Wire]) -> None:
    wire = sides(lambda other, name, value: {"said": name, "value": value})
    state = {
        "step": 3,
        "optimiser": {0: {"exp": torch.ones(2, 3)}},
        "none": None,
        "nan": (1.5, "x"),
    }
    came = wire.call("keep", state)
    assert came["said"] == "keep"
    assert came["value"]["optimiser"][0]["exp"].tolist() == [[1.0] * 3] * 2
    assert {k: v for k, v in came["value"].items() if k != "optimiser"} == {
        "step": 3,
        "none": None,
        "nan": (1.5, "x"),
    }


def test_a_call_may_be_answered_by_a_call(sides: Callable[..., Wire]) -> None:
    wire = sides(lambda other, name: other.call("double", 4) + 1, lambda name, number: 2 * number)
    assert wire.call("ask") == 9


def test_an_error_comes_in_words_and_the_other_side_goes_on(sides: Callable[..., Wire]) -> None:
    def answer(other: Wire, name: str) -> str:
        if name == "wrong":
            raise InvalidInput("a bad shape", cure="another shape")
        if name == "worse":
            raise KeyError("x")
        return "fine"

    wire = sides(answer)
    with pytest.raises(Raised) as caught:
        wire.call("wrong")
    assert (caught.value.kind, caught.value.message) == ("InvalidInput", "a bad shape")
    assert caught.value.cure == "another shape"
    with pytest.raises(Raised, match="KeyError: 'x'"):
        wire.call("worse")
    assert wire.call("right") == "fine"
    wire.pipe.close()


def test_the_end_of_the_other_side_is_noticed(tmp_path: Path) -> None:
    here, there = Pipe()
    there.close()
    with pytest.raises(Gone):
        Wire(here, tmp_path, "asked", "told", plain).call("anything")


def test_no_more_of_a_tensor_is_sent_than_it_shows() -> None:
    large = torch.zeros(1000, 1000)
    assert plain(large[:2]).untyped_storage().nbytes() == 8000
    assert plain(large) is not None
    sent = plain({"a": np.arange(3)[::2], "b": np.float32(1.5), "c": [Path("x")]})
    assert (sent["a"].tolist(), sent["b"], sent["c"]) == ([0, 2], 1.5, ["x"])


class Code:
    """What unpickling would run."""

    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit(7)",))


def test_nothing_is_unpickled(sides: Callable[..., Wire]) -> None:
    wire = sides(lambda other, name: None, lambda name: None)
    torch.save(("return", Code()), wire.incoming)
    wire.pipe, there = Pipe()
    there.send_bytes(b"+")
    with pytest.raises(Exception, match=r"(?i)weights.only"):
        wire._receive()
