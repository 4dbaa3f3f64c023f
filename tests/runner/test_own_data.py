"""Data of one's own: prepared anew when it changes, hidden joints, and no training on test."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_fixtures import ROOT, Call
from tests_own_data import OwnData

from benchmark.contracts.errors import DataAltered, PluginBroken
from benchmark.datasets import preparing
from benchmark.datasets import rendered as twins
from benchmark.datasets.opening import open_split
from benchmark.datasets.origins import folder_digest
from benchmark.datasets.prepared import PreparedSplit
from benchmark.interface.progress import Silent
from benchmark.protocols import ProtocolInvalid
from benchmark.registry.protocols import find_protocol
from benchmark.runner.guards import shared_rows
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.verification.kept import score_predictions

ROOT_LINE = "return [line.split()"


class Told:
    """Progress that keeps the names of stages."""

    def __init__(self) -> None:
        self.stages: dict[str, int] = {}

    def __call__(self, stage: str, step: int, total: int, **values: float) -> None:
        self.stages[stage] = total

    @property
    def why(self) -> list[str]:
        return [stage for stage in self.stages if " anew (" in stage]


def opened(role: str = "test", told: Told | None = None) -> PreparedSplit:
    return open_split(find_protocol("joints4"), role, twin=False, progress=told or Silent())


def planned(method: str = "mean-shape", **changes) -> Plan:  # type: ignore[no-untyped-def]
    return make_plan(Request(method, "joints4", device="cpu", **changes), Silent())


def value(method: str = "mean-shape", **changes) -> float:  # type: ignore[no-untyped-def]
    return run(planned(method, **changes), Silent()).record.metrics[0].value


# --- prepared anew -------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_prepared_again(own_data: OwnData) -> None:
    first = opened()
    assert (first.folder / "image_digests.npy").exists()
    told = Told()
    (own_data.root / ".DS_Store").touch()  # hidden files do not count
    (own_data.package / "method.py").write_text("# of the same package, not imported by the reader")
    own_data.forget()
    assert opened(told=told).pixels_digest == first.pixels_digest
    assert not told.stages
    own_data.root.rename(own_data.root.with_name("moved"))  # nothing to make it of, so it stays
    assert opened(told=told).pixels_digest == first.pixels_digest
    assert not told.stages


def test_files_that_change_are_prepared_anew_and_the_run_is_another(own_data: OwnData) -> None:
    before, first = planned(), opened()
    path = own_data.root / "images" / first.keys[0]
    Image.fromarray(np.full((30, 40, 3), 9, np.uint8)).save(path)
    told = Told()
    again = opened(told=told)
    assert told.why == [f"prepare joints:test anew (the files in {own_data.root} have changed)"]
    assert (again.pixels[0] == 9).mean() > 0.5
    assert again.pixels_digest != first.pixels_digest
    assert planned().run_id != before.run_id
    labels = own_data.root / "joints.txt"
    labels.write_text(labels.read_text().replace(" test ", " test 1", 1))
    assert opened().labels_digest != again.labels_digest


def test_another_root_is_another_source(
    own_data: OwnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened()
    other = tmp_path / "elsewhere" / "joints"
    other.parent.mkdir()
    own_data.root.rename(other)
    (other / "joints.txt").write_text(
        (other / "joints.txt").read_text().replace(" test ", " test 1")
    )
    monkeypatch.setenv("BENCH_DATA", str(other.parent))
    told = Told()
    assert opened(told=told).labels_digest != first.labels_digest
    assert "the data set is found in" in told.why[0]


@pytest.mark.parametrize("module", ["reader", "words"])
def test_code_that_changes_is_run_again(own_data: OwnData, module: str) -> None:
    first = opened()
    assert first.points is not None
    if module == "reader":
        own_data.write(**{"joints[:, :2], ": "joints[:, :2] + 1, "})
    else:
        path = own_data.package / "words.py"
        path.write_text(
            path.read_text().replace(ROOT_LINE, "return [line.replace('1.', '2.').split()")
        )
        own_data.forget()
    told = Told()
    assert opened(told=told).pixels_digest != first.pixels_digest
    assert told.why == ["prepare joints:test anew (the code that reads joints has changed)"]


def test_what_lies_beside_a_reader_counts(own_data: OwnData) -> None:
    opened()
    (own_data.package / "left_out.txt").write_text("07.png\n")
    own_data.forget()
    told = Told()
    opened(told=told)
    assert told.why


def test_links_are_followed_and_may_lead_back(own_data: OwnData, tmp_path: Path) -> None:
    elsewhere = tmp_path / "pictures"
    (own_data.root / "images").rename(elsewhere)
    (own_data.root / "images").symlink_to(elsewhere)
    (own_data.root / "again").symlink_to(own_data.root)
    (own_data.root / "nowhere").symlink_to(tmp_path / "gone")
    first, told = opened(), Told()
    assert opened(told=told).pixels_digest == first.pixels_digest
    assert not told.stages
    os.utime(elsewhere / first.keys[0], (1, 1))
    opened(told=told)
    assert told.why


def test_an_older_manifest_is_prepared_anew_once(own_data: OwnData) -> None:
    path = opened().folder / "manifest.json"
    about = json.loads(path.read_text())
    del about["made_from"]
    path.write_text(json.dumps(about))
    told = Told()
    opened(told=told)
    assert "did not write down from what" in told.why[0]
    told = Told()
    opened(told=told)
    assert not told.stages


def test_what_was_prepared_stays_until_the_new_one_is_whole(own_data: OwnData) -> None:
    first = opened()
    before = sorted(p.name for p in first.folder.iterdir())
    whole = (own_data.root / "images" / first.keys[-1]).read_bytes()
    (own_data.root / "images" / first.keys[-1]).write_bytes(whole[:90])
    with pytest.raises(DataAltered, match="can't be decoded"):
        opened()
    assert sorted(p.name for p in first.folder.iterdir()) == before
    (own_data.root / "images" / first.keys[-1]).write_bytes(whole)
    assert opened().pixels_digest == first.pixels_digest


def test_twins_follow_the_code_that_renders_them(
    harness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol, told = find_protocol("small_faces"), Told()
    before = open_split(protocol, "test", twin=True, progress=Silent())
    open_split(protocol, "test", twin=True, progress=told)
    assert not told.stages
    manifest = before.folder / "manifest.json"
    kept = manifest.read_text()
    manifest.write_text(kept.replace(twins.renderer(), "0" * 64))
    again = open_split(protocol, "test", twin=True, progress=told)
    assert told.why == ["prepare twin:test anew (the code that renders twins has changed)"]
    assert again.pixels_digest == before.pixels_digest


def test_the_code_that_renders_twins_is_that_of_recipes_and_renderer() -> None:
    rooms = ROOT / "benchmark" / "twins", ROOT / "benchmark" / "datasets"
    assert (
        twins.renderer() == f"{folder_digest(rooms[0])}-{folder_digest(rooms[1], 'rendered*.py')}"
    )
    assert folder_digest(rooms[1], "rendered*.py") != folder_digest(rooms[1], "rendered.py")


def test_prepare_checks_what_it_prints_and_verify_says_what_is_stale(
    own_data: OwnData, bench: Call
) -> None:
    assert bench("data", "prepare", "joints4").code == 0
    folder = opened().folder
    points = np.load(folder / "points.npy")
    np.save(folder / "points.npy", points / 2)
    said = bench("data", "prepare", "joints4")
    assert (said.code, "delete that folder" in said.err) == (5, True)
    said = bench("data", "prepare", "joints4", "--anew")
    assert (said.code, "anew (as was asked)" in said.err) == (0, True)
    np.testing.assert_array_equal(np.load(folder / "points.npy"), points)
    assert "anew" not in bench("data", "verify", "joints").out
    os.utime(own_data.root / "joints.txt", (1, 1))
    said = bench("data", "verify", "joints")
    assert said.code == 0
    assert said.out.count("will be prepared anew:") == 3
    assert f"{folder} (the files in {own_data.root} have changed)" in said.out
    (folder / "manifest.json").write_text("{")
    (folder.parent / ".test.k1lled").mkdir()
    assert "is not as it was written" in bench("data", "verify", "joints").out


def test_kept_predictions_are_not_scored_on_altered_labels(own_data: OwnData) -> None:
    outcome = run(planned(), Silent())
    assert score_predictions(outcome.path, outcome.record)
    path = opened().folder / "points.npy"
    np.save(path, np.load(path) / 2)
    with pytest.raises(DataAltered, match="its labels have sha256"):
        score_predictions(outcome.path, outcome.record)


# --- hidden joints -------------------------------------------------------------------------------


def test_hidden_joints_count_nowhere_whatever_they_hold(own_data: OwnData) -> None:
    values, pixels = [], []
    for held in ("0.0", "np.nan", "-500.0"):
        own_data.write(HIDDEN=held)
        pixels.append(opened("train").pixels_digest)
        assert opened("train").hidden > 0
        values.append(value())
    assert len(set(pixels)) == 1
    assert values[1:] == [values[0]] * 2
    assert value("oracle") == pytest.approx(0, abs=1e-9)


def test_a_protocol_that_would_score_hidden_joints_is_refused(own_data: OwnData) -> None:
    own_data.state(('labels = ["visible"]\n', ""))
    with pytest.raises(ProtocolInvalid, match="points of joints:train are not annotated") as caught:
        planned()
    assert 'labels = ["visible"]' in caught.value.cure
    own_data.state(
        ('labels = ["visible"]\n', ""),
        ("landmark_regression", "landmark_scale"),
        ("[[metrics]]", "[zoom]\nseen = [1.0, 1.2]\nunseen = [1.5, 2.0]\n\n[[metrics]]"),
        ('aggregate = "ratio_of_sums"', 'aggregate = "ratio_of_sums"\non = "seen"'),
    )
    with pytest.raises(ProtocolInvalid, match="landmark_scale of joints4@1 scores every point"):
        planned()


@pytest.mark.parametrize("place", ["np.nan", "np.inf", "1e9", "3.5e38", "1e300"])
def test_a_visible_joint_is_somewhere_in_the_picture(own_data: OwnData, place: str) -> None:
    own_data.write(**{"joints[:, 2] == 1": f"joints[:, 2] >= 0; points[1] = {place}"})
    with pytest.raises(PluginBroken, match=r"Joints\.samples\('test'\): 03\.png: point 1 is"):
        opened()


# --- training on test ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, seen",
    [
        ((('train = "joints:train"', 'train = "joints:test"'),), "data.train is data.test"),
        ((('fit = "joints:pool"', 'fit = "joints:test"'), ('"joints:pool"]', '"joints:test"]')),
         "data.fit is data.test"),
        ((('train = "joints:train"', 'train = "joints_again:test"'),
          ("[geometry.joints]", '[geometry.joints_again]\ncrop = "whole"\nresize = 24\n\n'
           "[geometry.joints]")),
         "6 of the 6 images of joints:test are also in joints_again:test"),
    ],
    ids=["train", "fit", "the same files under another name"],
)  # fmt: skip
def test_images_that_are_scored_are_not_trained_on(
    own_data: OwnData, changes: tuple[tuple[str, str], ...], seen: str
) -> None:
    own_data.state(*changes)
    with pytest.raises(ProtocolInvalid, match=seen):
        planned()
    digest = find_protocol("joints4").digest()
    own_data.state(*changes, ("[data]\n", '[data]\nshared = "a test"\n'))
    assert find_protocol("joints4").digest() == digest


def test_copies_of_a_test_image_are_found_by_their_pixels(own_data: OwnData) -> None:
    images = own_data.root / "images"
    (images / "00.png").write_bytes((images / "03.png").read_bytes())
    own_data.state(("points_square", "whole"), ("scale = 1.6\n", ""))
    with pytest.raises(
        ProtocolInvalid, match=r"1 of the 6 images of joints:test .*, 03\.png first"
    ):
        planned()


def test_what_a_protocol_allows_stands_in_the_record_and_on_the_board(
    own_data: OwnData, bench: Call
) -> None:
    own_data.state(
        ('train = "joints:train"', 'train = "joints:test"'),
        ("[data]\n", '[data]\nshared = "to see how low it goes"\n'),
    )
    outcome = run(planned(), Silent())
    assert outcome.record.data["train"].shared == 6
    assert outcome.record.notes[-1] == (
        "6 of the 6 images scored are in joints:test (train) too: to see how low it goes"
    )
    assert "6 of the scored images seen" in bench("board", "joints4").out


def test_validation_is_not_the_test_split(own_data: OwnData) -> None:
    own_data.state(('validation = "joints:validation"', 'validation = "joints:test"'))
    with pytest.raises(ProtocolInvalid, match="nothing may be chosen on test"):
        find_protocol("joints4")


def test_looking_for_shared_images_is_quick(own_data: OwnData) -> None:
    split, count = opened(), 200_000
    draw = np.random.default_rng(0)

    def large(first: int) -> PreparedSplit:
        digests = draw.integers(0, 256, (count, 16), dtype=np.uint8)
        names = [f"{i}.png" for i in range(first, first + count)]
        return replace(split, keys=names, files=names, image_digests=digests)

    one, other = large(0), large(count - 3)
    assert other.image_digests is not None
    assert one.image_digests is not None
    other.image_digests[70] = one.image_digests[5]
    began = time.process_time()
    assert shared_rows(one, other) == [0, 1, 2, 70]
    assert time.process_time() - began < 2


# --- splits of their own, and validation ---------------------------------------------------------


def test_a_split_may_have_a_geometry_of_its_own(own_data: OwnData) -> None:
    assert opened("fit").points is None
    assert opened("fit").pixels.shape == (15, 24, 24, 3)
    own_data.state(('[geometry."joints:pool"]\ncrop = "whole"\nresize = 24\n', ""))
    with pytest.raises(ValueError, match="made from the points, and there are none") as caught:
        opened("fit")
    assert '[geometry."data_set:split"]' in str(caught.value)
    own_data.state(("joints:pool", "joints:poll"), ('fit = "joints:poll"', 'fit = "joints:pool"'))
    with pytest.raises(ProtocolInvalid, match="'joints:poll', which is no split"):
        find_protocol("joints4")


def test_validation_runs_fit_on_the_pool_where_the_protocol_names_it(
    own_data: OwnData, bench: Call
) -> None:
    plan = planned(on="validation")
    assert plan.sources["fit"] == "joints:development"
    own_data.state(
        ("[data]\n", '[data]\ndevelopment_fit = "joints:pool"\n'),
    )
    plan = planned(on="validation")
    assert plan.sources == {
        "fit": "joints:pool", "train": "joints:development", "test": "joints:validation",
    }  # fmt: skip
    said = bench("run", "-m", "mean-shape", "-p", "joints4", "--on", "validation")
    assert "fitted on the 15 images of joints:pool" in said.out
    assert "fit 15 (joints:pool)" in bench(
        "run", "-m", "mean-shape", "-p", "joints4", "--on", "validation", "--plan"
    ).out  # fmt: skip
    own_data.state(("[data]\n", '[data]\ndevelopment_fit = "joints:train"\n'))
    with pytest.raises(
        ProtocolInvalid, match="images of joints:validation are also in joints:train"
    ):
        planned(on="validation")


# --- errors of a reader --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("found = []", "found = {}['x']", r"Joints\.samples\('test'\) failed \(joints_set/reader\.py, "
         r"line 13\): KeyError: 'x'"),
        ("return found", "return found[:0]", "joints:test has no samples"),
        ("return found", "return found * 2", "the key '03.png' comes 2 times"),
        ("return found", "return ['a.png']", "it gave str, not Sample"),
        ("visible=visible", "visible=visible[:2]", r"visible must be an array \(4,\), not \(2,\)"),
        ("visible=visible", "visible=visible * 1", "visible must be bool"),
        ("points=points", "points=points.ravel()", r"points must be an array \(K, 2\), not \(8,\)"),
        ("class Joints(Reader)", "class Joints", "is not a subclass of Reader"),
        ("import numpy as np", "import numpyy as np", "could not be imported"),
    ],
)  # fmt: skip
def test_a_readers_faults_are_told_as_its_own(
    own_data: OwnData, bench: Call, old: str, new: str, said: str
) -> None:
    own_data.write(**{old: new})
    with pytest.raises((PluginBroken, DataAltered), match=said):
        opened()
    told = bench("data", "prepare", "joints4")
    assert told.code in (5, 8)
    assert "unexpected error" not in told.err


def test_keys_are_those_of_the_data_set_and_files_are_named(own_data: OwnData) -> None:
    split = opened()
    assert list(split.files) == [f"images/{key}" for key in split.keys]
    assert split.root == str(own_data.root)
    assert not preparing.stale("joints")
