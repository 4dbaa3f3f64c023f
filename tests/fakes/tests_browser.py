"""A real Chromium for tests of pages: whichever the machine has, driven by Playwright.

`BENCH_CHROMIUM` names a browser; otherwise the system's is taken, or the one that
`playwright install chromium` put there. A machine without one skips these tests, unless
`BENCH_BROWSER_TESTS=required` says that it must have one, as CI does.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from tests_site import Built

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic")
PATIENCE = 120_000  # milliseconds: machines that test often have no core to spare


def executable(playwright: Playwright) -> str | None:
    """The path of the Chromium that tests drive; None where there is none."""
    bundled = playwright.chromium.executable_path
    candidates = (os.environ.get("BENCH_CHROMIUM"), *map(shutil.which, NAMES), bundled)
    return next((path for path in candidates if path and Path(path).is_file()), None)


def missing() -> None:
    """Skip for want of a browser, or fail where the environment says that there must be one."""
    reason = "no Chromium: `playwright install chromium`, or name one with BENCH_CHROMIUM"
    if os.environ.get("BENCH_BROWSER_TESTS") == "required":
        pytest.fail(f"BENCH_BROWSER_TESTS=required, and {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser, started once a module: Playwright's loop must not outlive the tests that use it."""
    with sync_playwright() as playwright:
        path = executable(playwright)
        if path is None:
            missing()
        browser = playwright.chromium.launch(
            executable_path=path, args=list(FLAGS), timeout=PATIENCE
        )
        yield browser
        browser.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(built: Built) -> Iterator[str]:
    """The address of the site of committed records, with hostile words in one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(built.out)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def opened(chromium: Browser, **context: Any) -> Page:
    """A page of a context of its own, whose settings are Playwright's."""
    page = chromium.new_context(**context).new_page()
    page.set_default_timeout(PATIENCE)
    return page


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


def faults_of(page: Page) -> list[str]:
    """What axe finds on a page with all its folds open, and what makes the page scroll sideways."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(FAULTS, TAGS) + page.evaluate(SIDEWAYS)
    return found
