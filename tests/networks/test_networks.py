"""Feature networks, VGG maps and LPIPS: arithmetic, identity, frozen weights, errors."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.contracts.errors import DataMissing, InvalidInput, UnknownName
from benchmark.contracts.images import to_signed
from benchmark.files import file_sha256
from benchmark.networks import feature_networks, lpips, resize, trunks, weights
from benchmark.networks.feature_networks import (
    NAMES,
    Inception,
    RandomConvolutions,
    SqueezeNet,
    feature_network,
)
from benchmark.networks.lpips import Lpips


def noise(count=3, height=20, width=28, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def data_weights() -> Path:
    folder = Path(os.environ.get("BENCH_DATA", ""), "weights")
    if "BENCH_DATA" not in os.environ or not folder.is_dir():
        pytest.skip("BENCH_DATA does not lead to weights")
    return folder


@pytest.fixture
def tiny_vgg(tmp_path, monkeypatch):
    """A state dict of VGG16's `features` that is not the real one, pinned for this test."""
    torch.manual_seed(0)
    with torch.device("meta"):
        import torchvision

        shapes = torchvision.models.vgg16(weights=None).features.state_dict()
    state = {f"features.{k}": torch.randn(v.shape) * 0.05 for k, v in shapes.items()}
    state["classifier.0.bias"] = torch.zeros(3)  # left out, as it is of the real file
    path = tmp_path / "vgg.pth"
    torch.save(state, path)
    pin = replace(weights.VGG16, sha256=file_sha256(path))
    monkeypatch.setitem(trunks.TRUNKS, "vgg16", replace(trunks.TRUNKS["vgg16"], weight=pin))
    return path, state


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A TorchScript archive with `layers`, as Inception's has, pinned for this test."""

    class Layers(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            pooled = torch.nn.functional.adaptive_avg_pool2d(x, (27, 27))
            return pooled.flatten(1)[:, :2048, None, None]

    class Archive(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = Layers()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layers(x)

    path = tmp_path / "inception-2015-12-05.pt"
    torch.jit.script(Archive()).save(str(path))
    pin = replace(weights.INCEPTION, sha256=file_sha256(path))
    monkeypatch.setattr(weights, "INCEPTION", pin)
    return path


@pytest.fixture
def vgg16_archive(tmp_path, monkeypatch):
    """A TorchScript archive that is asked as StyleGAN2-ADA's VGG16 is, pinned for this test."""

    class Archive(nn.Module):
        def forward(self, img: torch.Tensor, return_features: bool = False) -> torch.Tensor:
            assert return_features
            small = torch.nn.functional.interpolate(img.float(), size=(64, 64))
            return small[:, 0].flatten(1)

    path = tmp_path / "vgg16.pt"
    torch.jit.script(Archive()).save(str(path))
    pin = replace(weights.VGG16_ARCHIVE, sha256=file_sha256(path))
    monkeypatch.setattr(weights, "VGG16_ARCHIVE", pin)
    return path


def test_vgg16_takes_grey_levels_as_they_are_and_resizes_on_its_own(vgg16_archive):
    images = noise()
    network = feature_network("vgg16", vgg16_archive)
    found = network.features(images)
    levels = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    expected = torch.nn.functional.interpolate(levels, size=(64, 64))[:, 0].flatten(1)
    assert torch.equal(found, expected)
    with pytest.raises(InvalidInput, match="expected uint8"):
        network.features(images.astype(np.float32))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_the_network_of_that_name(name, archive, vgg16_archive, data_weights):
    squeeze = data_weights / "squeezenet1_1_features.pth"
    given = {"fd-squeezenet": squeeze, "vgg16": vgg16_archive}.get(name, archive)
    network = feature_network(name, given)
    identity = network.identity()
    assert identity["name"] == name
    assert all(len(digest) == 64 for digest in identity["sha256"].values())
    found = network.features(noise())
    assert found.shape == (3, identity["dimensions"])
    assert found.dtype == torch.float32
    assert not found.requires_grad
    torch.testing.assert_close(network.features(noise()[1:2]), found[1:2], rtol=1e-4, atol=1e-4)


def test_the_three_ways_of_inception_resize_and_scale_as_named(archive):
    images = noise()
    read = {}
    for mode in resize.RESIZERS:
        network = Inception(mode, archive)
        levels = torch.from_numpy(resize.resizer(mode)(images, 299)).permute(0, 3, 1, 2)
        scaled = levels / 127.5 - 1 if mode == "legacy_pytorch" else (levels - 128) / 128
        read[mode] = network.features(images)
        torch.testing.assert_close(read[mode], network.layers(scaled).flatten(1))
    assert (read["clean"] - read["legacy_tensorflow"]).abs().max() > 1e-3


def test_random_convolutions_are_the_same_everywhere():
    network = RandomConvolutions()
    assert network.digest == "3d1d1c2e5e79321af4798ecc010ff2e0e88ed991f1f1807f74f4c9d859856545"
    assert RandomConvolutions(seed=1).digest != network.digest
    torch.manual_seed(1)
    first = network.features(noise())
    torch.manual_seed(2)
    torch.testing.assert_close(RandomConvolutions().features(noise()), first, rtol=0, atol=0)
    maps = torch.from_numpy(resize.clean_resize(noise(), 64)).permute(0, 3, 1, 2) / 127.5 - 1
    for filters in network.filters:
        maps = nn.functional.conv2d(maps, filters, stride=2, padding=1).clamp_min(0)
    torch.testing.assert_close(first[:, :64], maps.mean((2, 3)))
    torch.testing.assert_close(first[:, 64:128], maps.var((2, 3), correction=0).sqrt())
    torch.testing.assert_close(first[:, 128:], maps.amax((2, 3)))


def test_a_network_that_gives_another_shape_is_an_error(monkeypatch):
    monkeypatch.setattr(RandomConvolutions, "dimensions", 7)
    with pytest.raises(InvalidInput, match="expected"):
        RandomConvolutions().features(noise())


def test_squeezenet_is_torchvisions(data_weights):
    import torchvision

    path = data_weights / "squeezenet1_1_features.pth"
    reference = torchvision.models.squeezenet1_1(weights=None).eval()
    reference.load_state_dict(torch.load(path, weights_only=True), strict=False)
    levels = torch.from_numpy(resize.clean_resize(noise(), 224)).permute(0, 3, 1, 2) / 255
    mean, std = (
        torch.tensor(x)[:, None, None] for x in (trunks.IMAGENET_MEAN, trunks.IMAGENET_STD)
    )
    with torch.no_grad():
        expected = reference.features((levels - mean) / std).mean((2, 3))
    found = SqueezeNet(path).features(noise())
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [3, 16, 25, 32, 47])
def test_reading_few_images_at_a_time_moves_no_bit(data_weights, count):
    """As one batch, with every map kept, they would be the same features, but slower."""
    images = np.random.default_rng(0).integers(0, 256, (count, 24, 24, 3), np.uint8)
    network = SqueezeNet(data_weights / "squeezenet1_1_features.pth")
    found = network.features(images)
    for part in network.maps.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    levels = torch.from_numpy(network.resized(images)).permute(0, 3, 1, 2)
    with torch.no_grad():
        (maps,) = network.maps(levels / 127.5 - 1)
    assert torch.equal(found, maps.mean(dim=(2, 3)))


def test_vgg_maps_are_torchvisions_and_pass_gradients_to_images_only(tiny_vgg):
    import torchvision

    path, state = tiny_vgg
    before = torch.random.get_rng_state()
    network = trunks.trunk("vgg16", ["relu2_2", "relu1_2"], path)
    assert torch.equal(before, torch.random.get_rng_state())
    images = to_signed(torch.from_numpy(noise(2, 16, 16)).permute(0, 3, 1, 2)).requires_grad_()
    late, early = network(trunks.ImageNetScale()(images))
    assert late.shape == (2, 128, 8, 8)
    reference = torchvision.models.vgg16(weights=None).features
    reference.load_state_dict(
        {k.removeprefix("features."): v for k, v in state.items() if "f" in k[0]}
    )
    mean, std = (
        torch.tensor(x)[:, None, None] for x in (trunks.IMAGENET_MEAN, trunks.IMAGENET_STD)
    )
    scaled = ((images.detach() + 1) / 2 - mean) / std
    torch.testing.assert_close(early, reference[:4](scaled))
    torch.testing.assert_close(late, reference[:9](scaled))
    late.mean().backward()
    assert images.grad.abs().sum() > 0
    assert all(not p.requires_grad for p in network.parameters())
    with pytest.raises(UnknownName, match="relu9"):
        trunks.trunk("vgg16", ["relu9"], path)


@pytest.fixture
def squeeze(data_weights):
    return Lpips("lpips-squeeze", data_weights, data_weights)


def test_lpips_is_what_it_should_be_on_identical_and_swapped_images(squeeze):
    first, second = (to_signed(torch.from_numpy(noise(seed=s)).permute(0, 3, 1, 2)) for s in (0, 1))
    assert (squeeze(first, first) == 0).all()
    there = squeeze(first, second)
    assert (there > 0).all()
    torch.testing.assert_close(squeeze(second, first), there)
    torch.testing.assert_close(squeeze(first[:1], second[:1]), there[:1])
    torch.testing.assert_close(squeeze.by_layer(first, second).sum(1), there)
    moved = first.clone().requires_grad_()
    squeeze(moved, second).sum().backward()
    assert moved.grad.abs().sum() > 0


def test_lpips_gives_the_values_that_others_document(squeeze):
    # torchmetrics' documentation: 0.1008 for this recipe; two per-image values for the other.
    torch.manual_seed(123)
    first, second = (torch.rand(10, 3, 100, 100) * 2 - 1 for _ in range(2))
    assert squeeze(first, second).mean().item() == pytest.approx(0.1008, abs=5e-5)
    draw = torch.Generator().manual_seed(42)
    first, second = (torch.rand(2, 3, 100, 100, generator=draw) * 2 - 1 for _ in range(2))
    assert squeeze(first, second).tolist() == pytest.approx([0.1024, 0.0938], abs=5e-5)


def test_lpips_of_vgg_has_five_layers_and_the_heads_of_the_package(tiny_vgg):
    # The package's own backbone with the same weights, and its own heads and arithmetic.
    reference = pytest.importorskip("lpips").LPIPS(net="vgg", pnet_rand=True, verbose=False)
    path, state = tiny_vgg
    names = {k.split(".", 1)[1]: v for k, v in state.items() if k.startswith("features.")}
    slices = [
        (f"slice{i + 1}.", s) for i, s in enumerate([(0, 4), (4, 9), (9, 16), (16, 23), (23, 30)])
    ]
    own = {
        f"{prefix}{key}": value
        for key, value in names.items()
        for prefix, (low, high) in slices
        if low <= int(key.split(".")[0]) < high
    }
    reference.net.load_state_dict(own)
    first, second = (
        to_signed(torch.from_numpy(noise(2, 32, 32, seed=s)).permute(0, 3, 1, 2)) for s in (0, 1)
    )
    network = Lpips("lpips-vgg", path)
    with torch.no_grad():
        expected = reference(first, second).flatten()
        torch.testing.assert_close(network(first, second), expected, rtol=1e-5, atol=1e-6)
    assert network.by_layer(first, second).shape == (2, 5)
    assert set(network.identity()["sha256"]) == {"vgg16-397923af.pth", "vgg.pth"}


@pytest.mark.parametrize(
    "length, unit", [(1.0, 0.9999999999), (1e-3, 0.9999999000000100), (1e-4, 0.9999990000010001)]
)
def test_lpips_divides_by_the_length_as_its_source_does(length, unit):
    """The package lpips 0.1.4, `normalize_tensor`, in float64."""
    vector = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)[None, :, None, None]
    found = lpips._unit(vector * length)
    torch.testing.assert_close(found, vector * unit, rtol=1e-15, atol=0)


