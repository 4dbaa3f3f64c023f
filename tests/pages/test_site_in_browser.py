"""The site in a browser, by clicks and keys: sorting, filters, links that bring both back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytest.importorskip("selenium", reason="selenium is not installed (pip install '.[dev]')")
if not (CHROMIUM and DRIVER):
    pytest.skip("chromium or chromedriver is not installed", allow_module_level=True)

from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1200,900",
)  # fmt: skip
LEADERBOARDS = Path(__file__).resolve().parents[2] / "leaderboards"
HOSTILE = min((LEADERBOARDS / "ytf5" / "1" / "lead").glob("*[0-9a-f].json"))
BOARD = "boards/ytf5-1.html"
METHOD, VALUE = 1, 2


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site of the committed records of `ytf5`, with hostile words in one."""
    from benchmark.pages.site import build_site
    from benchmark.registry.protocols import all_protocols

    folder = tmp_path_factory.mktemp("site")
    for board in ("ytf5", "twins/ytf5", "ytf5_matching"):
        shutil.copytree(LEADERBOARDS / board, folder / "records" / board)
    hostile = folder / "records" / HOSTILE.relative_to(LEADERBOARDS)
    content = json.loads(hostile.read_text())
    content["notes"] = ["<img src=x onerror=\"document.title='taken'\">"]
    hostile.write_text(json.dumps(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LEADERBOARDS", str(folder / "records"))
        patch.setenv("BENCH_HOME", str(folder / "home"))
        build_site(folder / "out", all_protocols())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder / "out")))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def browser(started: webdriver.Chrome, site: str) -> Iterator[webdriver.Chrome]:
    """A browser that, whatever a test does, logs no error and asks nothing of another address."""
    for log in ("browser", "performance"):  # what the browser did before the test
        started.get_log(log)
    yield started
    assert [e for e in started.get_log("browser") if e["level"] in ("SEVERE", "WARNING")] == []
    messages = [json.loads(entry["message"])["message"] for entry in started.get_log("performance")]
    asked = [
        m["params"]["request"]["url"]
        for m in messages
        if m["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert [url for url in asked if not url.startswith((f"{site}/", "data:"))] == []


def column(browser: webdriver.Chrome, number: int) -> list[str]:
    """The words of a column in the rows that are shown."""
    script = """return [...document.querySelectorAll("table.filtered > tbody > tr")]
        .filter((row) => row.offsetParent).map((row) => row.cells[arguments[0]].textContent.trim())"""
    found: list[str] = browser.execute_script(script, number)
    return found


def test_a_click_sorts_and_a_second_one_turns_round(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    values = [float(v) for v in column(browser, VALUE)]
    assert len(values) > 10
    browser.find_element(By.XPATH, "//table[@id='board']//th/button[.='value']").click()
    assert [float(v) for v in column(browser, VALUE)] == sorted(values)
    browser.find_element(By.XPATH, "//table[@id='board']//th/button[.='value']").click()
    assert [float(v) for v in column(browser, VALUE)] == sorted(values, reverse=True)
    marked = browser.find_element(By.CSS_SELECTOR, "#board th[aria-sort]")
    assert (marked.text.split()[0], marked.get_attribute("aria-sort")) == ("value", "descending")


def test_the_keyboard_alone_sorts(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    before = column(browser, METHOD)
    keys = webdriver.ActionChains(browser)
    for _ in range(40):
        keys.send_keys(Keys.TAB).perform()
        if browser.switch_to.active_element.text == "method":
            break
    else:
        pytest.fail("the tab key never comes to the head of the table")
    keys.send_keys(Keys.ENTER).perform()
    assert column(browser, METHOD) == sorted(before)
    keys.send_keys(Keys.SPACE).perform()
    assert column(browser, METHOD) == sorted(before, reverse=True)


def test_filters_by_labels_seen_and_by_words(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    whole = column(browser, METHOD)
    Select(browser.find_element(By.NAME, "supervision")).select_by_visible_text("labels")
    assert [words.split()[0] for words in column(browser, METHOD)] == ["oracle"]
    assert browser.find_element(By.TAG_NAME, "output").text == f"1 of {len(whole)} rows"
    Select(browser.find_element(By.NAME, "supervision")).select_by_visible_text("any")
    assert column(browser, METHOD) == whole
    browser.find_element(By.NAME, "find").send_keys("lead dimension=64")
    shown = column(browser, METHOD)
    assert [words.split()[0] for words in shown] == ["lead", "random-features"]


def test_the_overview_filters_by_data_and_kind(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/index.html")
    whole = column(browser, 0)
    Select(browser.find_element(By.NAME, "data")).select_by_visible_text("ytf68")
    assert {name.partition("@")[0] for name in column(browser, 0)} >= {"ytf5", "ytf5_matching"}
    assert len(column(browser, 0)) < len(whole)
    Select(browser.find_element(By.NAME, "kind")).select_by_visible_text("landmarks")
    names = {name.partition("@")[0] for name in column(browser, 0)}
    assert "ytf5" in names
    assert "ytf5_matching" not in names


def test_a_methods_results_filter_by_real_data_and_twins(
    browser: webdriver.Chrome, site: str
) -> None:
    browser.get(f"{site}/methods/lead.html")
    Select(browser.find_element(By.NAME, "state")).select_by_visible_text("twins")
    assert set(column(browser, 0)) == {"ytf5@1 (twin)"}


def test_an_address_brings_back_what_its_sender_saw(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    browser.find_element(By.XPATH, "//table[@id='board']//th/button[.='value']").click()
    browser.find_element(By.XPATH, "//table[@id='board']//th/button[.='value']").click()
    Select(browser.find_element(By.NAME, "role")).select_by_visible_text("floor")
    seen, address = column(browser, VALUE), browser.current_url
    browser.get("about:blank")
    browser.get(address)
    assert column(browser, VALUE) == seen
    assert len(seen) > 2
    # nonsense changes nothing
    browser.get(f"{site}/{BOARD}?sort0=99&role=%3Cscript%3E&supervision=x")
    assert len(column(browser, VALUE)) > len(seen)


def test_a_link_to_a_run_marks_its_row(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    plain = "rgba(0, 0, 0, 0)"
    link = browser.find_element(By.CSS_SELECTOR, "#board td a[id]")
    run = link.get_attribute("id")
    browser.get(f"{site}/{BOARD}#{run}")
    row = browser.find_element(By.XPATH, f"//a[@id='{run}']/ancestor::tr")
    assert row.value_of_css_property("background-color") != plain
    link = browser.find_element(By.ID, str(run))
    link.click()
    assert browser.current_url == f"{site}/runs/{run}.html"
    whole = browser.find_element(By.LINK_TEXT, "The whole record").get_attribute("href")
    with urlopen(str(whole)) as answer:
        assert json.load(answer)["run_id"] == run


def test_hostile_words_of_a_record_stay_words(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/runs/{HOSTILE.stem}.html")
    assert "onerror" in browser.find_element(By.TAG_NAME, "main").text
    assert browser.title.startswith("run ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_differ_and_can_be_read(
    browser: webdriver.Chrome, site: str, scheme: str
) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(f"{site}/{BOARD}")
    for selector in ("body", "figure svg text", "#board td a", ".dim"):
        element = browser.find_element(By.CSS_SELECTOR, selector)
        ink = luminance(element.value_of_css_property("fill" if "svg" in selector else "color"))
        paper = luminance(
            browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
        )
        assert (paper < 0.1) == (scheme == "dark")
        low, high = sorted((ink, paper))
        assert (high + 0.05) / (low + 0.05) > 4.5, f"{selector} is hard to read"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def luminance(colour: str) -> float:
    """Relative luminance of "rgb(r, g, b)", as contrast is defined by WCAG 2."""
    parts = [float(v) / 255 for v in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_narrow_screen_never_scrolls_sideways(browser: webdriver.Chrome, site: str) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for page in ("index.html", BOARD, "methods/lead.html", f"runs/{HOSTILE.stem}.html"):
        browser.get(f"{site}/{page}")
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 390, f"{page} is {wide} pixels wide"
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_without_scripts_all_rows_stand(browser: webdriver.Chrome, site: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(f"{site}/{BOARD}")
        rows = browser.find_elements(By.CSS_SELECTOR, "#board tbody tr")
        assert len(rows) > 10
        assert all(row.is_displayed() for row in rows)
        assert not browser.find_element(By.CLASS_NAME, "tools").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
