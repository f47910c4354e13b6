"""The workbench in a real browser: from an empty store by mouse and keyboard to the row of a measured scan.

Pictures are kept in build/pictures, to be looked at. Skipped aloud where Debian's chromium or playwright is missing.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from tests.support.axe import broken_rules
from tests.support.browser import browser

from endplate.followup.write import Author, start_episode
from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.level import Level
from endplate.store.cases import add_case, case_row, change_case
from endplate.store.database import open_store
from endplate.store.files import Files

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "pictures"


class Server:
    """`endplate serve` as a process of its own."""

    def __init__(self, data, *results, port="0"):
        command = [sys.executable, "-m", "endplate", "serve", *results, "--no-browser", "--port", port]
        self.data = data
        self.process = subprocess.Popen(
            [*command, "--data", str(data), "--at-once", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert "http" in line, self.process.stderr.read()
        self.address = re.search(r"http\S+", line)[0]

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    spec = PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(2.0, 2.0, 2.0), field_mm=(110, 130))
    phantom = make_phantom(spec)
    write_volume(folder / "anna.nii.gz", phantom.volume.grid, phantom.volume.hu)
    write_labels(folder / "labels.nii.gz", phantom.labels)
    (folder / "anna.json").write_text('{"id": "anna", "age_yr": 74, "sex": "female", "mass_kg": 61, "height_cm": 158}')
    return folder


@pytest.fixture(scope="module")
def chromium():
    with browser(webgl=False) as found:
        yield found


@pytest.fixture
def page(chromium):
    """A page that fails the test when a script fails or the policy stops something."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda one: faults.append(one.text) if "Content Security Policy" in one.text else None)
    page.on(
        "request", lambda one: None if one.url.startswith(("http://127.0.0.1", "data:")) else faults.append(one.url)
    )
    yield page
    context.close()
    assert faults == []


