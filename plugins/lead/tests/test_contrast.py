"""The two ways of stage 1 and of stage 2 in one code, and what earlier fits keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_lead
import pytest
import torch
from bench_lead.method import ContrastLandmarks, Lead
from bench_lead.settings import ContrastSettings, LeadSettings
from bench_lead.stage1 import crops
from pydantic import ValidationError

from benchmark.contracts import MethodSpec
from benchmark.contracts.images import Images

Make = Callable[..., Any]
BOARDS = Path(__file__).parents[3] / "leaderboards"
TINY: dict[str, Any] = {
    "epochs": 2.0,
    "batch": 8,
    "learning_rate": 0.01,
    "projection": 8,
    "hidden": 8,
    "crop_size": 24,
    "hypercolumn_size": 8,
    "distil_epochs": 1.0,
    "distil_batch": 4,
    "distil_optimiser": "adam",
    "distil_learning_rate": 0.01,
    "pyramid_width": 8,
    "head_width": 8,
    "precision": "float32",
    "queue": 16,
}


def spec() -> MethodSpec:
    found: list[MethodSpec] = []
    bench_lead.bench_methods(found.append)
    return next(one for one in found if one.id == "contrast-landmarks")


def some(images: Images) -> torch.Tensor:
    return images.batch(slice(0, 3)).float().div(127.5).sub(1)


def contrast(**more: Any) -> ContrastLandmarks:
    return ContrastLandmarks(ContrastSettings(**TINY | more))


def test_presets_are_settings() -> None:
    assert spec().problems() == []
    for preset in spec().presets.values():
        made = ContrastSettings(**preset)
        assert (made.stage1, made.views, made.reduction, made.dimension) == (
            "moco",
            "contrast",
            "projector",
            64,
        )
    assert ContrastSettings(reduction="none").dimension is None


def test_committed_fits_of_lead_have_the_settings_they_had() -> None:
    """Settings are part of a fit's identity: those that came later must not show in these."""
    paths = sorted((BOARDS / "ytf5" / "1" / "lead").glob("*.json"))
    assert paths
    for path in paths:
        settings = json.loads(path.read_text())["method"]["settings"]
        assert LeadSettings(**settings).model_dump(mode="json") == settings


def test_later_settings_are_said_where_they_count() -> None:
    plain, moco = LeadSettings(), LeadSettings(stage1="moco", reduction="projector")
    more = {"stage1", "queue", "contrast_temperature", "projector_scale", "spatial_softmax"}
    assert set(moco.model_dump()) - set(plain.model_dump()) == more
    assert LeadSettings(queue=9).model_dump() == plain.model_dump()
    assert "views" in LeadSettings(views="contrast").of_stage1()
    assert LeadSettings(**moco.model_dump()) == moco


def test_the_queue_of_a_preset_is_no_part_of_byol() -> None:
    with_queue = LeadSettings(**bench_lead.SMALL)
    without = LeadSettings(**{k: v for k, v in bench_lead.SMALL.items() if k != "queue"})
    assert with_queue.model_dump() == without.model_dump()
    assert LeadSettings(**bench_lead.SMALL, stage1="moco").model_dump()["queue"] == 1024


def test_a_queue_smaller_than_a_batch_is_refused() -> None:
    with pytest.raises(ValidationError, match="can't take the keys of a batch of 256"):
        LeadSettings(stage1="moco", queue=255)


def test_views_of_contrast_landmark_change_colours_alone() -> None:
    one, other = crops(ContrastSettings(flip=0.0))
    assert one == other
    assert (one.flip, one.blur, one.grayscale, one.hue, one.solarise) == (0, 0, 0, 0, 0)
    assert (one.colour, one.brightness, one.contrast, one.saturation) == (1.0, 0.4, 0.4, 0.4)


@pytest.mark.parametrize("stage1", ["byol", "moco"])
def test_both_methods_and_both_second_stages_share_one_stage_1(
    stage1: str, images: Images, tmp_path: Path, make_context: Make
) -> None:
    first = TINY | {"stage1": stage1, "views": "contrast"}
    methods = (
        contrast(**first, reduction="none"),
        contrast(**first, dimension=6),
        Lead(LeadSettings(**first, dimension=6)),
        Lead(LeadSettings(**first, reduction="projector", dimension=6)),
    )
    assert all(m.settings.of_stage1() == methods[0].settings.of_stage1() for m in methods)
    assert ContrastLandmarks.info(methods[0].settings).runs == "lead"
    trained = []
    for i, method in enumerate(methods):
        context = make_context(tmp_path / str(i))
        method.fit(images, context)
        trained.append({row["stage"] for row in context.seen.log})
    assert trained == [{"stage1"}, {"stage2"}, {"stage2"}, {"stage2"}]
    maps = [method.predict(some(images)).maps for method in methods]
    assert [m.shape[1] for m in maps] == [360, 6, 6, 6]
    assert torch.equal(maps[1], maps[3])  # one cell of the table under two names


def test_what_is_fitted_is_what_is_loaded(
    images: Images, tmp_path: Path, make_context: Make
) -> None:
    method = contrast(dimension=6)
    method.fit(images, make_context(tmp_path / "run"))
    folder = tmp_path / "weights"
    folder.mkdir()
    method.save(folder)
    loaded = contrast(dimension=6)
    loaded.load(folder, "cpu")
    found = loaded.predict(some(images)).maps
    assert torch.equal(found, method.predict(some(images)).maps)
    torch.testing.assert_close(found.sum((2, 3)), torch.ones(3, 6))


@pytest.mark.parametrize("reduction", ["none", "projector"])
@pytest.mark.long
def test_killed_and_resumed_is_bit_identical(
    reduction: str, images: Images, tmp_path: Path, make_context: Make
) -> None:
    straight, resumed = contrast(reduction=reduction), contrast(reduction=reduction)
    straight.fit(images, make_context(tmp_path / "straight" / "run"))
    for kill in (True, True, False):
        context = make_context(tmp_path / "killed" / "run", every=3, kill_after=int(kill))
        if kill:
            with pytest.raises(KeyboardInterrupt):
                resumed.fit(images, context)
        else:
            resumed.fit(images, context)
    expected = straight.predict(some(images)).maps
    assert torch.equal(resumed.predict(some(images)).maps, expected)
