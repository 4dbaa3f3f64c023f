"""Whether a machine without a browser skips the tests of pages, or fails them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests_browser import executable, missing
from tests_fixtures import ROOT


def test_without_a_browser_tests_are_skipped_and_where_one_is_required_they_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("BENCH_BROWSER_TESTS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        missing()
    monkeypatch.setenv("BENCH_BROWSER_TESTS", "required")
    with pytest.raises(pytest.fail.Exception, match="BENCH_BROWSER_TESTS=required"):
        missing()
    assert "BENCH_BROWSER_TESTS=required" in (ROOT / ".ci" / "run").read_text()


def test_the_browser_that_is_named_is_taken_first_and_the_bundled_one_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names = ("named", "chromium", "bundled")
    named, system, bundled = (str(tmp_path / name) for name in names)
    driver: Any = SimpleNamespace(chromium=SimpleNamespace(executable_path=bundled))
    monkeypatch.setenv("BENCH_CHROMIUM", named)
    monkeypatch.setattr("shutil.which", lambda name: system if name == "chromium" else None)
    assert executable(driver) is None  # none of them is a file
    for path in (bundled, system, named):
        Path(path).touch()
        assert executable(driver) == path
