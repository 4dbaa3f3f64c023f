"""What only scoring would come upon is refused from a protocol's file alone, for every task."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path

import pytest
from tests_fixtures import Call

from benchmark.home import builtin_folder
from benchmark.metrics.aggregates import AGGREGATES
from benchmark.metrics.catalogue import CATALOGUE
from benchmark.probes import linear, softargmax_presets
from benchmark.protocols import protocols_in, read_protocol
from benchmark.protocols.files import _read_cached
from benchmark.registry.protocols import find_protocol, protocol_path
from benchmark.tasks.accepts import TASKS
from benchmark.tasks.base import find_task
from benchmark.tasks.faults import faults

GIVEN = {
    "landmark_regression": "ytf5",
    "landmark_limited": "ytf5_limited",
    "landmark_scale": "mafl_scale",
    "landmark_matching": "ytf5_matching",
    "foreground_segmentation": "cub",
    "mask_disagreement": "stanford_cars_masks",
    "shape_and_pose": "shapenet_cars",
    "image_generation": "ytf68_images",
}
"""A sound protocol of each task, which the tests spoil."""

NME = 'id = "nme_iod"\nunit = "%"\nbetter = "lower"'

SPOILT: dict[str, list[tuple[str, str, str]]] = {
    "landmark_regression": [
        ('"landmark_regression"', '"landmarks_regression"', "did you mean 'landmark_regression'"),
        ('id = "nme_iod"', 'id = "nme_iodd"', "did you mean 'nme_iod'"),
        (NME, f'{NME}\naggregate = "ratio_of_sums"', "'mean' or 'median' or 'upper_median' does"),
        ('better = "lower"', 'better = "higher"', "lower is better, not higher"),
        ('unit = "%"', 'unit = "px"', "its numbers are in %, not in px"),
        (NME, f'{NME}\non = "seen"', "'on' is not read"),
        (NME, f'{NME}\nprobe = "linear/immm"', "did you mean 'linear/imm'"),
        (NME, f'{NME}\nprobe = "linear/imm"', "reads landmarks, and needs holds 'descriptors'"),
        ('"softargmax/short"', '"softargmax/shorter"', "did you mean 'softargmax/short'"),
        ('"softargmax/short"', '"linear/scops"', "no probe of descriptors"),
        (
            '"softargmax/short"',
            '"softargmax/short"\nsettings = { epoch = 3 }',
            "did you mean 'epochs'",
        ),
        (
            '"softargmax/short"',
            '"softargmax/short"\nsettings = { schedule = "cosin" }',
            "schedule: Input should be",
        ),
        (
            '"linear/scops"',
            '"linear/scops"\nsettings = { fraction = 2.0 }',
            "share of the training rows",
        ),
        ('[probes.landmarks]\nname = "linear/scops"', "", "section [probes.landmarks] is lacking"),
        ("count = 5", "count = 6", "rule 'mafl5_from_68' gives 5, not 6"),
        ("eyes = [0, 1]", "eyes = [0, 5]", "counted from 0, of 5"),
        ("eyes = [0, 1]", "", "name them as landmarks.eyes"),
        ('needs = ["descriptors", ', 'needs = ["generator", ', "not generator"),
        (
            "[geometry.ytf68]",
            'labels = ["visible"]\n[geometry.ytf68]',
            "needs every point of every image",
        ),
        ("[geometry.ytf68]", 'labels = ["masks"]\n[geometry.ytf68]', "'masks' is not read"),
        ('test = "ytf68:people/test"', 'test = "ytf68:people/tests"', "did you mean 'people/test'"),
        ('train = "ytf68:people/train"', "", "data.train is lacking"),
        (
            'train = "ytf68:people/train"',
            'train = "ytf68:people/test"',
            "data.train is data.test: images that are scored may not be learned from",
        ),
        ('validation = "ytf68:people/validation"', "", "go together"),
        ('recipe = "face"', 'recipe = "fase"', "did you mean 'face'"),
        ('recipe = "face"', 'recipe = "person"', "'person' has 18 points, [landmarks] asks for 68"),
        ("people = 250", "people = 4", "every fifth is test, so 4 are too few"),
        ("people = 250", "people = 250\nsettings = { yow = [0, 1] }", "did you mean 'yaw'"),
        ("train = 1200", "train = 0", "twin.train: 0 images are too few"),
        (
            "[twin]",
            '[pairs]\nlayout = "dve"\nrule = "dve"\ncount = 3\ndigest = ""\n[twin]',
            "[pairs] is not read",
        ),
    ],
    "landmark_limited": [
        ('"landmark_limited"', '"landmark_limitted"', "did you mean 'landmark_limited'"),
        ('measure = "nme_iod"', 'measure = "nme"', "did you mean 'nme_iod'"),
        ('on = "1"', 'on = "1"\naggregate = "single"', "'single' makes no number"),
        (
            '[probes.descriptors]\nname = "softargmax/dve-limited"',
            '[probes.descriptors]\nname = "softargmax/dve_limited"',
            "did you mean 'softargmax/dve-limited'",
        ),
        ("count = 5", "count = 4", "gives 5, not 4"),
        ("numbers = [1, 5,", "numbers = [5,", "they are on 1, 5, 10"),
        ("images = 3375", "images = 99", "must lie in 1 to 99"),
        ("repeats = 3", "repeats = 4", "repeat 3"),
        ('"1.chosen.csv"', '"2.chosen.csv"', "is not there"),
        ("[geometry.ytf68]", 'labels = ["visible"]\n[geometry.ytf68]', "'visible' is not read"),
        ('fit = "ytf68:people/train"', 'fit = "ytf68:people/trian"', "did you mean 'people/train'"),
        ('recipe = "face"', 'recipe = "bird"', "recipes that have them: face"),
    ],
    "landmark_scale": [
        ('"landmark_scale"', '"landmark_scales"', "did you mean 'landmark_scale'"),
        ('measure = "nme_iod"', 'measure = "nme"', "did you mean 'nme_iod'"),
        ('on = "seen"', 'on = "sean"', "must be 'seen' or 'unseen'"),
        (
            'on = "seen"',
            'on = "seen"\naggregate = "sum_of_means"',
            "'sum_of_means' makes no number",
        ),
        ('"softargmax/dve@2"', '"softargmax/dves"', "did you mean 'softargmax/dve'"),
        ("count = 5", "count = 7", "[landmarks] asks for 7"),
        ("seen = [1.0, 1.5]", "seen = [1.5, 1.0]", "the smaller first"),
        ("[geometry.celeba]", 'labels = ["visible"]\n[geometry.celeba]', "'visible' is not read"),
        ('"celeba_wild:mafl/test"', '"celeba_wild:mafl/tset"', "did you mean 'mafl/test'"),
        ('recipe = "face"', 'recipe = "car"', "'car' has 0 or 8 points"),
    ],
    "landmark_matching": [
        ('"landmark_matching"', '"landmark_match"', "did you mean 'landmark_matching'"),
        ('id = "match_same"', 'id = "match_some"', "did you mean 'match_same'"),
        (
            'id = "match_same"',
            'id = "match_same"\naggregate = "single"',
            "'single' makes no number",
        ),
        ('needs = ["descriptors"]', 'needs = ["landmarks"]', "scores descriptors, not landmarks"),
        (
            "[landmarks]",
            '[probes.descriptors]\nname = "softargmax/dve"\n[landmarks]',
            "[probes] is not read",
        ),
        ("eyes = [0, 1]", "", "name them as landmarks.eyes"),
        ("count = 5", "count = 68", "gives 5, not 68"),
        ('"ytf68:people/test"', '"ytf:people/test"', "no geometry"),
        ('recipe = "face"', 'recipe = "faces"', "did you mean 'face'"),
    ],
    "foreground_segmentation": [
        ('"foreground_segmentation"', '"foreground"', "did you mean 'foreground_segmentation'"),
        ('id = "foreground_iou"', 'id = "forground_iou"', "did you mean 'foreground_iou'"),
        (
            'id = "foreground_iou"',
            'id = "foreground_iou"\naggregate = "ratio_of_sums"',
            "'ratio_of_sums' makes no number",
        ),
        (
            'id = "iou_pooled"\nunit = "%"\nbetter = "higher"\naggregate = "ratio_of_sums"',
            'id = "iou_pooled"\nunit = "%"\nbetter = "higher"',
            "'mean' makes no number",
        ),
        ('needs = ["parts"]', 'needs = ["part"]', "Input should be"),
        ('needs = ["parts"]', 'needs = ["parts", "translation"]', "foreground.alpha is lacking"),
        (
            'needs = ["parts"]',
            'needs = ["parts", "translation"]',
            "read from parts, and needs holds 'translation'",
        ),
        ('labels = ["masks", "visible"]', 'labels = ["visible"]', "needs 'masks'"),
        (
            'labels = ["masks", "visible"]',
            'labels = ["masks"]',
            "part_nmi: data.labels must hold 'visible'",
        ),
        ('[foreground]\nparts = "argmax"', "", "needs a section [foreground]"),
        ('"cub:redo/test"', '"cub:redo/tests"', "did you mean 'redo/test'"),
        ('recipe = "bird"', 'recipe = "brid"', "did you mean 'bird'"),
        ('recipe = "bird"', 'recipe = "car"', "has no points, at which part_nmi looks"),
    ],
    "mask_disagreement": [
        (
            '"mask_disagreement"\nneeds',
            '"mask_disagreements"\nneeds',
            "did you mean 'mask_disagreement'",
        ),
        (
            'id = "disagreement_area"',
            'id = "disagreement_aera"',
            "did you mean 'disagreement_area'",
        ),
        ('aggregate = "single"', 'aggregate = "mean"', "'single' does"),
        ('labels = ["masks"]', 'labels = ["mask"]', "Input should be"),
        ('labels = ["masks"]', "labels = []", "needs 'masks'"),
        ('"stanford_cars_masks:test"', '"stanford_cars_masks:tests"', "did you mean 'test'"),
        ('recipe = "car"', 'recipe = "cars"', "did you mean 'car'"),
        ("views = 1", "view = 1", "did you mean 'views'"),
    ],
    "shape_and_pose": [
        ('"shape_and_pose"\nneeds', '"shape_and_poses"\nneeds', "did you mean 'shape_and_pose'"),
        ('id = "chamfer"', 'id = "chamfers"', "did you mean 'chamfer'"),
        ('aggregate = "upper_median"', 'aggregate = "mean"', "'upper_median' or 'median' does"),
        ('needs = ["shape_and_pose"]', 'needs = ["landmarks"]', "not landmarks"),
        (
            'labels = ["quaternions", "silhouettes", "clouds"]',
            'labels = ["quaternions", "silhouettes"]',
            "needs 'clouds'",
        ),
        ("keep_models = 15", "keep_models = 51", "51 of 50 models can't be kept"),
        ('"shapenet:cars/validation"', '"shapenet:cars/valid"', "did you mean 'cars/validation'"),
        ('"shapenet:cars/test"', '"ytf68:people/test"', "no geometry"),
        ('recipe = "car"', 'recipe = "face"', "shows no model twice"),
        ("train = 80", "train = 82", "82 images are not 5 views each"),
        ("train = 80", "train = 40", "which makes 1 of 40 images; 2 or more are needed"),
    ],
    "image_generation": [
        ('"image_generation"', '"image_generations"', "did you mean 'image_generation'"),
        ('id = "fd_squeezenet"', 'id = "fid"', "no metric that it allows 'fid'"),
        ('aggregate = "single"', 'aggregate = "mean"', "'single' does"),
        ('"fd-squeezenet"', '"squeezenet"', "did you mean 'fd-squeezenet'"),
        ('needs = ["generator"]', 'needs = ["parts"]', "not parts"),
        ("subset_size = 500", "subset_size = 5000", "more than the 3000 generated images"),
        ("subset_size = 48", "subset_size = 97", "more than the 96 test images"),
        ("images = 857\n", "images = 857\nk = 857\n", "fewer than the 857 generated"),
        ("images = 857\n", "images = 857\ndensity_k = 0\n", "must be at least 1"),
        ('"ytf68:people/test"', '"ytf68:people/tests"', "did you mean 'people/test'"),
        ("test = 96", "test = 1", "more than 1 test images, there are 1"),
        ('recipe = "face"', 'recipe = "face."', "String should match"),
    ],
}
"""By task: what is changed in its protocol, to what, and what is said of it."""

CASES = [(task, *case) for task, cases in SPOILT.items() for case in cases]


@pytest.fixture
def spoilt(floors: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    """A sound protocol of a task as a draft of a plugin's, `mine`, with one thing changed."""

    def write(task: str, old: str, new: str) -> Path:
        source = protocol_path(GIVEN[task])
        text = source.read_text("utf-8").partition("[[reported]]")[0]
        assert old in text
        lines = text.replace(old, new, 1).splitlines()
        words = {"id": 'id = "mine"', "version": "version = 1"}
        head = [words.get(line.partition(" ")[0], line) for line in lines[:2]]
        folder = tmp_path / "protocols" / "mine"
        folder.mkdir(exist_ok=True)
        for file in source.parent.glob("*.csv"):
            shutil.copy(file, folder)
        path = folder / "1.toml"
        path.write_text("\n".join([*head, *lines[2:]]))
        return path

    return write


