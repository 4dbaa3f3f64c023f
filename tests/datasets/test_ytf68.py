"""The ytf68 reader: splits no person is on both sides of, keys, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.datasets.readers.ytf68 import Ytf68, clip_of, every_fifth, identity_of

OUTSIDE = {
    "Mariana_Ohata_22",
    "Chris_Cooper_42",
    "Eliza_Dushku_20",
    "Eliza_Dushku_21",
    "Eliza_Dushku_22",
    "Charlotte_Casiraghi_00",
}


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_every_fifth_person_of_the_sorted_ones() -> None:
    people = [f"{i:02}" for i in range(13)]
    assert every_fifth(people[::-1]) == {"04", "09"}


def test_the_identity_is_the_name_without_clip_and_frame() -> None:
    assert identity_of("Abdel_Aziz_Al-Hakim_01.jpg") == "Abdel_Aziz_Al-Hakim"


def test_frames_of_one_clip_have_one_number_in_both_parts(tiny_ytf68: Path) -> None:
    assert clip_of("Abdel_Aziz_Al-Hakim_01.jpg") == "Abdel_Aziz_Al-Hakim_0"
    samples = Ytf68(tiny_ytf68).samples("all")
    clips = {s.key: int(s.extra["clips"]) for s in samples}
    assert clips["training/P_A_00.jpg"] == clips["training/P_A_01.jpg"] == clips["test/P_A_00.jpg"]
    assert len(set(clips.values())) == 10
    again = Ytf68(tiny_ytf68).samples("people/test")
    assert all(int(s.extra["clips"]) == clips[s.key] for s in again)


def test_clips_of_the_published_frames(real_ytf68: Path) -> None:
    samples = Ytf68(real_ytf68).samples("people/train")
    assert len({int(s.extra["clips"]) for s in samples}) == 919
    by_clip: dict[int, set[str]] = {}
    for sample in samples:
        by_clip.setdefault(int(sample.extra["clips"]), set()).add(sample.identity)
    assert all(len(people) == 1 for people in by_clip.values())


def test_people_of_both_parts_are_split_together(tiny_ytf68: Path) -> None:
    reader = Ytf68(tiny_ytf68)
    people = {split: {s.identity for s in reader.samples(split)} for split in reader.splits}
    assert people["people/test"] == {"P_E", "P_J"}
    assert people["people/train"] == {f"P_{p}" for p in "ABCDFGHI"}
    assert people["people/validation"] == {"P_F"}
    assert people["people/development"] == people["people/train"] - {"P_F"}
    keys = {split: [s.key for s in reader.samples(split)] for split in reader.splits}
    assert sorted(keys["people/train"] + keys["people/test"]) == keys["all"]
    assert keys["published/test"] + keys["published/train"] == keys["all"]
    assert keys["people/test"] == [
        "test/P_E_00.jpg",
        "test/P_J_00.jpg",
        "training/P_E_00.jpg",
        "training/P_E_01.jpg",
        "training/P_J_00.jpg",
        "training/P_J_01.jpg",
    ]


def test_equal_names_are_different_frames(tiny_ytf68: Path) -> None:
    test, training = (
        next(s for s in Ytf68(tiny_ytf68).samples("all") if s.key == f"{part}/P_A_00.jpg")
        for part in ("test", "training")
    )
    assert test.path != training.path
    assert not np.array_equal(test.points, training.points)


def test_points_are_x_y_pairs_in_file_order(tiny_ytf68: Path) -> None:
    line = (tiny_ytf68 / "data/test_frames_keypoints.csv").read_text().splitlines()[1].split(",")
    sample = next(s for s in Ytf68(tiny_ytf68).samples("all") if s.key == f"test/{line[0]}")
    assert sample.points is not None
    assert sample.points.shape == (68, 2)
    assert sample.points[1].tolist() == [float(line[3]), float(line[4])]


def test_an_unknown_split_is_refused_with_the_known_ones(tiny_ytf68: Path) -> None:
    with pytest.raises(UnknownName, match="people/test"):
        Ytf68(tiny_ytf68).samples("people/tests")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda root: (root / "data/training/P_C_00.jpg").unlink(), "P_C_00.jpg is annotated but"),
        (lambda root: (root / "data/test/P_C_00.jpg").unlink(), "P_C_00.jpg is annotated but"),
        (lambda root: (root / "data/training/X_00.jpg").touch(), "X_00.jpg has no annotation"),
        (
            lambda root: replace_in(
                root / "data/training_frames_keypoints.csv", "P_B_00.jpg", "P_A_00.jpg"
            ),
            "line 3: P_A_00.jpg a second time",
        ),
        (
            lambda root: replace_in(root / "data/test_frames_keypoints.csv", ".0,", ".0,nan,"),
            "line 2: expected 137 values, found 138",
        ),
    ],
)
def test_images_and_annotations_must_match(tiny_ytf68: Path, damage, message: str) -> None:
    damage(tiny_ytf68)
    with pytest.raises(DataAltered, match=message) as caught:
        Ytf68(tiny_ytf68).samples("people/train")
    assert caught.value.cure


@pytest.mark.parametrize(
    ("value", "message"), [("nan", "NaN or infinity"), ("left", "not all are numbers")]
)
def test_a_value_that_is_no_number_is_refused_with_its_line(
    tiny_ytf68: Path, value: str, message: str
) -> None:
    table = tiny_ytf68 / "data/training_frames_keypoints.csv"
    lines = table.read_text().splitlines()
    words = lines[4].split(",")
    words[17] = value
    table.write_text("\n".join([*lines[:4], ",".join(words), *lines[5:]]) + "\n")
    with pytest.raises(DataAltered, match=f"line 5: {message}"):
        Ytf68(tiny_ytf68).samples("all")


def test_a_row_too_few_is_refused(tiny_ytf68: Path) -> None:
    table = tiny_ytf68 / "data/test_frames_keypoints.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(DataAltered, match="expected 6 annotated frames, found 5"):
        Ytf68(tiny_ytf68).samples("all")


def test_a_missing_table_is_named(tiny_ytf68: Path) -> None:
    (tiny_ytf68 / "data/test_frames_keypoints.csv").unlink()
    with pytest.raises(DataMissing, match="test_frames_keypoints"):
        Ytf68(tiny_ytf68).samples("all")


def test_the_real_set_has_the_published_counts(real_ytf68: Path) -> None:
    reader = Ytf68(real_ytf68)
    found = {split: reader.samples(split) for split in reader.splits}
    counts = {s: (len(v), len({x.identity for x in v})) for s, v in found.items()}
    assert counts == {
        "people/train": (3375, 278),
        "people/test": (857, 69),
        "people/validation": (676, 55),
        "people/development": (2699, 223),
        "published/train": (3462, 347),
        "published/test": (770, 347),
        "all": (4232, 347),
    }
    train, test, held_out, rest = (
        {s.identity for s in found[f"people/{n}"]}
        for n in ("train", "test", "validation", "development")
    )
    assert not train & test
    assert held_out | rest == train
    assert not held_out & rest
    assert len({s.key for s in found["all"]}) == 4232
    names = {s.path.name for s in found["published/test"]}
    assert names <= {s.path.name for s in found["published/train"]}


def test_six_real_frames_have_points_outside(real_ytf68: Path) -> None:
    from PIL import Image

    suspects = []
    for sample in Ytf68(real_ytf68).samples("published/train"):
        with Image.open(sample.path) as image:
            outside = (sample.points < 0) | (sample.points > np.array(image.size) - 1)
        if outside.any():
            suspects.append(sample.path.stem)
    assert set(suspects) == OUTSIDE
