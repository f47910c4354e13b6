"""The viewer of the case screen where the browser has WebGL, drawn by the processor; ENDPLATE_SHOTS keeps pictures.

A file of its own: one process holds one Playwright at a time, and the screens without WebGL keep theirs to their end.
"""

from __future__ import annotations

import io
import os
import time

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
pytest.importorskip("uvicorn", reason="the workbench needs the extra web")
from PIL import Image
from tests.support.browser import browser
from tests.web import test_screens_in_browser as screens
from tests.web.test_screens_in_browser import WAIT_MS, look, until

work = screens.work


STILLS = """Object.fromEntries(stills.map((one) => [one.dataset.axis,
  [one.offsetLeft, one.offsetTop, one.offsetWidth, one.offsetHeight]]))"""
DRAWN = """Object.fromEntries(state.nv.screenSlices.map((one) => [["axial", "coronal", "sagittal"][one.axCorSag],
  Array.from(one.leftTopWidthHeight).map((x) => x / devicePixelRatio)]))"""


def tiles(page, places):
    """What is seen of each plane, grey (rows, columns)."""
    box = page.locator("#gl").bounding_box()
    found = {}
    for axis, (left, top, width, height) in places.items():
        clip = {"x": box["x"] + left, "y": box["y"] + top, "width": width, "height": height}
        found[axis] = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("L"), float)
    return found


def alike(still, drawn):
    """Correlation of two pictures, of which one may lie up to a pixel beside the other."""
    inner = slice(2, -2)
    moved = [np.roll(drawn, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    return max(np.corrcoef(still[inner, inner].ravel(), one[inner, inner].ravel())[0, 1] for one in moved)


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
        held = []
        page.route("**/niivue.umd.js", lambda route: held.append(route))
        page.goto(f"{work.case}/view")
        page.wait_for_selector("#viewer[data-first-picture]")
        places = page.evaluate(STILLS)
        still = tiles(page, places)
        held[0].continue_()
        page.wait_for_selector("#viewer[data-ready]")
        until(page, "stillBox.hidden")
        for axis, place in page.evaluate(DRAWN).items():
            assert place == pytest.approx(places[axis], abs=1.0), f"{axis} lies where its picture lay"
        page.evaluate("state.nv.setCrosshairWidth(0)")
        for layer in ("endplates", "heights"):
            page.uncheck(f'[data-layer="{layer}"]')
        for axis, drawn in tiles(page, places).items():
            likeness = alike(still[axis], drawn)
            assert likeness > 0.95, f"{axis} shows the slice of its picture: {likeness:.3f}"
            if axis == "sagittal":
                assert alike(still[axis], drawn[:, ::-1]) < likeness - 0.2
        page.evaluate("state.nv.setCrosshairWidth(0.6)")
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
