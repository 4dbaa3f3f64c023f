"""The site in a browser, by clicks and keys: sorting, filters, links that bring both back, print."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Literal
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Locator, Page
from tests_browser import opened
from tests_site import HOSTILE, Built

pytestmark = pytest.mark.long

BOARD = "boards/ytf5-1.html"
METHOD = 1
FOLDED = "What methods are held against"
PHONE = {"width": 390, "height": 844}
A4 = {"width": 718, "height": 1047}  # pixels between margins of 1 cm, at 96 to the inch


@pytest.fixture
def page(chromium: Browser, site: str) -> Iterator[Page]:
    """A page that, whatever a test does, logs no error and asks nothing of another address."""
    page = opened(chromium, viewport={"width": 1200, "height": 900})
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: told.append(said.text) if said.type != "log" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    yield page
    page.context.close()
    assert told == []
    assert asked
    assert [url for url in asked if not url.startswith((f"{site}/", "data:"))] == []


def column(page: Page, number: int) -> list[str]:
    """The words of a column in the rows that are shown."""
    script = """(number) => [...document.querySelectorAll("table.filtered > tbody > tr")]
        .filter((row) => row.checkVisibility()).map((row) => row.cells[number].textContent.trim())"""
    found: list[str] = page.evaluate(script, number)
    return found


def head(page: Page, words: str) -> tuple[Locator, int]:
    """The button that heads a column of the board, and the column's number."""
    heads = page.locator("#board th")
    number = next(i for i, text in enumerate(heads.all_inner_texts()) if text.startswith(words))
    return heads.nth(number).get_by_role("button"), number


def test_a_click_sorts_and_a_second_one_turns_round(page: Page, site: str) -> None:
    page.goto(f"{site}/{BOARD}")
    button, value = head(page, "nme_iod")
    values = [float(v) for v in column(page, value)]
    assert len(values) > 8
    button.click()
    assert [float(v) for v in column(page, value)] == sorted(values)
    button.click()
    assert [float(v) for v in column(page, value)] == sorted(values, reverse=True)
    marked = page.locator("#board th[aria-sort]")
    assert marked.inner_text().startswith("nme_iod")
    assert marked.get_attribute("aria-sort") == "descending"


def test_the_keyboard_alone_sorts(page: Page, site: str) -> None:
    page.goto(f"{site}/{BOARD}")
    before = column(page, METHOD)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "method":
            break
    else:
        pytest.fail("the tab key never comes to the head of the table")
    page.keyboard.press("Enter")
    assert column(page, METHOD) == sorted(before)
    page.keyboard.press("Space")
    assert column(page, METHOD) == sorted(before, reverse=True)


def test_the_keyboard_skips_to_the_content(page: Page, site: str) -> None:
    page.goto(f"{site}/{BOARD}")
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.get_attribute("class") == "skip"
    target = link.get_attribute("href")
    box = link.bounding_box()
    assert box is not None
    assert box["x"] >= 0  # out of sight until it has the focus
    page.keyboard.press("Enter")
    assert page.url == f"{site}/{BOARD}{target}"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_filters_by_settings_and_by_words(page: Page, site: str) -> None:
    page.goto(f"{site}/{BOARD}")
    whole = column(page, METHOD)
    page.locator("[name=s_renderer]").select_option(label="bilinear")
    assert [words.split()[0] for words in column(page, METHOD)] == ["imm"]
    assert page.locator("output").first.inner_text().startswith("1 of ")
    page.locator("[name=s_renderer]").select_option(label="any")
    assert column(page, METHOD) == whole
    page.locator("[name=find]").fill("lead 256")
    names = [words.split()[0] for words in column(page, METHOD)]
    assert "lead" in names
    assert "imm" not in names


def test_floors_are_folded_until_they_are_asked_for(page: Page, site: str) -> None:
    page.goto(f"{site}/{BOARD}")
    floors = page.locator("#floors")
    assert not floors.is_visible()
    page.get_by_text(FOLDED).click()
    assert floors.is_visible()
    page.goto(f"{site}/{BOARD}")
    page.locator("[name=find]").fill("mean-shape")  # a filter unfolds what it finds
    assert page.locator("#floors").is_visible()


def test_the_overview_filters_by_data_and_kind(page: Page, site: str) -> None:
    page.goto(f"{site}/index.html")
    assert "flowers17@1" in " ".join(column(page, 0))
    page.locator("[name=data]").select_option(label="ytf68")
    names = " ".join(column(page, 0))
    assert "ytf5@1" in names
    assert "ytf5_matching@1" in names
    assert "flowers17@1" not in names
    assert not page.locator("#foreground").is_visible()  # nothing is left of it
    page.locator("[name=kind]").select_option(label="landmarks")
    names = " ".join(column(page, 0))
    assert "ytf5@1" in names
    assert "ytf5_matching@1" not in names


def test_a_methods_results_filter_by_real_data_and_twins(page: Page, site: str) -> None:
    page.goto(f"{site}/methods/lead.html")
    page.locator("[name=state]").select_option(label="twins")
    assert set(column(page, 0)) == {"ytf5@1 (twin)"}


def test_an_address_brings_back_what_its_sender_saw(page: Page, site: str) -> None:
    page.goto(f"{site}/{BOARD}")
    button, value = head(page, "nme_iod")
    button.click()
    button.click()
    page.locator("[name=s_reduction]").select_option(label="fpn")
    seen, address = column(page, value), page.url
    page.goto("about:blank")
    page.goto(address)
    assert column(page, value) == seen
    assert len(seen) > 2
    # nonsense changes nothing
    page.goto(f"{site}/{BOARD}?sort0=99&s_reduction=%3Cscript%3E&preset=x")
    assert len(column(page, value)) > len(seen)


