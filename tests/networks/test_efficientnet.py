"""EfficientNet-Lite0: its shapes, TensorFlow's padding, and (with the file at hand) what it sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from benchmark.contracts.errors import DataAltered, DataMissing, UnknownName
from benchmark.home import data_places
from benchmark.networks import efficientnet, trunks, weights
from benchmark.networks.same import Same

NAME = "efficientnet-lite0"
CHANNELS = {f"stage{i + 1}": c for i, c in enumerate((16, 24, 40, 80, 112, 192, 320))}
PARAMETERS = 4_652_008 - 320 * 1280 - 2 * 1280 - 1281 * 1000
"""Of the published network, without the last convolution, its batch norm and the classifier."""
SIDES = (48, 24, 12, 6, 6, 3, 3)


@pytest.fixture(scope="module")
def file() -> Path:
    """The real weights, from where bench looks for them or from a data root."""
    places = [
        place / weights.EFFICIENTNET_LITE0.name for place in data_places("efficientnet_lite0")
    ]
    found = [place for place in places if place.is_file()]
    try:
        return found[0] if found else weights.find(weights.EFFICIENTNET_LITE0)
    except DataMissing:
        pytest.skip("the weights of EfficientNet-Lite0 are not at hand")


@pytest.fixture(scope="module")
def flowers() -> tuple[torch.Tensor, np.ndarray]:
    """Photographs of two kinds of flowers, 24 of each, in [-1, 1], and which kind each is."""
    folder = next((p for p in data_places("flowers17") if p.is_dir()), None)
    if folder is None:
        pytest.skip("needs the data set flowers17 (BENCH_DATA)")
    pictures, kinds = [], []
    for kind in (1, 11):
        for number in range(1, 25):
            path = folder / "data" / "images_256" / f"image_{80 * kind + number:04}.jpg"
            pictures.append(np.asarray(Image.open(path).resize((96, 96))))
            kinds.append(kind)
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return pixels.float() / 127.5 - 1, np.array(kinds)


def drawn() -> torch.Tensor:
    return torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_same_pads_what_is_odd_at_the_end() -> None:
    made = Same(1, 1, 3, 2, bias=False)
    nn.init.ones_(made.weight)
    line = torch.arange(1.0, 7.0).expand(1, 1, 6, 6)
    assert (made(line)[0, 0, 0] / 3).tolist() == [6.0, 12.0, 11.0]  # 1+2+3, 3+4+5, 5+6+nothing


def test_same_of_each_channel_alone() -> None:
    made = Same(2, 2, 5, 2, groups=2, bias=False)
    nn.init.ones_(made.weight)
    both = torch.stack([torch.ones(9, 9), torch.zeros(9, 9)])[None]
    assert made(both).shape == (1, 2, 5, 5)
    assert float(made(both)[0, 0, 2, 2].detach()) == 25
    assert float(made(both)[0, 1].detach().abs().max()) == 0


def test_stages_have_their_strides_and_channels() -> None:
    network = trunks.untrained_trunk(NAME, [], seed=0)
    maps = network(network.scale(drawn()))
    assert [m.shape[1:] for m in maps] == [
        (c, side, side) for c, side in zip(CHANNELS.values(), SIDES, strict=True)
    ]
    assert all(m.isfinite().all() and m.std() > 0 for m in maps)
    again = trunks.untrained_trunk(NAME, ["stage3"], seed=0)(drawn())
    assert torch.equal(again[0], maps[2])
    assert sum(p.numel() for p in efficientnet.features().parameters()) == PARAMETERS


def test_unknown_stages_are_named() -> None:
    with pytest.raises(UnknownName, match="stage8"):
        trunks.trunk(NAME, ["stage8"])


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / weights.EFFICIENTNET_LITE0.name).write_bytes(b"other")
    with pytest.raises(DataAltered, match="is not the efficientnet-lite0"):
        trunks.trunk(NAME, given=tmp_path)


def test_maps_are_those_of_the_published_network(file: Path) -> None:
    """Means of absolute values in the package efficientnet_lite_pytorch 0.1.0, with these weights."""
    maps = trunks.trunk(NAME, given=file)(drawn())
    found = [float(m.double().abs().mean()) for m in maps]
    expected = [8.316988, 8.736626, 5.900089, 4.780334, 3.573125, 3.382375, 1.317482]
    assert found == pytest.approx(expected, rel=1e-4)
    assert not any(p.requires_grad for p in trunks.trunk(NAME, given=file).parameters())


def test_the_weights_know_flowers_apart_as_an_untrained_network_does_not(
    file: Path, flowers: tuple[torch.Tensor, np.ndarray]
) -> None:
    """How many photographs have one of their own kind as the most similar other one."""
    images, kinds = flowers

    def right(network: trunks.Maps) -> float:
        vectors = network(network.scale(images))[0].mean((2, 3))
        unit = nn.functional.normalize(vectors - vectors.mean(0), dim=1)
        alike = (unit @ unit.T).fill_diagonal_(-2)
        return float((kinds[alike.argmax(1).numpy()] == kinds).mean())

    assert right(trunks.trunk(NAME, ["stage7"], file)) > 0.95
    assert right(trunks.untrained_trunk(NAME, ["stage7"], seed=0)) < 0.75
