"""The case and the rehearsal screen in a real browser, by mouse and keyboard; ENDPLATE_SHOTS keeps pictures."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
pytest.importorskip("uvicorn", reason="the workbench needs the extra web")
import uvicorn
from tests.support.axe import broken_rules
from tests.support.browser import browser
from tests.support.measured_store import copied_store, run_job

from endplate.jobs import queue
from endplate.store.cases import change_case
from endplate.store.database import open_store
from endplate.store.files import Files
from endplate.web.app import create_app
from endplate.web.bench import Bench, WebSettings

SHOTS = os.environ.get("ENDPLATE_SHOTS")
WAIT_MS = 120_000
"""Generous: other work may share the processors."""


NO_WEBGL = """const given = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  return kind.startsWith("webgl") ? null : given.call(this, kind, ...more);
};"""
"""What a browser without WebGL answers; software rendering would take its place otherwise."""


class Here:
    """An executor that runs jobs one after the other in a thread of this process."""

    name = "this process"

    def __init__(self, store, files):
        self.store, self.files, self.threads = store, files, []

    def start(self, job_id):
        thread = threading.Thread(target=run_job, args=(self.store, self.files, job_id), daemon=True)
        self.threads.append(thread)
        thread.start()

    def recover(self):
        pass

    def close(self):
        for thread in self.threads:
            thread.join()


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    place = tmp_path_factory.mktemp("browser")
    case_id = copied_store(place, tmp_path_factory.mktemp("measured"))
    with open_store(place / "endplate.db") as store, socket.create_server(("127.0.0.1", 0)) as listener:
        files = Files(place / "data").prepare()
        port = listener.getsockname()[1]
        settings = WebSettings(hosts=frozenset({f"127.0.0.1:{port}"}), port=port, local_user="ada")
        bench = Bench(store=store, files=files, executor=Here(store, files), settings=settings)
        server = uvicorn.Server(uvicorn.Config(create_app(bench), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{port}"
        yield SimpleNamespace(bench=bench, address=address, case=f"{address}/cases/{case_id}")
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium():
    """Without WebGL, as on a remote desktop: the case is then shown as pictures."""
    with browser(webgl=False) as found:
        yield found


@pytest.fixture
def page(chromium, work):
    """A page that is signed in; errors of scripts and of the policy fail the test."""
    context = chromium.new_context(viewport={"width": 1300, "height": 900})
    context.set_default_timeout(WAIT_MS)
    context.add_init_script(NO_WEBGL)
    shown = context.new_page()
    wrong = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on(
        "console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None
    )
    work.bench.entry_token = work.bench.entry_token or "a" * 43
    shown.goto(f"{work.address}/enter?token={work.bench.entry_token}")
    yield shown
    context.close()
    assert wrong == []


def until(page, expression):
    """Wait until an expression holds; the policy of the pages lets no waiting script be made from text."""
    end = time.monotonic() + WAIT_MS / 1000
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(100)


def keep(page, name):
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def look(page, name):
    """Pictures of a screen: wide, dark, and on a phone, where nothing reaches past its width."""
    keep(page, f"{name}-wide")
    page.emulate_media(color_scheme="dark")
    keep(page, f"{name}-dark")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 844})
    keep(page, f"{name}-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1300, "height": 900})


def test_a_needle_dragged_into_the_canal_is_warned_of_in_words(page, work):
    page.goto(f"{work.case}/rehearsal")
    page.wait_for_selector("#plan[data-ready]")
    assert "Safe" in page.inner_text("#verdict")
    look(page, "rehearsal")
    grip = page.locator('.plane[data-plane="across"] .grip[data-end="target"]')
    box = grip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 13):
        page.mouse.move(x - 7 * step, y + 4 * step)
    page.mouse.up()
    page.wait_for_selector("#verdict.refused")
    words = "Unsafe: breaks the canal side of the pedicle by"  # on the way it was too near, before it broke the wall
    until(page, f"document.getElementById('verdict').textContent.startsWith('{words}')")
    assert page.locator("#clearances tbody tr").first.inner_text().split()[0] == "canal"
    keep(page, "rehearsal-unsafe")
    page.click("button:has-text('Run mine')")
    until(page, "document.getElementById('notice').textContent.includes('unsafe needle on the left of L2')")
    assert "Nothing was run" in page.inner_text("#notice")
    page.reload()
    page.wait_for_selector("#plan[data-ready]")
    assert "offered again" in page.inner_text("#notice")
    assert page.inner_text("#verdict").startswith("Unsafe"), "the needle lies where it was left"
    page.click("#reset")
    until(page, "document.getElementById('verdict').textContent.startsWith('Safe')")
    page.locator('.plane[data-plane="along"] .grip[data-end="entry"]').focus()
    before = page.evaluate("document.getElementById('plan').dataset.answered")
    page.keyboard.press("ArrowUp")
    until(page, f"Number(document.getElementById('plan').dataset.answered) > {before}")
    page.click("#numbers summary")
    target = page.locator('#numbers [aria-label="Target, mm to the right"]')
    until(page, "document.querySelector('#numbers input').value !== ''")  # they are written just after it opens
    target.fill(str(float(target.input_value()) + 22))
    page.wait_for_selector("#verdict.refused")
    assert "no WebGL" in page.inner_text("#no-solid")
    case_id = work.case.rpartition("/")[2]
    job_id = queue.submit(work.bench.store, "rehearse", "Mine: of another tab", "bea", case_id, {"level": "L2"})
    until(page, "document.getElementById('notice').textContent.includes('begun elsewhere: Mine: of another tab')")
    assert queue.ask_cancel(work.bench.store, job_id)
    page.context.clear_cookies()  # as after a session that ran out
    target.fill(str(float(target.input_value()) - 22))
    until(page, "document.getElementById('notice').textContent.startsWith('Your session ran out')")
    assert "are not known" in page.inner_text("#verdict")
    kept = page.evaluate("JSON.parse(sessionStorage.getItem(keptKey()))")
    assert kept["lines"]["left"]["target"] == page.evaluate("state.lines.left.target"), "kept in the tab"


def test_no_screen_of_a_case_breaks_a_rule_of_wcag(page, work):
    """Wide, and dark on a phone, with everything opened that can be."""
    context = page.context.browser.new_context(storage_state=page.context.storage_state(), bypass_csp=True)
    context.add_init_script(NO_WEBGL)
    other = context.new_page()
    for theme, width, screens in (("light", 1300, ("view", "files")), ("dark", 420, ("rehearsal", "report"))):
        other.emulate_media(color_scheme=theme)
        other.set_viewport_size({"width": width, "height": 900})
        for screen in screens:
            other.goto(f"{work.case}/{screen}")
            ready = {"view": "#viewer[data-flat]", "rehearsal": "#plan[data-ready]"}.get(screen, "main")
            other.wait_for_selector(ready)
            other.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            assert broken_rules(other) == [], (theme, width, screen)
            assert other.evaluate("document.documentElement.scrollWidth") <= width, screen
    context.close()


def test_a_reason_that_was_typed_is_offered_again_when_the_session_ran_out(page, work):
    page.goto(f"{work.case}/view?level=L1")
    page.wait_for_selector("#viewer[data-flat]")
    page.click('.strip-level[data-level="L2"]')
    page.wait_for_selector('#level-name[data-level="L2"]')
    page.click("summary:has-text('Correct L2')")
    form = page.locator("form:has(legend:has-text('Genant grade'))")
    assert form.locator("select").input_value() != "0", "it opens at the grade that was measured"
    form.locator("select").select_option("3")
    form.locator("input[name=reason]").fill("40 % in front")
    page.context.clear_cookies()
    form.locator("button").click()
    page.get_by_text("needs the token").wait_for()
    work.bench.entry_token = "b" * 43
    page.goto(f"{work.address}/enter?token={work.bench.entry_token}")
    page.goto(f"{work.case}/view?level=L2")
    until(page, "document.getElementById('notice').textContent.includes('is offered again')")
    assert (form.locator("select").input_value(), form.locator("input[name=reason]").input_value()) == (
        "3", "40 % in front",
    )  # fmt: skip
    page.click('.strip-level[data-level="T12"]')
    page.wait_for_selector('#level-name[data-level="T12"]')
    assert form.locator("input[name=reason]").input_value() == "", "of its own level alone"
    page.evaluate("sessionStorage.clear()")


def test_a_label_off_by_one_is_corrected_and_the_grades_move(page, work):
    page.goto(f"{work.case}/view")
    page.wait_for_selector("#viewer[data-flat]")
    assert page.locator("#flat").is_visible() and "no WebGL" in page.inner_text("#flat")
    until(page, "[...document.querySelectorAll('#flat img')].every(image => image.naturalWidth > 40)")
    assert page.get_attribute('.strip-level[aria-current="true"]', "data-level") == "L2"
    broken = page.inner_text('.strip-level[data-level="L2"]')
    assert "fracture" in broken and "grade 0" not in broken
    look(page, "case-without-webgl")
    page.click('.strip-level[data-level="T12"]')
    page.wait_for_selector('#level-name[data-level="T12"]')
    page.click('.strip-level[data-level="L2"]')
    page.wait_for_selector('#level-name[data-level="L2"]')
    page.click("summary:has-text('Correct L2')")
    form = page.locator("form:has(button:has-text('Renumber'))")
    form.locator('select[name="to"]').select_option("L1")
    form.locator('input[name="reason"]').fill("L1 has no rib here")
    form.locator("button").click()
    page.wait_for_selector('.strip-level[data-level="T11"]')
    moved = page.inner_text('.strip-level[data-level="L1"]')
    assert "fracture" in moved and "grade 0" not in moved
    assert "grade 0" in page.inner_text('.strip-level[data-level="L2"]')
    assert "L2 is L1 (ada," in page.inner_text("main") and "L1 has no rib here" in page.inner_text("main")
    keep(page, "case-corrected")


def test_on_paper_no_verdict_is_cut_and_nothing_is_asked(page, work):
    """On a screen the verdicts scroll beside the form; on paper all of them stand."""
    case_id = work.case.rpartition("/")[2]
    record = {"id": "anna", "age_yr": 74, "sex": "female", "levels": {"L2": {"fracture": True}}}
    change_case(work.bench.store, case_id, {"record": record, "patient_id": "anna"})
    page.goto(f"{work.case}/candidacy")
    page.wait_for_selector("#matrix")
    page.emulate_media(media="print")
    aside = page.locator("#verdicts")
    assert aside.evaluate("one => one.scrollHeight <= one.clientHeight + 1"), "nothing is cut"
    assert page.locator("#matrix .cell").last.is_visible() and not page.locator("#record").is_visible()
    page.goto(f"{work.case}/follow-up")
    assert page.locator("main button").first.is_visible() is False
    page.emulate_media(media="screen")


@pytest.fixture
def slow_view(chromium, work):
    """A page whose WebGL is there and whose live view is ready when the test says so."""
    context = chromium.new_context(viewport={"width": 1300, "height": 900})
    context.set_default_timeout(WAIT_MS)
    context.add_init_script(NO_WEBGL.replace("null", "{}"))
    fake = (Path(__file__).parents[1] / "support" / "fake_niivue.js").read_text()
    context.route("**/niivue.umd.js", lambda route: route.fulfill(body=fake, content_type="text/javascript"))
    shown = context.new_page()
    wrong = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    work.bench.entry_token = "c" * 43
    shown.goto(f"{work.address}/enter?token={work.bench.entry_token}")
    shown.goto(f"{work.case}/view")
    shown.wait_for_selector("#viewer[data-first-picture]")
    yield shown
    context.close()
    assert wrong == []


@pytest.mark.parametrize("moved", [False, True])
def test_still_pictures_come_first_and_the_live_view_takes_over_what_was_chosen(slow_view, moved):
    page = slow_view
    first, second = page.eval_on_selector_all(".strip-level", "all => all.map(one => one.dataset.level)")[:2]
    assert page.get_attribute("#viewer", "data-live") is None, "WebGL is not ready"
    pictures = page.locator("#stills img")
    assert pictures.count() == 3 and all(one.is_visible() for one in pictures.all())
    assert page.evaluate("stills.every(image => image.naturalWidth > 40)")
    box = page.locator(".canvases").bounding_box()
    page.click(f'.strip-level[data-level="{second}"]')
    page.click("button:has-text('Soft tissue')")
    page.click("button:has-text('Sagittal')")
    page.click("button:has-text('Measure')")
    page.uncheck('[data-layer="heights"]')
    assert [one.get_attribute("data-axis") for one in pictures.all() if one.is_visible()] == ["sagittal"]
    assert page.get_by_alt_text(f"Sagittal slice through {second}: the front is at the left").is_visible()
    centre = page.evaluate(f"state.scene.levels.find(one => one.level === '{second}').centre")
    index, url = page.evaluate("[indexOf(state.place), document.querySelector('#stills [data-axis=sagittal]').src]")
    assert url.endswith(f"/sagittal/{int(index[0] + 0.5)}.png?window=soft")
    page.evaluate("ready('attach'); ready('ct_coarse.nii')")
    page.wait_for_selector("#viewer[data-live]")
    assert page.locator("#stills").is_visible(), "sharper than the coarse view behind it"
    assert page.evaluate("[views[0].sliceType, views[0].mouse.leftButton.primary]") == [2, "measure"]
    assert page.evaluate("views[0].scene.crosshairPos") == centre
    assert page.evaluate("[views[0].volumes[0].cal_min, views[0].volumes[0].cal_max]") == [-160, 240]
    if moved:
        page.mouse.click(box["x"] + 60, box["y"] + 60)
        assert page.locator("#stills").is_hidden(), "a click moves in what it was seen to move in"
        page.click(f'.strip-level[data-level="{first}"]')
        page.click("button:has-text('Bone')")
        centre = page.evaluate(f"state.scene.levels.find(one => one.level === '{first}').centre")
    page.evaluate("ready('ct.nii')")
    page.wait_for_selector("#viewer[data-ready]")
    until(page, "stillBox.hidden")
    assert page.locator("#gl").is_visible() and page.locator(".canvases").bounding_box() == box, "nothing moves"
    assert page.evaluate("views[0].scene.crosshairPos") == centre
    assert page.evaluate("views[0].volumes[0].cal_min") == (-450 if moved else -160)
    shown = page.evaluate("views[0].meshes.filter(one => one.visible === false).map(one => one.name)")
    assert shown == ["heights"], "unticked before it was there"
