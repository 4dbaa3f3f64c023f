"""The conformance run: templates keep the contract, and each fault is found by its check."""

from __future__ import annotations

import ast
import os
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tests_fixtures import Call
from tests_support import install_fake

from benchmark.contracts import Descriptors, Landmarks, Method, MethodInfo, MethodSpec
from benchmark.contracts.errors import InvalidInput
from benchmark.contracts.method import MethodSettings, Weights
from benchmark.registry.plugins import plugins
from benchmark.testing import trial
from benchmark.testing.conformance import Case, Outcome, check_method, checks_of
from benchmark.testing.scaffold import KINDS, new_method


class Good(Method):
    """Learns one number in four steps, with checkpoints; K points that follow the brightness."""

    gives = ("landmarks",)

    class Settings(MethodSettings):
        points: int = 4

    def fit(self, images: Any, context: Any) -> None:
        state = context.checkpoints.load() or {"step": 0, "weight": torch.zeros(())}
        for step in range(int(state["step"]), 4):
            draw = torch.Generator().manual_seed(context.seed + step)
            weight = state["weight"] + torch.rand((), generator=draw)
            state = {"step": step + 1, "weight": weight}
            if context.checkpoints.due():
                context.checkpoints.save(state)
            context.progress("steps", step + 1, 4)
        self.weight = state["weight"]

    def predict(self, images: torch.Tensor) -> Any:
        light = images.mean((1, 2, 3))[:, None, None].expand(-1, self.settings.points, 2)
        return Landmarks((40 + self.weight * light).clamp(0, images.shape[-1] - 1))

    def save(self, folder: Path) -> None:
        np.save(folder / "weight.npy", self.weight.numpy())

    def load(self, folder: Path, device: str) -> None:
        self.weight = torch.from_numpy(np.load(folder / "weight.npy"))


class BatchMean(Good):
    def predict(self, images: torch.Tensor) -> Any:
        return Landmarks(super().predict(images).points + 0.1 * images.mean())


class Outside(Good):
    def predict(self, images: torch.Tensor) -> Any:
        return Landmarks(super().predict(images).points + 200)


class Doubles(Good):
    def predict(self, images: torch.Tensor) -> Any:
        return Landmarks(super().predict(images).points.double())


class Drifts(Good):
    def load(self, folder: Path, device: str) -> None:
        super().load(folder, device)
        self.weight = self.weight * 0.9


class Unseeded(Good):
    def fit(self, images: Any, context: Any) -> None:
        super().fit(images, context)
        self.weight = self.weight + int.from_bytes(os.urandom(2)) / 2**16


class Restarts(Good):
    """Takes up the checkpoint's weight but not its step."""

    def fit(self, images: Any, context: Any) -> None:
        state = context.checkpoints.load() or {"weight": torch.zeros(())}
        weight = state["weight"]
        for step in range(4):
            weight = weight + 1
            context.checkpoints.save({"weight": weight})
            context.progress("steps", step + 1, 4)
        self.weight = weight


class Noisy(Good):
    def predict(self, images: torch.Tensor) -> Any:
        np.random.seed(0)
        return super().predict(images)


class Litters(Good):
    def fit(self, images: Any, context: Any) -> None:
        super().fit(images, context)
        (Path(os.environ["LITTER"]) / "debug.txt").write_text("here")


class Unpinned(Good):
    @classmethod
    def info(cls, settings: Any) -> MethodInfo:
        return MethodInfo(gives=cls.gives, pretrained=(Weights("vgg", "somewhere", "latest"),))


class Wrong(Good):
    @classmethod
    def info(cls, settings: Any) -> MethodInfo:
        return MethodInfo(gives=("parts",))


class NoFit(Good):
    def fit(self, images: Any, context: Any) -> None:
        torch.zeros(2) @ torch.zeros(3)


class NoLoad(Good):
    def load(self, folder: Path, device: str) -> None:
        raise ZeroDivisionError("by nothing")


class NoPredict(Good):
    def predict(self, images: torch.Tensor) -> Any:
        return Landmarks(torch.full((len(images), 4, 2), torch.nan))


class Alone(Good):
    """Goes wrong for a single image."""

    def predict(self, images: torch.Tensor) -> Any:
        return super().predict(images if len(images) > 1 else images[:, 0])


