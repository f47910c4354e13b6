"""Every page in a real browser: accessible, no sideways scrolling, quiet, and the summary on two sides of A4.

Chromium is started by the tests; axe-core lies in tests/support/axe_core.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.axe import broken_rules
from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.case.care import Care, weigh
from endplate.patient import parse_record
from endplate.report.care.decision_aid import decision_aid
from endplate.report.care.plan_page import after_page
from endplate.report.care.section import care_page
from endplate.report.html import to_html

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
RECORD = {
    "id": "p",
    "age_yr": 76,
    "sex": "F",
    "recorded_on": "2026-06-14",
    "episode": {"onset_on": "2026-05-10", "mechanism": "fall from standing"},
    "pain": {"under_analgesia": 8},
    "neurology": {"state": "deficit", "saddle_anaesthesia": True},
    "infection": {"fever": True},
    "levels": {"L1": {"fracture": True, "oedema": True}, "T12": {"fracture": True}},
}
PAGES = ("report", "care", "aid", "after")
LONG = ("report", "care")
"""Pages with thousands of cells: with every table open only where ENDPLATE_AXE_ALL=1 is set, a minute each."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    care: Care = weigh(parse_record(json.dumps(RECORD)))
    texts = {
        "report": to_html(replace(rehearsed_case(), care=care)),
        "care": care_page(care),
        "aid": decision_aid(care),
        "after": after_page(care),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="install playwright to look at pages in a browser")
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: pages are not looked at in a browser")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield opened
        opened.close()


def everything_open(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_no_violation_of_wcag_22_aa(
    browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(pages[name].as_uri())
    if os.environ.get("ENDPLATE_AXE_ALL") or name not in LONG:
        everything_open(page)
    assert broken_rules(page) == []
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways_on_a_phone_and_the_console_stays_quiet(
    browser: Any, pages: dict[str, Path], name: str
) -> None:
    said: list[str] = []
    for width in (390, 320):
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
        page.goto(pages[name].as_uri())
        everything_open(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
    assert said == []


def test_the_contents_are_seen_on_a_wide_page_and_closed_on_a_phone(browser: Any, pages: dict[str, Path]) -> None:
    for width, seen in ((1280, True), (390, False)):
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.goto(pages["report"].as_uri())
        assert page.locator(".contents a").first.is_visible() is seen
        page.close()


def test_the_summary_is_printed_on_two_sides_and_the_details_follow(browser: Any, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(pages["report"].as_uri())
    whole = printed(page)
    page.evaluate("document.querySelectorAll('main > :not(#summary)').forEach(one => one.remove())")
    assert printed(page) <= 2 < whole
    page.close()


def test_the_decision_aid_stays_two_sheets_with_an_emergency_and_cautions_on_it(
    browser: Any, pages: dict[str, Path]
) -> None:
    page = browser.new_page()
    page.goto(pages["aid"].as_uri())
    assert "need a doctor today" in page.content() and "Before anything else" in page.content()
    assert printed(page) == 2
    page.close()


def printed(page: Any) -> int:
    """Sides of A4."""
    pdf: bytes = page.pdf(prefer_css_page_size=True)
    return len(re.findall(rb"/Type\s*/Page\b", pdf))
