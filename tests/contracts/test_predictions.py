"""Every prediction kind: shapes checked, broken numbers refused, arrays there and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.contracts import (
    Descriptors,
    Generator,
    InvalidInput,
    Landmarks,
    Parts,
    ShapeAndPose,
    Translation,
)
from benchmark.contracts.predictions import PREDICTIONS
from benchmark.contracts.spec import KINDS
from benchmark.probes.part_centres import landmarks_of


def example(kind: str, n: int = 2):  # type: ignore[no-untyped-def]
    draw = torch.Generator().manual_seed(n)
    if kind == "landmarks":
        return Landmarks(torch.rand(n, 3, 2, generator=draw), torch.rand(n, 3, generator=draw))
    if kind == "parts":
        return Parts(torch.rand(n, 4, 6, 8, generator=draw).softmax(1))
    if kind == "descriptors":
        return Descriptors.covering(torch.rand(n, 5, 6, 6, generator=draw), 24)
    if kind == "shape_and_pose":
        q = torch.randn(n, 4, generator=draw)
        return ShapeAndPose(torch.rand(n, 7, 3, generator=draw), q / q.norm(dim=1, keepdim=True))
    return Translation(
        torch.rand(n, 3, 4, 4, generator=draw), torch.rand(n, 1, 4, 4, generator=draw)
    )


def test_every_kind_but_the_generator_has_a_class() -> None:
    assert {*PREDICTIONS, "generator"} == set(KINDS)


@pytest.mark.parametrize("kind", sorted(PREDICTIONS))
def test_arrays_and_back(kind: str) -> None:
    prediction = example(kind)
    again = type(prediction).from_arrays(prediction.arrays(), **prediction.numbers())
    assert again.numbers() == prediction.numbers()
    for name, tensor in prediction.tensors().items():
        assert torch.equal(tensor, again.tensors()[name])


@pytest.mark.parametrize("kind", sorted(PREDICTIONS))
def test_concatenation_keeps_order_and_numbers(kind: str) -> None:
    first, second = example(kind, 2), example(kind, 3)
    joined = type(first).concatenate([first, second])
    assert len(joined) == 5
    assert joined.numbers() == first.numbers()
    for name, tensor in joined.tensors().items():
        assert torch.equal(tensor[:2], first.tensors()[name])
        assert torch.equal(tensor[2:], second.tensors()[name])


@pytest.mark.parametrize("kind", sorted(PREDICTIONS))
def test_nan_is_refused_and_the_item_named(kind: str) -> None:
    prediction = example(kind, 3)
    for name in prediction.tensors():
        broken = dict(prediction.tensors())
        broken[name] = broken[name].clone()
        broken[name][1].view(-1)[0] = float("nan")
        with pytest.raises(InvalidInput, match="item 1"):
            type(prediction)(**broken, **prediction.numbers())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Landmarks(torch.zeros(2, 3)), r"shape \(N, K, 2\), got \(2, 3\)"),
        (lambda: Landmarks(torch.zeros(2, 3, 3)), r"\(N, K, 2\)"),
        (lambda: Landmarks(np.zeros((1, 1, 2))), "must be a tensor"),
        (lambda: Parts(torch.zeros(1, 1, 4, 4)), "background and at least one part"),
        (lambda: Parts(torch.full((1, 2, 4, 4), 1.5)), r"lie in \[0, 1\]"),
        (lambda: Descriptors(torch.zeros(1, 1, 2, 2), 0.0, 0.0), "stride must be positive"),
        (lambda: ShapeAndPose(torch.zeros(1, 2, 3), torch.ones(1, 4)), "unit quaternions"),
        (lambda: Translation(torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 5, 4)), "differ in size"),
        (lambda: Landmarks.concatenate([]), "no predictions"),
    ],
)
def test_bad_predictions_are_refused_in_words(make, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput, match=said):
        make()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 7), st.integers(0, 9))
def test_the_centre_of_a_one_pixel_part_is_that_pixel(x: int, y: int) -> None:
    maps = torch.zeros(1, 2, 10, 8)
    maps[0, 1, y, x] = 1
    found = landmarks_of(Parts(maps))
    assert found.points[0, 0].tolist() == [x, y]
    assert found.confidence is not None
    assert float(found.confidence[0, 0]) == 1


def test_a_part_that_is_nowhere_sits_in_the_middle_without_confidence() -> None:
    found = landmarks_of(Parts(torch.zeros(1, 2, 5, 9)))
    assert found.points[0, 0].tolist() == [4.0, 2.0]
    assert found.confidence is not None
    assert float(found.confidence[0, 0]) == 0


def test_descriptor_cells_tile_the_image() -> None:
    grid = Descriptors.covering(torch.zeros(1, 1, 24, 24), 96)
    assert (grid.stride, grid.offset) == (4.0, 1.5)
    last = grid.offset + 23 * grid.stride
    assert last == 95 - 1.5


def test_samples_depend_on_seed_and_number_but_not_on_the_batch() -> None:
    device = Generator(
        48, 1, 4, lambda z: z[:, None], lambda w, noise: w[:, 0].reshape(-1, 3, 4, 4).tanh()
    )
    one, other = device.sample(7, seed=3, batch=2), device.sample(7, seed=3, batch=64)
    assert torch.equal(one, other)
    assert torch.equal(device.sample(3, seed=3), one[:3])
    assert not torch.equal(device.sample(7, seed=4), one)
    with pytest.raises(InvalidInput):
        device.sample(0, seed=0)


def test_images_in_a_row_share_their_noise_whatever_the_batch() -> None:
    seen: list[tuple[int, int]] = []

    def synthesis(w: torch.Tensor, noise: int) -> torch.Tensor:
        seen.append((len(w), noise))
        return torch.full((len(w), 3, 2, 2), noise / 100)

    device = Generator(1, 1, 2, lambda z: z[:, None], synthesis)
    images = {b: torch.cat(list(device.stream(150, 5, batch=b))) for b in (1, 50, 64, 1000)}
    assert all(torch.equal(other, images[1]) for other in images.values())
    assert [n for n, noise in seen[150:] if noise == 5][:2] == [50, 14]
    assert images[1][:64].unique().numel() == 1
    assert images[1].unique().numel() == 3


def test_a_generator_may_bring_its_own_latents() -> None:
    def latents(seed: int, images: range) -> torch.Tensor:
        return torch.tensor([[i / 10 - seed] for i in images])

    def synthesis(w: torch.Tensor, noise: int) -> torch.Tensor:
        return w[:, :, :, None].expand(-1, 3, 2, 2)

    device = Generator(1, 1, 2, lambda z: z[:, None], synthesis, latents)
    shown = device.sample(10, seed=0, batch=3)[:, 0, 0, 0].float() / 127.5 - 1
    assert torch.allclose(shown, torch.arange(10) / 10, atol=5e-3)
    wrong = Generator(2, 1, 2, lambda z: z, synthesis, latents)
    with pytest.raises(InvalidInput, match="latents"):
        wrong.sample(4, seed=0)
