"""The soft-argmax probe: the published forward and loss, its gradient, and how it trains."""

import dataclasses
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from benchmark.contracts.errors import InvalidInput, TrainingFailed, UnknownName
from benchmark.probes import spatial
from benchmark.probes.softargmax import SoftargmaxProbe
from benchmark.probes.softargmax_presets import (
    PRESETS,
    SoftargmaxSettings,
    softargmax_settings,
)
from benchmark.probes.spatial import Reading


@pytest.fixture(autouse=True)
def _one_thread():
    """Tiny products: threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def plain_points(features, filters, linear, temperature):
    """The same reading in plain steps that autograd can follow."""
    n, _, height, width = features.shape
    landmarks, count, channels = filters.shape
    scores = functional.conv2d(features, filters.reshape(-1, channels, 1, 1))
    attention = torch.softmax(temperature * scores.flatten(2), dim=-1)
    x = torch.linspace(-1, 1, width, dtype=features.dtype).repeat(height)
    y = torch.linspace(-1, 1, height, dtype=features.dtype).repeat_interleave(width)
    expected = torch.stack([attention @ x, attention @ y], dim=-1)
    expected = expected.reshape(n, landmarks, 2 * count)
    return torch.einsum("nai,aoi->nao", expected, linear)


@pytest.fixture(scope="module")
def golden():
    root = os.environ.get("BENCH_GOLDEN")
    path = Path(root or "", "softargmax_regressor.npz")
    if not root or not path.exists():
        pytest.skip("BENCH_GOLDEN does not lead to softargmax_regressor.npz")
    with np.load(path) as item:
        return {key: torch.from_numpy(item[key]) for key in item.files}


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_golden_prediction_and_loss(golden, dtype, tolerance):
    names = ("in_features", "in_filters", "in_linear", "in_target")
    features, filters, linear, target = (golden[name].to(dtype) for name in names)
    reading = Reading(filters, linear, 100.0)
    out = reading.points(features).double()
    torch.testing.assert_close(out, golden["out_prediction"], atol=tolerance, rtol=0)
    loss = reading.loss_and_gradient(features, target, 10.0, dtype)[0]
    assert loss == pytest.approx(float(golden["out_smooth_l1_loss"]), abs=tolerance)
    half = dataclasses.replace(reading, temperature=50.0).points(features).double()
    torch.testing.assert_close(half, golden["out_prediction_multiplier_50"], atol=tolerance, rtol=0)


def test_golden_through_the_probe_in_pixels(golden):
    state = {"filters": golden["in_filters"], "linear": golden["in_linear"]}
    probe = SoftargmaxProbe.from_state(state, softargmax_settings("softargmax/dve"), 96)
    pixels = (golden["out_prediction"] + 1) / 2 * 95
    out = probe.predict(golden["in_features"])
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.double(), pixels, atol=1e-4 * 95 / 2, rtol=0)


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 2**31),
    images=st.integers(1, 11),
    landmarks=st.integers(1, 4),
    height=st.integers(2, 7),
    width=st.integers(2, 7),
    scores=st.sampled_from([1, 500, 10**7]),
)
def test_the_gradient_is_that_of_autograd(seed, images, landmarks, height, width, scores):
    """In float64, for all ways to cut the work into blocks."""
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(images, 3, height, width, generator=draw, dtype=torch.float64)
    targets = torch.rand(images, landmarks, 2, generator=draw, dtype=torch.float64) * 2 - 1
    filters = torch.randn(landmarks, 4, 3, generator=draw, dtype=torch.float64).requires_grad_()
    linear = torch.randn(landmarks, 2, 8, generator=draw, dtype=torch.float64).requires_grad_()
    out = plain_points(features, filters, linear, 2.0)
    wanted = functional.smooth_l1_loss(10 * out, 10 * targets)
    wanted.backward()
    before = spatial.CPU_SCORES
    spatial.CPU_SCORES = scores
    try:
        reading = Reading(filters.detach(), linear.detach(), 2.0)
        loss, by_filters, by_linear = reading.loss_and_gradient(
            features, targets, 10.0, torch.float64
        )
        points = reading.points(features)
    finally:
        spatial.CPU_SCORES = before
    assert loss == pytest.approx(wanted.item(), rel=1e-10)
    torch.testing.assert_close(points, out.detach())
    torch.testing.assert_close(by_filters, filters.grad, atol=1e-12, rtol=1e-8)
    torch.testing.assert_close(by_linear, linear.grad, atol=1e-12, rtol=1e-8)


def test_the_product_is_a_product():
    draw = torch.Generator().manual_seed(0)
    a, b = torch.randn(50, 64, generator=draw), torch.randn(700, 64, generator=draw)
    exact = a.double() @ b.double().t()
    torch.testing.assert_close(spatial.product(a, b).double(), exact, atol=5e-5, rtol=0)
    torch.testing.assert_close(spatial.product(a.double(), b.double()), exact)


def blobs(images, seed=0, channels=6, side=12, image=48):
    """Features with one soft bump per landmark and noise, and where the bumps are, in pixels."""
    draw = torch.Generator().manual_seed(seed)
    points = torch.rand(images, 2, 2, generator=draw) * 30 + 9
    at = torch.linspace(0, image - 1, side)
    x, y = points[..., 0, None, None], points[..., 1, None, None]
    bump = torch.exp(-((at - x) ** 2 + (at[:, None] - y) ** 2) / 60)
    noise = 0.05 * torch.randn(images, channels - 2, side, side, generator=draw)
    return torch.cat([bump, noise], dim=1), points


QUICK = SoftargmaxSettings(epochs=15, learning_rate=0.02, schedule="cosine", filters=20)


def test_it_learns_where_the_landmarks_are():
    features, points = blobs(320)
    probe = SoftargmaxProbe(QUICK, 48).fit(features[:256], points[:256], seed=0)
    error = (probe.predict(features[256:]) - points[256:]).norm(dim=-1).mean()
    naive = (points[:256].mean(0) - points[256:]).norm(dim=-1).mean()
    assert error < 0.15 * naive
    assert len(probe.history) == QUICK.epochs
    assert probe.history[-1] < 0.1 * probe.history[0]


def stepped(schedule, epoch=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would rather be told no epoch
        schedule.step(epoch)


@pytest.mark.parametrize(("milestone", "as_dve"), [(1, False), (2, True)])
def test_adam_epochs_are_those_of_torch_modules(milestone, as_dve):
    """The probe against the plain network, the plain loss and autograd, over the same batches.

    torch drops the rate at 1; as DVE's trainer steps, that is epoch 2 counted from 0.
    """
    features, points = blobs(96)
    s = dataclasses.replace(QUICK, epochs=3, schedule="steps", milestones=(milestone,))
    probe = SoftargmaxProbe(s, 48).fit(features, points, seed=3)

    draw = torch.Generator().manual_seed(3)
    filters = torch.randn(2, s.filters, 6, generator=draw).requires_grad_()
    bound = (2 * s.filters) ** -0.5
    linear = torch.empty(2, 2, 2 * s.filters).uniform_(-bound, bound, generator=draw)
    linear.requires_grad_()
    optimiser = torch.optim.Adam(
        [filters, linear], s.learning_rate, weight_decay=5e-4, amsgrad=True
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [1])
    for epoch in range(1, s.epochs + 1):
        for rows in torch.randperm(96, generator=draw).split(32):
            optimiser.zero_grad()
            out = plain_points(features[rows], filters, linear, s.temperature)
            functional.smooth_l1_loss(10 * out, 10 * (points[rows] * 2 / 47 - 1)).backward()
            optimiser.step()
        stepped(schedule, epoch - 1 if as_dve else None)
    state = probe.state()
    torch.testing.assert_close(state["filters"], filters.detach(), atol=2e-3, rtol=0)
    torch.testing.assert_close(state["linear"], linear.detach(), atol=2e-3, rtol=0)


def test_a_seed_gives_one_result_and_another_seed_another():
    features, points = blobs(64)
    s = dataclasses.replace(QUICK, epochs=2)
    first = SoftargmaxProbe(s, 48).fit(features, points, seed=1).predict(features)
    again = SoftargmaxProbe(s, 48).fit(features, points, seed=1).predict(features)
    other = SoftargmaxProbe(s, 48).fit(features, points, seed=2).predict(features)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=0.1)


def test_where_the_features_are_kept_is_of_no_consequence(tmp_path):
    features, points = blobs(70)
    half = features.half()
    mapped = np.lib.format.open_memmap(
        tmp_path / "features.npy", mode="w+", dtype=np.float16, shape=tuple(half.shape)
    )
    mapped[:] = half.numpy()
    mapped.flush()
    stored = np.load(tmp_path / "features.npy", mmap_mode="r")
    s = dataclasses.replace(QUICK, epochs=2)
    a = SoftargmaxProbe(s, 48).fit(half, points, seed=0)
    b = SoftargmaxProbe(s, 48).fit(stored, points.numpy(), seed=0)
    assert torch.equal(a.predict(half), b.predict(stored))
    assert torch.equal(a.predict(half), a.predict(half.float()))


def test_predictions_of_a_part_are_part_of_the_predictions():
    features, points = blobs(80)
    s = dataclasses.replace(QUICK, epochs=1)
    probe = SoftargmaxProbe(s, 48).fit(features, points, seed=0)
    whole = probe.predict(features)
    torch.testing.assert_close(probe.predict(features[37:40]), whole[37:40], atol=1e-3, rtol=0)


def test_width_and_height_are_told_apart():
    features, points = blobs(64)
    s = dataclasses.replace(QUICK, epochs=1)
    square = SoftargmaxProbe(s, 48).fit(features, points, seed=0).predict(features)
    stretched = points * torch.tensor([2.0, 1.0])
    wide = SoftargmaxProbe(s, (95, 48)).fit(features, stretched, seed=0).predict(features)
    torch.testing.assert_close(wide / torch.tensor([2.0, 1.0]), square, atol=1e-3, rtol=0)


def test_a_state_makes_the_same_probe():
    features, points = blobs(64)
    s = dataclasses.replace(QUICK, epochs=1)
    probe = SoftargmaxProbe(s, 48).fit(features, points, seed=0)
    copy = SoftargmaxProbe.from_state(probe.state(), s, 48)
    assert torch.equal(copy.predict(features), probe.predict(features))
    with pytest.raises(InvalidInput, match="expected filters"):
        SoftargmaxProbe.from_state(probe.state(), softargmax_settings("softargmax/dve"), 48)


def test_progress_tells_every_epoch():
    features, points = blobs(64)
    told = []
    s = dataclasses.replace(QUICK, epochs=3)
    probe = SoftargmaxProbe(s, 48)
    probe.fit(features, points, seed=0, progress=lambda epoch, loss: told.append((epoch, loss)))
    assert told == list(enumerate(probe.history))


def test_published_presets_are_as_published():
    dve = softargmax_settings("softargmax/dve")
    rates = [dve.learning_rate_at(epoch, 0, 1) for epoch in (0, 99, 100, 249, 250, 299)]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-5])
    assert (dve.epochs, dve.batch, dve.drop_last, dve.amsgrad) == (300, 32, True, True)
    assert (dve.filters, dve.temperature, dve.weight_decay) == (50, 100.0, 5e-4)
    cl = softargmax_settings("softargmax/cl")
    assert (cl.betas, cl.amsgrad, cl.drop_last, cl.epochs) == ((0.5, 0.999), False, False, 121)
    assert cl.learning_rate_at(99, 0, 1) == pytest.approx((1e-3 + 8e-7) / 2)
    assert cl.learning_rate_at(199, 0, 1) == pytest.approx(8e-7)
    assert all(p.precision == "float32" for p in PRESETS.values() if p.epochs > 100)
    with pytest.raises(UnknownName, match="softargmax/dve"):
        softargmax_settings("softargmax/dvr")


def rates_of_dves_trainer(milestones, epochs):
    """The rate each epoch trains at where epoch e, counted from 1, ends with `step(e - 1)`."""
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1e-3)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, list(milestones), gamma=0.1)
    rates = []
    for epoch in range(1, epochs + 1):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        stepped(schedule, epoch - 1)
    return rates


def test_the_rate_of_every_epoch_is_that_of_dves_trainer():
    theirs = rates_of_dves_trainer((100, 250), 300)
    first = softargmax_settings("softargmax/dve")
    second = softargmax_settings("softargmax/dve@2")
    ours = [second.learning_rate_at(epoch, 0, 1) for epoch in range(300)]
    assert ours == pytest.approx(theirs, rel=1e-12)
    early = [e for e in range(300) if first.learning_rate_at(e, 0, 1) < 0.5 * theirs[e]]
    assert early == [100, 250]  # what version 2 corrects
    assert dataclasses.replace(second, milestones=first.milestones) == first


def test_the_rate_of_every_epoch_is_that_of_contrastlandmarks_loop():
    for name, epochs in (("softargmax/cl", 200), ("softargmax/cl-limited", 50)):
        s = softargmax_settings(name)
        optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=s.learning_rate)
        lowest = s.learning_rate * 0.2**3 * 0.1
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs, lowest)
        for epoch in range(s.epochs):
            optimiser.step()
            schedule.step()  # before the epoch: its loop counts from 1
            theirs = optimiser.param_groups[0]["lr"]
            assert s.learning_rate_at(epoch, 0, 1) == pytest.approx(theirs, rel=1e-9)


def test_bad_input_is_refused_in_words():
    features, points = blobs(40)
    probe = SoftargmaxProbe(QUICK, 48)
    with pytest.raises(InvalidInput, match="not been fitted"):
        probe.predict(features)
    with pytest.raises(InvalidInput, match="not been fitted"):
        probe.state()
    with pytest.raises(InvalidInput, match=r"\(N, C, h, w\)"):
        probe.fit(features.flatten(2), points, seed=0)
    with pytest.raises(InvalidInput, match="floating point"):
        probe.fit(features.byte(), points, seed=0)
    with pytest.raises(InvalidInput, match=r"\(N, A, 2\)"):
        probe.fit(features, points.flatten(1), seed=0)
    with pytest.raises(InvalidInput, match="40 features and 39 targets"):
        probe.fit(features, points[:39], seed=0)
    with pytest.raises(InvalidInput, match="none may be short, got 31"):
        probe.fit(features[:31], points[:31], seed=0)
    holed = features.clone()
    holed[33, 1, 2, 3] = float("nan")
    with pytest.raises(InvalidInput, match=r"features hold.*first in row 33"):
        probe.fit(holed, points, seed=0)
    for kind in (float("inf"), -float("inf")):
        holed[33, 1, 2, 3] = kind
        with pytest.raises(InvalidInput, match="features hold"):
            probe.fit(holed.half(), points, seed=0)
    missing = points.clone()
    missing[5, 1, 0] = float("inf")
    with pytest.raises(InvalidInput, match=r"targets hold.*first in row 5"):
        probe.fit(features, missing, seed=0)
    probe = SoftargmaxProbe(dataclasses.replace(QUICK, epochs=1), 48).fit(features, points, seed=0)
    with pytest.raises(InvalidInput, match="fitted on 6 channels, got 5"):
        probe.predict(features[:, :5])


def test_large_finite_features_are_not_refused():
    """Their sum overflows float32; none of them does."""
    features, points = blobs(40)
    features[:, 2] = 3e38
    s = dataclasses.replace(QUICK, epochs=0)
    SoftargmaxProbe(s, 48).fit(features, points, seed=0)


def test_a_loss_that_is_not_finite_stops_the_training():
    features, points = blobs(40)
    s = dataclasses.replace(QUICK, learning_rate=1e30)
    with pytest.raises(TrainingFailed, match="loss is"):
        SoftargmaxProbe(s, 48).fit(features, points, seed=0)


def test_sets_of_rows_take_turns_by_epoch() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(24, 3, 5, 5, generator=generator)
    targets = 30 * torch.rand(24, 2, 2, generator=generator)
    settings = SoftargmaxSettings(epochs=1, filters=4, batch=4)

    def fitted(rows: slice, sets: int, epochs: int = 1) -> SoftargmaxProbe:
        chosen = dataclasses.replace(settings, epochs=epochs)
        return SoftargmaxProbe(chosen, 32).fit(features[rows], targets[rows], seed=1, sets=sets)

    def same(one: SoftargmaxProbe, other: SoftargmaxProbe) -> bool:
        return torch.equal(one.state()["filters"], other.state()["filters"])

    assert same(fitted(slice(0, 24), 2), fitted(slice(0, 12), 1))  # epoch 0 sees the first half
    assert not same(fitted(slice(0, 24), 2, 2), fitted(slice(0, 12), 1, 2))
    with pytest.raises(InvalidInput, match="do not make 5 equal sets"):
        fitted(slice(0, 24), 5)
