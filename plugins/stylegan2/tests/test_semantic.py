"""HSR: what the loss is, where its gradients go, and which teachers are refused."""

from __future__ import annotations

import pytest
import torch
from bench_stylegan2.generator import StyleGan2
from bench_stylegan2.method import StyleGan2Method
from bench_stylegan2.semantic import Predictors, teacher
from bench_stylegan2.settings import StyleGan2Settings
from pydantic import ValidationError
from torch.nn import functional

from benchmark.contracts.weights import Weights, no_weights
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


def test_the_release_adds_as_many_parameters_as_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "benchmark.networks.backbones.find_spec", lambda name: name
    )  # as if timm were here
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
    def declared(**given: object) -> tuple[Weights, ...]:
        settings = StyleGan2Settings(**UNTRAINED | given)
        return StyleGan2Method.info(settings).pretrained

    assert declared() == ()
    assert declared(teacher="none") == ()
    assert declared(teacher_trained=True) == (TRUNKS["squeezenet"].weight,)


@pytest.mark.parametrize(
    "given, message",
    [
        (
            {"teacher": "resnet"},
            "none of vgg16, resnet18, squeezenet, efficientnet-lite0, timm/NAME",
        ),
        ({"teacher_layers": ("fire9", "fire40")}, "squeezenet has no layers \\['fire40'\\]"),
        ({"teacher_layers": ("fire9",)}, "must name one layer for each of the sides"),
        (
            {"teacher": "timm/vit", "teacher_layers": ("3", "1"), "teacher_trained": True},
            "needs the file of its weights",
        ),
        ({"batch": 6}, "spread_group 4 does not divide batch 6"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StyleGan2Settings(**UNTRAINED | given)
