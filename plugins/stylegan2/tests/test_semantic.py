"""HSR: what the loss is, where its gradients go, and which teachers are refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from bench_stylegan2.generator import StyleGan2
from bench_stylegan2.semantic import Predictors, declared, teacher
from bench_stylegan2.settings import StyleGan2Settings
from pydantic import ValidationError
from safetensors.torch import save_file
from torch.nn import functional

from benchmark.contracts.errors import DataMissing, Incompatible
from benchmark.contracts.weights import no_weights
from benchmark.networks.trunks import TRUNKS

UNTRAINED = {
    "z": 8,
    "w": 8,
    "base": 64,
    "most": 8,
    "teacher": "squeezenet",
    "teacher_trained": False,
    "teacher_layers": ("fire9", "fire4"),
    "teacher_size": 64,
    "teacher_norm": False,
    "hsr": (4, 16),
    "hidden": 6,
}


def test_the_release_adds_as_many_parameters_as_known() -> None:
    settings = StyleGan2Settings(
        teacher="timm/vit",
        teacher_file="a",
        teacher_sha256="0" * 64,
        teacher_layers=("11", "8", "5", "2"),
    )
    with torch.device("meta"):
        added = Predictors(settings, [768] * 4)
    assert sum(p.numel() for p in added.parameters()) == 19_942_400


def test_the_loss_is_the_sum_of_mean_squares_at_the_teachers_grid() -> None:
    torch.manual_seed(0)
    settings = StyleGan2Settings(**UNTRAINED)
    eye = teacher(settings, no_weights, seed=3)
    widths = eye.widths()
    assert widths == [512, 256]
    predictors = Predictors(settings, widths)
    net = StyleGan2(16, 8, 8, 2, 64, 8)
    w = net.every(net.mapping(torch.randn(2, 8))).detach()
    images, kept = net.synthesis(w, net.synthesis.constant(), keep=(4, 16))
    targets = eye(images)
    assert [t.shape[-1] for t in targets] == [3, 7]
    loss = predictors(kept, targets)
    by_hand = 0.0
    for predictor, maps, target in zip(predictors, kept.values(), targets, strict=True):
        hidden = functional.relu(predictor.first(maps)) * 2**0.5
        found = functional.adaptive_avg_pool2d(predictor.second(hidden), target.shape[-1])
        by_hand = by_hand + (found - target).square().mean()
    torch.testing.assert_close(loss, by_hand)
    loss.backward()
    assert net.synthesis.b4.conv1.weight.grad is not None
    assert net.synthesis.b16.torgb.weight.grad is None  # no gradient passes through the image
    assert all(p.grad is not None for p in predictors.parameters())
    assert all(p.grad is None for p in eye.parameters())


def test_maps_of_a_convolutional_teacher_can_be_brought_to_one_size() -> None:
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    raw = teacher(StyleGan2Settings(**UNTRAINED), no_weights, 1)(image)[0]
    normed = teacher(StyleGan2Settings(**UNTRAINED | {"teacher_norm": True}), no_weights, 1)(image)[
        0
    ]
    wanted = (raw - raw.mean(1, keepdim=True)) / (
        raw.var(1, correction=0, keepdim=True) + 1e-5
    ).sqrt()
    torch.testing.assert_close(normed, wanted, rtol=1e-4, atol=1e-4)


def test_an_untrained_teacher_follows_from_its_seed() -> None:
    settings = StyleGan2Settings(**UNTRAINED)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    one, same, other = (teacher(settings, no_weights, seed)(image)[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_teachers_file_is_declared_and_pinned() -> None:
    assert declared(StyleGan2Settings(**UNTRAINED)) == ()
    assert declared(StyleGan2Settings(**UNTRAINED | {"teacher_trained": True})) == (
        TRUNKS["squeezenet"].weight,
    )
    timm = {
        "teacher": "timm/vit_base_patch16_224.dino",
        "teacher_file": "dino.safetensors",
        "teacher_sha256": "ab" * 32,
        "teacher_layers": ("11", "5"),
        "teacher_trained": True,
    }
    (weight,) = declared(StyleGan2Settings(**UNTRAINED | timm))
    assert (weight.name, weight.sha256) == ("dino.safetensors", "ab" * 32)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"teacher": "resnet"}, "none of none, efficientnet-lite0, squeezenet, timm/NAME"),
        ({"teacher_layers": ("fire9",)}, "must name one layer for each of the sides"),
        ({"teacher": "timm/vit", "teacher_trained": True}, "needs teacher_file"),
        ({"batch": 6}, "spread_group 4 does not divide batch 6"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StyleGan2Settings(**UNTRAINED | given)


def test_without_timm_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    settings = StyleGan2Settings(
        **UNTRAINED | {"teacher": "timm/vit_tiny_patch16_224", "teacher_layers": ("3", "1")}
    )
    with pytest.raises(DataMissing, match="needs the package timm"):
        teacher(settings, no_weights, seed=0)


def test_teachers_of_timm_are_read_at_numbered_blocks(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    given = {
        "teacher": "timm/vit_tiny_patch16_224", "teacher_layers": ("11", "2"), "teacher_norm": True,
    }  # fmt: skip
    eye = teacher(StyleGan2Settings(**UNTRAINED | given), no_weights, seed=0)
    assert [tuple(m.shape) for m in eye(torch.zeros(2, 3, 16, 16))] == [(2, 192, 4, 4)] * 2
    network = timm.create_model("resnet18", pretrained=False, num_classes=0).eval()
    save_file(network.state_dict(), tmp_path / "r.safetensors")
    file = {
        "teacher": "timm/resnet18", "teacher_layers": ("4", "1"), "teacher_scale": "own",
        "teacher_trained": True, "teacher_file": "r.safetensors", "teacher_sha256": "0" * 64,
    }  # fmt: skip
    eye = teacher(StyleGan2Settings(**UNTRAINED | file), lambda name: tmp_path / name, seed=0)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    mean, spread = (torch.tensor(network.default_cfg[k])[:, None, None] for k in ("mean", "std"))
    with torch.no_grad():
        last = network.forward_features(((image + 1) / 2 - mean) / spread)
    torch.testing.assert_close(eye(image)[0], last)
    other = StyleGan2Settings(**UNTRAINED | file | {"teacher": "timm/resnet34"})
    with pytest.raises(Incompatible, match="does not hold resnet34 at 64 pixels"):
        teacher(other, lambda name: tmp_path / name, seed=0)
