"""What the opened data lacks is refused before anything is fitted, by each task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests_fixtures import Call

from benchmark.contracts.errors import BenchError, DataAltered, Incompatible, InvalidInput
from benchmark.datasets.opening import open_split
from benchmark.datasets.prepared import PreparedSplit
from benchmark.protocols import (
    Foreground,
    Generation,
    LandmarkRule,
    Limited,
    Metric,
    Pairs,
    Probe,
    Protocol,
    Zoom,
)
from benchmark.registry.protocols import find_protocol
from benchmark.tasks.base import Scoring, find_task
from benchmark.tasks.chosen import draw_chosen
from tools.drawn import write_chosen

QUIET: Any = lambda *a, **k: None  # noqa: E731
NME = Metric(id="nme_iod", unit="%", better="lower")


@pytest.fixture
def splits(harness: Path) -> dict[str, PreparedSplit]:
    """Train and test of the small twin."""
    protocol = find_protocol("small_faces")
    return {n: open_split(protocol, n, twin=True, progress=QUIET) for n in ("train", "test")}


def changed(**fields: Any) -> Protocol:
    return find_protocol("small_faces").model_copy(update=fields)


def require(splits: dict, protocol: Protocol, kind: Any = "landmarks", twin: bool = True) -> None:
    how = Scoring(protocol, kind, twin, "test", "cpu", QUIET)
    find_task(protocol.task).require(splits, how)


def hidden(split: PreparedSplit, point: int) -> PreparedSplit:
    visible = np.ones((len(split), 5), bool)
    visible[:, point] = False
    return replace(split, labels={"visible": visible})


def few(split: PreparedSplit, count: int) -> PreparedSplit:
    assert split.points is not None
    return replace(
        split,
        pixels=split.pixels[:count],
        points=split.points[:count],
        keys=split.keys[:count],
        identities=split.identities[:count],
    )


LANDMARK_TASKS = {
    "landmark_regression": {"metrics": (NME,)},
    "landmark_scale": {
        "metrics": (NME.model_copy(update={"on": "seen"}),),
        "zoom": Zoom(seen=(1, 1.2), unseen=(1.2, 1.4)),
    },
    "landmark_limited": {
        "metrics": (NME.model_copy(update={"on": "2"}),),
        "limited": Limited(
            numbers=(2,), copies=40, images=9999, twin_copies=40, chosen="x.csv", chosen_sha256="0"
        ),
    },
}


@pytest.mark.parametrize("task", LANDMARK_TASKS)
def test_landmarks_of_the_data_are_looked_at_first(splits: dict, task: str) -> None:
    protocol = changed(task=task, **LANDMARK_TASKS[task])
    require(splits, protocol)
    for name in ("train", "test"):
        blank = splits | {name: replace(splits[name], points=None)}
        with pytest.raises(DataAltered, match="carry no points"):
            require(blank, protocol)
        unseen = splits | {name: hidden(splits[name], 3)}
        with pytest.raises(DataAltered, match=f"no image of twin:{name} shows point 3"):
            require(unseen, protocol)
    asked = changed(
        task=task, landmarks=LandmarkRule(count=14, eyes=(0, 1)), **LANDMARK_TASKS[task]
    )
    with pytest.raises(InvalidInput, match="asks for 14 landmarks, got 68") as caught:
        require(splits, asked)
    assert "[landmarks]" in caught.value.cure


def test_an_image_whose_unit_is_zero_is_named_before_the_fit(splits: dict) -> None:
    points = splits["test"].points.copy()
    points[2, 36:48] = 9
    with pytest.raises(InvalidInput, match="inter-ocular distance: expected positive"):
        require(splits | {"test": replace(splits["test"], points=points)}, changed())


@pytest.mark.parametrize("task", LANDMARK_TASKS)
def test_fewer_images_than_a_batch_of_the_probe_are_refused(splits: dict, task: str) -> None:
    fields = LANDMARK_TASKS[task] | {"probes": {"descriptors": Probe(name="softargmax/dve")}}
    if task == "landmark_limited":
        fields["limited"] = fields["limited"].model_copy(update={"twin_copies": 20})
    protocol = changed(task=task, **fields)
    with pytest.raises(Incompatible, match="batches of 32 annotated images"):
        require({**splits, "train": few(splits["train"], 20)}, protocol, "descriptors")


def test_more_annotated_images_than_there_are_are_refused(splits: dict) -> None:
    protocol = changed(task="landmark_limited", **LANDMARK_TASKS["landmark_limited"])
    with pytest.raises(Incompatible, match="has 2 images annotated, and its training split"):
        require({**splits, "train": few(splits["train"], 1)}, protocol)


def test_pairs_are_drawn_before_the_fit(splits: dict) -> None:
    rule = Pairs(layout="paper", rule="paper", count=8, digest="f" * 64)
    protocol = changed(task="landmark_matching", pairs=rule, metrics=())
    require(splits, protocol, "descriptors")
    with pytest.raises(DataAltered, match=f"it states {'f' * 64}") as caught:
        require(splits, protocol, "descriptors", twin=False)
    # the sentence holds what a draft has to state
    stated = caught.value.message.split("digest ")[1].split(",")[0]
    right = changed(
        task="landmark_matching", pairs=rule.model_copy(update={"digest": stated}), metrics=()
    )
    require(splits, right, "descriptors", twin=False)


@pytest.mark.parametrize("task", ["foreground_segmentation", "mask_disagreement"])
def test_masks_are_looked_at_first(splits: dict, task: str) -> None:
    metric = Metric(id="foreground_iou", unit="%", better="higher")
    protocol = changed(task=task, foreground=Foreground(parts="argmax"), metrics=(metric,))
    with pytest.raises(DataAltered, match="carries no masks"):
        require(splits, protocol, "parts")
    test = splits["test"]
    masks = np.ones((len(test), test.size, test.size), np.uint8)
    masks[1] = 255
    with pytest.raises(DataAltered, match="no pixel that is scored"):
        require({"test": replace(test, labels={"masks": masks})}, protocol, "parts")
    masks[1] = 0
    require({"test": replace(test, labels={"masks": masks})}, protocol, "parts")


def test_parts_at_landmarks_need_landmarks_that_are_seen(splits: dict) -> None:
    test = splits["test"]
    labels = {
        "masks": np.ones((len(test), test.size, test.size), np.uint8),
        "visible": np.zeros((len(test), 68), bool),
    }
    metric = Metric(id="part_nmi", unit="%", better="higher", aggregate="single")
    protocol = changed(
        task="foreground_segmentation", foreground=Foreground(parts="argmax"), metrics=(metric,)
    )
    with pytest.raises(DataAltered, match="show no landmarks"):
        require({"test": replace(test, labels=labels)}, protocol, "parts")


def test_generated_images_are_held_against_enough_real_ones(splits: dict) -> None:
    how = Generation.model_validate(
        {
            "images": 300,
            "network": "fd-random-conv",
            "kernel": {"subset_size": 200, "subsets": 5},
            "weights": {"PCG64(0)": "0" * 64},
        }
    )
    protocol = changed(task="image_generation", generation=how, metrics=())
    with pytest.raises(Incompatible, match="200 is more than the 16 test images"):
        require(splits, protocol, "generator")
    kernel = {"subset_size": 20, "subsets": 5}
    smaller = Generation.model_validate(how.model_dump() | {"kernel": kernel, "flips": True})
    with pytest.raises(DataAltered, match="pins 000000000000"):  # 32 with their mirror images
        require(splits, changed(task="image_generation", generation=smaller), "generator")


def test_models_without_clouds_or_whole_views_are_refused(splits: dict) -> None:
    cars = find_protocol("shapenet_cars")
    with pytest.raises(BenchError, match="not 5 views of one model after another"):
        require({"validation": splits["train"], "test": splits["test"]}, cars, "shape_and_pose")


def test_a_plan_says_what_the_data_lacks_and_fits_nothing(
    splits: dict, bench: Call, tmp_path: Path
) -> None:
    """The number of annotated images is only known once the part that is kept is open."""
    source = tmp_path / "protocols" / "small_faces" / "1.toml"
    folder = tmp_path / "protocols" / "scarce"
    folder.mkdir()
    sha256 = write_chosen(folder / "1.chosen.csv", draw_chosen(9999, [60], 3))
    text = source.read_text().replace("small_faces", "scarce")
    text = text.replace("landmark_regression", "landmark_limited")
    text = text.replace('better = "lower"', 'better = "lower"\non = "60"')
    limited = (
        "[limited]\nnumbers = [60]\ncopies = 40\nimages = 9999\ntwin_copies = 40\n"
        f'chosen = "1.chosen.csv"\nchosen_sha256 = "{sha256}"\n'
    )
    (folder / "1.toml").write_text(text.replace("[[metrics]]", limited + "\n[[metrics]]"))
    assert bench("protocol", "check", "scarce").code == 0
    words = ("run", "-m", "grid", "-p", "scarce", "--twin", "--on", "validation")
    for more in ((), ("--plan",)):
        said = bench(*words, *more)
        assert said.code == 2
        assert "has 60 images annotated" in said.err
    assert not (tmp_path / "home" / "fits").exists()
    assert bench(*words[:-2], "--plan").code == 0
