"""A small StyleGAN2 on the toolkit: short, kept to the contract, killed anywhere, in two processes."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests_fixtures import Call
from tests_generation import SMALL_IMAGES
from tests_support import install_fake

from benchmark.contracts.errors import TrainingFailed
from benchmark.contracts.images import Images
from benchmark.home import home
from benchmark.interface.progress import Silent
from benchmark.registry.plugins import plugins
from benchmark.runner.fitting import fit, workplace
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.processes import fit_together
from benchmark.runner.request import Request
from benchmark.testing.conformance import check_method
from benchmark.testing.standin import make_context
from benchmark.training.weights import load_weights

FOLDER = Path(__file__).resolve().parents[1] / "fakes" / "tests_small_gan"
OWN = ("update", "update_student", "Settings", "info", "generator")
TINY = {"steps": 20, "student_steps": 6}


@pytest.fixture
def installed(harness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The harness with the method, and a protocol of its size."""
    folder = tmp_path / "protocols" / "tiny_images"
    folder.mkdir()
    text = SMALL_IMAGES.replace("small_images", "tiny_images").replace("resize = 36", "resize = 20")
    (folder / "1.toml").write_text(text)
    install_fake(harness, "small_gan", "tests_small_gan")
    monkeypatch.setenv("BENCH_PLUGINS", "fakes,small_gan")
    plugins.cache_clear()
    return harness


def plan_of(**changes: Any) -> Plan:
    words = {"method": "small-gan", "protocol": "tiny_images", "twin": True, "device": "cpu"}
    return make_plan(Request(**words | {"given": TINY} | changes), Silent())


def pictures() -> Images:
    draw = np.random.Generator(np.random.PCG64(0))
    coarse = draw.integers(0, 256, (24, 4, 4, 3), dtype=np.uint8)
    return Images(coarse.repeat(5, 1).repeat(5, 2), 16, "0" * 64)


def learned(context: Any, images: Images | None = None, **given: Any) -> dict[str, torch.Tensor]:
    from tests_small_gan.method import SmallGan

    method = SmallGan(SmallGan.Settings(**TINY | given))
    method.fit(images or pictures(), context)
    return dict(method.network.state_dict())


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def test_it_is_short_and_little_of_it_is_plumbing() -> None:
    """Plumbing: imports, building, players, averages and loops; not losses, settings, what it gives."""
    texts = {path.name: path.read_text() for path in FOLDER.glob("*.py")}
    assert sum(len(text.splitlines()) for text in texts.values()) <= 240
    lines = set(range(1, 1 + len(texts["method.py"].splitlines())))
    blank = {n for n, line in enumerate(texts["method.py"].splitlines(), 1) if not line.strip()}
    for node in ast.walk(ast.parse(texts["method.py"])):
        own = getattr(node, "name", "") in OWN
        if own and isinstance(node, ast.FunctionDef | ast.ClassDef):
            assert node.end_lineno is not None
            lines -= set(range(node.lineno, node.end_lineno + 1))
    assert len(lines - blank) <= 50


def test_rare_values_keep_their_size_and_pictures_come_along_training(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    learned(context)
    rows = [row for row in context.seen.log if row["stage"] == "gan"]  # type: ignore[attr-defined]
    assert [row["step"] for row in rows if "r1" in row] == [1, 17]
    assert [row["step"] for row in rows if "path" in row] == [1, 5, 9, 13, 17]
    assert rows[0]["p"] == 0.0
    assert rows[-1]["p"] > 0 or rows[-1]["critic"] > 0.3
    seen = context.seen.samples  # type: ignore[attr-defined]
    assert [(stage, images) for stage, images, _ in seen] == [
        ("gan", 8 * s) for s in (0, 5, 10, 20)
    ]
    assert seen[-1][2].shape == (8, 3, 16, 16)
    assert not torch.equal(seen[0][2], seen[-1][2])


@pytest.mark.long
def test_killed_at_any_save_of_either_stage_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    straight = learned(make_context(tmp_path / "straight"))
    counted = make_context(tmp_path / "counted", every=4)
    assert equal(learned(counted), straight)
    saves = counted.checkpoints.saved  # type: ignore[attr-defined]
    assert saves >= 7
    for killed in range(1, saves + 1):
        folder = tmp_path / str(killed)
        with pytest.raises(KeyboardInterrupt):
            learned(make_context(folder, every=4, kill_after=killed))
        again = make_context(folder)
        assert equal(learned(again), straight), killed
        stages = {row["stage"] for row in again.seen.log}  # type: ignore[attr-defined]
        assert ("gan" in stages) == (killed < 5), killed


@pytest.mark.long
def test_it_keeps_the_contract(installed: Path) -> None:
    outcomes = {o.check: o for o in check_method("small-gan")}
    assert not [o for o in outcomes.values() if o.state != "passed"]
    assert outcomes["kill and resume"].detail == "killed 16 times, in 2 stages"


@pytest.mark.long
def test_two_processes_hold_equal_networks_at_every_save(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop compares them, to the bit, whenever it saves: here after each of 26 steps."""
    monkeypatch.setenv("BENCH_CHECKPOINT_SECONDS", "0")
    plan = plan_of(devices=2)
    fit_together(plan, Silent())
    rows = [json.loads(line) for line in (plan.fit_folder / "log.jsonl").read_text().splitlines()]
    assert [(r["stage"], r["step"]) for r in rows][-1] == ("student", 6)
    both = load_weights(plan.fit_folder / "model")
    shutil.rmtree(home() / "fits")
    fit_together(plan, Silent())
    assert equal(load_weights(plan.fit_folder / "model"), both)


@pytest.mark.long
def test_a_player_whose_gradients_are_not_shared_ends_the_fit(
    installed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spoilt = "from benchmark.training.players import Player\nPlayer._share = lambda self: None\n"
    (tmp_path / "site" / "sitecustomize.py").write_text(spoilt)
    with pytest.raises(TrainingFailed, match="no longer hold the same network: makes, judges"):
        fit_together(plan_of(devices=2), Silent())
    assert not (plan_of(devices=2).fit_folder / "done.json").exists()


@pytest.mark.long
def test_the_run_shows_pictures_along_training(installed: Path, bench: Call) -> None:
    words = ["--method", "small-gan", "--protocol", "tiny_images", "--twin", "--device", "cpu"]
    words += [w for k, v in TINY.items() for w in ("--set", f"{k}={v}")]
    said = bench("run", *words, "--json")
    assert said.code == 0, said.err
    plan = plan_of()
    kept = sorted(p.name for p in (plan.fit_folder / "samples").iterdir())
    assert kept == [f"{8 * step:010d}-gan.png" for step in (0, 5, 10, 20)]
    with Image.open(plan.folder / "pictures" / "samples.png") as strip:
        assert strip.size == (6 * 8 * 16, 4 * (6 * 16 + 16))  # six times as large
    shutil.rmtree(home() / "fits")
    fit(plan.cls(plan.settings), workplace(plan, Silent()))
    assert sorted(p.name for p in (plan.fit_folder / "samples").iterdir()) == kept
