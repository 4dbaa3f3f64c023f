"""The site in a browser, by clicks and keys: sorting, filters, links that bring both back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pytest

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
DRIVER = shutil.which("chromedriver")
pytest.importorskip("selenium", reason="selenium is not installed (pip install '.[dev]')")
if not (CHROMIUM and DRIVER):
    pytest.skip("chromium or chromedriver is not installed", allow_module_level=True)

from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.select import Select  # noqa: E402
from tests_site import HOSTILE, Built  # noqa: E402

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1200,900",
)  # fmt: skip
BOARD = "boards/ytf5-1.html"
METHOD = 1
SUMMARY = "//summary[starts-with(., 'What methods are held against')]"


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


def head(browser: webdriver.Chrome, words: str) -> tuple[Any, int]:
    """The button that heads a column of the board, and the column's number."""
    heads = browser.find_elements(By.CSS_SELECTOR, "#board th")
    number = next(i for i, cell in enumerate(heads) if cell.text.startswith(words))
    return heads[number].find_element(By.TAG_NAME, "button"), number


def test_a_click_sorts_and_a_second_one_turns_round(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    button, value = head(browser, "nme_iod")
    values = [float(v) for v in column(browser, value)]
    assert len(values) > 8
    button.click()
    assert [float(v) for v in column(browser, value)] == sorted(values)
    button.click()
    assert [float(v) for v in column(browser, value)] == sorted(values, reverse=True)
    marked = browser.find_element(By.CSS_SELECTOR, "#board th[aria-sort]")
    assert (marked.text.split()[0], marked.get_attribute("aria-sort")) == ("nme_iod", "descending")


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


def test_filters_by_settings_and_by_words(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    whole = column(browser, METHOD)
    Select(browser.find_element(By.NAME, "s_renderer")).select_by_visible_text("bilinear")
    assert [words.split()[0] for words in column(browser, METHOD)] == ["imm"]
    assert browser.find_element(By.TAG_NAME, "output").text.startswith("1 of ")
    Select(browser.find_element(By.NAME, "s_renderer")).select_by_visible_text("any")
    assert column(browser, METHOD) == whole
    browser.find_element(By.NAME, "find").send_keys("lead 256")
    names = [words.split()[0] for words in column(browser, METHOD)]
    assert "lead" in names
    assert "imm" not in names


def test_floors_are_folded_until_they_are_asked_for(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    floors = browser.find_element(By.ID, "floors")
    assert not floors.is_displayed()
    browser.find_element(By.XPATH, SUMMARY).click()
    assert floors.is_displayed()
    browser.get(f"{site}/{BOARD}")
    browser.find_element(By.NAME, "find").send_keys("mean-shape")  # a filter unfolds what it finds
    assert browser.find_element(By.ID, "floors").is_displayed()


def test_the_overview_filters_by_data_and_kind(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/index.html")
    whole = " ".join(column(browser, 0))
    assert "flowers17@1" in whole
    Select(browser.find_element(By.NAME, "data")).select_by_visible_text("ytf68")
    names = " ".join(column(browser, 0))
    assert "ytf5@1" in names
    assert "ytf5_matching@1" in names
    assert "flowers17@1" not in names
    assert not browser.find_element(By.ID, "foreground").is_displayed()  # nothing is left of it
    Select(browser.find_element(By.NAME, "kind")).select_by_visible_text("landmarks")
    names = " ".join(column(browser, 0))
    assert "ytf5@1" in names
    assert "ytf5_matching@1" not in names


def test_a_methods_results_filter_by_real_data_and_twins(
    browser: webdriver.Chrome, site: str
) -> None:
    browser.get(f"{site}/methods/lead.html")
    Select(browser.find_element(By.NAME, "state")).select_by_visible_text("twins")
    assert set(column(browser, 0)) == {"ytf5@1 (twin)"}


def test_an_address_brings_back_what_its_sender_saw(browser: webdriver.Chrome, site: str) -> None:
    browser.get(f"{site}/{BOARD}")
    button, value = head(browser, "nme_iod")
    button.click()
    button.click()
    Select(browser.find_element(By.NAME, "s_reduction")).select_by_visible_text("fpn")
    seen, address = column(browser, value), browser.current_url
    browser.get("about:blank")
    browser.get(address)
    assert column(browser, value) == seen
    assert len(seen) > 2
    # nonsense changes nothing
    browser.get(f"{site}/{BOARD}?sort0=99&s_reduction=%3Cscript%3E&preset=x")
    assert len(column(browser, value)) > len(seen)


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
    assert browser.title.startswith("lead ")


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
        assert len(rows) > 8
        assert all(row.is_displayed() for row in rows)
        browser.find_element(By.XPATH, SUMMARY).click()  # folds need no script
        assert browser.find_element(By.ID, "floors").is_displayed()
        assert not browser.find_element(By.CLASS_NAME, "tools").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
