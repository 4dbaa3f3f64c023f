"""SCOPS as a method: networks, saliency, presets, and fits that are killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import bench_scops
import numpy as np
import pytest
import torch
from bench_scops import training
from bench_scops.features import Features
from bench_scops.method import Scops, released_masks
from bench_scops.networks import DeepLab, Small
from bench_scops.settings import ScopsSettings
from bench_scops.training import Wanted, make_optimisers, rate
from bench_scops.warps import draw_warps
from pydantic import ValidationError
from torchvision.models import resnet50

from benchmark.contracts import MethodSpec
from benchmark.contracts.errors import Incompatible
from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.contracts.weights import no_weights
from benchmark.training.batches import Pixels

Make = Callable[..., Any]
CPU = torch.device("cpu")


def spec() -> MethodSpec:
    found: list[MethodSpec] = []
    bench_scops.bench_methods(found.append)
    return found[0]


def settings(**more: Any) -> ScopsSettings:
    return ScopsSettings(**dict(spec().tiny) | more)


def some(images: Images) -> torch.Tensor:
    return images.batch(slice(0, 3)).float().div(127.5).sub(1)


def test_registration_is_whole_and_light() -> None:
    assert spec().problems() == []
    for preset in spec().presets.values():
        ScopsSettings(**preset)
    code = "import bench_scops, sys; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_paper_is_what_was_released() -> None:
    s = ScopsSettings(**spec().presets["paper"])
    weights = (s.concentration, s.equivariance, s.centres, s.consistency, s.orthonormal)
    assert weights == (10.0, 1e3, 1e2, 1e4, 0.1)
    assert (s.divided, s.outside, s.equivariance_mean) == ("twice", "uniform", "elements")
    assert (s.learning_rate, s.head_rate, s.basis_rate, s.clip) == (1e-5, 10.0, 0.01, 5.0)
    assert rate(50_000, s.steps, s) == pytest.approx(1e-5 * 0.5**0.9)


def test_what_it_is_told_is_declared() -> None:
    said = {name: Scops.info(ScopsSettings(**preset)) for name, preset in spec().presets.items()}
    files = {name: [w.name for w in info.pretrained] for name, info in said.items()}
    assert files["paper"] == ["vgg16-397923af.pth", "resnet50-0676ba61.pth"]
    assert files["small"] == ["squeezenet1_1_features.pth"]
    assert files["demo"] == []
    assert "told where the object is (silhouettes)" in said["paper"].notes
    assert "without saliency" in said["paper-without"].notes
    assert "two factors" in said["small"].notes
    assert "untrained squeezenet" in said["demo"].notes


def test_deeplab_reads_the_second_half_of_the_maps() -> None:
    with torch.device("meta"):
        network = DeepLab(9)
        assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 9, 9, 9)
    assert [layer.dilation for layer in network.head] == [(d, d) for d in (6, 12, 18, 24)]
    assert all(layer.in_channels == 1024 for layer in network.head)
    learned = {n for n, _ in network.named_parameters() if n.startswith("backbone")}
    assert not [n for n in learned if "bn" in n]  # batch norms stay as they are


def test_the_small_segmenter_halves_once() -> None:
    assert Small(3, 4)(torch.zeros(2, 3, 16, 16)).shape == (2, 3, 8, 8)


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.pth"
    torch.save({"conv1.weight": torch.zeros(3)}, file)
    network = DeepLab(2)
    with pytest.raises(Incompatible, match=r"no ResNet-50 of torchvision: missing.*conv1"):
        network.start_from(file)
    file.write_bytes(b"nothing")
    with pytest.raises(Incompatible, match="no file of weights"):
        network.start_from(file)
    with torch.device("meta"):
        published = resnet50(weights=None).state_dict()
    state = {k: torch.full(v.shape, 0.5) for k, v in published.items()}
    torch.save(state, file)
    network.start_from(file)
    assert all(bool((v == 0.5).all()) for v in network.backbone.state_dict().values())


def test_warps_are_of_the_stated_strength() -> None:
    draw = np.random.Generator(np.random.PCG64(0))
    affine = draw_warps(4000, ScopsSettings(bend=0.0), draw, CPU).affine
    shift, linear = affine[:, 0], affine[:, 1:]
    assert 0.099 < float(shift.abs().max()) < 0.1
    scale = torch.linalg.det(linear).sqrt()
    assert 0.5 < float(scale.min()) < 0.51
    assert 1 / 0.7 - 0.01 < float(scale.max()) < 1 / 0.7
    turn = torch.rad2deg(torch.atan2(linear[:, 1, 0], linear[:, 0, 0]))
    assert 59 < float(turn.abs().max()) < 60


def test_last_layers_and_basis_have_rates_of_their_own() -> None:
    from bench_scops.networks import Basis, Segmenter

    s = settings(learning_rate=1e-3, head_rate=10.0, basis_rate=0.5)
    whole, slow = make_optimisers(Segmenter(s), Basis(torch.ones(2, 3)), s)
    assert [group["lr"] for group in whole.param_groups] == [1e-3, 1e-2]
    assert [len(group["params"]) for group in whole.param_groups][1] == 2
    assert slow.param_groups[0]["lr"] == 0.5


class OfColours(Features):
    """Its network sees how bright and how dark each channel is."""

    def raw(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([images.clamp(min=0), (-images).clamp(min=0)], 1)


def test_saliency_is_the_foreground_of_two_factors() -> None:
    images = torch.ones(4, 3, 16, 16)
    images[:, :, 5:11, 5:11] = -1.0
    features = OfColours(settings(unit_length=True), no_weights, 0, CPU)
    raw = features.raw(images)
    assert features.saliency(raw, None) is None
    features.find_factors(raw)
    found = features.saliency(raw, None)
    assert found is not None
    torch.testing.assert_close(found, (images[:, :1] < 0).float(), atol=1e-3, rtol=0)
    explained = features.explained(raw, found)
    assert float(explained[..., 0, 0].abs().max()) < 1e-3
    torch.testing.assert_close(explained.norm(dim=1)[:, 8, 8], torch.ones(4), atol=1e-3, rtol=0)
    first = features.first_basis(explained)
    assert first.shape == (2, 6)
    assert float(first.min()) >= 0


def test_silhouettes_are_brought_to_the_grid() -> None:
    masks = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
    masks[..., :2, :1] = 255
    features = OfColours(settings(), no_weights, 0, CPU)
    found = features.saliency(torch.zeros(1, 6, 2, 2), masks)
    assert found is not None
    assert found.tolist() == [[[[0.5, 0.0], [0.0, 0.0]]]]


def test_released_masks_are_each_over_its_own_maximum() -> None:
    probabilities = torch.tensor([[0.9, 0.6], [0.02, 0.1], [0.08, 0.3]]).view(1, 3, 1, 2)
    found = released_masks(probabilities.clone())
    claims = torch.tensor([[0.1, 0.1], [0.2, 1.0], [0.8 / 3, 1.0]]).view(1, 3, 1, 2)
    torch.testing.assert_close(found, claims / claims.sum(1, keepdim=True))


@pytest.mark.parametrize(
    "given, said",
    [
        ({"layers": ()}, "name one at least"),
        ({"layers": ("fire1",)}, "has no layers"),
        ({"size": 20}, "not a multiple of 8"),
        ({"initial_file": "a.pth"}, "given together"),
        ({"initial_file": "a.pth", "initial_sha256": "0" * 64}, "of segmenter 'deeplab' alone"),
        ({"scales": (2.0, 0.7)}, "must rise"),
        ({"saliency": "maps"}, "saliency"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        settings(**given)


def test_silhouettes_need_a_grant(images: Images, tmp_path: Path, make_context: Make) -> None:
    with pytest.raises(Incompatible, match="does not grant"):
        Scops(settings(saliency="silhouettes")).fit(images, make_context(tmp_path))


def test_what_is_fitted_is_what_is_loaded(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    context = make_context(tmp_path / "run")
    method = Scops(settings())
    method.fit(images, context)
    with torch.inference_mode():
        found = method.predict(some(images)).probabilities
    assert found.shape == (3, 3, 32, 32)
    torch.testing.assert_close(found.sum(1), torch.ones(3, 32, 32))
    names = {"concentration", "equivariance", "centres", "consistency", "orthonormal"}
    row = context.seen.log[-1]
    assert names <= set(row)
    s = settings()
    expected = sum(getattr(s, name) * row[name] for name in names)
    assert row["loss"] == pytest.approx(expected, rel=1e-4)
    loaded = Scops(settings(masks="scops"))
    loaded.load(context.seen.milestones[-1][1], "cpu")
    with torch.inference_mode():
        again = loaded.predict(some(images)).probabilities
    torch.testing.assert_close(again, released_masks(found.clone()))


@pytest.mark.parametrize(
    "given",
    [
        {"saliency": "none", "initial_basis": "normal"},
        {"saliency": "silhouettes"},
        {"compare": "image"},
        {"outside": "ignored", "optimiser": "sgd"},
    ],
)
def test_variants_learn_other_networks(
    given: dict[str, Any], images: Images, tmp_path: Path, make_context: Make
) -> None:
    masks = np.zeros(images.pixels.shape[:3], np.uint8)
    masks[:, 8:24, 8:24] = 255
    seen = Images(images.pixels, images.size, "x", silhouettes=masks)
    found = []
    for i, more in enumerate(({}, given)):
        method = Scops(settings(steps=2, **more))
        method.fit(seen, make_context(tmp_path / str(i)))
        found.append(method.predict(some(images)).probabilities)
    assert not torch.equal(*found)


@pytest.mark.long
@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_killed_and_resumed_is_bit_identical(
    optimiser: str, images: Images, tmp_path: Path, make_context: Make
) -> None:
    choice = settings(optimiser=optimiser)
    straight, resumed = Scops(choice), Scops(choice)
    straight.fit(images, make_context(tmp_path / "straight"))
    with pytest.raises(KeyboardInterrupt):
        resumed.fit(images, make_context(tmp_path / "killed", every=1, kill_after=1))
    resumed.fit(images, make_context(tmp_path / "killed", every=1))
    expected, found = straight.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(found[name], value) for name, value in expected.items())


@pytest.mark.long
def test_the_loss_falls(images: Images, tmp_path: Path, make_context: Make) -> None:
    context = make_context(tmp_path / "run")
    Scops(settings(steps=60, consistency=100.0, equivariance=10.0)).fit(images, context)
    rows = [row for row in context.seen.log if "loss" in row]
    assert rows[-1]["loss"] < 0.8 * rows[0]["loss"]


@pytest.mark.parametrize("silhouettes", [False, True])
def test_what_is_kept_is_what_each_batch_would_find(
    monkeypatch: pytest.MonkeyPatch, silhouettes: bool
) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 255, (37, 3, 8, 8), dtype=np.uint8)
    pixels = _Held(images)
    masks = _Held(images[:, :1]) if silhouettes else None
    shown = 2 * torch.from_numpy(images).float() / 255 - 1
    features = OfColours(settings(unit_length=True), no_weights, 0, CPU)
    if not silhouettes:
        features.find_factors(features.raw(shown))
    said: list[int] = []
    context = cast("FitContext", SimpleNamespace(progress=lambda what, done, of: said.append(done)))
    indices = np.array([36, 3, 3])
    kept = Wanted(features, pixels, masks, 37, context)
    assert said == [16, 32, 37]
    found = kept(indices, torch.full((3, 3, 8, 8), torch.nan))  # nothing is seen a second time
    monkeypatch.setattr(training, "KEPT_BYTES", 37 * found[0].numel() * 4 - 1)
    anew = Wanted(features, pixels, masks, 37, context)
    assert len(said) == 3
    torch.testing.assert_close(found, anew(indices, shown[indices]), rtol=1e-4, atol=1e-4)


class _Held(Pixels):
    def __init__(self, images: np.ndarray) -> None:
        self.images = torch.from_numpy(images)

    def __getitem__(self, indices: np.ndarray) -> torch.Tensor:
        return self.images[indices]
