"""axe (WCAG 2.2 AA and best practice) on each kind of page, in light and dark, on a phone and wide."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser
from tests_browser import faults_of, opened
from tests_site import Built

pytestmark = pytest.mark.long


def kinds_of_pages(built: Built) -> list[str]:
    """One page of each kind that the site has."""
    real = min((built.records / "ytf5" / "1" / "lead").glob("*[0-9a-f].json")).stem
    twin = min((built.records / "twins" / "ytf5" / "1").glob("*/*[0-9a-f].json")).stem
    return [
        "index.html",
        "reported.html",
        "boards/ytf5-1.html",
        "boards/ytf5-1-twin.html",
        "boards/ytf5_limited-1.html",
        "boards/flowers17-1.html",
        "boards/mafl-2.html",
        "methods/lead.html",
        f"runs/{real}.html",
        f"runs/{twin}.html",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_axe_finds_nothing(
    chromium: Browser, built: Built, site: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = opened(chromium, viewport={"width": width, "height": 1000}, color_scheme=scheme)
    faults = {}
    for name in kinds_of_pages(built):
        page.goto(f"{site}/{name}")
        faults[name] = faults_of(page)
    page.context.close()
    assert {name: found for name, found in faults.items() if found} == {}


def test_axe_sees_a_fault(chromium: Browser) -> None:
    page = opened(chromium)
    page.set_content("<html lang='en'><title>t</title><main><h1>t</h1><img src='x'></main></html>")
    assert [fault.split(":")[0] for fault in faults_of(page)] == ["image-alt"]
    page.context.close()
