"""Cut-outs of photographs: each filter, the frame, the split, what a detector says, and damage."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmark.cli.data import command
from benchmark.contracts.errors import DataAltered, DataMissing, InvalidInput
from benchmark.datasets.cutouts.filters import FILTERS, Filters, fault
from benchmark.datasets.cutouts.framing import (
    drawn_ratio,
    fitted_ratios,
    margin_for,
    ratio_of,
    squared,
)
from benchmark.datasets.cutouts.making import cut_out
from benchmark.datasets.cutouts.segmentations import (
    Segmentation,
    photographs_in,
    segmentations_in,
)
from benchmark.datasets.readers.cut_outs import CutOuts
from benchmark.networks import mask_rcnn

HEIGHT, WIDTH = 60, 90
WANT = Filters(side=20)


def rectangle(top: int = 10, left: int = 20, height: int = 30, width: int = 40) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def photograph(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def found(**said: object) -> Segmentation:
    return Segmentation("a_0", Path("a.jpg"), Path("a_0.png"), **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "why, said, mask, want",
    [
        ("", {}, rectangle(), WANT),
        ("", {"label": "car", "confidence": 0.7, "box": (20, 10, 60, 40)}, rectangle(), WANT),
        ("label", {"label": "bus"}, rectangle(), WANT),
        ("confidence", {"label": "car", "confidence": 0.699}, rectangle(), WANT),
        ("size", {}, rectangle(height=9, width=44), WANT),  # 396 of 400 pixels
        ("", {}, rectangle(height=10, width=40), WANT),  # 400 of 400
        ("size", {"box": (20, 10, 39, 31)}, rectangle(), WANT),  # the detector's box, 399
        ("size", {}, np.zeros((HEIGHT, WIDTH), bool), Filters(side=0)),
        ("fill", {"box": (0, 0, 60, 41)}, rectangle(), WANT),  # 1,200 of 2,460
        ("", {"box": (0, 0, 60, 40)}, rectangle(), WANT),  # 1,200 of 2,400
        ("cropping", {}, rectangle(top=0, left=20, width=31), WANT),  # 31 of 90 along the top
        ("", {}, rectangle(top=0, left=20, width=30), WANT),  # 30 of 90: a third, not more
        ("cropping", {}, rectangle(), Filters(side=20, border="cutout")),
    ],
)
def test_each_filter_takes_out_what_it_names(
    why: str, said: dict, mask: np.ndarray, want: Filters
) -> None:
    assert fault(found(**said), mask, photograph(), want) == why


def test_objects_in_pieces_are_occluded_by_the_connectivity_that_is_named() -> None:
    touching = rectangle(height=20) | rectangle(top=30, left=60, height=20, width=20)
    four, eight = (Filters(side=20, fill=0.3, connectivity=c) for c in (4, 8))
    assert fault(found(), touching, photograph(), eight) == ""
    assert fault(found(), touching, photograph(), four) == "occlusion"
    speck = rectangle()
    speck[55, 85] = True
    few = Filters(side=20, fill=0.3, specks=0.001)
    assert fault(found(), speck, photograph(), eight) == "occlusion"
    assert fault(found(), speck, photograph(), few) == ""


def test_grey_photographs_are_those_whose_channels_agree() -> None:
    grey = photograph()[..., :1].repeat(3, axis=-1)
    nearly = grey.copy()
    nearly[0, 0, 0] ^= 1
    assert fault(found(), rectangle(), grey, WANT) == "grey"
    assert fault(found(), rectangle(), nearly, WANT) == ""
    assert fault(found(), rectangle(), nearly, Filters(side=20, grey=1)) == "grey"
    assert fault(found(), rectangle(), grey, Filters(side=20, grey=None)) == ""


@pytest.mark.parametrize("wrong", [{"fill": 1.5}, {"confidence": -0.1}, {"side": -1}])
def test_filters_that_cannot_be_are_refused(wrong: dict) -> None:
    with pytest.raises(InvalidInput):
        Filters(**wrong)


@settings(deadline=None, max_examples=40)
@given(
    ratio=st.floats(0.05, 0.9),
    height=st.integers(3, 120),
    width=st.integers(3, 120),
    seed=st.integers(0, 99),
)
def test_padding_gives_the_ratio_that_was_drawn(
    ratio: float, height: int, width: int, seed: int
) -> None:
    picture = np.full((height, width, 4), 255, np.uint8)
    whole = squared(picture, np.random.default_rng(seed))
    assert whole.shape == (max(height, width),) * 2 + (4,)
    assert (whole[..., 3] > 0).sum() == height * width
    margin = margin_for(ratio, height * width, len(whole))
    if margin > 0:
        # the side is rounded to two pixels: the ratio lies between those of its neighbours
        sides = [len(whole) + 2 * (margin + more) for more in (-1, 1)]
        empty = [side**2 - height * width for side in sides]
        assert ratio * empty[0] < height * width < ratio * empty[1]


def test_the_ratio_counts_any_alpha_and_its_normal_is_that_of_the_renders(tmp_path: Path) -> None:
    alpha = np.zeros((4, 4), np.uint8)
    alpha[0] = (1, 255, 0, 0)
    assert ratio_of(alpha) == 2 / 14
    with pytest.raises(InvalidInput, match="without an empty pixel"):
        ratio_of(np.full((4, 4), 255))
    paths = []
    for count in (4, 8):
        rgba = np.zeros((4, 4, 4), np.uint8)
        rgba[..., 3].flat[:count] = 255
        paths.append(tmp_path / f"render_{count}.png")
        Image.fromarray(rgba).save(paths[-1])
    mean, spread = fitted_ratios(paths)
    assert (mean, spread) == pytest.approx(((1 / 3 + 1) / 2, (1 - 1 / 3) / 2))
    with pytest.raises(DataMissing):
        fitted_ratios([])
    drawn = [drawn_ratio(0.1, 0.2, np.random.default_rng(seed)) for seed in range(200)]
    assert min(drawn) > 0


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Ten photographs with a mask each, the first with two."""
    photographs, masks = tmp_path / "car_ims", tmp_path / "masks"
    photographs.mkdir()
    masks.mkdir()
    for i in range(10):
        Image.fromarray(photograph(i)).save(photographs / f"{i:02}.png")
    save_mask(masks / "00_0.png", rectangle(height=20))
    save_mask(masks / "00_1.png", rectangle(top=35, height=20))
    for i in range(1, 10):
        save_mask(masks / f"{i:02}.png", rectangle(left=20 + i))
    return photographs, masks


