"""From an empty store to a printed report, by mouse and keyboard alone, in a real browser.

A small digital spine stands for the demo case in the default run; ENDPLATE_JOURNEY=1 walks the same way with the demo
case itself (of the results folder ENDPLATE_DEMO, or built here), and has the PDF made by the workbench too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
pytest.importorskip("argon2", reason="the workbench needs the extra web")
pytest.importorskip("pypdfium2", reason="the printed report is read back by pypdfium2 (extra `pdf`)")
import pypdfium2
from tests.support.browser import browser
from tests.web.test_in_a_browser import Server, give, keep

from endplate.image.nifti import HU, write_labels, write_volume
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level
from endplate.store.files import Files

WHOLE = os.environ.get("ENDPLATE_JOURNEY")
WAIT_MS = 480_000 if WHOLE else 60_000
BROKEN = "L1"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """CT and labels of three levels whose L1 is a wedge, and the record of the demo."""
    spec = PhantomSpec(
        levels=(Level.T12, Level.L1, Level.L2),
        spacing_mm=(1.5, 1.5, 1.5),
        field_mm=(120, 150),
        deformities={Level.L1: Deformity(shape="wedge", loss=0.32)},
    )
    phantom, place = make_phantom(spec), tmp_path / "given"
    place.mkdir()
    write_volume(place / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu, meaning=HU)
    write_labels(place / "labels.nii.gz", phantom.labels)
    record = package_files("endplate.cli.demo").joinpath("record.toml").read_text(encoding="utf-8")
    (place / "patient.toml").write_text(record, encoding="utf-8")
    return place


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """CT, labels and record of the demo case: the crushed digital spine."""
    if os.environ.get("ENDPLATE_DEMO"):
        return Path(os.environ["ENDPLATE_DEMO"]).resolve()
    from endplate.cli.assess import Labels, read_given
    from endplate.cli.demo.run import BREAK, INTACT, _write_phantom
    from endplate.cli.fracture import CT, LABELS, crushed, fill_fracture, wanted
    from endplate.cli.options.scan import InputOptions
    from endplate.progress import silent

    place = tmp_path / "given"
    place.mkdir()
    _write_phantom(place)
    here = place / INTACT
    collapse, crush = wanted(BREAK)
    whole = read_given(here / CT, Labels(path=here / LABELS), InputOptions(), silent)
    made, document = crushed(whole, collapse, crush, BREAK, silent)
    fill_fracture(made, document, here / CT, place)
    return place


@pytest.fixture
def page() -> Iterator[Any]:
    """A page without WebGL; errors of scripts and of the policy fail the test."""
    with browser(webgl=False) as chromium:
        context = chromium.new_context(viewport={"width": 1300, "height": 900}, accept_downloads=True)
        context.set_default_timeout(WAIT_MS)
        shown, faults = context.new_page(), []
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.on("console", lambda one: faults.append(one.text) if "Content Security Policy" in one.text else None)
        yield shown
        context.close()
    assert faults == []


def test_from_an_empty_store_to_a_printed_report(page, small, tmp_path):
    walk(page, small, tmp_path)


@pytest.mark.skipif(not WHOLE, reason="the demo case itself takes minutes: ENDPLATE_JOURNEY=1, or make journey")
def test_from_an_empty_store_to_a_printed_report_of_the_demo_case(page, demo, tmp_path):
    walk(page, demo, tmp_path, export=True)


def walk(page: Any, given: Path, place: Path, export: bool = False) -> None:
    """The whole way; every step is a click, a key, or files given to the file chooser."""
    server = Server(place / "data")
    try:
        page.goto(server.address)
        assert page.get_by_text("No case yet.").is_visible()
        measure(page, given)
        look_at_the_case(page, place / "data")
        answer_by_keyboard(page)
        place_a_needle(page)
        print_the_report(page, place / "printed.pdf")
        check_printed(place / "printed.pdf", document(place / "data"))
        if export:
            take_the_pdf(page, place / "taken.pdf")
            check_printed(place / "taken.pdf", document(place / "data"))
    finally:
        assert server.end() == 0


def document(data: Path) -> dict[str, Any]:
    """The measured case as it lies in the store."""
    (path,) = Files(data).root.rglob("case.json")
    return json.loads(path.read_text(encoding="utf-8"))


def value(case: dict[str, Any], code: str, level: str = BROKEN) -> float:
    (found,) = (one["value"] for one in case["findings"] if one["code"] == code and one["level"] == level)
    return found


def measure(page: Any, given: Path) -> None:
    page.get_by_label("Measure").select_option("shape")
    give(page, given / "ct.nii.gz", given / "labels.nii.gz", given / "patient.toml")
    page.locator(".job[data-state=running]").wait_for()
    page.locator(".case img").wait_for()
    row = page.locator(".case").inner_text()
    assert "Patient demo" in row and f"{BROKEN}\nfractured" in row.replace(" fractured", "\nfractured"), row
    keep(page, "journey-worklist")


def look_at_the_case(page: Any, data: Path) -> None:
    page.locator(".case h2 a").click()
    page.get_by_role("link", name="Case", exact=True).click()
    page.wait_for_selector("#viewer[data-first-picture]")
    assert page.get_attribute('.strip-level[aria-current="true"]', "data-level") == BROKEN
    page.locator('.strip-level[data-level="T12"]').click()
    page.wait_for_selector('#level-name[data-level="T12"]')
    page.locator(f'.strip-level[data-level="{BROKEN}"]').click()
    page.wait_for_selector(f'#level-name[data-level="{BROKEN}"]')
    case = document(data)
    assert f"grade {value(case, 'genant_grade'):.0f}" in page.inner_text(f'.strip-level[data-level="{BROKEN}"]')
    assert f"{value(case, 'anterior_height'):.1f} mm" in page.inner_text("#level")
    keep(page, "journey-case")


def answer_by_keyboard(page: Any) -> None:
    """A spinal infection makes every repair wrong: the cells change, and the record is saved, without the mouse."""
    page.get_by_role("link", name="Candidacy").focus()
    page.keyboard.press("Enter")
    page.locator("#matrix").wait_for()
    assert page.locator(".cell.changed").count() == 0
    page.locator("#find").focus()
    page.keyboard.type("infection.spine")
    question = page.locator("[id='q-infection.spine']")
    question.wait_for()
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.name === 'f.infection.spine'"):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    assert question.get_by_label("Yes").is_checked()
    page.locator(".cell.changed").first.wait_for()
    assert "changed by the last answer" in page.inner_text("#changes")
    keep(page, "journey-candidacy")
    page.get_by_role("button", name="Save the record").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/candidacy$"))


def place_a_needle(page: Any) -> None:
    """By key and by mouse; what it clears follows, and a needle in the canal is refused in words."""
    page.get_by_role("link", name="Rehearsal", exact=True).click()
    page.wait_for_selector("#plan[data-ready]")
    assert page.locator("[name=level]").input_value() == BROKEN
    before = page.inner_text("#clearances")
    page.locator('.plane[data-plane="along"] .grip[data-end="target"]').focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.getElementById('clearances').innerText !== before", arg=before)
    assert page.inner_text("#verdict").startswith("Safe")
    keep(page, "journey-needle")


def print_the_report(page: Any, path: Path) -> None:
    page.get_by_role("link", name="Report", exact=True).click()
    page.locator(".report-page").get_by_text("infection work-up", exact=False).first.wait_for()  # it follows the record
    assert page.get_by_text("This is the former report.").count() == 0
    keep(page, "journey-report")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open it alone, to print").click()
    alone = opened.value
    alone.wait_for_load_state()
    alone.pdf(path=path, format="A4", prefer_css_page_size=True)
    alone.close()


def take_the_pdf(page: Any, path: Path) -> None:
    page.get_by_role("button", name="Make PDFs and an export of everything").click()
    link = page.get_by_role("link", name="report.pdf")
    link.wait_for()
    with page.expect_download() as took:
        link.click()
    took.value.save_as(path)


def check_printed(path: Path, case: dict[str, Any]) -> None:
    """What the paper says is what the case holds: heights, grade, density, and what the rule sets answer."""
    printed = pypdfium2.PdfDocument(path)
    text = " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in printed)
    for level in case["levels"]:
        for code in ("anterior_height", "middle_height", "posterior_height"):
            assert f"{value(case, code, level):.1f}" in text, (level, code)
    assert f"Grade {value(case, 'genant_grade'):.0f}" in text
    assert f"{100 * value(case, 'height_loss'):.0f} %" in text.replace("\xa0", " ")
    assert "nfection" in text
