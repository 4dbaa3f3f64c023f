"""`bench two-sample` on a run of a few pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench_aist import two_sample

from benchmark.cli import main
from benchmark.home import builtin_folder
from benchmark.registry.plugins import plugins

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
