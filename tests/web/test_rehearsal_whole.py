"""A kyphoplasty by a needle that a person placed, whole: planned in the browser, seen as it grows, cancelled, finished.

Minutes of computation: `ENDPLATE_REHEARSE=1` runs it, ENDPLATE_SHOTS keeps pictures. `ENDPLATE_WEBGL=1` tries the 3-D.
"""

from __future__ import annotations

import io
import os
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
pytest.importorskip("uvicorn", reason="the workbench needs the extra web")
from PIL import Image
from tests.support.axe import broken_rules
from tests.support.browser import browser
from tests.support.measured_store import copied_store
from tests.web.test_in_a_browser import Server

from endplate.jobs.live import read_live
from endplate.store.database import open_store
from endplate.store.files import Files
from endplate.store.rehearsals import rehearsals_of

WHOLE, WEBGL = os.environ.get("ENDPLATE_REHEARSE"), os.environ.get("ENDPLATE_WEBGL")
SHOTS = os.environ.get("ENDPLATE_SHOTS")
WAIT_MS = 600_000
CANCEL_S = 2.0


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A server of its own over the measured digital spine."""
    place = tmp_path_factory.mktemp("whole")
    case_id = copied_store(place, tmp_path_factory.mktemp("measured"))
    data = place / "data"
    with open_store(place / "endplate.db"):
        pass
    (place / "endplate.db").rename(data / "endplate.db")
    with sqlite3.connect(data / "endplate.db") as base:
        base.execute('UPDATE "case" SET folder = ?', (str(Files(data).results(case_id)),))
    base.close()
    server = Server(data)
    yield SimpleNamespace(server=server, data=data, id=case_id, root=server.address.partition("/enter")[0])
    server.end()


def keep(page, name):
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def until(page, expression, seconds=WAIT_MS / 1000):
    """Wait until an expression holds; a page that is being loaded again is asked once more."""
    end = time.monotonic() + seconds
    while True:
        try:
            if page.evaluate(expression):
                return
        except Exception as error:
            if "navigation" not in str(error) and "destroyed" not in str(error):
                raise
        assert time.monotonic() < end, expression
        page.wait_for_timeout(100)


def rows(work):
    with open_store(work.data / "endplate.db") as store:
        return rehearsals_of(store, work.id)


def last_job(work):
    base = sqlite3.connect(work.data / "endplate.db")
    try:
        return base.execute("SELECT id, state, kept FROM job ORDER BY asked_at DESC LIMIT 1").fetchone()
    finally:
        base.close()


def plan(page, work):
    page.goto(f"{work.root}/cases/{work.id}/rehearsal")
    until(page, "Boolean(document.getElementById('plan').dataset.ready)")
    for name, value in (("procedure", "kyphoplasty"), ("voxel_mm", "3")):
        page.select_option(f"[name={name}]", value)
    for name, value in (("balloon_ml", "2"), ("cement_ml", "2")):
        page.fill(f"[name={name}]", value)
    until(page, "document.getElementById('verdict').textContent.startsWith('Safe')")


@pytest.mark.skipif(not WHOLE, reason="a kyphoplasty takes minutes: ENDPLATE_REHEARSE=1")
def test_a_kyphoplasty_by_hand_is_seen_growing_cancelled_and_run_to_its_end(work):
    with browser(webgl=bool(WEBGL)) as chromium:
        context = chromium.new_context(viewport={"width": 1300, "height": 900}, bypass_csp=True)
        context.set_default_timeout(WAIT_MS)
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(work.server.address)
        plan(page, work)
        grip = page.locator('.plane[data-plane="along"] .grip[data-end="target"]')
        grip.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.click("button:has-text('Run mine')")
        until(page, "Number(document.getElementById('plan')?.dataset.frame ?? -1) >= 1")
        assert page.locator('.plane image[data-kind="cavity"][href]').count() == 2, "drawn over both pictures"
        assert page.locator("#curve canvas").count() == 1
        keep(page, "rehearsal-growing")
        page.click("button:has-text('Cancel')")
        asked = time.monotonic()
        while last_job(work)[1] == "running":
            assert time.monotonic() - asked < 30
            time.sleep(0.02)
        took = time.monotonic() - asked
        job_id, state, kept = last_job(work)
        assert state == "cancelled" and took < CANCEL_S, took
        assert kept.startswith("its curve up to ") and "pictures of how it grew; no result" in kept
        assert read_live(work.data / "runs" / job_id)["frames"] and rows(work) == []
        page.wait_for_selector("text=was cancelled")
        assert kept in page.inner_text("main")
        page.click("button:has-text('Run again')")
        page.wait_for_selector("section[aria-label='Side by side']")
        (row,) = rows(work)
        values = row.result["values"]["kyphoplasty"]
        assert page.inner_text(".who span").startswith(f"{row.who} ·")
        assert (row.result["kind"], row.result["procedure"]) == ("mine", "kyphoplasty")
        assert 0 < values["cured_anterior_mm"]["value"] < 10 and 0.2 < values["cavity_ml"]["value"] < 2.5
        assert 0 < values["cement_ml"]["value"] <= 2.0001 and row.result["notes"] == ["the needles were placed by hand"]
        live = read_live(work.data / "runs" / row.id)
        assert {one["kind"] for one in live["frames"]} == {"cavity", "cement"}
        ml = [one["ml"] for one in live["frames"] if one["kind"] == "cavity"]
        assert max(ml) > ml[0]
        text = page.inner_text("section[aria-label='Side by side']")
        assert f"{values['cured_anterior_mm']['value']:.1f}" in text and "Run the best found for the same plan" in text
        page.click("[data-course]")
        until(page, "Boolean(document.querySelector('.plane image[data-kind=\"cement\"][href]'))")
        assert broken_rules(page) == []
        keep(page, "rehearsal-whole")
        context.clear_cookies()
        page.locator('.plane[data-plane="along"] .grip[data-end="entry"]').focus()
        page.keyboard.press("ArrowUp")
        until(page, "document.getElementById('notice').textContent.startsWith('Your session ran out')")
        assert "are not known" in page.inner_text("#verdict")
        context.close()
        assert faults == []


@pytest.mark.skipif(not WEBGL, reason="WebGL in software takes half a minute: ENDPLATE_WEBGL=1")
def test_a_needle_is_dragged_in_3d_where_it_is_drawn(work):
    """The rings lie on the rod that NiiVue drew; a drag moves the needle in the plane of the screen alone."""
    with browser() as chromium:
        context = chromium.new_context(viewport={"width": 1300, "height": 900})
        context.set_default_timeout(WAIT_MS)
        page, faults = context.new_page(), []
        page.on("pageerror", lambda error: faults.append(str(error)))
        work.server.end()
        work.server = Server(work.data)
        work.root = work.server.address.partition("/enter")[0]
        page.goto(work.server.address)
        page.goto(f"{work.root}/cases/{work.id}/rehearsal")
        until(page, "Boolean(document.getElementById('solid').dataset.ready)")
        page.evaluate("document.getElementById('solid').scrollIntoView({block: 'center'})")
        page.wait_for_timeout(1500)
        keep(page, "rehearsal-3d")
        for _ in range(2):
            ends = {end: box(page, end) for end in ("entry", "target")}
            shaft = [(ends["entry"][n] + ends["target"][n]) / 2 for n in (0, 1)]
            assert yellow(page, shaft), "the rod lies where the rings say"
            page.mouse.move(*[place - 80 for place in ends["target"]])
            page.mouse.down()
            page.mouse.move(*[place - 40 for place in ends["target"]], steps=4)
            page.mouse.up()
            page.wait_for_timeout(1500)  # turned: the rings follow
        target = box(page, "target")
        before = page.evaluate("structuredClone(state.lines[state.side])")
        page.mouse.move(*target)
        page.mouse.down()
        page.mouse.move(target[0] + 60, target[1] + 20, steps=6)
        page.mouse.up()
        until(page, "!state.busy && !state.again")
        after = page.evaluate("structuredClone(state.lines[state.side])")
        moved = np.subtract(after["target"], before["target"])
        axes = page.evaluate("screenAxes()")
        right, up = (np.array(axes[name]["along"]) for name in ("right", "up"))
        assert after["entry"] == before["entry"]
        assert abs(moved @ np.cross(right, up)) < 0.05, "its depth stays"
        assert moved @ right > 5
        assert np.hypot(*np.subtract(box(page, "target"), (target[0] + 60, target[1] + 20))) < 3, "under the pointer"
        assert page.inner_text("#verdict").startswith("Unsafe")
        keep(page, "rehearsal-3d-dragged")
        context.close()
        assert faults == []


def box(page, end):
    found = page.locator(f'#solid .grip[data-end="{end}"]').bounding_box()
    return found["x"] + found["width"] / 2, found["y"] + found["height"] / 2


def yellow(page, place):
    """Whether the canvas itself, without what lies over it, is of the rod's colour about a place."""
    page.evaluate("document.querySelector('#solid svg').style.visibility = 'hidden'")
    page.wait_for_timeout(200)
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    page.evaluate("document.querySelector('#solid svg').style.visibility = ''")
    x, y = (round(one) for one in place)
    near = shot[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3)
    return bool(((near[:, 0] > 110) & (near[:, 0] - near[:, 2] > 60) & (near[:, 1] - near[:, 2] > 30)).any())
