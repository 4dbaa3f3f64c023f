"""Landmark matching from end to end on the small twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests_support import SMALL_MATCHING

from benchmark.contracts.errors import Incompatible
from benchmark.interface.progress import Silent
from benchmark.runner.plan import make_plan
from benchmark.runner.request import Request
from benchmark.runner.run import run

QUIET = Silent()


@pytest.fixture
def matching(harness: Path, tmp_path: Path) -> str:
    path = tmp_path / "protocols" / "small_matching" / "1.toml"
    path.parent.mkdir()
    path.write_text(SMALL_MATCHING)
    return "small_matching"


def test_same_images_match_better_than_different_people(matching: str) -> None:
    plan = make_plan(Request(method="pixels", protocol=matching, twin=True, device="cpu"), QUIET)
    record = run(plan, QUIET).record
    values = {v.metric: v for v in record.metrics}
    assert values["match_same"].n == values["match_different"].n == 8
    assert values["match_same"].value < values["match_different"].value
    with np.load(plan.folder / values["match_same"].per_item) as arrays:
        assert arrays["match_same"].shape == (8,)


def test_landmarks_alone_cannot_be_matched(matching: str) -> None:
    with pytest.raises(Incompatible, match="scores descriptors"):
        make_plan(Request(method="grid", protocol=matching, twin=True), QUIET)