def test_every_protocol_of_bench_is_without_fault() -> None:
    found = {p.name: faults(p, p.path.parent) for p in protocols_in((builtin_folder(),))}
    assert len(found) > 60
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("task, old, new, said", CASES, ids=lambda x: str(x)[:24])
def test_a_fault_is_refused_by_the_check_by_a_plan_and_by_a_run(
    spoilt, bench: Call, task: str, old: str, new: str, said: str, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    spoilt(task, old, new)
    checked = bench("protocol", "check", "mine")
    assert checked.code == 11
    assert said in checked.out
    for more in (["--plan"], []):
        ran = bench("run", "-m", "oracle", "-p", "mine", "--twin", *more)
        assert ran.code == 11, ran.err
        assert "mine" in ran.err
    assert not (tmp_path / "home" / "fits").exists()
    assert not (tmp_path / "home" / "runs").exists()


def test_all_tasks_are_spoilt_in_all_that_they_share() -> None:
    """Task, measure, aggregate, probe or kind, label or count, split and recipe, of every task."""
    for task in TASKS:
        mine = [old for old, *_ in SPOILT[task]]
        assert len(mine) >= 8, task
        assert any("recipe" in old for old in mine), task


def test_a_sound_draft_has_no_faults_and_its_faults_are_listed_each_on_a_line(
    spoilt, bench: Call
) -> None:  # type: ignore[no-untyped-def]
    spoilt("landmark_regression", "people = 250", "people = 25")
    said = bench("protocol", "check", "mine")
    assert said.code == 0
    assert "draft" in said.out
    path = spoilt("landmark_regression", 'id = "nme_iod"', 'id = "nme"')
    path.write_text(path.read_text().replace("count = 5", "count = 6"))
    _read_cached.cache_clear()
    launched = bench("run", "-m", "oracle", "-p", "mine", "--twin", "--launcher", "local", "--plan")
    assert launched.code == 11
    lines = bench("protocol", "check", "mine").out.splitlines()
    assert len([line for line in lines if line.startswith("  fault: ")]) == 2


def test_no_error_names_more_than_twelve_alternatives(spoilt) -> None:  # type: ignore[no-untyped-def]
    path = spoilt("landmark_regression", '"ytf68:people/test"', '"ytf69:people/test"')
    path.write_text(path.read_text().replace("[geometry.ytf68]", "[geometry.ytf69]"))
    text = path.read_text().replace("ytf68:", "ytf69:")
    path.write_text(text)
    (fault,) = faults(read_protocol(path))
    assert "did you mean 'ytf68'" in fault
    assert fault.partition("known data sets: ")[2].count(",") == 11
    assert " more" in fault


@pytest.mark.parametrize("name", TASKS)
def test_what_a_task_says_it_takes_is_what_its_code_knows(name: str) -> None:
    """The table of measures is that of the functions, and its words are words of the contracts."""
    task, own = TASKS[name], find_task(name)
    assert own.accepts is task
    assert own.splits == task.splits
    module = import_module(type(own).__module__)
    known: set[str] = set()
    if name in ("landmark_regression", "landmark_limited", "landmark_scale"):
        known = set(import_module("benchmark.tasks.landmark_errors").MEASURES)
    elif name == "foreground_segmentation":
        known = {*module.PER_IMAGE, *module.AT_LANDMARKS}
    elif name == "mask_disagreement":
        known = set(module.METRICS)
    if known:
        assert set(task.measures) == known
    for measure in task.measures.values():
        assert set(measure.aggregates) <= AGGREGATES.keys()
        assert set(measure.kinds) <= set(task.kinds)


def test_the_tasks_share_out_the_measures_of_the_catalogue() -> None:
    assert {name for task in TASKS.values() for name in task.measures} <= CATALOGUE.keys()
    assert [n for n in CATALOGUE if not any(t.measure(n) for t in TASKS.values())] == []


def test_probes_are_checked_by_their_constants() -> None:
    assert "softargmax/short" in softargmax_presets.PRESETS
    assert {k for p in linear.PRESETS.values() for k in p} <= linear.OPTIONS
    blind = find_protocol("taichi")
    assert faults(blind) == []
    seen = blind.model_copy(update={"needs": ("descriptors", "landmarks")})
    assert any("[probes.descriptors] is lacking" in fault for fault in faults(seen))
