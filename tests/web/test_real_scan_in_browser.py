"""A real scan in the workbench: dropped, measured, looked at on every screen, and its labels corrected by one.

ENDPLATE_JOURNEY=1 runs it (about two minutes), where the public CT `verse014` lies in the folder of public data.
Pictures of every screen, wide and on a phone, light and dark, are kept in build/pictures.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
pytest.importorskip("argon2", reason="the workbench needs the extra web")
from tests.support.browser import browser
from tests.web.test_in_a_browser import Server, give, keep

from endplate.store.files import Files

pytestmark = pytest.mark.skipif(
    not os.environ.get("ENDPLATE_JOURNEY"), reason="a real scan in the browser takes minutes: ENDPLATE_JOURNEY=1"
)
WAIT_MS = 480_000
SCREENS = ("view", "rehearsal", "candidacy", "follow-up", "report", "files")
WIDTHS = (1400, 390)
SIGN = "sign"


@pytest.fixture
def scan(shared_data: Path) -> list[Path]:
    """The CT and the labels of verse014, L1 to L5."""
    found = [shared_data / "verse014" / f"sub-verse014_{name}.nii.gz" for name in ("ct", "seg-vert_msk")]
    if not all(path.is_file() for path in found):
        pytest.skip(f"no verse014 in {shared_data}; set ENDPLATE_SHARED to the folder that holds data/")
    return found


def test_a_real_scan_is_measured_looked_at_and_renumbered(scan, tmp_path):
    server = Server(tmp_path / "data")
    try:
        with browser(webgl=False) as chromium:
            context = chromium.new_context(viewport={"width": 1400, "height": 900})
            context.set_default_timeout(WAIT_MS)
            page, faults = context.new_page(), []
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.goto(server.address)
            page.get_by_label("Measure").select_option("shape")
            give(page, *scan)
            page.locator(".case img").wait_for()
            row = page.locator(".case").inner_text()
            assert "L1 to L5" in row and "L1 shows signs of a fracture without a height loss of 20 %: look at it" in row
            home = page.locator(".case h2 a").get_attribute("href")
            root = page.url.split("?")[0].rstrip("/")
            look(page, f"{root}{home}")
            before = heights(tmp_path / "data")
            renumber(page, f"{root}{home}")
            strip = page.locator(".strip-level").all_inner_texts()
            assert [one.split()[0] for one in strip] == ["T12", "L1", "L2", "L3", "L4"]
            assert [SIGN in one for one in strip] == [True, False, False, False, False]
            after = heights(tmp_path / "data")
            for old, new in zip(("L1", "L2", "L3", "L4", "L5"), ("T12", "L1", "L2", "L3", "L4"), strict=True):
                assert after[new] == pytest.approx(before[old], abs=0.05), "the same body under its new name"
            page.locator('.strip-level[data-level="T12"]').click()
            page.wait_for_selector('#level-name[data-level="T12"]')
            assert f"{after['T12']:.1f} mm" in page.inner_text("#level")
            assert "L5 is L4" in page.inner_text("main")
            keep(page, "real-renumbered")
            context.close()
            assert faults == []
    finally:
        assert server.end() == 0


def look(page: Any, case: str) -> None:
    """Every screen, wide and on a phone, light and dark; nothing reaches past the width of the page."""
    for screen in SCREENS:
        page.goto(f"{case}/{screen}", wait_until="networkidle" if screen == "candidacy" else "load")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (screen, width)
                keep(page, f"real-{screen}-{theme}-{width}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1400, "height": 900})


def renumber(page: Any, case: str) -> None:
    """The lowest lumbar vertebra is L4, not L5, and all above move along."""
    page.goto(f"{case}/view?level=L5")
    page.locator("summary", has_text="Correct L5").click()
    form = page.locator("form", has=page.get_by_role("button", name="Renumber"))
    form.locator('select[name="to"]').select_option("L4")
    form.locator('select[name="scope"]').select_option("up")
    form.locator('input[name="reason"]').fill("counted from the last rib")
    form.get_by_role("button").click()
    page.locator('.strip-level[data-level="T12"]').wait_for()


def heights(data: Path) -> dict[str, float]:
    """Anterior height of each level, mm."""
    (path,) = Files(data).root.rglob("case.json")
    case = json.loads(path.read_text(encoding="utf-8"))
    return {one["level"]: one["value"] for one in case["findings"] if one["code"] == "anterior_height"}
