"""The viewer of the case screen where the browser has WebGL, drawn by the processor; ENDPLATE_SHOTS keeps pictures.

A file of its own: one process holds one Playwright at a time, and the screens without WebGL keep theirs to their end.
"""

from __future__ import annotations

import os
import time

import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
pytest.importorskip("uvicorn", reason="the workbench needs the extra web")
from tests.support.browser import browser
from tests.web import test_screens_in_browser as screens
from tests.web.test_screens_in_browser import WAIT_MS, look, until

work = screens.work


@pytest.mark.skipif(
    not os.environ.get("ENDPLATE_WEBGL"), reason="WebGL in software takes half a minute: ENDPLATE_WEBGL=1"
)
def test_the_viewer_opens_and_a_level_moves_the_crosshair(work):
    with browser() as found:
        context = found.new_context(viewport={"width": 1300, "height": 900})
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        wrong = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        work.bench.entry_token = "b" * 43
        page.goto(f"{work.address}/enter?token={work.bench.entry_token}")
        page.goto(f"{work.case}/view")
        page.wait_for_selector("#viewer[data-ready]")
        for level in page.eval_on_selector_all(".strip-level", "links => links.map(link => link.dataset.level)"):
            page.click(f'.strip-level[data-level="{level}"]')
            until(page, f"document.getElementById('place').textContent.endsWith('{level}')")
        page.focus("#gl")
        page.keyboard.press("ArrowUp")
        page.wait_for_selector('.strip-level[aria-current="true"]:not([data-level="L3"])')
        page.keyboard.press("s")
        assert page.get_attribute('[data-window="soft"]', "aria-pressed") == "true"
        time.sleep(1)
        look(page, "case")
        context.close()
    assert wrong == []
