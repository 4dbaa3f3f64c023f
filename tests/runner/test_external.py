"""Predictions made elsewhere are scored to the last bit as if their method had been run here."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_elsewhere import QUIET, done, generated, predicted, written
from tests_fixtures import Call
from tests_generation import SMALL_IMAGES
from tests_support import SMALL_MATCHING

from benchmark.boards.entries import read_entries
from benchmark.boards.rows import make_rows
from benchmark.contracts.errors import Incompatible, InvalidInput
from benchmark.files import file_sha256, load_arrays
from benchmark.home import builtin_folder, home, leaderboards
from benchmark.metrics import catalogue
from benchmark.records.identity import ids_from_record
from benchmark.records.model import Record
from benchmark.records.reading import read_record
from benchmark.registry.protocols import find_protocol
from benchmark.runner.external import Submission, plan_of_file, score_and_forget, score_file
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan
from benchmark.tasks import landmark_errors
from benchmark.verification.verify import verify_record

COUNTS = {"fit": 8, "train": 10, "test": 8, "people": 10}


@pytest.fixture
def protocol(floors: Path, tmp_path: Path) -> Callable[[str], str]:
    """Small protocols of all tasks: bench's own with few rendered images, those of the tests."""

    def write(name: str) -> str:
        if name == "small_faces":
            return name
        if name in ("small_matching", "small_images"):
            text = SMALL_MATCHING if name == "small_matching" else _images_alone()
        else:
            text = (builtin_folder() / name / "1.toml").read_text("utf-8")
            text = text.replace(f'id = "{name}"\nversion', f'id = "small_{name}"\nversion')
            fewer = {} if "shapenet" in name or "limited" in name else COUNTS
            for key, count in fewer.items():
                text = re.sub(rf"^{key} = \d+$", f"{key} = {count}", text, flags=re.M)
            name = f"small_{name}"
        path = tmp_path / "protocols" / name / "1.toml"
        path.parent.mkdir()
        path.write_text(text)
        for beside in (builtin_folder() / name.removeprefix("small_")).glob("1.*.csv"):
            shutil.copy(beside, path.parent)
        return name

    return write


def _images_alone() -> str:
    """Without the length of paths, which no picture says."""
    head, _, rest = SMALL_IMAGES.partition("[generation.path]")
    rest = rest[rest.index("[[metrics]]") :]
    path = rest.index('[[metrics]]\nid = "ppl2_wend')
    return head + rest[:path] + rest[rest.index("[twin]") :]


def submitted(path: Path, protocol: str, **more: object) -> Submission:
    return Submission(
        **{"protocol": protocol, "predictions": path, "name": "theirs", "made_by": "theirs 1.0",
           "twin": True, "device": "cpu", **more}  # type: ignore[arg-type]
    )  # fmt: skip


def kept(plan: Plan, outcome: Outcome, what: str) -> dict[str, np.ndarray]:
    path = plan.folder / f"{outcome.record.run_id}.{what}.npz"
    return load_arrays(path) if path.exists() else {}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        assert array.tobytes() == other[name].tobytes(), name


CASES = [
    ("grid", "small_faces"),
    ("pixels", "small_faces"),
    ("halves", "small_faces"),
    ("oracle", "small_faces"),
    ("pixels", "small_matching"),
    ("grid", "mafl_scale"),
    pytest.param("grid", "ytf5_limited", marks=pytest.mark.long),
    ("grid", "taichi"),
    ("halves", "cub"),
    ("halves", "stanford_cars_masks"),
    ("negative", "stanford_cars_masks"),
    pytest.param("ellipsoid-cloud", "shapenet_cars", marks=pytest.mark.long),
]


@pytest.mark.parametrize("method, name", CASES)
def test_a_file_scores_as_the_run_that_it_is_taken_from(
    protocol: Callable[[str], str], tmp_path: Path, method: str, name: str
) -> None:
    plan, outcome = done(method, protocol(name))
    path = written(tmp_path / "theirs.npz", predicted(plan))
    mine, found = score_file(submitted(path, plan.protocol.name), QUIET)
    assert found.record.metrics != []
    for one, other in zip(outcome.record.metrics, found.record.metrics, strict=True):
        assert (one.metric, one.value, one.ci95, one.n, one.groups) == (
            other.metric, other.value, other.ci95, other.n, other.groups)  # fmt: skip
    same(kept(plan, outcome, "errors"), kept(mine, found, "errors"))
    same(kept(plan, outcome, "predictions"), kept(mine, found, "predictions"))
    assert outcome.record.probe == found.record.probe
    checks = verify_record(found.path, data=True)
    assert {c.state for c in checks} <= {"ok", "not here"}, checks
    states = {c.name: c.state for c in checks}
    theirs = {c.name: c.state for c in verify_record(outcome.path, data=True)}
    assert states == theirs


