"""Pictures of generators whose answer is known: images that move with w, one axis an attribute."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.contracts import Generator
from benchmark.contracts.errors import InvalidInput
from benchmark.metrics.path_length import perceptual_path_distances
from benchmark.pictures import far, paths
from benchmark.pictures.edits import edited_rows, labelled
from benchmark.pictures.far import said
from benchmark.pictures.generated import made_again, mean_code
from benchmark.pictures.paths import of_a_tenth, path_images
from benchmark.pictures.sheet import GAP, HEAD, contact_sheet, titled
from benchmark.protocols.generation import Linearity, PathLength

SIZE, AXES, ATTRIBUTE = 4, 6, 2


def linear(z_to_w: Any = None) -> Generator:
    """Each channel is a tenth of a number of w: red of `ATTRIBUTE`, green and blue of others."""

    def synthesis(w: torch.Tensor, noise: int) -> torch.Tensor:
        shown = w.mean(dim=1)[:, [ATTRIBUTE, 0, 1]] / 10
        return shown[:, :, None, None].expand(-1, 3, SIZE, SIZE)

    return Generator(AXES, 2, SIZE, z_to_w or (lambda z: z[:, None].repeat(1, 2, 1)), synthesis)


class Redness(torch.nn.Module):
    """A classifier of one attribute."""

    attributes = ("redness",)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images[:, :1].mean(dim=(2, 3))


def squared(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).square().mean(dim=(1, 2, 3))


@pytest.mark.parametrize("module", [far, paths])
def test_examples_in_docstrings(module) -> None:  # type: ignore[no-untyped-def]
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0


def test_chosen_images_are_those_of_the_stream() -> None:
    device = linear()
    found = made_again(device, [130, 0, 65], 7, "cpu")
    assert torch.equal(found, device.sample(131, 7)[[130, 0, 65]])


def test_the_mean_of_w_is_that_of_its_first_z() -> None:
    shifted = linear(lambda z: (2 * z + 3)[:, None].repeat(1, 2, 1))
    mean, count = mean_code(shifted, "cpu", 10_000, 20_000)
    assert (mean.shape, count) == ((2, AXES), 10_000)
    assert torch.allclose(mean, torch.tensor(3.0), atol=0.08)
    z = torch.from_numpy(np.random.Generator(np.random.PCG64(0)).standard_normal((50, AXES)))
    few, count = mean_code(shifted, "cpu", 10_000, 50)
    assert count == 50
    assert torch.allclose(few[0].double(), 2 * z.mean(dim=0) + 3, atol=1e-5)


def test_a_tenth_is_shown_from_its_outermost_on() -> None:
    lengths = np.random.default_rng(0).permutation(200).astype(float)
    assert lengths[of_a_tenth(lengths, 4, largest=True)].tolist() == [199, 193, 186, 180]
    assert lengths[of_a_tenth(lengths, 4, largest=False)].tolist() == [0, 6, 13, 19]
    assert len(of_a_tenth(lengths, largest=True)) == 8
    assert of_a_tenth(np.array([5.0, 4.0]), largest=True) == [0]


@pytest.mark.parametrize("variant", ["ppl2_wend", "ppl_zfull"])
def test_paths_lead_from_end_to_end_and_are_those_that_were_measured(variant: str) -> None:
    how = PathLength(pairs=20, distance="random-conv", batch=8, seed=3)
    device = linear()
    shown = path_images(device, [17, 2], how, variant, "cpu")
    for (images, at), row in zip(shown, (17, 2), strict=True):
        assert images.shape == (8, 3, SIZE, SIZE)
        steps = images[1:, :, 0, 0] - images[:-1, :, 0, 0]
        if variant == "ppl2_wend":
            assert at == 0
            assert torch.allclose(steps, steps[:1].expand_as(steps), atol=1e-6)
            # a straight walk of length 1 in t: its whole squared step is the measured one
            measured = perceptual_path_distances(device, squared, pairs=20, seed=3, epsilon=0.5)
            whole = squared(images[:1], images[-1:]).item()
            assert measured[row] == pytest.approx(whole, rel=1e-4)
        else:
            assert 0 < at < 1
            assert not torch.allclose(steps, steps[:1].expand_as(steps), atol=1e-6)


def test_an_attribute_is_changed_along_its_axis_and_nothing_else_is() -> None:
    device, how = linear(), Linearity(walks=1, classifier="redness")
    codes, logits = labelled(device, Redness(), how, "cpu")  # type: ignore[arg-type]
    assert codes.shape == (4000, 2, AXES)
    assert logits.shape == (4000, 1)
    ((words, pictures),) = edited_rows(device, codes, logits, Redness.attributes)
    assert words == "redness, -3 to 3: 100 % of 240 held-out w"
    colours = np.stack([np.asarray(p)[0, 0] for p in pictures]).astype(float)
    assert colours.shape == (7, 3)
    # a step of 1 along the axis is a tenth of the range from -1 to 1
    np.testing.assert_allclose(np.diff(colours[:, 0]), 12.75, atol=1.2)
    assert np.ptp(colours[:, 1:], axis=0).max() < 12
    middle = device.synthesis(codes[:1], 0)[0, :, 0, 0].numpy()
    np.testing.assert_allclose(colours[3], (middle + 1) * 127.5, atol=0.6)


def test_layers_that_differ_have_a_direction_each() -> None:
    def mapping(z: torch.Tensor) -> torch.Tensor:
        return torch.stack([z, z.flip(1)], dim=1)

    device, how = linear(mapping), Linearity(walks=1, classifier="redness", frames="float")
    codes, logits = labelled(device, Redness(), how, "cpu")  # type: ignore[arg-type]
    ((_, pictures),) = edited_rows(device, codes, logits, Redness.attributes)
    reds = [int(np.asarray(picture)[0, 0, 0]) for picture in pictures]
    assert reds == sorted(reds)
    assert reds[-1] - reds[0] > 30


def test_w_that_do_not_differ_have_no_direction() -> None:
    device = linear(lambda z: torch.zeros(len(z), 2, AXES))
    with pytest.raises(InvalidInput, match="alike"):
        edited_rows(device, torch.zeros(40, 2, AXES), np.arange(40.0)[:, None], ("redness",))
    assert device.size == SIZE


def test_wide_w_are_looked_at_in_fewer_images(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.pictures import edits

    monkeypatch.setattr(edits, "NUMBERS", 300 * 2 * AXES)
    how = Linearity(walks=1, classifier="redness")
    codes, _ = labelled(linear(), Redness(), how, "cpu")  # type: ignore[arg-type]
    assert len(codes) == 288  # whole batches of 32
    monkeypatch.setattr(edits, "SECONDS", 0.0)
    monkeypatch.setattr(edits, "NUMBERS", 2**25)
    codes, _ = labelled(linear(), Redness(), how, "cpu")  # type: ignore[arg-type]
    assert len(codes) == 224


def test_a_sheet_of_far_images_says_which_covariance_it_was() -> None:
    assert "as it is" in said(857, 512, 0.0)
    words = said(40, 192, 0.25)
    assert "40 real images in 192 dimensions" in words
    assert "shrunk by 0.25" in words


def test_captions_may_stand_under_their_pictures_and_a_line_above_all() -> None:
    cells = [Image.new("RGB", (60, 10), (200, 0, 0))] * 2
    sheet = np.asarray(contact_sheet(cells, ["1.5"], columns=1, under=True))
    assert sheet.shape == (2 * (10 + GAP + HEAD), 60 + GAP, 3)
    assert (sheet[GAP // 2 : GAP // 2 + 10, GAP // 2 : GAP // 2 + 60] == (200, 0, 0)).all()
    written = sheet[GAP // 2 + 10 : 10 + GAP + HEAD]
    assert written.min(axis=2).max() > 150  # the number's ink
    above = titled(Image.fromarray(sheet), "what all of this is, in more words than it is wide")
    assert above.width > sheet.shape[1]
    np.testing.assert_array_equal(np.asarray(above)[HEAD + GAP :, : sheet.shape[1]], sheet)
