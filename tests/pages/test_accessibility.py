"""axe (WCAG 2.2 AA) on each kind of page, in light and dark, on a phone and on a wide screen.

It needs a Chromium and axe-core, which `npm install --no-save axe-core` puts into the checkout's folder;
BENCH_AXE names another axe.min.js. One browser opens all pages in a frame, one after another, and
prints what axe finds; it needs no driver.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests_fixtures import ROOT
from tests_site import Built

AXE = Path(os.environ.get("BENCH_AXE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(
        not AXE.is_file(), reason="axe-core is not installed (npm install axe-core)"
    ),
]

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--allow-file-access-from-files", "--window-size=1500,1200",
)  # fmt: skip
SIZES, SCHEMES = (390, 1400), ("light", "dark")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

REPORT = """
<script src="axe.min.js"></script>
<script>addEventListener("load", async () => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  let found;
  try {
    const done = await axe.run(document, {runOnly: TAGS, resultTypes: ["violations"]});
    found = done.violations.map((v) => `${v.id}: ${v.nodes.length} × ${v.nodes[0].html.slice(0, 160)}`);
  } catch (error) { found = [String(error)]; }
  if (document.documentElement.scrollWidth > innerWidth) {
    const wide = [...document.querySelectorAll("main *")].find(
      (one) => one.getBoundingClientRect().right > innerWidth && !one.closest(".wide, pre, .drawing"));
    found.push(`it scrolls sideways: ${wide ? wide.outerHTML.slice(0, 120) : "?"}`);
  }
  parent.postMessage({page: location.pathname.split("/").pop(), found}, "*");
});</script>
"""
FRAME = """<!doctype html><title>pages</title><body><pre id="found"></pre><script>
const asked = ASKED, found = {};
const frame = document.createElement("iframe");
frame.height = 1000;
document.body.append(frame);
const next = () => {
  if (!asked.length) {
    document.getElementById("found").textContent = JSON.stringify(found) + "END";
    return;
  }
  const [page, width] = asked[0];
  frame.width = width;
  frame.src = page;
};
addEventListener("message", (event) => {
  const [page, width] = asked.shift();
  found[`${page} ${width}`] = event.data.found;
  next();
});
next();
</script></body>"""


def kinds_of_pages(built: Built) -> list[str]:
    """One page of each kind that the site has."""
    real = sorted((built.records / "ytf5" / "1" / "lead").glob("*[0-9a-f].json"))[0].stem
    twin = sorted((built.records / "twins" / "ytf5" / "1").glob("*/*[0-9a-f].json"))[0].stem
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


def test_axe_finds_nothing(built: Built, tmp_path: Path) -> None:
    shutil.copy(AXE, tmp_path / "axe.min.js")
    css, js = built.text("site.css"), built.text("site.js")
    (tmp_path / "site.js").write_text(js)
    (tmp_path / "light.css").write_text(css.replace("prefers-color-scheme: dark", "width: 0"))
    (tmp_path / "dark.css").write_text(css.replace("(prefers-color-scheme: dark)", "screen"))
    report = REPORT.replace("TAGS", json.dumps(TAGS))
    asked = []
    for page in kinds_of_pages(built):
        for scheme in SCHEMES:
            text = re.sub(r'href="[./]*site\.css"', f'href="{scheme}.css"', built.text(page))
            text = re.sub(r'src="[./]*site\.js"', 'src="site.js"', text)
            name = f"{scheme}-{page.replace('/', '-')}"
            (tmp_path / name).write_text(text.replace("</body>", f"{report}</body>"))
            asked += [[name, width] for width in SIZES]
    (tmp_path / "all.html").write_text(FRAME.replace("ASKED", json.dumps(asked)))
    words = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=600000",
        "--dump-dom",
        (tmp_path / "all.html").as_uri(),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=900, check=True)
    told = re.search(r'<pre id="found">(.*?)END</pre>', done.stdout, re.DOTALL)
    assert told is not None, "the browser did not come to the end"
    found = json.loads(html.unescape(told[1]))
    assert len(found) == len(asked)
    assert {page: faults for page, faults in found.items() if faults} == {}
