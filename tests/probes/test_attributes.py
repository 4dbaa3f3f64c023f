"""The attribute classifier: it learns, the same every time, and its file is what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.contracts.errors import DataAltered, InvalidInput
from benchmark.contracts.images import to_signed
from benchmark.files import file_sha256
from benchmark.probes.attributes import (
    AttributeNet,
    Fitting,
    fit_attributes,
    load_attributes,
    save_attributes,
)

NAMES = ("bright", "left")


def pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise that is bright or dark, with a red square on the left or the right."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, (count, 2))
    images = rng.integers(0, 60, (count, 20, 20, 3)) + 120 * truth[:, :1, None, None]
    for image, (_, left) in zip(images, truth, strict=True):
        image[6:14, 2 if left else 12 : 8 if left else 18, 0] = 255
    return images.astype(np.uint8), truth


def fitted(seed: int = 0) -> AttributeNet:
    images, truth = pictures(64, 0)
    return fit_attributes(images, truth, NAMES, size=16, seed=seed, fitting=Fitting(epochs=6))


@pytest.fixture(scope="module")
def net() -> AttributeNet:
    return fitted()


def test_it_reads_attributes_of_images_it_has_not_seen(net: AttributeNet) -> None:
    images, truth = pictures(60, 1)
    logits = net(to_signed(torch.from_numpy(images).permute(0, 3, 1, 2)))
    assert logits.shape == (60, 2)
    assert ((logits.numpy() > 0) == truth).mean(0).min() > 0.9


def test_a_logit_does_not_depend_on_the_others_of_its_batch(net: AttributeNet) -> None:
    images = torch.rand(5, 3, 20, 20) * 2 - 1
    assert torch.allclose(net(images)[2:3], net(images[2:3]), atol=1e-5)


def test_the_same_seed_gives_the_same_file_and_leaves_random_numbers_alone(
    net: AttributeNet, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    again = fitted()
    assert torch.equal(torch.random.get_rng_state(), before)
    save_attributes(net, tmp_path / "one", {"a": 1})
    save_attributes(again, tmp_path / "two", {"a": 1})
    assert file_sha256(tmp_path / "one") == file_sha256(tmp_path / "two")
    other = fitted(seed=1)
    assert not torch.equal(other.head.weight, net.head.weight)


def test_there_and_back(net: AttributeNet, tmp_path: Path) -> None:
    save_attributes(net, tmp_path / "net.safetensors", {"fitted_on": "squares"})
    back, about = load_attributes(tmp_path / "net.safetensors")
    assert about == {"fitted_on": "squares"}
    assert back.attributes == NAMES
    images = torch.rand(2, 3, 24, 24) * 2 - 1
    assert torch.equal(back(images), net(images))


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no safetensors")
    with pytest.raises(DataAltered, match="no attribute classifier"):
        load_attributes(tmp_path / "x")


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda i, t: (i.astype(np.float32), t), "uint8"),
        (lambda i, t: (i, t[:-1]), "attributes"),
        (lambda i, t: (i, t + 0.5), "0 or 1"),
        (lambda i, t: (i, t * 0), "share the attribute 'bright'"),
    ],
)
def test_bad_input_is_refused(change, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput, match=said):
        fit_attributes(*change(*pictures(8, 0)), NAMES)


def test_a_size_that_cannot_be_halved_four_times_is_refused() -> None:
    with pytest.raises(InvalidInput, match="multiple of 16"):
        AttributeNet(NAMES, 40)
