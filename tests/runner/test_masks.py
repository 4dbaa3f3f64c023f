"""Foreground and outlines from end to end: each protocol on a tiny twin, floors, ceiling, pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.contracts import Parts, Translation
from benchmark.contracts.errors import DataAltered, Incompatible, PluginBroken
from benchmark.files import file_sha256
from benchmark.home import builtin_folder
from benchmark.interface.progress import Silent
from benchmark.metrics.clustering import adjusted_rand_index, normalised_mutual_information
from benchmark.metrics.cumulative import smoothed_area_below
from benchmark.metrics.segmentation import foreground_iou, mask_disagreement
from benchmark.pictures.drawing import draw_pictures
from benchmark.pictures.sheet import GUESS, TRUTH
from benchmark.pictures.shown import ItemScores, from_best_to_worst
from benchmark.protocols import Foreground, ProtocolInvalid
from benchmark.runner.outcome import Outcome
from benchmark.runner.plan import Plan, make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run
from benchmark.tasks.collect import collect
from benchmark.tasks.foreground import foreground_of, packed, true_masks, unpacked
from benchmark.tasks.mask_disagreement import METRICS
from benchmark.verification.verify import verify_record

QUIET = Silent()
SEGMENTATION = ("cub", "flowers", "flowers17", "taichi_masks")
ALL = (*SEGMENTATION, "stanford_cars_masks")


@pytest.fixture
def tiny(floors: Path, tmp_path: Path):
    """A protocol of bench with a twin of 8 test pictures, under another name."""

    def write(protocol: str, *changes: tuple[str, str]) -> str:
        text = (builtin_folder() / protocol / "1.toml").read_text("utf-8")
        name = f"tiny_{protocol}"
        text = text.replace(f'id = "{protocol}"\nversion', f'id = "{name}"\nversion')
        for key, count in (("fit", 8), ("train", 10), ("test", 8), ("people", 10), ("resize", 64)):
            text, times = re.subn(rf"^{key} = \d+$", f"{key} = {count}", text, flags=re.M)
            assert times == 1
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "protocols" / name / "1.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return name

    return write


def done(method: str, protocol: str, **given) -> tuple[Plan, Outcome]:
    plan = make_plan(Request(method, protocol, twin=True, device="cpu", given=given), QUIET)
    return plan, run(plan, QUIET)


def values(outcome: Outcome) -> dict[str, float]:
    return {v.metric: v.value for v in outcome.record.metrics}


def rescored(path: Path) -> dict[str, str]:
    """What scoring the kept masks again says of each metric."""
    checks = {c.name: c.state for c in verify_record(path, data=True)}
    return {name.split()[1]: state for name, state in checks.items() if name.startswith("score ")}


@pytest.mark.parametrize(
    "protocol, metrics",
    [
        ("cub", {"foreground_iou", "iou_best_of_two", "iou_pooled", "pixel_accuracy"}),
        ("stanford_cars_masks", set(METRICS)),
    ],
)
def test_kept_masks_give_the_errors_of_the_record(tiny, protocol: str, metrics: set[str]) -> None:
    name = tiny(protocol)
    (_, disc), (_, other) = done("centre-disc", name), done("full-frame", name)
    assert rescored(disc.path) == dict.fromkeys(metrics, "ok")
    kept, foreign = (o.path.with_name(f"{o.path.stem}.predictions.npz") for o in (disc, other))
    kept.write_bytes(foreign.read_bytes())
    content = json.loads(disc.path.read_text())
    artefact = next(a for a in content["artefacts"] if a["path"] == kept.name)
    artefact.update(sha256=file_sha256(kept), bytes=kept.stat().st_size)
    disc.path.write_text(json.dumps(content))
    assert "wrong" in rescored(disc.path).values()


@pytest.mark.parametrize("protocol", SEGMENTATION)
def test_oracle_and_floors_on_each_segmentation_twin(tiny, protocol: str) -> None:
    name = tiny(protocol)
    plan, best = done("oracle", name)
    truth, scored = true_masks(plan.splits["test"], plan.protocol)
    assert scored.all()
    assert 0.02 < truth.mean() < 0.7
    for metric in ("foreground_iou", "iou_best_of_two", "iou_background_80"):
        assert values(best)[metric] == pytest.approx(100, abs=1e-5)
    assert values(best)["iou_pooled"] == values(best)["pixel_accuracy"] == 100
    assert best.record.method.supervision == "labels"
    _, full = done("full-frame", name)
    assert values(full)["foreground_iou"] == pytest.approx(100 * truth.mean(), rel=1e-6)
    assert values(full)["pixel_accuracy"] == pytest.approx(100 * truth.mean())
    _, disc = done("centre-disc", name)
    assert values(full)["foreground_iou"] < values(disc)["foreground_iou"] < 95
    kept = np.load(plan.folder / f"{plan.run_id}.predictions.npz")
    np.testing.assert_array_equal(unpacked(kept), truth)
    assert best.record.probe["foreground_share"] == pytest.approx(truth.mean(), abs=1e-6)


def test_parts_at_landmarks_of_one_part_tell_nothing_and_of_many_something(tiny) -> None:
    name = tiny("cub")
    _, full = done("full-frame", name)
    found = {n: v for n, v in values(full).items() if n.startswith("part_")}
    assert found == dict.fromkeys(
        ("part_nmi", "part_ari", "part_nmi_foreground", "part_ari_foreground"), 0
    )
    plan, halves = done("halves", name)  # left and right half, weighted by brightness
    split = plan.splits["test"]
    seen = np.asarray(split.labels["visible"], bool)
    value = next(v for v in halves.record.metrics if v.metric == "part_nmi_foreground")
    assert value.n == seen.sum()
    assert value.ci95 is None
    assert split.points is not None
    at = np.floor(split.points + 0.5).astype(int)[seen].clip(0, 63)
    image = np.nonzero(seen)[0]
    light = split.images().tensor().float().mean(1).numpy()[image, at[:, 1], at[:, 0]]
    right = (at[:, 0] >= 32) & (light > 0)
    which = np.nonzero(seen)[1]
    assert value.value == pytest.approx(100 * normalised_mutual_information(right, which))
    assert value.value > 0.5
    ari = values(halves)["part_ari_foreground"]
    assert ari == pytest.approx(100 * adjusted_rand_index(right, which))


def test_parts_at_landmarks_as_unsup_parts_reads_them(tiny) -> None:
    other = "part_nmi_foreground/unsup_parts"
    name = tiny("cub", ('"part_ari_foreground"', f'"{other}"'))
    plan, halves = done("halves", name)
    split = plan.splits["test"]
    seen = np.asarray(split.labels["visible"], bool)
    assert split.points is not None
    at = np.round(split.points - 0.5).astype(int)[seen].clip(0, 63)
    image, which = np.nonzero(seen)
    light = split.images().tensor().float().mean(1).numpy()[image, at[:, 1], at[:, 0]]
    agreement = normalised_mutual_information((at[:, 0] >= 32) & (light > 0), which)
    assert values(halves)[other] == pytest.approx(100 * agreement)


def test_disagreement_of_oracle_and_floors_on_the_twin_of_cars(tiny) -> None:
    name = tiny("stanford_cars_masks")
    plan, best = done("oracle", name)
    assert values(best) == {
        "mask_disagreement": 0,
        "disagreement_area": 100,
        "disagreement_area_smoothed": 100,
    }
    _, disc = done("centre-disc", name, radius=0.3)
    truth, _ = true_masks(plan.splits["test"], plan.protocol)
    at = np.arange(64) - 31.5
    inside = np.broadcast_to(at[:, None] ** 2 + at**2 < (0.3 * 64) ** 2, truth.shape)
    share = mask_disagreement(inside, truth)
    found = values(disc)
    assert found["mask_disagreement"] == pytest.approx(100 * np.median(share))
    assert found["disagreement_area"] == pytest.approx(100 * np.clip(1 - share, 0, 1).mean())
    assert found["disagreement_area_smoothed"] == pytest.approx(100 * smoothed_area_below(share))
    curve = disc.record.probe["curve"]
    assert curve["at"][0] == 0
    assert curve["at"][-1] == 1
    assert curve["share"][-1] == pytest.approx((share <= 1).mean(), abs=1e-5)
    assert len(curve["smoothed"]) == len(curve["at"])
    assert json.loads(disc.path.read_text())["probe"]["curve"] == curve


def test_translated_images_are_scored_by_their_alpha(tiny) -> None:
    name = tiny("stanford_cars_masks")
    _, negative = done("negative", name)  # repaints everything
    _, full = done("full-frame", name)
    assert negative.record.method.used == "translation"
    assert negative.record.probe["name"] == "foreground/above_half"
    assert full.record.probe["name"] == "foreground/argmax"
    assert values(negative) == values(full)


def test_a_method_that_gives_no_masks_is_refused(tiny) -> None:
    with pytest.raises(Incompatible, match="scores parts, but method 'pixels'"):
        done("pixels", tiny("flowers"))
    with pytest.raises(Incompatible, match="scores translation or parts"):
        done("grid", tiny("stanford_cars_masks"))


def test_an_unknown_metric_is_refused_before_anything_is_fitted(tiny) -> None:
    name = tiny("flowers", ('id = "iou_pooled"', 'id = "iou_pooled_twice"'))
    with pytest.raises(ProtocolInvalid, match="did you mean 'iou_pooled'"):
        done("full-frame", name)
    name = tiny("stanford_cars_masks", ('"disagreement_area"', '"disagreement_volume"'))
    with pytest.raises(ProtocolInvalid, match="did you mean 'disagreement_area'"):
        done("full-frame", name)


def test_a_protocol_must_say_how_predictions_become_masks(tiny) -> None:
    name = tiny("stanford_cars_masks", ('alpha = "above_half"\n', ""))
    with pytest.raises(ProtocolInvalid, match=r"foreground\.alpha"):
        done("negative", name)
    name = tiny("flowers", ('[foreground]\nparts = "argmax"\n', ""))
    with pytest.raises(ProtocolInvalid, match=r"needs a section \[foreground\]"):
        done("full-frame", name)


def test_the_part_rules_are_those_of_the_references() -> None:
    background = torch.tensor([0.4, 0.7, 0.8, 0.9, 0.0])
    others = torch.tensor([[0.3, 0.3], [0.2, 0.1], [0.1, 0.1], [0.1, 0.0], [0.5, 0.5]])
    parts = Parts(torch.cat([background[:, None], others], 1)[:, :, None, None])
    by = {
        rule: foreground_of(parts, Foreground(parts=rule)) for rule in ("argmax", "background_80")
    }
    assert by["argmax"].flatten().tolist() == [False, False, False, False, True]
    assert by["background_80"].flatten().tolist() == [True, True, True, False, True]
    alpha = torch.tensor([0.0, 0.3, 0.5, 0.51])[:, None, None, None]
    translation = Translation(torch.zeros(4, 3, 1, 1), alpha)
    half, zero = (
        foreground_of(translation, Foreground(parts="argmax", alpha=rule)).flatten().tolist()
        for rule in ("above_half", "above_zero")
    )
    assert half == [False, False, False, True]
    assert zero == [False, True, True, True]


@pytest.mark.parametrize("side", [1, 3, 8, 13])
def test_masks_are_kept_at_a_bit_per_pixel(side: int) -> None:
    masks = np.random.default_rng(side).random((5, side, side)) < 0.5
    kept = packed(masks)
    assert kept["foreground"].nbytes == 5 * -(-side * side // 8)
    np.testing.assert_array_equal(unpacked(kept), masks)


def test_unscored_pixels_count_nowhere_and_an_image_without_any_is_refused(tiny) -> None:
    name = tiny("flowers17")
    plan = make_plan(Request("centre-disc", name, twin=True, device="cpu"), QUIET)
    split = plan.splits["test"]
    truth, _ = true_masks(split, plan.protocol)
    masks = np.array(split.labels["masks"])
    masks[:, :, :20] = 255
    object.__setattr__(split, "labels", {"masks": masks})
    object.__setattr__(split, "verify", lambda: None)
    outcome = run(plan, QUIET)
    at = np.arange(64) - 31.5
    inside = np.broadcast_to(at[:, None] ** 2 + at**2 < (0.4 * 64) ** 2, truth.shape)
    wanted = foreground_iou(inside[:, :, 20:], truth[:, :, 20:])
    assert values(outcome)["foreground_iou"] == pytest.approx(100 * wanted.mean())
    right = (inside == truth)[:, :, 20:].mean()
    assert values(outcome)["pixel_accuracy"] == pytest.approx(100 * right)
    assert outcome.record.probe["not_scored_share"] == pytest.approx(20 / 64, abs=1e-6)
    masks[3] = 255
    with pytest.raises(DataAltered, match=r"test/000003 has no pixel that is scored"):
        true_masks(split, plan.protocol)


def test_the_page_shows_tinted_masks_from_best_to_worst(tiny) -> None:
    plan, outcome = done("full-frame", tiny("flowers"))
    folder = draw_pictures(plan, outcome)
    assert folder is not None
    with Image.open(folder / "predictions.png") as picture:
        pixels = np.asarray(picture).astype(int)
    first = pixels[14 : 14 + 128, 2 : 2 + 128]
    errors = np.load(plan.folder / outcome.record.headline.per_item)["foreground_iou"]
    order = from_best_to_worst(ItemScores(errors, "higher"))
    assert order[0] == errors.argmax()
    assert order[-1] == errors.argmin()
    assert from_best_to_worst(ItemScores(errors, "lower"))[0] == errors.argmin()
    truth, _ = true_masks(plan.splits["test"], plan.protocol)
    outline = (first == TRUTH).all(-1)
    assert 50 < outline.sum() < 2000
    assert np.repeat(np.repeat(truth[order[0]], 2, 0), 2, 1)[outline].all()
    image = plan.splits["test"].pixels[order[0]]
    red = first[~outline][:, 0].mean() - image[..., 0].mean()
    assert red == pytest.approx(0.4 * (GUESS[0] - image[..., 0].mean()), abs=8)


def test_maps_of_another_size_are_refused(tmp_path: Path) -> None:
    from benchmark.contracts import Images, Method

    class Small(Method):
        def fit(self, images, context):  # type: ignore[no-untyped-def]
            pass

        def predict(self, images: torch.Tensor) -> Translation:
            half = images[..., ::2, ::2]
            return Translation(half, torch.ones_like(half[:, :1]))

    images = Images(np.zeros((2, 8, 8, 3), np.uint8), 8, "x")
    with pytest.raises(PluginBroken, match=r"gave translation of \(4, 4\) pixels for images of 8"):
        collect(Small(None), "translation", images, None, tmp_path, QUIET, "test")  # type: ignore[arg-type]