def test_lpips_has_a_gradient_where_nothing_fires():
    maps = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
    maps[:, :, 0, 0] = torch.tensor([3.0, 0.0, 4.0])
    maps.requires_grad_()
    unit = lpips._unit(maps)
    (unit * torch.tensor([1.0, 2.0, 3.0])[:, None, None]).sum().backward()
    assert torch.equal(unit[:, :, 1, 1], torch.zeros(1, 3, dtype=torch.float64))
    assert torch.isfinite(maps.grad).all()
    assert maps.grad[0, :, 0, 0].abs().sum() > 0


@pytest.mark.parametrize(
    "pair",
    [
        (torch.zeros(1, 3, 32, 32), torch.zeros(2, 3, 32, 32)),
        (torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8),) * 2,
    ],
)
def test_lpips_refuses_what_is_no_pair_of_images(squeeze, pair):
    with pytest.raises(InvalidInput):
        squeeze(*pair)


def test_names_that_nobody_knows_and_files_that_are_not_there(tmp_path):
    with pytest.raises(UnknownName, match="feature network"):
        feature_network("inception/dirty")
    with pytest.raises(UnknownName, match="LPIPS"):
        Lpips("lpips-alex")
    with pytest.raises(UnknownName, match="trunk"):
        trunks.trunk("alexnet")
    for make in (Inception, lpips.Lpips, feature_networks.SqueezeNet):
        arguments = {"trunk": tmp_path} if make is lpips.Lpips else {"given": tmp_path}
        with pytest.raises(DataMissing, match="are not in"):
            make(**arguments)


