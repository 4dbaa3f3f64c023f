"""The harness's stand-in as fixtures."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmark.contracts.images import Images
from benchmark.contracts.method import FitContext
from benchmark.testing import standin


@pytest.fixture(name="make_context", scope="session")
def _make_context() -> Callable[..., FitContext]:
    return standin.make_context


@pytest.fixture(name="images", scope="session")
def _images() -> Images:
    return standin.make_images()