def keep(page, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def give(page, *paths):
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose files").click()
    chooser.value.set_files([str(path) for path in paths])


def test_from_an_empty_store_to_a_row_and_back(page, scan, tmp_path):
    server = Server(tmp_path / "data")
    try:
        page.goto(server.address)
        assert page.get_by_text("No case yet.").is_visible()
        keep(page, "worklist-empty")
        # Refused at once, in the words of the command, and nothing is begun.
        (tmp_path / "patient.json").write_text('{"age_yr": 300, "sex": "female"}')
        give(page, tmp_path / "patient.json")
        page.locator(".drop .state.refusal").wait_for()
        assert "age_yr" in page.locator(".drop .state").inner_text()
        # Cancelled while it runs: it stops within two seconds and says what was kept.
        give(page, scan / "anna.nii.gz", scan / "labels.nii.gz", scan / "anna.json")
        running = page.locator(".job[data-state=running]")
        running.wait_for(timeout=30_000)
        page.locator("[data-words]", has_text="Computing strength").wait_for(timeout=60_000)
        keep(page, "worklist-running")
        begun = time.monotonic()
        page.get_by_role("button", name="Cancel").click()
        page.locator(".job.cancelled").wait_for(timeout=5000)
        assert time.monotonic() - begun < 2.5  # 2 s, and what the browser takes to draw it
        assert "the files that were given are kept with the case" in page.locator(".case").inner_text()
        # The worker killed: said so, and run again by keyboard alone, to the row of a measured scan.
        page.get_by_role("link", name="anna").click()
        page.get_by_label("Measure").select_option("shape")
        give(page, scan / "anna.json")
        page.locator(".job[data-state=running]").wait_for(timeout=30_000)
        page.get_by_role("link", name="Worklist").click()
        page.locator(".job[data-state=running]").wait_for()
        kill_worker(server)
        page.locator(".job.lost").wait_for(timeout=5000)
        assert "signal 9" in page.locator(".case").inner_text()
        page.get_by_role("button", name="Run again").focus()
        page.keyboard.press("Enter")
        page.locator(".job[data-state=running]").wait_for(timeout=30_000)
        # The server killed: its worker goes on, and the next server shows the row that came of it.
        server.end(signal.SIGKILL)
        server = Server(tmp_path / "data")
        page.goto(server.address)
        page.locator(".case img").wait_for(timeout=90_000)
        row = page.locator(".case").inner_text()
        assert "Patient anna" in row and "L1 to L2" in row
        assert page.locator(".case").count() == 1
        keep(page, "worklist-measured")
        # The same files once more are one case still.
        give(page, scan / "anna.nii.gz", scan / "labels.nii.gz")
        page.locator(".drop .state.refusal").wait_for()
        assert "on the worklist already, as anna" in page.locator(".drop .state").inner_text()
        look(page)
    finally:
        assert server.end() == 0


def test_what_was_typed_is_offered_again_when_the_session_ran_out(page, tmp_path):
    """And no page breaks a rule of WCAG 2.2 AA."""
    data = tmp_path / "data"
    with open_store(Files(data).prepare().root / "endplate.db") as store:
        case_id = add_case(store, "spine")
        record = {"id": "anna", "age_yr": 74, "sex": "female", "pain": {"under_analgesia": 8}}
        change_case(store, case_id, {"record": record, "patient_id": "anna"})
        patient = {"id": "anna", "sex": "female", "age_yr": 74}
        start_episode(store, Author(name="ada"), patient, date(2026, 1, 5), ["L1"])
    server = Server(data)
    try:
        page.goto(server.address)
        home = page.url
        page.goto(f"{home}cases/{case_id}/follow-up")
        page.get_by_label("Oswestry, 0 to 100 %").fill("44")
        page.locator("fieldset", has_text="Fever").get_by_label("no", exact=True).check()
        server.end()
        with sqlite3.connect(data / "endplate.db") as connection:
            connection.execute("DELETE FROM session")
        connection.close()
        server = Server(data, port=home.rstrip("/").rpartition(":")[2])
        page.get_by_role("button", name="Keep the visit").click()
        assert page.get_by_text("needs the token").is_visible()
        page.goto(server.address)
        page.goto(f"{home}cases/{case_id}/follow-up")
        assert page.get_by_label("Oswestry, 0 to 100 %").input_value() == "44"
        assert page.locator("fieldset", has_text="Fever").get_by_label("no", exact=True).is_checked()
        page.get_by_role("button", name="Keep the visit").click()
        page.get_by_role("cell", name="44").first.wait_for()
        assert page.get_by_label("Oswestry, 0 to 100 %").input_value() == ""
        keep(page, "follow-up")
        pages = [home, *(f"{home}{name}" for name in ("jobs", "service", "settings", f"cases/{case_id}/candidacy"))]
        check_accessible(page, [*pages, page.url])
    finally:
        assert server.end() == 0


def test_of_two_who_save_one_record_the_second_loses_nothing_and_overwrites_nothing(page, tmp_path):
    data = tmp_path / "data"
    with open_store(Files(data).prepare().root / "endplate.db") as store:
        case_id = add_case(store, "spine")
        record = {"id": "anna", "age_yr": 74, "sex": "female", "mass_kg": 60}
        change_case(store, case_id, {"record": record, "patient_id": "anna"})
    server = Server(data)
    try:
        page.goto(server.address)
        address = f"{page.url}cases/{case_id}/candidacy"
        page.goto(address)
        other = page.context.new_page()
        other.goto(address)
        page.get_by_label("Body mass, kg", exact=True).fill("58")
        other.get_by_label("Height of the patient, cm", exact=True).fill("161")
        page.get_by_role("button", name="Save the record").click()
        page.wait_for_url(address)
        assert page.locator("#restore").is_hidden()  # what was saved is not offered again
        other.get_by_role("button", name="Save the record").click()
        other.get_by_text("changed by somebody else meanwhile").wait_for()
        other.goto(address)
        other.get_by_role("button", name="Put them in again").click()
        assert other.get_by_label("Height of the patient, cm", exact=True).input_value() == "161"
        assert other.get_by_label("Body mass, kg", exact=True).input_value() == "58"
        other.get_by_role("button", name="Save the record").click()
        other.wait_for_url(address)
        with open_store(data / "endplate.db") as store:
            kept = case_row(store, case_id).record
        assert (kept["mass_kg"], kept["height_cm"]) == (58, 161)
    finally:
        assert server.end() == 0


PHONE = 420


def check_accessible(page, addresses):
    context = page.context.browser.new_context(storage_state=page.context.storage_state(), bypass_csp=True)
    other = context.new_page()
    for theme, width in (("light", 1280), ("dark", 1280), ("light", PHONE)):
        other.emulate_media(color_scheme=theme)
        other.set_viewport_size({"width": width, "height": 800})
        for address in addresses:
            other.goto(address)
            assert broken_rules(other) == [], (theme, width, address)
            assert other.evaluate("document.documentElement.scrollWidth") <= width, address
    visits = other.locator("section[aria-labelledby=visits]")
    assert visits.evaluate("one => one.scrollWidth > one.clientWidth"), "the table is wider than a phone, so it scrolls"
    visits.focus()
    other.keyboard.press("ArrowRight")
    until = time.monotonic() + 10
    while not visits.evaluate("one => one.scrollLeft") and time.monotonic() < until:
        other.wait_for_timeout(50)
    assert visits.evaluate("one => one.scrollLeft") > 0, "by keyboard too"
    context.close()


def kill_worker(server):
    with sqlite3.connect(server.data / "endplate.db") as connection:
        (pid,) = connection.execute("SELECT pid FROM job WHERE state = 'running'").fetchone()
    os.kill(pid, signal.SIGKILL)


def look(page):
    """Search, keys, dark and phone width on the same row."""
    page.keyboard.press("/")
    page.keyboard.type("nobody")
    page.get_by_text("No case fits").wait_for()
    page.locator("#q").fill("anna")
    page.locator(".case").wait_for()
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    keep(page, "worklist-dark")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "worklist-phone")
    page.get_by_role("link", name="anna").click()
    page.get_by_role("link", name="Report", exact=True).click()
    page.locator(".report-page").get_by_role("heading").first.wait_for()
    page.get_by_text("This is the former report.").wait_for(state="detached")  # it loads itself anew when that is done
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "report-phone-dark")
    page.get_by_role("link", name="Files and jobs").click()
    page.locator("#drop").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    keep(page, "files-phone-dark")