def test_generated_pictures_score_as_their_generator(
    protocol: Callable[[str], str], tmp_path: Path
) -> None:
    plan, outcome = done("tint", protocol("small_images"))
    folder = generated(plan, tmp_path / "pictures")
    _, found = score_file(submitted(folder, "small_images"), QUIET)
    assert [(v.metric, v.value) for v in found.record.metrics] == [
        (v.metric, v.value) for v in outcome.record.metrics
    ]
    assert {c.state for c in verify_record(found.path, data=True)} <= {"ok", "not here"}
    (folder / "00039.png").unlink()
    with pytest.raises(InvalidInput, match="holds 39 pictures, small_images@1 compares 40"):
        plan_of_file(submitted(folder, "small_images"), QUIET)


def test_what_no_picture_says_is_refused(protocol: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "protocols" / "small_images" / "1.toml"
    path.parent.mkdir()
    path.write_text(SMALL_IMAGES)
    with pytest.raises(Incompatible, match="how images change with the latent"):
        plan_of_file(submitted(tmp_path, "small_images"), QUIET)


@pytest.fixture
def points(floors: Path, tmp_path: Path) -> dict[str, np.ndarray]:
    plan, _ = done("grid", "small_faces")
    return predicted(plan)


def test_the_record_says_what_it_is(points: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = written(tmp_path / "theirs.npz", points)
    given = submitted(path, "small_faces", supervision="labels", seed=3)
    plan, outcome = score_file(given, QUIET)
    record = read_record(outcome.path)
    assert outcome.path == (
        leaderboards() / "twins" / "small_faces" / "1" / "theirs" / f"{record.run_id}.json"
    )
    assert record.method.model_dump(exclude_defaults=True) == {
        "id": "theirs", "version": 1, "plugin": "", "role": "method", "origin": "external",
        "preset": "", "settings_given": {}, "settings": {}, "gives": ["landmarks"],
        "used": "landmarks", "supervision": "labels", "pretrained": [],
    }  # fmt: skip
    assert record.external is not None
    assert record.external.model_dump() == {
        "made_by": "theirs 1.0", "file": "theirs.npz", "sha256": file_sha256(path),
        "bytes": path.stat().st_size,
    }  # fmt: skip
    assert record.data.keys() == {"train", "test"}
    assert record.stages.keys() == {"predict", "score"}
    assert record.fitted is None
    assert record.seed == 3
    assert ids_from_record(record) == (record.fit_id, record.run_id) == (plan.fit_id, plan.run_id)


def test_the_same_file_is_the_same_run_and_another_file_another(
    points: dict[str, np.ndarray], tmp_path: Path
) -> None:
    path = written(tmp_path / "theirs.npz", points)
    _, first = score_file(submitted(path, "small_faces"), QUIET)
    _, again = score_file(submitted(path, "small_faces"), QUIET)
    assert not first.found
    assert again.found
    assert again.record == first.record
    points["test/landmarks"][0, 0, 0] += 0.25
    other = written(tmp_path / "other.npz", points)
    assert plan_of_file(submitted(other, "small_faces"), QUIET).run_id != first.record.run_id
    with pytest.raises(InvalidInput, match="has a row with seed 0 already"):
        score_file(submitted(other, "small_faces"), QUIET)
    score_file(submitted(other, "small_faces", seed=1), QUIET)
    with pytest.raises(InvalidInput, match="scored before as theirs, seed 0"):
        score_file(submitted(path, "small_faces", name="mine"), QUIET)


def test_a_folder_of_arrays_scores_as_an_archive(
    points: dict[str, np.ndarray], tmp_path: Path
) -> None:
    one, other = (written(tmp_path / n, points) for n in ("theirs.npz", "theirs"))
    records = [score_and_forget(submitted(p, "small_faces"), QUIET) for p in (one, other)]
    assert records[0].headline.value == records[1].headline.value
    assert not list(leaderboards().glob("**/theirs"))
    assert [p.name for p in (home() / "runs").iterdir() if p.is_dir()] == [
        p.parent.name for p in (home() / "runs").glob("*/run.json")
    ]


Arrays = dict[str, np.ndarray]


def without(arrays: Arrays, *names: str) -> Arrays:
    return {name: array for name, array in arrays.items() if name not in names}


def changed(arrays: Arrays, name: str, at: object, value: object) -> Arrays:
    array = arrays[name].copy()
    array[at] = value
    return {**arrays, name: array}


SPOILT: list[tuple[Callable[[Arrays], Arrays], str]] = [
    (lambda a: without(a, "test/keys"), "the file lacks test/keys"),
    (lambda a: without(a, "train/landmarks"), "the file lacks train/landmarks"),
    (lambda a: without(a, "test/landmarks"), "the file lacks test/landmarks"),
    (lambda a: {**a, "tset/landmarks": a["test/landmarks"]}, "holds tset/landmarks, which"),
    (lambda a: changed(a, "test/keys", 0, "nobody"), "1 keys are not in test/keys: 'test/0000"),
    (lambda a: changed(a, "test/keys", 0, a["test/keys"][1]), "1 keys are twice in test/keys"),
    (lambda a: {**a, "test/keys": a["test/keys"][:3], "test/landmarks": a["test/landmarks"][:3]},
     "13 keys are not in test/keys: .* and 1 more"),
    (lambda a: {**a, "test/keys": np.append(a["test/keys"], "nobody")},
     "1 keys are without being asked for in test/keys: 'nobody'"),
    (lambda a: {**a, "test/keys": np.arange(16)}, "is int64 .*, not a list of texts"),
    (lambda a: {**a, "test/landmarks": a["test/landmarks"][:-1]}, r"has shape .*, not \(N = 16, K"),
    (lambda a: {**a, "test/landmarks": a["test/landmarks"][:, :2]}, r"\(N = 16, K = \d, 2\)"),
    (lambda a: {**a, "test/landmarks": a["test/landmarks"].astype("U8")}, "is of dtype <U8"),
    (lambda a: changed(a, "test/landmarks", (2, 0), np.nan), "NaN or infinity for 1 keys"),
    (lambda a: changed(a, "test/landmarks", (slice(0, 13), 0), 178.0), "13 keys .* and 1 more"),
    (lambda a: {**a, "test/landmarks": a["test/landmarks"] / 32}, "within 1 px of the corner"),
]  # fmt: skip


@pytest.mark.parametrize("spoil, said", SPOILT, ids=[said[:30] for _, said in SPOILT])
def test_a_file_that_is_not_as_asked_is_refused_in_a_sentence(
    points: Arrays, tmp_path: Path, spoil: Callable[[Arrays], Arrays], said: str
) -> None:
    path = written(tmp_path / "theirs.npz", spoil(points))
    with pytest.raises(InvalidInput, match=said) as caught:
        score_file(submitted(path, "small_faces"), QUIET)
    assert caught.value.cure
    assert not list(leaderboards().glob("**/theirs"))


def test_what_is_no_archive_is_refused(points: Arrays, tmp_path: Path) -> None:
    path = tmp_path / "theirs.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(InvalidInput, match="can't be read as predictions"):
        plan_of_file(submitted(path, "small_faces"), QUIET)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    with pytest.raises(InvalidInput, match="it is a single array"):
        plan_of_file(submitted(path.with_suffix(".npy"), "small_faces"), QUIET)
    np.savez(path, **{"train/keys": np.array([{}], object)})
    with pytest.raises(InvalidInput, match="can't be read as predictions"):
        plan_of_file(submitted(path, "small_faces"), QUIET)
    with pytest.raises(InvalidInput, match="there is no file"):
        plan_of_file(submitted(tmp_path / "none.npz", "small_faces"), QUIET)


@pytest.mark.parametrize(
    "words, said",
    [
        ({"name": "grid"}, "'grid' is an installed method"),
        ({"name": "../x"}, "lower-case words"),
        ({"name": "Mine"}, "lower-case words"),
        ({"made_by": "  "}, "made-by is empty"),
        ({"made_by": "<b>me</b>"}, "markup"),
    ],
)
def test_names_and_origins_are_held_to_the_rules(
    points: Arrays, tmp_path: Path, words: dict, said: str
) -> None:
    path = written(tmp_path / "theirs.npz", points)
    with pytest.raises(InvalidInput, match=said):
        plan_of_file(submitted(path, "small_faces", **words), QUIET)


def test_the_probe_sees_the_train_split_s_own_labels_alone(points: Arrays, tmp_path: Path) -> None:
    """Whatever a file says of its training images moves the probe, as a method's predictions do."""
    other = changed(points, "train/landmarks", ..., 7.0)
    found = [
        score_and_forget(submitted(written(tmp_path / f"{i}.npz", a), "small_faces"), QUIET)
        for i, a in enumerate((points, other))
    ]
    assert found[0].headline.value != found[1].headline.value
    assert found[0].data == found[1].data


def test_masks_and_labels_stand_for_probabilities(
    protocol: Callable[[str], str], tmp_path: Path
) -> None:
    plan, outcome = done("halves", protocol("stanford_cars_masks"))
    given = predicted(plan)
    labels = given.pop("test/parts").argmax(1)
    for i, more in enumerate(({"test/labels": labels}, {"test/masks": labels > 0})):
        path = written(tmp_path / f"{i}.npz", given | more)
        found = score_and_forget(submitted(path, plan.protocol.name), QUIET)
        assert [v.value for v in found.metrics] == [v.value for v in outcome.record.metrics]
    plan, _ = done("halves", protocol("cub"))
    given = predicted(plan)
    given["test/labels"] = given.pop("test/parts").argmax(1)
    with pytest.raises(Incompatible, match=r"part_nmi_foreground .* were it not background"):
        plan_of_file(submitted(written(tmp_path / "c.npz", given), plan.protocol.name), QUIET)


def test_boards_mark_what_was_scored_from_a_file(
    points: Arrays, tmp_path: Path, bench: Call
) -> None:
    path = written(tmp_path / "theirs.npz", points)
    asked = ["score", "-p", "small_faces", "--twin", "--predictions", str(path)]
    words = ["--name", "theirs", "--made-by", "theirs 1.0", "--supervision", "none"]
    said = bench(*asked, *words, "--json")
    assert said.code == 0, said.err
    assert Path(said.json["page"]).exists()
    found = find_protocol("small_faces")
    rows = {r.method: r for r in make_rows(found, read_entries(found, twin=True)[0])}
    assert rows["theirs"].external
    assert not rows["grid"].external
    assert rows["theirs"].value == rows["grid"].value
    told = "scored from a file of predictions; the method was not run by bench"
    board = (leaderboards() / "twins" / "small_faces" / "1" / "README.md").read_text()
    assert f"§ theirs: {told}." in board
    assert "| theirs §" in board
    shown = bench("board", "small_faces", "--twin").out
    assert "theirs §" in shown
    assert told in shown
    run = said.json["run_id"]
    assert bench("verify", run, said.json["record"], "--data").code in (0, 5)
    assert bench("verify", said.json["record"], "--data").code == 0
    assert bench("rescore", run).code == 0
    assert "made_by: theirs 1.0" in bench("show", "run", run).out
    assert bench("compare", "theirs", "grid", "-p", "small_faces", "--twin").code == 0
    assert "theirs" in bench("ls", "runs").out
    site = tmp_path / "built"
    assert bench("board", "site", "--out", str(site)).code == 0
    page = next(p for p in site.rglob(f"*{run}*.html")).read_text()
    assert "bench score --protocol small_faces@1 --predictions theirs.npz" in page
    assert bench(*asked, *words).out.startswith("done before")


def test_print_leaves_nothing(points: Arrays, tmp_path: Path, bench: Call) -> None:
    path = written(tmp_path / "theirs.npz", points)
    before = sorted(home().rglob("*")), sorted(leaderboards().rglob("*"))
    said = bench(
        "score", "-p", "small_faces", "--twin", "--predictions", str(path), "--print", "--json"
    )
    assert said.code == 0, said.err
    assert said.json["metrics"]["nme_iod"] > 0
    assert (sorted(home().rglob("*")), sorted(leaderboards().rglob("*"))) == before
    lacking = bench("score", "-p", "small_faces", "--predictions", str(path), "--name", "theirs")
    assert lacking.code == 2
    assert "--made-by, --supervision" in lacking.err


def test_a_template_holds_the_keys(points: Arrays, tmp_path: Path, bench: Call) -> None:
    path = tmp_path / "begin.npz"
    said = bench("score", "-p", "small_faces", "--twin", "--template", str(path))
    assert said.code == 0, said.err
    assert "SET/landmarks (N, K, 2)" in said.out
    with np.load(path) as found:
        assert set(found.files) == {"train/keys", "test/keys"}
        assert set(found["test/keys"]) == set(points["test/keys"])
    before = path.read_bytes()
    again = bench("score", "-p", "small_faces", "--twin", "--template", str(path))
    assert (again.code, path.read_bytes()) == (3, before)
    assert "is there already" in again.err
    other = bench("score", "-p", "small_faces", "--twin", "--template", str(tmp_path / "a.txt"))
    assert other.code == 3
    assert not (tmp_path / "a.txt").exists()


def test_a_row_is_of_one_supervision(points: Arrays, tmp_path: Path) -> None:
    """Labels seen must not hide behind another file of the same name."""
    one = written(tmp_path / "1.npz", points)
    two = written(tmp_path / "2.npz", changed(points, "test/landmarks", (0, 0, 0), 9.0))
    score_file(submitted(one, "small_faces", supervision="none"), QUIET)
    seen = submitted(two, "small_faces", supervision="labels", seed=1)
    with pytest.raises(InvalidInput, match="is a row with supervision 'none'"):
        score_file(seen, QUIET)
    assert len(list(leaderboards().glob("**/theirs/*.json"))) == 1


def test_shipped_protocols_score_folders_of_pictures(harness: Path, tmp_path: Path) -> None:
    for name in ("ytf68_pictures", "ffhq256_pictures"):
        protocol = find_protocol(name)
        for twin in (False, True):
            how = protocol.scored(twin=twin).generation
            assert how is not None
            assert (how.path, how.linearity) == (None, None)
    before = find_protocol("ytf68_images").digest()
    folder = tmp_path / "made"
    folder.mkdir()
    draw = np.random.Generator(np.random.PCG64(0))
    for i in range(96):
        made = draw.integers(0, 256, (96, 96, 3), np.uint8)
        Image.fromarray(made).save(folder / f"{i:03d}.png")
    record = score_and_forget(submitted(folder, "ytf68_pictures"), QUIET)
    assert [v.metric for v in record.metrics] == [
        "fd_random_conv", "kd_random_conv", "precision", "recall"]  # fmt: skip
    assert find_protocol("ytf68_images").digest() == before


def test_a_record_of_a_file_is_taken_in_elsewhere(
    points: Arrays, tmp_path: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "theirs.npz", points)
    _, outcome = score_file(submitted(path, "small_faces"), QUIET)
    points["test/landmarks"][0, 0, 0] += 0.25
    boards = leaderboards()
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "theirs"))
    other = written(tmp_path / "other.npz", points)
    score_file(submitted(other, "small_faces"), QUIET)
    (found,) = (tmp_path / "theirs").glob("**/theirs/*.json")
    refused = bench("record", "import", str(outcome.path))
    assert refused.code == 13
    assert "is seed 0 of theirs, from another file" in refused.err
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "fresh"))
    assert bench("record", "import", str(found), "--data").code == 0
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(boards))