def test_resnet18_is_torchvisions_without_pooling_and_classifier(tmp_path, monkeypatch):
    import torchvision

    torch.manual_seed(0)
    whole = torchvision.models.resnet18(weights=None).eval()
    path = tmp_path / weights.RESNET18.name
    torch.save(whole.state_dict(), path)
    pin = replace(weights.RESNET18, sha256=file_sha256(path))
    monkeypatch.setitem(trunks.TRUNKS, "resnet18", replace(trunks.TRUNKS["resnet18"], weight=pin))
    found = trunks.trunk("resnet18", ["layer4"], path)
    images = torch.rand(2, 3, 64, 64)
    (maps,) = found(images)
    assert maps.shape == (2, 512, 2, 2)
    torch.testing.assert_close(whole.fc(maps.mean((2, 3))), whole(images))
    assert sum(p.numel() for p in found.parameters()) == 11_689_512 - 513_000


def test_an_untrained_resnet18_has_maps_that_vary():
    maps = trunks.untrained_trunk("resnet18", ["layer1", "layer4"], 0)(torch.rand(2, 3, 64, 64))
    assert [m.shape[1:] for m in maps] == [(64, 16, 16), (512, 2, 2)]
    assert all(m.isfinite().all() and m.std() > 0 for m in maps)
