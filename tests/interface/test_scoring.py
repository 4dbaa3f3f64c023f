"""Arrays are scored as the run that they are taken from, and nothing is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests_elsewhere import done, predicted, written

import benchmark as bench
from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.home import home, leaderboards
from benchmark.interface.scoring import COLUMNS
from benchmark.runner.outcome import Outcome
from benchmark.settings import SettingsInvalid

WHERE: dict[str, Any] = {"twin": True, "device": "cpu", "quiet": True}


@pytest.fixture
def made(harness: Path) -> tuple[Outcome, dict[str, np.ndarray]]:
    """A run, and all that its method predicts, in another order."""
    plan, outcome = done("grid", "small_faces")
    return outcome, predicted(plan)


def left() -> set[Path]:
    return {p for folder in (home() / "runs", leaderboards()) for p in folder.rglob("*")}


def test_arrays_score_as_their_run(made: tuple[Outcome, dict[str, np.ndarray]]) -> None:
    outcome, arrays = made
    before = left()
    found = bench.score("small_faces", arrays, **WHERE)
    (value,) = outcome.record.metrics
    assert list(found.columns) == COLUMNS
    (row,) = found.to_dict("records")
    assert (row["metric"], row["value"], row["unit"], row["better"]) == (
        value.metric, value.value, value.unit, value.better)  # fmt: skip
    assert (row["ci95_low"], row["ci95_high"]) == value.ci95
    assert (row["items"], row["groups"]) == (value.n, value.groups)
    assert left() == before


def test_without_keys_rows_are_those_of_the_split(
    made: tuple[Outcome, dict[str, np.ndarray]],
) -> None:
    outcome, arrays = made
    ordered = {}
    for role in ("train", "test"):
        keys = bench.protocol("small_faces", twin=True, quiet=True).split(role).keys
        place = {key: row for row, key in enumerate(arrays[f"{role}/keys"].tolist())}
        rows = [place[key] for key in keys]
        ordered[f"{role}/landmarks"] = torch.from_numpy(arrays[f"{role}/landmarks"][rows])
    found = bench.score("small_faces", ordered, **WHERE)  # type: ignore[arg-type]
    assert found["value"].to_list() == [outcome.record.headline.value]
    wrong = dict(ordered, **{"test/landmarks": ordered["test/landmarks"].flip(0)})
    other = bench.score("small_faces", wrong, **WHERE)  # type: ignore[arg-type]
    assert other["value"][0] != found["value"][0]


def test_the_truth_scores_nothing(harness: Path) -> None:
    faces = bench.protocol("small_faces", twin=True, quiet=True)
    truth = {f"{r}/landmarks": faces.split(r).labels["landmarks"] for r in ("train", "test")}
    assert bench.score("small_faces", truth, **WHERE)["value"][0] < 1e-3


def test_a_file_is_scored_too(made: tuple[Outcome, dict[str, np.ndarray]], tmp_path: Path) -> None:
    outcome, arrays = made
    for name in ("theirs.npz", "theirs"):
        path = written(tmp_path / name, arrays)
        found = bench.score("small_faces", str(path), **WHERE)
        assert found["value"].to_list() == [outcome.record.headline.value]


def test_what_is_wrong_is_named(made: tuple[Outcome, dict[str, np.ndarray]]) -> None:
    _, arrays = made
    with pytest.raises(InvalidInput, match="test/landmarks"):
        bench.score("small_faces", {"train/landmarks": arrays["train/landmarks"]}, **WHERE)
    short = arrays | {"test/landmarks": arrays["test/landmarks"][:-1]}
    with pytest.raises(InvalidInput, match="shape"):
        bench.score("small_faces", short, **WHERE)
    with pytest.raises(InvalidInput, match="can't be read"):
        bench.score("small_faces", {"test/landmarks": np.array([{}, {}])}, **WHERE)
    with pytest.raises(UnknownName):
        bench.score("small_facse", arrays, **WHERE)


def test_tensors_of_any_kind_are_arrays_and_other_things_are_refused(
    made: tuple[Outcome, dict[str, np.ndarray]],
) -> None:
    outcome, arrays = made
    learnt = {
        name: torch.from_numpy(array).requires_grad_() if array.dtype.kind == "f" else array
        for name, array in arrays.items()
    }
    found = bench.score("small_faces", learnt, **WHERE)
    assert found["value"].to_list() == [outcome.record.headline.value]
    half = {n: a.detach().bfloat16() if hasattr(a, "detach") else a for n, a in learnt.items()}
    assert len(bench.score("small_faces", half, **WHERE)) == 1
    for wrong in (arrays["test/landmarks"], None):
        with pytest.raises(InvalidInput, match="not a mapping"):
            bench.score("small_faces", wrong, **WHERE)  # type: ignore[arg-type]


def test_other_sets_of_images_are_refused_before_any_work(harness: Path) -> None:
    with pytest.raises(SettingsInvalid, match="scored on test or validation, not on 'train'"):
        bench.run("grid", "small_faces", on="train", **WHERE)  # type: ignore[arg-type]
    assert not (home() / "fits").exists()
    with pytest.raises(InvalidInput, match="not on 'train'"):
        bench.results(on="train")  # type: ignore[arg-type]