class TwoStages(Good):
    """Two stages; the second keeps no checkpoint of its own and begins from the end of the first."""

    kept = ("weight", "stage")

    def fit(self, images: Any, context: Any) -> None:
        state = context.checkpoints.load() or {"weight": torch.zeros(()), "stage": 0}
        for stage in range(int(state.get("stage", 0)), 2):
            draw = torch.Generator().manual_seed(context.seed + stage)
            state = {"weight": state["weight"] + torch.rand((), generator=draw), "stage": stage + 1}
            context.checkpoints.save({name: state[name] for name in self.kept})
            context.progress(f"stage {stage}", 1, 1)
        self.weight = state["weight"]


class ForgetsItsStage(TwoStages):
    """After a kill between its stages it makes the first once more, on top."""

    kept = ("weight",)


class Kinds(Good):
    gives = ("landmarks", "descriptors")

    def predict(self, images: torch.Tensor) -> Any:
        if self.kind == "landmarks":
            return super().predict(images)
        return Descriptors.covering(self.weight * images[..., ::4, ::4], images.shape[-1])


class FirstKindOnly(Kinds):
    def predict(self, images: torch.Tensor) -> Any:
        self.kind = "landmarks"
        return super().predict(images)


class SecondKindOfBatch(Kinds):
    def predict(self, images: torch.Tensor) -> Any:
        found = super().predict(images)
        if self.kind == "landmarks":
            return found
        return Descriptors.covering(found.maps + 0.1 * images.mean(), images.shape[-1])


class Shows(Good):
    def pictures(self, images: torch.Tensor) -> Any:
        return {"negative": -images, "small": images[..., :3, :3]}


class ShowsBytes(Good):
    def pictures(self, images: torch.Tensor) -> Any:
        return {"bright": images.add(1).mul(127.5)}


class ShowsOne(Good):
    def pictures(self, images: torch.Tensor) -> Any:
        return {"first": images[0]}


class Stops(Good):
    """Goes wrong when it goes on after a kill."""

    def fit(self, images: Any, context: Any) -> None:
        assert context.checkpoints.load() is None, "there is a checkpoint"
        super().fit(images, context)


class Viewer(Good):
    """Needs views of objects, and their silhouettes."""

    def fit(self, images: Any, context: Any) -> None:
        assert np.bincount(images.objects).min() >= 4, "too few views"
        assert images.silhouettes.shape == images.pixels.shape[:3], "no silhouettes"
        super().fit(images, context)