def test_a_record_without_its_file_s_digest_gives_another_identity(
    points: Arrays, tmp_path: Path
) -> None:
    path = written(tmp_path / "theirs.npz", points)
    _, outcome = score_file(submitted(path, "small_faces"), QUIET)
    content = outcome.record.model_dump(mode="json")
    content["external"]["sha256"] = "0" * 64
    assert ids_from_record(Record.model_validate(content))[1] != outcome.record.run_id


def test_a_record_under_the_name_of_an_installed_method_is_not_taken_in(
    points: Arrays, tmp_path: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "theirs.npz", points)
    _, outcome = score_file(submitted(path, "small_faces"), QUIET)
    content = json.loads(outcome.path.read_text())
    content["method"]["id"] = "grid"
    other = tmp_path / "other" / outcome.path.name
    other.parent.mkdir()
    for file in outcome.path.parent.glob(f"{outcome.record.run_id}.*"):
        shutil.copy(file, other.parent)
    other.write_text(json.dumps(content))
    monkeypatch.setenv("BENCH_LEADERBOARDS", str(tmp_path / "fresh"))
    said = bench("record", "import", str(other))
    assert said.code == 13
    assert "'grid' is an installed method" in said.err
    assert not list((tmp_path / "fresh").glob("**/*.json"))


def test_a_corrected_metric_is_applied_to_what_a_file_left(
    points: Arrays, tmp_path: Path, bench: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "theirs.npz", points)
    _, outcome = score_file(submitted(path, "small_faces"), QUIET)
    first = landmark_errors.MEASURES["nme_iod"]
    monkeypatch.setitem(landmark_errors.MEASURES, "nme_iod", lambda *a: 2 * first(*a))
    later = catalogue.CATALOGUE["nme_iod"]._replace(version=2)
    monkeypatch.setitem(catalogue.CATALOGUE, "nme_iod", later)
    assert bench("rescore", outcome.record.run_id).code == 0
    (again,) = [p for p in outcome.path.parent.glob("*.json") if p != outcome.path]
    record = read_record(again)
    assert record.external == outcome.record.external
    assert record.fitted is None
    assert record.headline.value == pytest.approx(2 * outcome.record.headline.value, rel=1e-5)
    assert {c.state for c in verify_record(again, data=True)} <= {"ok", "not here"}
