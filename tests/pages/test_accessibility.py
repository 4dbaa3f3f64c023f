"""axe (WCAG 2.2 AA and best practice) on each kind of page, in light and dark, on a phone and wide."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import pytest
from playwright.sync_api import Browser
from tests_browser import opened
from tests_site import Built

pytestmark = pytest.mark.long

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FAULTS = """async (tags) => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  const done = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
  return done.violations.map((v) => `${v.id}: ${v.nodes.length} × ${v.nodes[0].html.slice(0, 160)}`);
}"""
# a wide table scrolls in a frame of its own; the page itself never does
SIDEWAYS = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const wide = [...document.querySelectorAll("main *")].find((one) =>
    one.getBoundingClientRect().right > innerWidth && !one.closest(".wide, pre, .drawing"));
  return [`it scrolls sideways: ${wide ? wide.outerHTML.slice(0, 120) : "?"}`];
}"""


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
        page.evaluate(AXE)
        faults[name] = page.evaluate(FAULTS, TAGS) + page.evaluate(SIDEWAYS)
    page.context.close()
    assert {name: found for name, found in faults.items() if found} == {}


def test_axe_sees_a_fault(chromium: Browser) -> None:
    page = opened(chromium)
    page.set_content("<html lang='en'><title>t</title><main><h1>t</h1><img src='x'></main></html>")
    page.evaluate(AXE)
    assert [fault.split(":")[0] for fault in page.evaluate(FAULTS, TAGS)] == ["image-alt"]
    page.context.close()
