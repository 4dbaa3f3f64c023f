"""A plugin's recipe of twins: registered as data, imported when it is rendered, checked before."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import pytest
from benchmark.registry.protocols import find_protocol
from tests_fixtures import Call
from tests_support import SMALL_PROTOCOL, install_fake

from benchmark.contracts.errors import InvalidInput, UnknownName
from benchmark.contracts.twin import BUILT_IN_RECIPES, RecipeSpec
from benchmark.datasets.recipes import RECIPES, known_recipes, make_recipe
from benchmark.datasets.rendered import open_twin
from benchmark.registry.plugins import plugins
from benchmark.tasks.faults import faults
from benchmark.tasks.twin_faults import MODELS, PICTURES

REGISTRATION = """
from benchmark.contracts import RecipeSpec, hookimpl

@hookimpl
def bench_twins(register):
    register(RecipeSpec("flat_face", "lamps_recipe:FlatFace", "faces by three points",
                        landmarks=(3,), parts=12))
"""

RECIPE = """
from dataclasses import replace
from benchmark.twins.face import FaceRecipe

class FlatFace:
    name = "flat_face"
    part_names = FaceRecipe(range(1)).part_names
    attribute_names = FaceRecipe(range(1)).attribute_names
    landmark_names = ("left eye", "right eye", "nose")

    def __init__(self, identities, tilt=(-5.0, 5.0)):
        self.face = FaceRecipe(identities, landmarks=5, roll=tilt)

    def scene(self, seed, index, size):
        scene = self.face.scene(seed, index, size)
        return replace(scene, landmarks=scene.landmarks[:3])
"""

CHANGES = (
    ('rule = "mafl5_from_68"\ncount = 5', 'rule = "all"\ncount = 3'),
    ('recipe = "face"\nfit = 64\ntrain = 64', 'recipe = "flat_face"\nfit = 40\ntrain = 40'),
)


@pytest.fixture
def lamps(harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The plugin `lamps`, and a protocol that takes its recipe."""
    install_fake(harness, "lamps", "lamps_registration")
    (harness / "lamps_registration.py").write_text(REGISTRATION)
    (harness / "lamps_recipe.py").write_text(RECIPE)
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,lamps")
    plugins.cache_clear()
    path = tmp_path / "protocols" / "three" / "1.toml"
    path.parent.mkdir()
    text = SMALL_PROTOCOL.replace("small_faces", "three")
    for old, new in CHANGES:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    yield path
    for name in [n for n in sys.modules if n.startswith("lamps_")]:
        del sys.modules[name]


def test_a_recipe_of_a_plugin_is_rendered_and_scored(lamps: Path, bench: Call) -> None:
    assert "lamps_recipe" not in sys.modules
    assert known_recipes()["flat_face"].landmarks == (3,)
    rows = {row["plugin"]: row for row in bench("plugins", "--json").json}
    assert rows["lamps"]["twins"] == ["flat_face"]
    assert "lamps_recipe" not in sys.modules
    assert bench("protocol", "check", "three").code == 0
    said = bench("run", "-m", "grid", "-p", "three", "--twin", "--device", "cpu", "--json")
    assert said.code == 0
    assert said.json["metrics"]["nme_iod"] > 0
    assert bench("plugins", "--check").code == 8  # of the fake methods one is not there
    assert {r["plugin"]: r["status"] for r in bench("plugins", "--check", "--json").json} == {
        "fakes": "broken",
        "lamps": "ok",
    }


def test_points_and_settings_of_a_recipe_are_checked_before_it_is_rendered(
    lamps: Path, bench: Call
) -> None:
    lamps.write_text(lamps.read_text().replace("count = 3", "count = 4"))
    said = bench("run", "-m", "grid", "-p", "three", "--twin")
    assert said.code == 11
    assert "'flat_face' has 3 points, [landmarks] asks for 4" in said.err
    changed = find_protocol("small_faces")
    assert changed.twin is not None
    twin = changed.twin.model_copy(update={"settings": {"rolls": (0, 1)}})
    (fault,) = faults(changed.model_copy(update={"twin": twin}))
    assert "did you mean 'roll'" in fault


def test_a_recipe_whose_module_fails_is_the_plugins_fault(lamps: Path, bench: Call) -> None:
    module = next(Path(p) for p in sys.path if (Path(p) / "lamps_recipe.py").exists())
    (module / "lamps_recipe.py").write_text("raise RuntimeError('torn')")
    said = bench("protocol", "check", "three")
    assert said.code == 11
    assert "twin recipe 'flat_face'" in said.out
    assert "torn" in said.out
    assert bench("protocol", "check", "small_faces").code == 0


@pytest.mark.parametrize(
    "change, said",
    [
        ('"flat_face"', "'face' is already registered"),
        ("(3,)", "must be numbers of points"),
        ("parts=12", "parts 0 must be 1 or more"),
        ("lamps_recipe:FlatFace", "must read 'module:Class'"),
    ],
)
def test_a_wrong_registration_is_refused(
    lamps: Path, harness: Path, change: str, said: str
) -> None:
    other = {'"flat_face"': '"face"', "(3,)": "3", "parts=12": "parts=0"}.get(change, "lamps")
    (harness / "lamps_registration.py").write_text(REGISTRATION.replace(change, other))
    sys.modules.pop("lamps_registration", None)
    plugins.cache_clear()
    (row,) = plugins().failures
    assert said in row.error


@pytest.mark.parametrize("name", BUILT_IN_RECIPES)
def test_what_is_said_of_a_recipe_is_what_it_has(name: str) -> None:
    spec = RECIPES[name]
    for count in spec.landmarks:
        made = make_recipe(name, range(3), landmarks=count)
        assert len(made.landmark_names) == count
        assert len(made.part_names) == spec.parts + 1
    assert spec.views == ("views" in {f.name for f in fields(made)})  # type: ignore[arg-type]
    assert spec.problems() == []


def test_the_names_of_benchs_own_are_taken() -> None:
    assert set(BUILT_IN_RECIPES) == set(RECIPES)


def test_a_setting_that_a_recipe_lacks_suggests_close_ones() -> None:
    with pytest.raises(UnknownName, match="setting of the recipe face 'yow'") as caught:
        make_recipe("face", range(2), yow=(0, 1))
    assert "did you mean 'yaw'" in caught.value.cure
    with pytest.raises(InvalidInput, match="it has 18 landmarks, 14 were asked for"):
        make_recipe("person", range(2), landmarks=14)
    assert RecipeSpec("x", "a:B", "s", landmarks=(), parts=1).problems()


def test_a_twin_has_the_labels_that_checks_and_the_reference_name(harness: Path) -> None:
    protocol = find_protocol("small_faces")
    assert protocol.twin is not None
    twin = protocol.twin.model_copy(update={"test": 2})
    data = protocol.data.model_copy(update={"labels": PICTURES})
    pictures = open_twin(protocol.model_copy(update={"data": data, "twin": twin}), "test")
    assert set(pictures.labels) == set(PICTURES)
    cars = find_protocol("shapenet_cars")
    assert cars.twin is not None
    twin = cars.twin.model_copy(update={"test": 5, "cloud": 20})
    data = cars.data.model_copy(update={"labels": MODELS})
    models = open_twin(cars.model_copy(update={"data": data, "twin": twin}), "test")
    assert {*models.labels, "clouds"} == set(MODELS)
    assert models.clouds is not None