@pytest.fixture
def checked(harness: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Register a class of this module as a method, and check it."""
    monkeypatch.setattr(trial, "COUNT", 8)
    monkeypatch.setattr(trial, "_faces", _flat_faces)
    (tmp_path / "litter").mkdir()
    monkeypatch.setenv("LITTER", str(tmp_path / "litter"))

    def check(cls: type[Method], **about: Any) -> dict[str, Outcome]:
        words = {"summary": "a method", "licence": "MIT", "gives": ["landmarks"], **about}
        spec = MethodSpec(id="tried", implementation=f"tests_fakes:{cls.__name__}", **words)
        plugins().methods["tried"] = spec
        monkeypatch.setattr(trial, "implementation", lambda spec: cls)
        return {outcome.check: outcome for outcome in check_method("tried")}

    return check


def _flat_faces(side: int, seed: int) -> SimpleNamespace:
    light = np.random.default_rng(seed).integers(0, 255, (8, 1, 1, 3), np.uint8)
    return SimpleNamespace(
        images=np.broadcast_to(light, (8, side, side, 3)).copy(),
        foreground=np.zeros((8, side, side), bool),
        identity=np.arange(8) // 4,
    )


def failed(outcomes: dict[str, Outcome]) -> set[str]:
    return {name for name, outcome in outcomes.items() if outcome.state == "failed"}


def test_a_method_may_need_views_and_silhouettes(checked: Any) -> None:
    assert failed(checked(Viewer)) == set()


def test_a_method_that_keeps_the_contract_passes_every_check(checked: Any) -> None:
    outcomes = checked(Good)
    assert failed(outcomes) == set()
    assert len(outcomes) == 11
    assert outcomes["kill and resume"].detail == "killed 6 times"


@pytest.mark.parametrize(
    ("cls", "check"),
    [
        (BatchMean, "batch and order"),
        (Outside, "shapes"),
        (Doubles, "shapes"),
        (Drifts, "save and load"),
        (Unseeded, "same seed"),
        (Restarts, "kill and resume"),
        (Noisy, "leaves alone"),
        (Litters, "writes at home"),
        (Unpinned, "declared"),
        (Wrong, "declared"),
        (ForgetsItsStage, "kill and resume"),
        (ShowsBytes, "pictures"),
        (ShowsOne, "pictures"),
    ],
)
def test_a_fault_is_found(checked: Any, cls: type[Method], check: str) -> None:
    assert check in failed(checked(cls))


def test_every_kind_is_asked_for(checked: Any) -> None:
    both = {"gives": ["landmarks", "descriptors"]}
    outcomes = checked(Kinds, **both)
    assert failed(outcomes) == set()
    assert (
        outcomes["shapes"].detail == "landmarks: points (8, 4, 2), descriptors: maps (8, 3, 24, 24)"
    )
    outcomes = checked(FirstKindOnly, **both)
    assert outcomes["shapes"].detail == (
        "asked for descriptors, which it declares, it gives Landmarks"
    )
    outcomes = checked(SecondKindOfBatch, **both)
    assert failed(outcomes) == {"batch and order"}
    assert outcomes["batch and order"].detail.startswith("descriptors: maps of an image alone")


def test_a_fit_is_killed_in_every_stage_and_between_them(checked: Any) -> None:
    outcomes = checked(TwoStages)
    assert failed(outcomes) == set()
    assert outcomes["kill and resume"].detail == "killed 4 times, in 2 stages"


def test_pictures_are_asked_of_methods_that_have_some(checked: Any) -> None:
    outcomes = checked(Shows)
    assert (outcomes["pictures"].state, outcomes["pictures"].detail) == (
        "passed",
        "negative, small",
    )
    assert "pictures" not in checked(Good)
    assert "shape (3, 96, 96), not (8, 3, s, s)" in checked(ShowsOne)["pictures"].detail


def cases(name: str) -> dict[str, Case]:
    return {str(case): case for case in checks_of(name)}


@pytest.mark.long
def test_a_fake_of_two_kinds_keeps_the_contract(harness: Path) -> None:
    for name, case in cases("both").items():
        if name != "light import":  # the fakes' module is that of their registration
            case()


def test_a_check_that_does_not_hold_is_an_assertion_with_its_detail(harness: Path) -> None:
    found = cases("broken-numbers")
    assert "registration" in found
    assert "samples" not in found
    with pytest.raises(AssertionError, match="licence is empty"):
        found["registration"]()
    with pytest.raises(AssertionError, match=r"Landmarks\.points has NaN") as caught:
        found["shapes"]()
    assert "cure: " in str(caught.value)


@pytest.mark.long
def test_two_processes_end_with_the_same_method_where_it_says_so(harness: Path) -> None:
    assert "two processes" not in cases("both")
    cases("descent")["two processes"]()
    with pytest.raises(AssertionError, match="points differs between the two processes of one fit"):
        cases("drifting")["two processes"]()


LAST = ["batch and order", "save and load", "same seed", "kill and resume", "leaves alone",
        "writes at home"]  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "check", "said", "what", "others"),
    [
        (NoFit, "tiny fit", "NoFit.fit failed (testing/test_conformance.py, line ", "the tiny fit",
         ["shapes", *LAST]),
        (NoLoad, "shapes", "NoLoad.load failed (testing/test_conformance.py, line ", "load", LAST),
        (NoPredict, "shapes", "NoPredict.predict: Landmarks.points has NaN", "predict", LAST),
        (Alone, "batch and order", "Alone.predict failed (testing/", "", []),
        (Stops, "kill and resume", "Stops.fit failed (testing/", "", []),
    ],
)  # fmt: skip
def test_one_fault_is_told_once_and_what_builds_on_it_is_not_asked(
    checked: Any, cls: type[Method], check: str, said: str, what: str, others: list[str]
) -> None:
    outcomes = checked(cls)
    assert len(outcomes) == 11
    assert failed(outcomes) == {check}
    assert said in outcomes[check].detail
    skipped = {name: o.detail for name, o in outcomes.items() if o.state == "not asked"}
    assert skipped == dict.fromkeys(others, f"not asked: {what} failed")


def test_what_is_not_asked_is_neither_known_nor_passed(checked: Any) -> None:
    outcomes = checked(NoFit, known_failures={"tiny fit": "no time", "same seed": "it is a clock"})
    assert outcomes["tiny fit"].state == "expected"
    assert outcomes["same seed"].state == "not asked"
    assert failed(outcomes) == set()


def test_a_kill_says_how_far_off_the_rest_is(checked: Any) -> None:
    detail = checked(Restarts)["kill and resume"].detail
    assert detail.startswith("points differ by up to ")
    assert detail.endswith(
        "after a kill (was something drawn without context.seed, or left out of the checkpoint?)"
    )


@pytest.mark.long
def test_a_class_that_is_not_there_is_told_once_and_all_checks_are_counted(bench: Call) -> None:
    said = bench("method", "check", "missing-class")
    assert said.code == 8
    assert (said.out + said.err).count("method 'missing-class': ") == 1
    assert "FAIL  declared  method 'missing-class': the registration's implementation=" in said.out
    assert "\n        cure: " in said.out
    assert "-     same seed  not asked: the import of its class failed" in said.out
    assert "0 of 11 checks hold" in said.out  # its registration has other faults


def test_a_failure_has_the_cure_that_bench_knows(checked: Any) -> None:
    outcomes = checked(NoPredict)
    assert "a fit that diverged" in outcomes["shapes"].cure
    assert checked(NoFit)["tiny fit"].cure == ""
    assert {o.cure for o in checked(Good).values()} == {""}


def test_settings_that_are_given_wrong_are_the_callers_error(bench: Call) -> None:
    said = bench("method", "check", "grid", "--set", "pointz=4")
    assert said.code == 2
    assert said.out == ""
    assert "did you mean 'points'? its settings are: points" in said.err


def test_a_registration_without_words_or_with_heavy_imports_is_found(checked: Any) -> None:
    empty = checked(Good, licence="")
    assert "registration" in failed(empty)
    assert empty["registration"].cure == 'MethodSpec(…, licence="Apache-2.0") says it'
    plugins().methods["tried"] = MethodSpec(
        id="tried", implementation="tests_fake_methods:Grid", gives=["landmarks"], summary="x",
        licence="MIT",
    )  # fmt: skip
    outcomes = {o.check: o for o in check_method("tried")}
    assert outcomes["light import"].state == "failed"
    assert "torch" in outcomes["light import"].detail


def test_a_known_failure_is_expected_and_must_stay_true(checked: Any) -> None:
    reason = "its network has batch statistics"
    outcomes = checked(BatchMean, known_failures={"batch and order": reason})
    assert outcomes["batch and order"] == Outcome("batch and order", "expected", reason)
    outcomes = checked(Good, known_failures={"batch and order": reason})
    assert outcomes["batch and order"].state == "failed"
    assert "passes" in outcomes["batch and order"].detail


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_method_keeps_the_contract_at_once(
    harness: Path, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"mine-{kind.replace('_', '-')}"
    folder = new_method(name, kind, tmp_path)
    source = str(folder / "src")
    for path in folder.rglob("*.py"):
        ast.parse(path.read_text())
    point = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]
    install_fake(harness, name, point["bench"][name])
    monkeypatch.syspath_prepend(source)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([source, os.environ["PYTHONPATH"]]))
    monkeypatch.setenv("BENCH_PLUGINS", f"fakes,{name}")
    plugins.cache_clear()
    assert [o for o in check_method(name) if o.state != "passed"] == []


@pytest.mark.parametrize("name", ["Mine", "my method", "../mine", "1st", "my_method", ""])
def test_names_that_are_no_ids_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="is no id"):
        new_method(name, "landmarks", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    new_method("mine", "parts", tmp_path)
    mine = tmp_path / "bench-mine" / "README.md"
    mine.write_text("my words")
    with pytest.raises(InvalidInput, match="is there already"):
        new_method("mine", "parts", tmp_path)
    assert mine.read_text() == "my words"


@pytest.mark.long
def test_the_commands_say_what_to_do_next_and_fail_on_a_fault(bench: Call, tmp_path: Path) -> None:
    said = bench("method", "new", "mine", "--kind", "descriptors", "--in", str(tmp_path))
    assert said.code == 0
    assert "bench method check mine" in said.out
    said = bench("method", "check", "grid")  # its fake registration imports torch with its class
    assert said.code == 8
    assert "FAIL  registration" in said.out
    assert bench("method", "check", "gird").code == 2
