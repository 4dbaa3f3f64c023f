"""`bench two-sample` and `bench data restyle` on a run of a few pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from bench_aist import two_sample
from bench_aist.training import translated
from PIL import Image

from benchmark.cli import main
from benchmark.contracts.images import to_bytes, to_signed
from benchmark.datasets.meshes.rendering import Rendering, render_meshes
from benchmark.home import builtin_folder
from benchmark.registry.plugins import plugins
from benchmark.runner.fitted import find_fitted

FEW = (
    (
        "fit = 300\ntrain = 375\ntest = 120\npeople = 150",
        "fit = 12\ntrain = 16\ntest = 8\npeople = 20",
    ),
    ("images = 300", "images = 10"),
    ("resize = 64", "resize = 32"),
    ('id = "cars_restyled"', 'id = "few_restyled"'),
    ('needs = ["translation"]', 'needs = ["translation", "parts"]'),
)
TINY = "width=4 blocks=1 judge_width=4 judge_layers=1 batch=2 features=none steps=2 alpha=exact"
WEDGE = (
    "v -1 0 -2\nv 1 0 -2\nv 1 0 2\nv -1 0 2\nv 0 1 0\nf 1 2 3 4\nf 1 2 5\nf 2 3 5\nf 3 4 5\nf 4 1 5"
)


@pytest.fixture
def protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The twin of cars_restyled, small; runs go to a home of the test's own."""
    text = (builtin_folder() / "cars_restyled" / "1.toml").read_text("utf-8")
    for old, new in FEW:
        assert old in text
        text = text.replace(old, new)
    folder = tmp_path / "protocols" / "few_restyled"
    folder.mkdir(parents=True)
    (folder / "1.toml").write_text(text)
    monkeypatch.setenv("BENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BENCH_PLUGINS", "bench,aist,floors")
    monkeypatch.setattr(two_sample, "STEPS", 5)
    plugins.cache_clear()
    return str(folder / "1.toml")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words])
    found = capsys.readouterr()
    return int(ended.value.code or 0), found.out, found.err


def run_of(
    capsys: pytest.CaptureFixture[str], protocol: str, method: str, settings: str = ""
) -> tuple[str, dict[str, float]]:
    """The id of a run on the twin, and its metrics."""
    given = [word for pair in settings.split() for word in ("--set", pair)]
    words = ["run", "--twin", "--protocol", protocol, "--device", "cpu", "--json"]
    code, out, err = said(capsys, *words, "--method", method, *given)
    assert code == 0, err
    made = json.loads(out)
    return Path(made["record"]).parent.name, made["metrics"]


@pytest.mark.long
def test_translations_and_originals_are_told_from_the_domain(
    protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, metrics = run_of(capsys, protocol, "aist", TINY)
    assert metrics["mask_disagreement"] == 0  # outlines are exact, and can be read
    code, out, err = said(capsys, "two-sample", name, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["images"] == 16
    for kind in ("original", "translated"):
        assert 0 <= found[kind]["accuracy"] <= 100
    wanted = found["original"]["accuracy"] - found["translated"]["accuracy"]
    assert found["fewer"]["points"] == pytest.approx(wanted)
    assert "chance is 50" in said(capsys, "two-sample", name)[1]


@pytest.mark.long
def test_runs_that_translate_nothing_are_refused_in_one_sentence(
    protocol: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _ = run_of(capsys, protocol, "full-frame")
    code, out, err = said(capsys, "two-sample", name)
    assert (code, out) == (2, "")
    assert "full-frame does not translate into one other domain" in err
    assert "Traceback" not in err


@pytest.mark.long
def test_renders_are_restyled_from_the_look_of_the_fit_to_that_of_the_domain(
    protocol: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name, _ = run_of(capsys, protocol, "aist", TINY)
    mesh, renders, out = tmp_path / "wedge.obj", tmp_path / "renders", tmp_path / "restyled"
    mesh.write_text(WEDGE)
    how = Rendering(views=2, size=64, new_vertices=100, voxel=0.1)
    render_meshes({"wedge": mesh}, renders, how)
    words = ["--renders", str(renders), "--out", str(out), "--device", "cpu"]
    code, _, err = said(capsys, "data", "restyle", name, *words)
    assert code == 0, err
    fitted = find_fitted(name)
    method = fitted.method("cpu")
    paths = sorted(renders.glob("renders/*/*/render_*.png"))
    assert len(paths) == 2
    for path in paths:
        # by hand: made smaller, cut out on pure black, given to each of the two generators
        how_smaller = ((32, 32), Image.Resampling.BOX)
        colours = np.array(Image.open(path).convert("RGB").resize(*how_smaller))
        car = np.asarray(Image.open(path).getchannel("A").resize(*how_smaller)) > 127
        colours[car & ~colours.any(-1)] = 1
        colours[~car] = 0
        shown = to_signed(torch.from_numpy(colours).permute(2, 0, 1)[None])
        found = np.asarray(Image.open(out / path.relative_to(renders)))[..., :3]
        np.testing.assert_array_equal(found.any(-1), car)
        apart = {}
        for way in ("there", "back"):
            with torch.inference_mode():
                wanted = translated(method.network, shown, way, fitted.settings)  # type: ignore[arg-type]
            pixels = to_bytes(wanted)[0].permute(1, 2, 0).numpy()
            apart[way] = np.abs(pixels.astype(int) - found).max()
        assert apart["there"] <= 1 < apart["back"]
