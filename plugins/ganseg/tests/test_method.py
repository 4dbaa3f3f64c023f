"""GANSeg as a method: what it predicts, generates, starts from and how its stages move."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bench_ganseg
import pytest
import torch
from bench_ganseg.method import GanSegMethod
from bench_ganseg.student import DeepLab
from bench_ganseg.teaching import pairs
from bench_ganseg.training import Training
from safetensors.torch import save_file
from torchvision.models import resnet50

from benchmark.contracts.errors import Incompatible
from benchmark.registry.plugins import plugins
from benchmark.testing.standin import make_context, make_images
from benchmark.training.batches import surroundings

TINY: dict[str, Any] = dict(plugins().method("ganseg").tiny) | {"precision": "float32"}
PRESETS = plugins().method("ganseg").presets


def method(**given: Any) -> GanSegMethod:
    return GanSegMethod(GanSegMethod.Settings(**TINY | given))


def training(folder: Path, **given: Any) -> Training:
    found = method(**given)
    torch.manual_seed(0)
    net = found.build(32).generator
    return Training(net, make_images(), make_context(folder), found.settings)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_can_be_read(preset: str) -> None:
    GanSegMethod.Settings(**PRESETS[preset])


def test_where_paper_and_code_differ_each_has_its_preset() -> None:
    """The table in the README."""
    paper, released = (GanSegMethod.Settings(**PRESETS[p]) for p in ("paper", "released"))
    differ = {
        name
        for name in GanSegMethod.Settings.model_fields
        if getattr(paper, name) != getattr(released, name)
    }
    assert differ == {
        "points_hidden", "looks_hidden", "spread", "heat", "grid", "penalty", "penalty_every",
        "regularise_every", "concentration_over", "area_of", "background_shift", "steps",
    }  # fmt: skip


def test_parts_and_images_have_the_side_of_the_data_whatever_the_networks_side(
    tmp_path: Path,
) -> None:
    found = method()
    found.initialise(make_images(), make_context(tmp_path))
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    parts = found.predict(images)
    assert parts.probabilities.shape == (2, 4, 32, 32)
    torch.testing.assert_close(parts.probabilities.sum(1), torch.ones(2, 32, 32))
    made = found.generator()
    assert (made.size, made.layers, made.z_dim) == (32, 8, 26)
    w = made.mapping(torch.randn(2, 26))
    assert w.shape[:2] == (2, 8)
    image = made.synthesis(w, 0)
    assert image.shape == (2, 3, 32, 32)
    assert torch.equal(image, made.synthesis(w, 1))  # no noise but z


def test_untrained_parts_are_those_of_the_untrained_student(tmp_path: Path) -> None:
    """What the floor `random-features` measures."""
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    first, again = method(), method()
    for found in (first, again):
        found.initialise(make_images(), make_context(tmp_path))
    assert torch.equal(first.predict(images).probabilities, again.predict(images).probabilities)


def test_generated_pairs_are_what_the_generator_makes() -> None:
    torch.manual_seed(0)
    net = method().build(32).generator.eval().requires_grad_(False)
    images, labels = pairs(net, 3, torch.Generator().manual_seed(1))
    z = torch.randn(3, net.settings.z, generator=torch.Generator().manual_seed(1))
    made = net(z)[1]
    assert torch.equal(images, made.images.clamp(-1, 1))
    assert torch.equal(labels, made.masks.argmax(1))


def test_each_step_moves_its_own_player(tmp_path: Path) -> None:
    found, draw = training(tmp_path), torch.Generator().manual_seed(0)

    def weights() -> dict[str, list[torch.Tensor]]:
        both = {"makes": found.makes, "judges": found.judges}
        return {who: [p.clone() for p in x.network.parameters()] for who, x in both.items()}

    for step, who in (
        (lambda: found._make(8, 0, draw), "makes"),
        (lambda: found._judge(torch.randn(8, 3, 16, 16), 0, draw), "judges"),
    ):
        before = weights()
        step()
        after = weights()
        moved = {
            name
            for name, old in before.items()
            if any(not torch.equal(a, b) for a, b in zip(old, after[name], strict=True))
        }
        assert moved == {who}


def test_penalty_and_losses_of_masks_come_on_their_steps(tmp_path: Path) -> None:
    found = training(tmp_path, penalty_every=2, regularise_every=3)
    named = [set(found.update(step)) for step in range(4)]
    assert ["penalty" in names for names in named] == [True, False, True, False]
    assert ["concentration" in names for names in named] == [True, False, False, True]


@pytest.mark.parametrize(
    "ablation",
    [
        {"use_points": False},
        {"separate_background": False},
        {"use_points": False, "separate_background": False},
        {"concentration": 0.0},
        {"area": 0.0},
        {"sigma": 0.085},
        {"parts": 1},
        {"points": 3},
        {"margin": 0},
        {"spread": "deviation", "area_of": "heat", "concentration_over": "sum", "penalty": "one"},
        {"average": 0.0},
    ],
    ids=str,
)
def test_every_ablation_learns(ablation: dict[str, Any], tmp_path: Path) -> None:
    found = training(tmp_path, **ablation)
    before = [p.clone() for p in found.makes.network.parameters()]
    values = found.update(0)
    assert all(torch.isfinite(torch.as_tensor(v)) for v in values.values())
    assert ("area" in values) == ablation.get("use_points", True)
    after = list(found.makes.network.parameters())
    still = [a.shape for a, b in zip(before, after, strict=True) if torch.equal(a, b)]
    assert still == []


def test_real_images_are_mirrored_moved_or_cropped(tmp_path: Path) -> None:
    images = make_images()
    assert surroundings(images.size, images.margin, 16)[1] > 0
    whole = {"mirror": False, "crop_area": 1.0}
    plain = training(tmp_path / "a", **whole)._real(0, torch.Generator().manual_seed(0))
    for i, how in enumerate(({"mirror": True}, {"shift": True}, {"crop_area": 0.7})):
        found = training(tmp_path / str(i), **{**whole, **how})
        real = found._real(0, torch.Generator().manual_seed(0))
        assert real.shape == plain.shape
        assert float(real.abs().max()) <= 1
        assert not torch.equal(real, plain)


def test_samples_are_images_and_their_parts(tmp_path: Path) -> None:
    found = training(tmp_path)
    shown = found.samples()
    assert shown.shape == (16, 3, 16, 16)
    assert found.makes.network.training


@pytest.mark.long
def test_a_student_starts_from_the_file_that_is_declared(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = {k: v.contiguous() for k, v in resnet50(weights=None).state_dict().items()}
    save_file(weights, tmp_path / "net.safetensors")
    student = DeepLab(4)
    student.start_from(tmp_path / "net.safetensors")
    assert torch.equal(student.net.backbone.conv1.weight, weights["conv1.weight"])
    given = {"student": "deeplab", "backbone_file": "net.safetensors", "backbone_sha256": "0" * 64}
    info = GanSegMethod.info(GanSegMethod.Settings(**TINY | given))
    assert [w.name for w in info.pretrained] == ["net.safetensors"]
    assert "starts from net.safetensors" in info.notes
    assert "from scratch" in GanSegMethod.info(method().settings).notes

    del weights["conv1.weight"]
    save_file(weights, tmp_path / "torn.safetensors")
    with pytest.raises(Incompatible, match=r"no ResNet-50 of torchvision.*conv1"):
        student.start_from(tmp_path / "torn.safetensors")
    (tmp_path / "words.pth").write_text("no weights")
    with pytest.raises(Incompatible, match="no file of weights"):
        student.start_from(tmp_path / "words.pth")


def test_registration_names_both_kinds() -> None:
    spec = plugins().method("ganseg")
    assert list(spec.gives) == ["parts", "generator"]
    assert spec.presets["demo"].keys() == bench_ganseg.SMALL.keys()
