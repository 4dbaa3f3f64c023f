"""What goes wrong in a method's code is told as the method's, with the call and the line."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from tests_fake_methods import Grid, Noise, Slow
from tests_fixtures import Call

from benchmark.contracts import Landmarks, MethodInfo
from benchmark.contracts.errors import InvalidInput, PluginBroken, TrainingFailed
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


def test_points_of_complex_numbers_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"Landmarks\.points holds complex numbers"):
        Landmarks(torch.zeros(2, 5, 2, dtype=torch.complex64))


def test_as_many_points_for_every_image() -> None:
    batches = [Landmarks(torch.zeros(2, count, 2)) for count in (1, 3, 1)]
    with pytest.raises(PluginBroken) as caught, prediction_of(Grid(Grid.Settings())):
        Landmarks.concatenate(batches)
    assert "Grid.predict: Landmarks.points is of shapes (1, 2) and (3, 2)" in caught.value.message
    assert caught.value.cure == "predict the same shape for every image"


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


@pytest.mark.parametrize("error", [SystemExit(0), SystemExit("bye"), GeneratorExit("out")])
def test_a_method_cannot_end_bench(
    run: Call, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def ends(*_: object) -> None:
        raise error

    monkeypatch.setattr(Grid, "fit", ends)
    said = run("grid", "--quiet")
    assert said.code == 8
    assert "Grid.fit failed" in said.err
    assert type(error).__name__ in said.err


def test_ctrl_c_in_a_method_is_ctrl_c(run: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Grid, "fit", stopped)
    assert run("grid", "--quiet").code == 130


def test_what_a_method_prints_is_nothing_that_bench_says(
    run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loud(cls: type[Grid], settings: object) -> MethodInfo:
        print("info")
        return MethodInfo(gives=cls.gives)

    monkeypatch.setattr(Grid, "info", classmethod(loud))
    monkeypatch.setattr(Grid, "fit", lambda *_: print("epoch 1"))
    said = run("grid", "--json", "--quiet")
    assert said.code == 0, said.err
    assert said.json["metrics"].keys() == {"nme_iod"}
    assert "info" in said.err
    assert "epoch 1" in said.err
    assert run("grid", "--plan", "--json").json["done"]


@pytest.mark.parametrize(
    "info, said",
    [
        (lambda cls, settings: None, "Grid.info gave NoneType, not MethodInfo"),
        (lambda cls, settings: 1 / 0, "Grid.info failed"),
    ],
)
def test_what_a_method_says_of_itself_is_asked_for(
    run: Call, monkeypatch: pytest.MonkeyPatch, info: object, said: str
) -> None:
    monkeypatch.setattr(Grid, "info", classmethod(info))  # type: ignore[arg-type]
    done = run("grid")
    assert done.code == 8
    assert said in done.err


def test_an_error_that_cannot_be_said_is_named_by_its_class() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    said = r"Grid\.fit failed: Mute\n"
    with pytest.raises(PluginBroken, match=said), errors_of(Grid(Grid.Settings()), "fit"):
        raise Mute
