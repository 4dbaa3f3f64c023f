"""Steps of both stages: who moves, what is kept, and when a fit gives up."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from bench_latentkeypointgan import pairs
from bench_latentkeypointgan.detector import Detector
from bench_latentkeypointgan.generator import LatentKeypointGenerator
from bench_latentkeypointgan.method import LatentKeypointGan
from bench_latentkeypointgan.settings import LatentKeypointGanSettings
from bench_latentkeypointgan.training import Training
from torch import nn

from benchmark.contracts.errors import TrainingFailed
from benchmark.registry.plugins import plugins
from benchmark.testing.standin import make_context, make_images
from benchmark.training import adversarial


def settings(**given: Any) -> LatentKeypointGanSettings:
    return LatentKeypointGanSettings(**plugins().method("latentkeypointgan").tiny | given)


def training(folder: Path, **given: Any) -> Training:
    torch.manual_seed(0)
    net = LatentKeypointGenerator(settings(**given))
    return Training(net, make_images(), make_context(folder), settings(**given))


def copied(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def moved(before: dict[str, torch.Tensor], net: nn.Module) -> set[str]:
    return {n for n, value in net.state_dict().items() if not torch.equal(value, before[n])}


def test_each_step_moves_its_own_player(tmp_path: Path) -> None:
    found, draw = training(tmp_path), torch.Generator().manual_seed(0)
    real = found._real(0, draw)
    assert real.shape == (8, 3, 16, 16)
    players = found.makes.network, found.judges.network
    for step, who in (
        (lambda: found._judge(real, draw), 1),
        (lambda: found._flatten(real), 1),
        (lambda: found._make(8, draw), 0),
    ):
        before = [copied(net) for net in players]
        step()
        weights = {n for n, _ in players[1 - who].named_parameters()}
        assert moved(before[who], players[who])
        assert not moved(before[1 - who], players[1 - who]) & weights


def test_the_penalty_is_due_now_and_then_and_the_rate_allows_for_it(tmp_path: Path) -> None:
    found = training(tmp_path, penalty_every=2)
    (group,) = found.judges.optimiser.param_groups
    rate = found.settings.discriminator_rate
    assert group["lr"] == pytest.approx(rate * 2 / 3)
    assert group["betas"] == pytest.approx((0.0, 0.99 ** (2 / 3)))
    assert found.makes.optimiser.param_groups[0]["lr"] == found.settings.generator_rate
    assert ["penalty" in found.update(step) for step in range(3)] == [True, False, True]
    assert "penalty" not in training(tmp_path / "b", penalty=0.0).update(0)
    assert "background_loss" not in training(tmp_path / "c", background_loss=0.0).update(0)


def test_the_average_follows_by_half_life_and_has_the_networks_running_values(
    tmp_path: Path,
) -> None:
    found = training(tmp_path, average=100.0, ramp=None)
    start = copied(found.averaged)
    found.update(0)
    net, average = dict(found.net.state_dict()), found.averaged.state_dict()
    kept = 0.5 ** (8 / 100)
    wanted = start["constants"] * kept + net["constants"] * (1 - kept)
    torch.testing.assert_close(average["constants"], wanted)
    buffers = [n for n, _ in found.net.named_buffers() if n.endswith("running_mean")]
    assert buffers
    for name in buffers:
        assert not torch.equal(start[name], average[name])
        assert torch.equal(net[name], average[name])


def test_without_an_average_the_last_generator_is_kept(tmp_path: Path) -> None:
    found = training(tmp_path, average=0.0, ramp=None)
    found.update(0)
    for name, value in found.net.state_dict().items():
        torch.testing.assert_close(value, found.averaged.state_dict()[name])


def test_windows_lie_within_the_shift(tmp_path: Path) -> None:
    """The stand-in has 4 pixels around 32, which are 2 around 16; without a shift none are read."""
    still = training(tmp_path, shift=0.0, mirror=False)
    draw = torch.Generator().manual_seed(0)
    assert still.batches(0).shape[-1] == 16
    assert torch.equal(still._real(0, draw), still._real(0, draw))
    loose = training(tmp_path / "b", shift=1.0, mirror=False)
    assert loose.batches(0).shape[-1] > 16
    assert not torch.equal(loose._real(0, draw), loose._real(0, draw))


def test_a_discriminator_that_has_won_ends_the_fit_and_leaves_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = partial(adversarial.Balance, low=1e9, steps=3)
    monkeypatch.setattr(adversarial, "Balance", short)
    context = make_context(tmp_path, every=1)
    with pytest.raises(TrainingFailed, match="the discriminator has won"):
        LatentKeypointGan(settings()).fit(make_images(), context)
    assert kept(context)["step"] == 2


def test_a_loss_that_is_no_number_ends_the_fit_and_leaves_its_checkpoint(tmp_path: Path) -> None:
    context = make_context(tmp_path, every=1)
    with pytest.raises(TrainingFailed, match="not finite"):
        LatentKeypointGan(settings(generator_rate=1e25)).fit(make_images(), context)
    weights = kept(context)["parts"]["makes"]
    assert all(
        bool(torch.isfinite(v).all()) for v in weights.values() if isinstance(v, torch.Tensor)
    )


def kept(context: Any) -> dict[str, Any]:
    found = context.checkpoints.load()
    assert found is not None
    return found


def test_killed_and_resumed_is_bit_identical_in_both_stages(tmp_path: Path) -> None:
    choice, images = settings(images=32, pairs=24), make_images()
    straight = LatentKeypointGan(choice)
    straight.fit(images, make_context(tmp_path / "straight"))
    kills = 0
    while True:
        resumed = LatentKeypointGan(choice)
        try:
            resumed.fit(images, make_context(tmp_path / "killed", every=1, kill_after=1))
            break
        except KeyboardInterrupt:
            kills += 1
            assert kills < 20
    assert kills >= 4
    expected, found = straight.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


def test_the_detector_learns_the_points_of_what_is_generated(tmp_path: Path) -> None:
    """Of an untrained generator, whose images are stripes that move with one point."""
    choice = settings(
        landmarks=1, pairs=960, pairs_batch=16, detector_width=8, detector_rate=5e-3, divisor=1.0,
        start="positional", margin=2, roam=0.0, output="linear", last=1.0,
        jitter=0.0, blur=0.0, pixel_noise=0.0, real_share=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    context = make_context(tmp_path)
    pairs.fit(Detector(choice), LatentKeypointGenerator(choice), make_images(), context, choice)
    rows = [row["unexplained"] for row in context.seen.log]
    assert rows[-1] < 0.7 * rows[0]  # 0.53 to 0.58 with three seeds


def test_samples_show_images_and_their_points(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    LatentKeypointGan(settings()).fit(make_images(), context)
    stages = {stage for stage, _, _ in context.seen.samples}
    assert stages == {"generator", "detector"}
    for _, _, pictures in context.seen.samples:
        assert pictures.shape == (16, 3, 128, 128)
        assert float(pictures.abs().max()) <= 1
