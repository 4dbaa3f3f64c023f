"""Frozen networks by name: which are refused, what is declared, and that timm's give timm's maps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from benchmark.contracts.errors import DataMissing, Incompatible
from benchmark.contracts.weights import no_weights
from benchmark.networks import backbones
from benchmark.networks.backbones import Backbone, normed
from benchmark.networks.trunks import TRUNKS

PINNED = {"file": "x.safetensors", "sha256": "ab" * 32}


@pytest.mark.parametrize(
    "asked, fault",
    [
        (
            Backbone("resnet", ("1",)),
            "none of vgg16, resnet18, squeezenet, efficientnet-lite0, timm/NAME",
        ),
        (Backbone("squeezenet", ("fire9", "fire40")), "no layers ['fire40']: relu1, fire2"),
        (Backbone("timm/resnet18", ("last",), **PINNED), "are numbers, not ['last']"),
        (Backbone("timm/resnet18", ("1",)), "needs the file of its weights"),
        (
            Backbone("timm/resnet18", ("1",), file="x", sha256="abc"),
            "'abc' of x is no digest of 64",
        ),
        (Backbone("timm/efficientnet_lite0", ("1",), **PINNED), "tf_efficientnet_lite0 is right"),
    ],
)
def test_what_cannot_be_is_named(
    asked: Backbone, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backbones, "find_spec", lambda name: name)
    (found,) = asked.faults()
    assert fault in found


def test_files_are_declared_and_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backbones, "find_spec", lambda name: name)
    assert Backbone("squeezenet", ("fire9",)).weights() == (TRUNKS["squeezenet"].weight,)
    assert Backbone("squeezenet", ("fire9",), trained=False).weights() == ()
    timm = Backbone("timm/resnet18", ("1",), **PINNED)
    assert timm.faults() == []
    (weight,) = timm.weights()
    assert (weight.name, weight.sha256) == ("x.safetensors", "ab" * 32)


def test_an_untrained_network_follows_from_its_seed_and_stays_frozen() -> None:
    asked, image = (
        Backbone("squeezenet", ("fire9", "fire4"), trained=False),
        torch.rand(1, 3, 64, 64),
    )
    one, same, other = (asked.build(no_weights, seed) for seed in (1, 1, 2))
    assert [m.shape[1] for m in one(image)] == [512, 256]
    assert torch.equal(one(image)[0], same(image)[0])
    assert not torch.equal(one(image)[0], other(image)[0])
    assert not one.train().training
    assert all(not p.requires_grad for p in one.parameters())
    image.requires_grad_()
    one(image)[0].sum().backward()
    assert image.grad is not None


def test_channels_are_brought_to_one_size() -> None:
    maps = torch.randn(2, 7, 3, 3) * 100 + 5
    wanted = (maps - maps.mean(1, keepdim=True)) / maps.std(1, correction=0, keepdim=True)
    torch.testing.assert_close(normed(maps), wanted, rtol=1e-4, atol=1e-4)


def test_without_timm_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    asked = Backbone("timm/resnet18", ("1",), trained=False)
    assert asked.faults() == ["timm/resnet18 needs the package timm (pip install timm)"]
    with pytest.raises(DataMissing, match="needs the package timm"):
        asked.build(no_weights, 0)


def test_networks_of_timm_are_read_at_numbered_blocks(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    vit = Backbone("timm/vit_tiny_patch16_224", ("11", "2"), trained=False)
    maps = vit.build(no_weights, seed=0, size=64)(torch.zeros(2, 3, 64, 64))
    assert [tuple(m.shape) for m in maps] == [(2, 192, 4, 4)] * 2
    network = timm.create_model("resnet18", pretrained=False, num_classes=0).eval()
    save_file(network.state_dict(), tmp_path / "x.safetensors")
    found = Backbone("timm/resnet18", ("4", "1"), **PINNED)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    mean, spread = (torch.tensor(network.default_cfg[k])[:, None, None] for k in ("mean", "std"))
    with torch.no_grad():
        last = network.forward_features(((image + 1) / 2 - mean) / spread)
    maps = found.build(lambda name: tmp_path / name, seed=0)(image)
    torch.testing.assert_close(maps[0], last)
    assert maps[1].shape == (1, 64, 16, 16)
    with pytest.raises(Incompatible, match="does not hold resnet34 at 224 pixels"):
        Backbone("timm/resnet34", ("1",), **PINNED).build(lambda name: tmp_path / name, seed=0)
