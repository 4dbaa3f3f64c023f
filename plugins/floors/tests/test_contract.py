"""Floors and the ceiling keep bench's contract."""

from pathlib import Path

import pytest

from benchmark.testing.conformance import check_method

NAMES = ["mean-shape", "image-grid", "full-frame", "centre-disc", "ellipsoid-cloud",
         "training-clouds", "training-cloud",
         "training-images", "noise-images", "oracle"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_the_contract(floors: Path, name: str) -> None:
    assert [o for o in check_method(name) if o.state != "passed"] == []
