"""The pictures of the workbench in docs/ are the workbench's own, of the demo case.

`ENDPLATE_DRAW=1 ENDPLATE_DEMO=FOLDER python -m pytest tests/web/test_docs_pictures.py` draws them (`make pictures`);
FOLDER is one that `endplate demo` wrote. Otherwise every picture that a page shows must be there and small, and the
words of headings and buttons that were seen when it was drawn must still be those of the templates.
"""

from __future__ import annotations

import io
import json
import os
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image
from tests.support.browser import browser
from tests.web.test_in_a_browser import Server

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "docs" / "_static"
SOURCES = [*(ROOT / "src/endplate/web").rglob("*.j2"), *(ROOT / "src/endplate/web").glob("*.py")]
WORDS = STATIC / "workbench-words.json"
PICTURES = ("worklist", "case", "rehearsal", "candidacy", "follow-up", "report")
MOST_BYTES = 150_000
WIDTH, HEIGHT = 1280, 820
PATIENCE_MS = 300_000
"""For the viewer where WebGL is drawn by the processor."""


def test_pages_show_pictures_that_are_there_and_small() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {
        name for page in pages for name in re.findall(r"workbench-([\w-]+)\.jpg", page.read_text(encoding="utf-8"))
    }
    assert shown and shown <= set(PICTURES)
    for name in PICTURES:
        path = STATIC / f"workbench-{name}.jpg"
        assert 10_000 < path.stat().st_size < MOST_BYTES
        with Image.open(path) as picture:
            assert picture.size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("name", PICTURES)
def test_headings_and_buttons_of_a_picture_are_those_of_today(name: str) -> None:
    seen = json.loads(WORDS.read_text(encoding="utf-8"))[name]
    today = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    gone = [words for words in seen if words not in today]
    assert not gone, f"{gone} is no longer in the workbench: draw its pictures again with ENDPLATE_DRAW=1"


@pytest.mark.skipif(
    not os.environ.get("ENDPLATE_DRAW"), reason="draws the pictures of docs/ with ENDPLATE_DRAW=1; minutes"
)
def test_draw(tmp_path: Path) -> None:
    demo = os.environ.get("ENDPLATE_DEMO")
    assert demo and (Path(demo) / "case.json").is_file(), "name a folder of `endplate demo` by ENDPLATE_DEMO"
    server = Server(tmp_path / "data", demo)
    look = {"viewport": {"width": WIDTH, "height": HEIGHT}, "color_scheme": "light"}
    try:
        with browser(webgl=False) as chromium:
            page = chromium.new_context(**look).new_page()
            page.set_default_timeout(180_000)
            page.goto(server.address)
            WORDS.write_text(json.dumps(walk(page), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            kept, address = page.context.storage_state(), page.url.replace("/report", "/view")
        with browser() as chromium:
            page = chromium.new_context(storage_state=kept, **look).new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.goto(address)
            page.locator("#viewer[data-ready]").wait_for()
            draw(page, "case")
    finally:
        server.end()


def walk(page) -> dict[str, list[str]]:
    """Every screen of the demo case, drawn; returns the words of its headings and buttons."""
    seen = {}
    case = page.locator(".case h2 a").first.get_attribute("href")
    root = page.url.rstrip("/")
    page.locator(".case .job").wait_for(state="detached")
    follow(page, f"{root}{case}/follow-up")
    page.goto(root)
    page.locator(".case img").evaluate("image => image.decode()")
    seen["worklist"] = draw(page, "worklist")
    page.goto(f"{root}{case}/view")
    page.locator("#viewer[data-first-picture]").wait_for()
    page.wait_for_load_state("networkidle")
    seen["case"] = draw(page, "case")  # without WebGL; drawn again with it at the end
    page.goto(f"{root}{case}/rehearsal")
    page.locator("#clearances tbody tr").first.wait_for()
    page.wait_for_load_state("networkidle")
    seen["rehearsal"] = draw(page, "rehearsal")
    page.goto(f"{root}{case}/candidacy")
    page.locator("#next h2").first.wait_for()
    seen["candidacy"] = draw(page, "candidacy")
    page.goto(f"{root}{case}/follow-up")
    page.evaluate("document.querySelector('#attention').scrollIntoView()")
    seen["follow-up"] = draw(page, "follow-up")
    page.goto(f"{root}{case}/report")
    page.locator(".report-page").get_by_role("heading").first.wait_for()
    seen["report"] = draw(page, "report")
    return seen


def follow(page, address: str) -> None:
    """A course with two visits, the second with a sign."""
    page.goto(address)
    begun = date.fromisoformat(re.search(r"Under care since (\S+),", page.content())[1])
    page.get_by_role("button", name="Begin the course").click()
    for days, pain, disability in ((14, "5", "14"), (45, "4", "11")):
        page.get_by_label("On", exact=True).first.fill(str(begun + timedelta(days=days)))
        page.locator("[name=nrs]").fill(pain)
        page.locator("[name=rmdq]").fill(disability)
        page.get_by_role("button", name="Keep the visit").click()
        page.wait_for_load_state("load")


def draw(page, name: str) -> list[str]:
    """Keep what is seen as a JPEG that is small enough; returns the words of headings and buttons in it."""
    page.wait_for_timeout(500)
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        for quality in (85, 75, 65, 55, 45):
            shot.convert("RGB").save(STATIC / f"workbench-{name}.jpg", "JPEG", quality=quality, optimize=True)
            if (STATIC / f"workbench-{name}.jpg").stat().st_size < MOST_BYTES:
                break
    words = page.locator("main h1, main h2, main h3, main button, nav a, main label").all_inner_texts()
    today = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    found = {one.splitlines()[0].strip() for one in words if one.strip()}
    return sorted(one for one in found if len(one) > 3 and one in today)