def save_mask(path: Path, mask: np.ndarray) -> None:
    Image.fromarray(np.uint8(255) * mask).save(path)


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open()))


def test_cut_outs_hold_the_object_alone_and_are_read_again(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    made = cut_out(*folders, tmp_path / "out", filters=WANT, ratio=(0.25, 0.02))
    assert sum(made.splits.values()) == 11
    assert sum(made.left_out.values()) == made.too_large == 0
    reader = CutOuts(tmp_path / "out")
    samples = [s for part in ("train", "test") for s in reader.samples(part)]
    assert len(samples) == 11
    by_photograph = {part: {s.identity for s in reader.samples(part)} for part in ("train", "test")}
    assert not by_photograph["train"] & by_photograph["test"]
    assert len(by_photograph["test"]) == 2
    assert len(reader.samples("by_cutout/test")) == 2
    (third,) = (s for s in samples if s.key == "03")
    rgba = np.asarray(Image.open(third.path))
    alpha = rgba[..., 3]
    assert rgba.shape[0] == rgba.shape[1]
    assert ratio_of(alpha) == pytest.approx(0.25, abs=0.06)
    assert (rgba[alpha == 0] == 0).all()
    inside = rgba[alpha > 0][:, :3].reshape(30, 40, 3)
    np.testing.assert_array_equal(inside, photograph(3)[10:40, 23:63])
    np.testing.assert_array_equal(reader.mask(third), np.uint8(255) * (alpha > 0))


def test_the_same_seed_makes_the_same_files_and_another_seed_another_split(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    outs = [tmp_path / name for name in ("a", "b", "c")]
    for out, seed in zip(outs, (0, 0, 1), strict=True):
        cut_out(*folders, out, filters=WANT, ratio=(0.25, 0.05), seed=seed)
    contents = [
        {p.relative_to(out): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
        for out in outs
    ]
    assert contents[0] == contents[1]
    splits = [[row["split"] for row in table(out / "items.csv")] for out in outs]
    assert splits[0] != splits[2]


def test_what_was_left_out_is_listed_with_its_filter(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    photographs, masks = folders
    save_mask(masks / "05.png", rectangle(height=3, width=3))
    (masks / "06.png").unlink()
    box, label = [26, 10, 66, 40], "car"
    said = {"mask": "07.png", "label": label, "confidence": 0.6, "box": box}
    (masks / "07.json").write_text(json.dumps({"found": [said]}))
    made = cut_out(photographs, masks, tmp_path / "out", filters=WANT)
    assert made.left_out == dict.fromkeys(FILTERS, 0) | {"size": 1, "confidence": 1}
    assert [(r["segmentation"], r["filter"]) for r in table(tmp_path / "out" / "left_out.csv")] == [
        ("05", "size"),
        ("07", "confidence"),
    ]
    assert json.loads((tmp_path / "out" / "cutouts.json").read_text())["segmentations"] == 10


def test_a_cut_out_that_is_too_large_for_its_ratio_is_counted(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    made = cut_out(*folders, tmp_path / "out", filters=WANT, ratio=(30.0, 0.0))
    assert made.too_large == 11


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("strange.png", None, "belongs to no photograph"),
        ("04.json", "{}", "does not say what was found"),
        ("04.json", '{"found": [{"mask": "04.png", "box": [1, 2, 3]}]}', "a box has 4 numbers"),
        ("04.json", "no json", "can't be read"),
        ("04.png", "no picture", "can't be decoded"),
    ],
)
def test_damaged_masks_are_named_and_nothing_is_left_half_made(
    folders: tuple[Path, Path], tmp_path: Path, name: str, content: str | None, words: str
) -> None:
    photographs, masks = folders
    if content is None:
        save_mask(masks / name, rectangle())
    else:
        (masks / name).write_text(content)
    with pytest.raises(DataAltered, match=words) as caught:
        cut_out(photographs, masks, tmp_path / "out", filters=WANT)
    assert name in caught.value.message
    assert not (tmp_path / "out").exists()


def test_folders_that_hold_nothing_of_use_are_refused(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    photographs, masks = folders
    with pytest.raises(InvalidInput, match="none of 11 segmentations passes"):
        cut_out(photographs, masks, tmp_path / "out")
    with pytest.raises(InvalidInput, match="is there already"):
        cut_out(photographs, masks, masks, filters=WANT)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataMissing, match="holds no photographs"):
        photographs_in(tmp_path / "empty")
    Image.fromarray(photograph()).save(photographs / "03.jpg")
    with pytest.raises(DataAltered, match="two photographs named 03"):
        photographs_in(photographs)
    small = rectangle()[:10]
    (photographs / "03.jpg").unlink()
    save_mask(masks / "03.png", small)
    with pytest.raises(DataAltered, match="has 90 × 10 pixels, its photograph 90 × 60"):
        cut_out(photographs, masks, tmp_path / "out", filters=WANT)


class OneCar(torch.nn.Module):
    """Stands in for a detector: a car, a person, and a truck it is hardly sure of."""

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        self.seen = images[0]
        masks = torch.from_numpy(rectangle()).float()[None, None].repeat(3, 1, 1, 1) * 0.6
        return [
            {
                "labels": torch.tensor([3, 1, 8]),
                "scores": torch.tensor([0.9, 0.9, 0.2]),
                "boxes": torch.tensor([[20.0, 10, 60, 40]]).repeat(3, 1),
                "masks": masks,
            }
        ]


def test_what_a_detector_finds_is_written_once_and_read_again(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    photographs = photographs_in(folders[0])
    out, network, cpu = tmp_path / "found", OneCar(), torch.device("cpu")
    assert mask_rcnn.segment(photographs, out, network, cpu, weights="ab") == 10
    np.testing.assert_allclose(
        network.seen.permute(1, 2, 0).numpy() * 255, photograph(9), atol=1e-4
    )
    one, *others = segmentations_in(out, photographs)
    assert len(others) == 9
    assert (one.name, one.label, one.box) == ("00_0", "car", (20, 10, 60, 40))
    assert one.confidence == pytest.approx(0.9)
    np.testing.assert_array_equal(one.mask(), rectangle())
    # a photograph that was done is not asked for again
    assert mask_rcnn.segment(photographs, out, None, cpu, weights="ab") == 10  # type: ignore[arg-type]
    for other in ({"weights": "cd"}, {"weights": "ab", "least": 0.1}):
        with pytest.raises(DataAltered, match=r"00\.json was made with weights ab and confidences"):
            mask_rcnn.segment(photographs, out, network, cpu, **other)


def test_weights_of_a_detector_are_missing_or_wrong_with_the_cure(tmp_path: Path) -> None:
    cpu = torch.device("cpu")
    with pytest.raises(DataMissing) as caught:
        mask_rcnn.load(tmp_path / mask_rcnn.FILE, cpu)
    assert "masks of your own" in caught.value.cure
    (tmp_path / mask_rcnn.FILE).write_bytes(b"no weights")
    with pytest.raises(DataAltered, match="does not begin as its name ends"):
        mask_rcnn.load(tmp_path / mask_rcnn.FILE, cpu)


@pytest.mark.long
def test_the_real_network_takes_a_file_whose_name_says_its_digest(tmp_path: Path) -> None:
    from hashlib import sha256

    from torchvision.models.detection import maskrcnn_resnet50_fpn

    network = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    torch.save(network.state_dict(), tmp_path / "made.pth")
    digest = sha256((tmp_path / "made.pth").read_bytes()).hexdigest()
    file = (tmp_path / "made.pth").rename(tmp_path / f"made-{digest[:8]}.pth")
    loaded, found_digest = mask_rcnn.load(file, torch.device("cpu"))
    assert found_digest == digest
    Image.fromarray(photograph()).save(tmp_path / "a.png")
    out = tmp_path / "found"
    mask_rcnn.segment([tmp_path / "a.png"], out, loaded, torch.device("cpu"), weights=digest)
    assert json.loads((out / "a.json").read_text())["weights"] == digest


def test_the_command_says_what_each_filter_took_out(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    photographs, masks = folders
    save_mask(masks / "05.png", rectangle(height=3, width=3))
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[:2, :, 3] = 255
    (tmp_path / "like" / "deep").mkdir(parents=True)
    Image.fromarray(rgba).save(tmp_path / "like" / "deep" / "render_0.png")
    words = ["cutouts", str(photographs), "--masks", str(masks), "--out", str(tmp_path / "out")]
    said = CliRunner().invoke(command, [*words, "--side", "20", "--like", str(tmp_path / "like")])
    assert said.exit_code == 0, said.output
    assert "left out by size                1" in said.output
    assert "ratio of object to frame 0.333 ± 0.000; 0 are larger" in said.output
    assert "10 cut-outs are in" in said.output
