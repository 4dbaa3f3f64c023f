"""One fit's steps: which networks move, by which rates, towards what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from bench_stylegan2.method import network
from bench_stylegan2.settings import StyleGan2Settings
from bench_stylegan2.training import Training

from benchmark.contracts.images import Images
from benchmark.testing.standin import make_context, make_images

TINY: dict[str, Any] = {
    "z": 8, "w": 8, "base": 64, "most": 8, "images": 64, "batch": 8, "augment": "none", "half": 0,
}  # fmt: skip
UNTRAINED = {
    "teacher": "squeezenet", "teacher_trained": False, "teacher_layers": ("fire9", "fire4"),
    "teacher_size": 64, "hsr": (4, 16), "hidden": 6, "hsr_from": 16,
}  # fmt: skip


def pictures() -> Images:
    images = make_images()
    return Images(images.pixels[:, 8:24, 8:24].copy(), 16, "0" * 64)


def training(folder: Path, **given: Any) -> Training:
    settings = StyleGan2Settings(**TINY | given).at(16)
    torch.manual_seed(0)
    return Training(network(16, settings), pictures(), make_context(folder), settings)


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


def state(found: Training) -> dict[str, torch.Tensor]:
    both = {"makes": found.makes.network, "judges": found.judges.network}
    return {
        f"{who}.{name}": value.clone()
        for who, net in both.items()
        for name, value in net.state_dict().items()
    }


def test_what_follows_from_the_side_is_the_releases_choice() -> None:
    """Its configuration `auto` for one GPU."""
    auto = {size: StyleGan2Settings().at(size) for size in (32, 64, 256, 1024)}
    assert {size: s.batch for size, s in auto.items()} == {32: 32, 64: 32, 256: 16, 1024: 4}
    gammas = {size: s.gamma for size, s in auto.items() if size < 1024}
    assert gammas == pytest.approx({32: 0.0064, 64: 0.0256, 256: 0.8192})


def test_both_optimisers_are_those_of_lazy_regularisation(tmp_path: Path) -> None:
    found = training(tmp_path)
    (made,), (judged,) = (p.optimiser.param_groups for p in (found.makes, found.judges))
    assert made["lr"] == pytest.approx(0.0025 * 4 / 5)
    assert made["betas"] == pytest.approx((0.0, 0.99 ** (4 / 5)))
    assert judged["lr"] == pytest.approx(0.0025 * 16 / 17)
    assert judged["betas"] == pytest.approx((0.0, 0.99 ** (16 / 17)))
    without = training(tmp_path / "b", path_weight=0.0)
    assert without.makes.optimiser.param_groups[0]["lr"] == 0.0025


def test_each_step_moves_its_own_player(tmp_path: Path) -> None:
    found, draw = training(tmp_path, gamma=1.0), torch.Generator().manual_seed(0)
    real = torch.randn(8, 3, 16, 16)
    for step, who in (
        (lambda: found._make(8, 0, draw), "makes"),
        (lambda: found._straighten(4, draw), "makes"),
        (lambda: found._judge(real, draw), "judges"),
        (lambda: found._flatten(real, draw), "judges"),
    ):
        before = state(found)
        step()
        changed = {n for n in moved(before, state(found)) if not n.endswith("w_avg")}
        assert changed
        assert {name.partition(".")[0] for name in changed} == {who}


def test_the_mean_path_length_follows_by_a_hundredth(tmp_path: Path) -> None:
    found, draw = training(tmp_path), torch.Generator().manual_seed(0)
    values = found._straighten(4, draw)
    first = float(found.path.length)
    assert first > 0
    assert float(values["path_length"]) == first
    lengths = first / 0.01  # it began at 0
    assert float(values["path_penalty"]) >= (lengths - first) ** 2 * (1 - 1e-3)


def test_w_mixes_two_codes_from_one_layer_on(tmp_path: Path) -> None:
    found, draw = training(tmp_path, mixing=1.0), torch.Generator().manual_seed(0)
    cuts = set()
    for _ in range(40):
        w = found._w(2, draw)
        same = [bool(torch.equal(w[:, i], w[:, 0])) for i in range(w.shape[1])]
        cut = same.index(False)
        assert all(torch.equal(w[:, i], w[:, cut]) for i in range(cut, w.shape[1]))
        cuts.add(cut)
    assert cuts == set(range(1, found.net.layers))
    plain = training(tmp_path / "b", mixing=0.0)._w(2, draw)
    assert all(torch.equal(plain[:, i], plain[:, 0]) for i in range(plain.shape[1]))


def test_semantic_regularisation_begins_when_it_is_told(tmp_path: Path) -> None:
    found = training(tmp_path, **UNTRAINED)
    before = state(found)
    assert "hsr" not in found.update(0)
    predictors = {n for n in before if ".predictors." in n}
    assert predictors
    assert not predictors & moved(before, state(found))
    assert "hsr" not in found.update(1)
    assert float(found.update(2)["hsr"]) > 0  # 16 images have been seen
    assert predictors == predictors & moved(before, state(found))


@pytest.mark.parametrize(
    "given, p",
    [
        ({"augment": "none", "adapt": 64.0, "target": -1.0}, 0.0),
        ({"augment": "translation-colour", "probability": 0.3}, 0.3),
        ({"augment": "bgc", "adapt": 64.0, "target": 1.0}, 0.0),  # it stays at 0 at least
        # 4 batches of 8 move it by 32 / 64
        ({"augment": "bgc", "adapt": 64.0, "target": -1.0}, 0.5),
    ],
    ids=["none", "fixed", "down", "up"],
)
def test_augmentation_is_adaptive_fixed_or_absent(
    given: dict[str, Any], p: float, tmp_path: Path
) -> None:
    found = training(tmp_path, **given)
    for step in range(4):
        values = found.update(step)
    assert float(values["p"]) == pytest.approx(p)


def test_the_average_and_the_running_w_move_from_the_first_step_on(tmp_path: Path) -> None:
    found = training(tmp_path, average=100.0, ramp=None)
    start = {n: v.clone() for n, v in found.average.network.state_dict().items()}
    found.update(0)
    after = found.average.network.state_dict()
    assert "mapping.w_avg" in moved(start, after)
    learned = dict(found.net.named_parameters())["synthesis.b4.const"]
    kept = 0.5 ** (8 / 100)
    wanted = start["synthesis.b4.const"] * kept + learned.detach() * (1 - kept)
    torch.testing.assert_close(after["synthesis.b4.const"], wanted)
