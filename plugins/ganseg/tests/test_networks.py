"""The networks: their sizes, what moves with the points, what an image depends on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from bench_ganseg import PAPER, RELEASED, RELEASED_CUB, RELEASED_FLOWERS, RELEASED_TAICHI, SMALL
from bench_ganseg.discriminator import Discriminator
from bench_ganseg.generator import Codes, GanSeg
from bench_ganseg.layers import SpadeBlock
from bench_ganseg.pictures import edited, tinted
from bench_ganseg.settings import GanSegSettings, GeneratorSettings
from bench_ganseg.student import make_student
from pydantic import ValidationError
from torch import nn

TINY: dict[str, Any] = {
    "parts": 3, "embedding": 8, "noise": 8, "hidden": 8, "levels": (8, 16), "widths": (8, 8),
    "mask_width": 8, "encoding": 8, "spade": 8, "background_start": 0.0, "judge_widths": (8, 8),
}  # fmt: skip


def net(seed: int = 0, **given: Any) -> GanSeg:
    torch.manual_seed(seed)
    return GanSeg(GeneratorSettings(**_generator(TINY | given))).eval().requires_grad_(False)


def _generator(given: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in given.items() if k in GeneratorSettings.model_fields}


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    "preset, expected",
    [
        (RELEASED, 17_793_225),
        (RELEASED_CUB, 23_221_833),
        (RELEASED_FLOWERS, 23_183_369),
        (RELEASED_TAICHI, 17_809_867),
    ],
)
def test_the_released_generators_in_number_of_parameters_and_size(
    preset: dict[str, Any], expected: int
) -> None:
    settings = GanSegSettings(**preset)
    with torch.device("meta"):
        generator = GanSeg(settings)
        codes, made = generator(torch.empty(2, settings.z))
    assert count(generator) == expected
    k = settings.parts
    assert codes.points.shape == (2, k, 4, 2)
    assert codes.looks.shape == (2, k, 64)
    assert made.images.shape == (2, 3, 128, 128)
    assert made.masks.shape == (2, k + 1, 128, 128)


def test_the_released_discriminator_and_student() -> None:
    settings = GanSegSettings(**RELEASED)
    with torch.device("meta"):
        judge, student = Discriminator(settings), make_student(settings)
        assert judge(torch.empty(2, 3, 128, 128)).shape == (2,)
        assert student(torch.empty(2, 3, 128, 128)).shape == (2, 9, 128, 128)
    assert count(judge) == 23_726_721
    # torchvision's 42,004,074 for 21 classes without their second head; the last layer has 257 a class
    assert count(student) == 42_004_074 - 2_365_205 - 12 * 257


@pytest.mark.parametrize("parts, points", [(1, 4), (4, 3), (12, 6), (32, 8)])
def test_other_numbers_of_parts_and_points(parts: int, points: int) -> None:
    settings = GanSegSettings(**PAPER | {"parts": parts, "points": points})
    with torch.device("meta"):
        _, made = GanSeg(settings)(torch.empty(2, settings.z))
    assert made.masks.shape == (2, parts + 1, 128, 128)


STEP = 2 / 8
"""One pixel of the first level, two of the last."""


def translated(network: GanSeg) -> tuple[Any, Any]:
    """What is made of some codes, and of the same with all places moved down by two pixels."""
    codes = network.codes(torch.randn(2, network.settings.z))
    down = torch.tensor([STEP * 8 / network.settings.levels[0], 0.0])
    moved = replace(codes, points=codes.points + down, place=codes.place + down)
    return network.made(codes), network.made(moved)


@pytest.mark.parametrize("heat, spread", [("gaussian", "deviation"), ("cone", "absolute")])
def test_parts_move_with_their_points_up_to_the_border(heat: str, spread: str) -> None:
    before, after = translated(net(margin=10, heat=heat, spread=spread, divisor=1.0))
    torch.testing.assert_close(after.masks[:, :, 2:], before.masks[:, :, :-2], atol=1e-4, rtol=0)
    assert float((after.masks - before.masks).abs().max()) > 0.01


def test_without_margins_parts_know_where_the_border_is() -> None:
    before, after = translated(net(margin=0, divisor=1.0))
    apart = (after.masks[:, :, 2:] - before.masks[:, :, :-2]).abs().amax((0, 1, 3))
    assert float(apart[0]) > 0.01
    assert float(apart[-1]) > 0.01


def test_inside_the_whole_image_moves_along() -> None:
    shape = {"levels": (16, 32), "margin": 4, "convolutions": 1, "spade_kernel": 1}
    before, after = translated(net(**shape, divisor=1.0))
    inside = slice(11, -11)
    torch.testing.assert_close(
        after.images[:, :, 13:-9, inside], before.images[:, :, inside, inside], atol=1e-4, rtol=0
    )
    assert float((after.images - before.images)[:, :, inside, inside].abs().max()) > 0.01


def test_grids_of_the_released_code_have_another_scale_at_each_level() -> None:
    """Which is why its parts follow their points only roughly."""
    before, after = translated(net(margin=10, grid="corners", divisor=1.0))
    assert float((after.masks[:, :, 2:] - before.masks[:, :, :-2]).abs().max()) > 1e-3


def test_an_image_follows_from_its_z_alone() -> None:
    network = net()
    z = torch.randn(5, network.settings.z)
    whole, alone = network(z)[1], network(z[2:3])[1]
    # the order of sums differs; were statistics of the batch in it, hundredths would
    torch.testing.assert_close(whole.images[2:3], alone.images, atol=1e-3, rtol=0)
    torch.testing.assert_close(whole.masks[2:3], alone.masks, atol=1e-5, rtol=0)
    assert torch.equal(network(z)[1].images, whole.images)


def test_masks_sum_to_one_and_the_background_starts_as_it_is_told() -> None:
    z = torch.randn(4, 26)
    masks = net()(z)[1].masks
    torch.testing.assert_close(masks.sum(1), torch.ones(4, 16, 16))
    even = net(mask_gain=1e-6, convolutions=1, background_start=2.0)(z)[1].masks
    torch.testing.assert_close(even[:, 0], torch.full((4, 16, 16), math.exp(2) / (math.exp(2) + 3)))
    likely = net(background_start=8.0)(z)[1].masks[:, 0].mean()
    assert float(likely) > max(0.9, float(masks[:, 0].mean()))


def test_the_backgrounds_place_is_uniform_and_follows_from_z() -> None:
    network = net(noise=1)
    z = torch.randn(4000, network.settings.z)
    place = network.codes(z).place
    assert float(place.abs().max()) < 1
    torch.testing.assert_close(place.var(0), torch.full((2,), 1 / 3), atol=0.03, rtol=0)
    assert torch.equal(network.codes(z).place, place)
    sideways = net(noise=1, background_shift="columns").codes(z).place
    assert not sideways[:, 0].any()
    assert torch.equal(sideways[:, 1], place[:, 1])


def test_positions_do_not_follow_from_looks_nor_looks_from_positions() -> None:
    network = net()
    z = torch.randn(1, 26)
    other = z.clone()
    other[:, :8] += 1
    one, two = network.codes(z), network.codes(other)
    assert not torch.equal(one.points, two.points)
    assert torch.equal(one.looks, two.looks)
    assert torch.equal(one.background, two.background)


def test_looks_of_all_parts_are_one_vector_times_their_own() -> None:
    network = net()
    looks = network.codes(torch.randn(2, 26)).looks
    share = looks / network.table
    torch.testing.assert_close(share, share[:, :1].expand_as(share), rtol=1e-3, atol=1e-4)


def test_rows_hold_all_that_an_image_is_made_of() -> None:
    network = net()
    codes = network.codes(torch.randn(2, 26))
    rows = codes.packed()
    assert rows.shape == (2, 8, 8)
    back = Codes.unpacked(rows, network.settings)
    for name in ("points", "looks", "background", "place"):
        assert torch.equal(getattr(back, name), getattr(codes, name))


def test_parts_start_in_the_middle_or_on_a_lattice() -> None:
    z = torch.randn(64, 26)
    middle = net(divisor=20.0).codes(z).points.mean((0, 2))
    apart = net(divisor=20.0, start="lattice", reach=0.6).codes(z).points.mean((0, 2))
    assert float(middle.abs().max()) < 0.1
    expected = torch.tensor([[-0.6, -0.6], [-0.6, 0.6], [0.6, -0.6]])
    torch.testing.assert_close(apart, expected, atol=0.05, rtol=0)


def test_a_fixed_spread_leaves_the_points_no_say_in_it() -> None:
    """F.2: points closer together make smaller parts, unless sigma is given."""
    for sigma, differs in ((None, True), (0.085, False)):
        network = net(sigma=sigma, divisor=1.0)
        codes = network.codes(torch.randn(2, 26))
        middle = codes.points.mean(2, keepdim=True)
        near = replace(codes, points=middle + 0.1 * (codes.points - middle))
        looks = [network.masks._spread_looks(c, 8) for c in (codes, near)]
        assert (not torch.allclose(*looks, atol=1e-3)) == differs


def test_without_points_masks_do_not_follow_from_places() -> None:
    network = net(use_points=False)
    z = torch.randn(2, 26)
    other = z.clone()
    other[:, :8] += 1
    assert torch.equal(network(z)[1].images, network(other)[1].images)
    assert network.points is None
    assert isinstance(network.masks.start.values, nn.Parameter)
    assert not any(isinstance(b, SpadeBlock) for b in network.masks.blocks)


def test_without_a_background_of_its_own_it_is_one_part_more() -> None:
    network = net(separate_background=False)
    assert network.background is None
    codes = network.codes(torch.randn(2, 26))
    other = replace(codes, background=codes.background + 1)
    assert not torch.equal(network.made(codes).images, network.made(other).images)
    elsewhere = replace(codes, place=codes.place + 0.1)
    assert torch.equal(network.made(codes).images, network.made(elsewhere).images)


def test_a_moved_part_is_moved_alone() -> None:
    codes = net().codes(torch.randn(2, 26))
    moved = codes.moved(torch.tensor([1, 2]), torch.tensor([0.0, 0.3])).points - codes.points
    assert [[bool(moved[b, k].any()) for k in range(3)] for b in range(2)] == [
        [False, True, False],
        [False, False, True],
    ]
    torch.testing.assert_close(moved[0, 1], torch.tensor([0.0, 0.3]).expand(4, 2))


def test_edits_change_what_they_name() -> None:
    network = net()
    found = edited(network, torch.randn(3, 26))
    assert len(found) == 6
    assert all(x.shape == (3, 3, 16, 16) for x in found.values())
    assert all(not torch.equal(x, found["generated"]) for n, x in found.items() if n != "generated")


def test_parts_have_their_colours_and_the_background_is_dark() -> None:
    masks = torch.zeros(1, 3, 1, 2)
    masks[0, 0, 0, 0] = masks[0, 1, 0, 1] = 1
    shown = tinted(torch.ones(1, 3, 1, 2), masks)[0, :, 0]
    torch.testing.assert_close(shown[:, 0], torch.full((3,), 2 * 0.35 - 1))
    assert float(shown[0, 1]) == pytest.approx(1)  # red on white
    assert float(shown[1, 1]) < 0.5


def test_final_layers_first_weights_and_tanh() -> None:
    full, less = net(), net(final_gain=0.1)
    torch.testing.assert_close(less.final[-1].weight, 0.1 * full.final[-1].weight)
    assert float(net(final_gain=50.0)(torch.randn(2, 26))[1].images.abs().max()) <= 1
    assert float(net(final_gain=50.0, tanh=False)(torch.randn(2, 26))[1].images.abs().max()) > 1


@pytest.mark.parametrize(
    "given, words",
    [
        ({"levels": (8, 32), "widths": (8, 8)}, "as large as the one before, or twice"),
        ({"levels": (8, 16), "widths": (8,)}, "must be as many"),
        ({"judge_widths": (8,) * 6}, "to whole ones"),
        ({"batch": 10, "spread_group": 4}, "does not divide batch"),
        ({"shift": True, "crop_area": 0.9}, "take one"),
        ({"backbone_file": "r.pth"}, "given together"),
        ({"student": "small", "backbone_file": "r", "backbone_sha256": "0"}, "'deeplab' alone"),
        ({"points": 1}, "greater than or equal to 2"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        GanSegSettings(**TINY | given)


def test_small_is_small() -> None:
    settings = GanSegSettings(**SMALL)
    with torch.device("meta"):
        assert count(GanSeg(settings)) < 1_000_000
        assert count(make_student(settings)) < 500_000
