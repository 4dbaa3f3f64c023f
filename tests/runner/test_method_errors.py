"""What goes wrong in a method's code is told as the method's, with the call and the line."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from tests_fake_methods import Grid, Noise, Slow
from tests_fixtures import Call

from benchmark.contracts import Landmarks
from benchmark.contracts.errors import PluginBroken, TrainingFailed
from benchmark.home import home, leaderboards
from benchmark.method_errors import errors_of, prediction_of


def broken(*_: object) -> None:
    raise ZeroDivisionError("by nothing")


@pytest.mark.parametrize("call", ["fit", "save", "load", "predict"])
def test_a_call_that_fails_is_named(
    harness: Path, run: Call, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Grid, call, broken)
        said = run("grid", "--quiet")
    assert said.code == 8
    assert f"error: Grid.{call} failed" in said.err
    assert "ZeroDivisionError: by nothing" in said.err
    assert "--debug" in said.err
    assert "Traceback" not in said.err
    assert not leaderboards().exists()
    assert not list((home() / "fits").glob("*/.model*"))


def test_the_traceback_is_shown_when_asked_for(
    harness: Path, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Grid, "fit", broken)
    said = run("grid", "--quiet", "--debug")
    assert said.code == 8
    assert "in broken" in said.err


def test_a_fit_that_cannot_be_loaded_is_not_done(
    harness: Path, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once `save` is mended the same command goes on from the last checkpoint."""
    monkeypatch.setenv("BENCH_CHECKPOINT_SECONDS", "0")
    words = ("slow", "--set", "steps=3", "--quiet")
    with monkeypatch.context() as patch:
        patch.setattr(Slow, "save", lambda *_: None)
        said = run(*words)
    assert said.code == 8
    assert "Slow.load failed" in said.err
    (fit,) = (home() / "fits").glob("*/time.json")
    assert not (fit.parent / "done.json").exists()
    plan = run("slow", "--set", "steps=3", "--plan").out
    assert "the fit goes on from its checkpoint of 20" in plan
    assert run(*words).code == 0
    assert (fit.parent / "done.json").exists()


def test_the_line_is_the_innermost_of_the_methods_own_package() -> None:
    class Own(Grid):
        def inner(self) -> None:
            torch.zeros(2) @ torch.zeros(3)

    with pytest.raises(PluginBroken) as caught, errors_of(Own(Grid.Settings()), "fit"):
        Own(Grid.Settings()).inner()
    line = Own.inner.__code__.co_firstlineno + 1
    assert f"Own.fit failed (runner/test_method_errors.py, line {line}): RuntimeError" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "points, said, cure",
    [
        (
            torch.zeros(2, 5),
            r"must have shape \(N, K, 2\), got \(2, 5\)",
            "`benchmark.contracts.predictions`",
        ),
        (
            torch.full((2, 5, 2), torch.nan),
            "has NaN or infinity in 2 of 2 items",
            "a logarithm in predict",
        ),
    ],
)
def test_a_prediction_that_is_none_names_the_method_and_a_cure(
    points: torch.Tensor, said: str, cure: str
) -> None:
    wanted = rf"^Grid\.predict: Landmarks\.points {said}"
    with pytest.raises(PluginBroken, match=wanted) as caught, prediction_of(Grid(Grid.Settings())):
        Landmarks(points)
    assert cure in caught.value.cure


def test_errors_that_say_what_to_do_pass_as_they_are() -> None:
    error = TrainingFailed("diverged", cure="a lower rate")
    with pytest.raises(TrainingFailed) as caught, errors_of(Grid(Grid.Settings()), "fit"):
        raise error
    assert caught.value is error


def test_a_full_disk_is_not_the_methods_fault(
    harness: Path, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Grid, "save", full)
    said = run("grid", "--quiet")
    assert said.code == 9
    assert "no room left" in said.err


def test_a_generator_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.tasks.image_generation import generator_of

    monkeypatch.setattr(Noise, "generator", broken)
    with pytest.raises(PluginBroken, match=r"Noise\.generator failed"):
        generator_of(Noise(Noise.Settings()), None, None)  # type: ignore[arg-type]
