"""Renders in another style: colours are the method's, everything that was known of a view stays."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_fixtures import Call

from benchmark.contracts.errors import DataMissing, Incompatible, InvalidInput
from benchmark.datasets.geometry import read_image
from benchmark.datasets.meshes.rendering import Rendering, render_meshes
from benchmark.datasets.readers.model_views import ModelViews
from benchmark.home import builtin_folder
from benchmark.interface.progress import Silent
from benchmark.runner.fitted import Fitted, find_fitted
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.restyle import ABOUT, restyle
from benchmark.runner.run import run

QUIET = Silent()

WEDGE = """\
v -1 0 -2
v 1 0 -2
v 1 0 2
v -1 0 2
v 0 1 0
f 1 2 3 4
f 1 2 5
f 2 3 5
f 3 4 5
f 4 1 5
"""


def fit_of(method: str, tmp_path: Path, more: str = "") -> Fitted:
    """A fit on a few cars; `more` stands in the geometry."""
    text = (builtin_folder() / "stanford_cars_masks" / "1.toml").read_text("utf-8")
    text = text.replace('masks = "above_half"', f'masks = "above_half"\n{more}')
    text = text.replace('id = "stanford_cars_masks"\nversion', 'id = "few_cars"\nversion')
    for key, count in (("fit", 8), ("train", 10), ("test", 8), ("people", 10), ("resize", 64)):
        text = re.sub(rf"^{key} = \d+$", f"{key} = {count}", text, flags=re.M)
    path = tmp_path / "protocols" / "few_cars" / "1.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    plan = make_plan(Request(method, "few_cars", twin=True, device="cpu"), QUIET)
    return find_fitted(run(plan, QUIET).record.run_id)


@pytest.fixture
def fitted(floors: Path, tmp_path: Path) -> Fitted:
    """A fit of the fake that gives negatives."""
    return fit_of("negative", tmp_path)


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    meshes = {}
    for name in "abcdefghij":
        meshes[name] = tmp_path / f"{name}.obj"
        meshes[name].write_text(WEDGE)
    how = Rendering(views=2, size=96, new_vertices=200, voxel=0.05)
    render_meshes(meshes, tmp_path / "renders", how, name="wedges")
    return tmp_path / "renders"


class TwoViews(ModelViews):
    views = 2


def test_colours_are_the_methods_and_all_else_is_the_renders(
    fitted: Fitted, renders: Path, tmp_path: Path
) -> None:
    made = restyle(fitted, renders, tmp_path / "negatives", QUIET)
    assert (made.views, made.size) == (20, 64)
    for split in TwoViews.splits:
        before = TwoViews(renders).samples(split)
        after = TwoViews(tmp_path / "negatives").samples(split)
        assert [s.key for s in after] == [s.key for s in before]
        for one, other in zip(before, after, strict=True):
            for name in one.extra:
                np.testing.assert_array_equal(one.extra[name], other.extra[name])
            np.testing.assert_array_equal(
                TwoViews(renders).cloud(one), TwoViews(tmp_path / "negatives").cloud(other)
            )
            # by hand: laid as the fit's pictures are, made smaller, turned into its negative
            resized = read_image(one.path).resize((64, 64), Image.Resampling.BILINEAR)
            rgba = np.asarray(Image.open(other.path))
            np.testing.assert_allclose(rgba[..., :3], 255 - np.asarray(resized), atol=1)
            alpha = Image.open(one.path).getchannel("A").resize((64, 64), Image.Resampling.BILINEAR)
            np.testing.assert_array_equal(rgba[..., 3], np.asarray(alpha))


def test_renders_are_cut_out_as_the_pictures_of_the_fit_were(
    floors: Path, renders: Path, tmp_path: Path
) -> None:
    fitted = fit_of("negative", tmp_path, 'background = "cut_out"')
    restyle(fitted, renders, tmp_path / "negatives", QUIET)
    for one in TwoViews(renders).samples("train"):
        picture, how = Image.open(one.path), ((64, 64), Image.Resampling.BILINEAR)
        shown = np.array(picture.convert("RGB").resize(*how))
        outside = np.asarray(picture.getchannel("A").resize(*how)) < 128
        shown[~outside & ~shown.any(-1)] = 1
        shown[outside] = 0
        after = np.asarray(Image.open(tmp_path / "negatives" / one.path.relative_to(renders)))
        np.testing.assert_array_equal(after[..., :3], 255 - shown)
        assert 0 < outside.sum() < outside.size


def test_it_says_where_it_came_from(fitted: Fitted, renders: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        restyle(fitted, renders, tmp_path / name, QUIET)
    one, other = (json.loads((tmp_path / name / ABOUT).read_text()) for name in "ab")
    assert one == other
    assert (one["run"], one["fit"], one["method"]) == (fitted.run_id, fitted.fit_id, "negative")
    picture = next(renders.glob("renders/*/*/render_0.png"))
    Image.fromarray(255 - np.asarray(Image.open(picture))).save(picture)
    restyle(fitted, renders, tmp_path / "c", QUIET)
    assert json.loads((tmp_path / "c" / ABOUT).read_text())["renders"] != one["renders"]


def test_what_cannot_be_restyled_is_refused_and_leaves_nothing(
    fitted: Fitted, renders: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="is there already"):
        restyle(fitted, renders, renders, QUIET)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataMissing, match="holds no renders"):
        restyle(fitted, tmp_path / "empty", tmp_path / "out", QUIET)
    parts = fit_of("full-frame", tmp_path)
    with pytest.raises(Incompatible, match="gives parts, not a translation"):
        restyle(parts, renders, tmp_path / "out", QUIET)
    assert not (tmp_path / "out").exists()


def test_the_command_names_the_fit(
    fitted: Fitted, renders: Path, tmp_path: Path, bench: Call
) -> None:
    words = ["--renders", str(renders), "--out", str(tmp_path / "out"), "--device", "cpu"]
    said = bench("data", "restyle", fitted.run_id[:8], *words)
    assert said.code == 0, said.err
    assert f"20 views of 64 px, translated by negative, fit {fitted.fit_id}" in said.out