def test_a_link_to_a_run_marks_its_row(page: Page, site: str) -> None:
    page.goto(f"{site}/{BOARD}")
    link = page.locator("#board td a[id]").first
    run = str(link.get_attribute("id"))
    page.goto(f"{site}/{BOARD}#{run}")
    row = page.locator("tr", has=page.locator(f"[id='{run}']"))
    paper = row.evaluate("(row) => getComputedStyle(row).backgroundColor")
    assert paper != "rgba(0, 0, 0, 0)"
    page.locator(f"[id='{run}']").click()
    assert page.url == f"{site}/runs/{run}.html"
    whole = page.get_by_role("link", name="The whole record").get_attribute("href")
    with urlopen(f"{site}/runs/{whole}") as answer:
        assert json.load(answer)["run_id"] == run


def test_hostile_words_of_a_record_stay_words(page: Page, site: str) -> None:
    page.goto(f"{site}/runs/{HOSTILE.stem}.html")
    assert "onerror" in page.locator("main").inner_text()
    assert page.title().lower().startswith("lead")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_differ_and_can_be_read(
    page: Page, site: str, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{site}/{BOARD}")
    paper = luminance(colour(page, "body", "background-color"))
    assert (paper < 0.1) == (scheme == "dark")
    for selector in ("body", "figure svg text", "#board td a", ".dim"):
        ink = luminance(colour(page, selector, "fill" if "svg" in selector else "color"))
        low, high = sorted((ink, paper))
        assert (high + 0.05) / (low + 0.05) > 4.5, f"{selector} is hard to read"


def colour(page: Page, selector: str, name: str) -> str:
    """A computed colour of the first element that a selector finds."""
    script = "(element, name) => getComputedStyle(element).getPropertyValue(name)"
    found: str = page.locator(selector).first.evaluate(script, name)
    return found


def luminance(colour: str) -> float:
    """Relative luminance of "rgb(r, g, b)", as contrast is defined by WCAG 2."""
    parts = [float(v) / 255 for v in re.findall(r"[\d.]+", colour)[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_without_scripts_all_rows_stand(chromium: Browser, site: str) -> None:
    page = opened(chromium, java_script_enabled=False)
    page.goto(f"{site}/{BOARD}")
    rows = page.locator("#board tbody tr").all()
    assert len(rows) > 8
    assert all(row.is_visible() for row in rows)
    page.get_by_text(FOLDED).click()  # folds need no script
    assert page.locator("#floors").is_visible()
    assert not page.locator(".tools").first.is_visible()
    page.context.close()


def test_a_board_prints_whole_and_without_its_tools(page: Page, site: str, built: Built) -> None:
    page.set_viewport_size(A4)
    page.emulate_media(media="print", color_scheme="dark")
    for name in (BOARD, "index.html", f"runs/{HOSTILE.stem}.html"):
        page.goto(f"{site}/{name}")
        tools = page.locator(".tools, .files, header nav, .skip")
        assert not any(one.is_visible() for one in tools.all()), f"{name} prints its tools"
        # paper has no scroll bar: what stands right of the page is lost
        right = page.evaluate("""() => Math.max(...[...document.querySelectorAll("main *")]
            .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().right))""")
        assert right <= A4["width"], f"{name} is cut at the right, at {right:.0f} pixels"
        assert luminance(colour(page, "body", "background-color")) > 0.9  # ink, not paper


@pytest.mark.parametrize("name", ["index.html", BOARD, "boards/flowers17-1.html"])
def test_on_a_phone_a_value_stands_beside_its_method_before_anything_is_scrolled(
    page: Page, site: str, name: str
) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{site}/{name}")
    ends = page.evaluate("""() => [...document.querySelectorAll("table.filtered td.v")]
        .filter((cell) => cell.checkVisibility() && cell.textContent.trim())
        .map((cell) => {
          const spare = parseFloat(getComputedStyle(cell).paddingRight);
          return cell.getBoundingClientRect().right - spare;
        })""")
    assert len(ends) > 3
    assert max(ends) <= PHONE["width"]


def test_on_a_phone_settings_given_are_said_with_the_method_which_stays(
    page: Page, site: str
) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{site}/{BOARD}")
    cells = page.locator("#board td.m[data-given]")
    said = "(cell) => getComputedStyle(cell, '::after').content"
    assert '"dimension 256"' in [cell.evaluate(said) for cell in cells.all()]
    frame = page.locator(".wide", has=page.locator("#board"))
    before = cells.first.bounding_box()
    frame.evaluate("(frame) => frame.scrollBy(200, 0)")
    after = cells.first.bounding_box()
    assert before is not None
    assert after is not None
    assert 0 <= after["x"] < before["x"]  # the rank is gone, the method is not
    page.set_viewport_size({"width": 1200, "height": 900})
    assert cells.first.evaluate(said) == "none"


def test_on_a_phone_charts_are_whole(page: Page, site: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{site}/{BOARD}")
    frames = page.locator(".drawing").all()
    assert len(frames) > 3
    for frame in frames:
        assert frame.evaluate("(frame) => frame.scrollWidth <= frame.clientWidth")
        letters = frame.locator("text:not(.title)").first.evaluate(
            "(text) => text.getBoundingClientRect().height"
        )
        assert letters > 9
