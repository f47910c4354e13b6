"""The workbench: from a key press to a painted cell, and many people at once on candidacy.

A server of its own on loopback with an empty store, in which one case has a record; Chromium types into its form
(skipped aloud without it), then threads with sessions of their own answer the same form together.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.workbench_server import serving

KEYS = 40
PEOPLE, ANSWERS = 20, 5
PAUSE_S = 1.0
"""Between two answers of one person; a reader takes longer."""
RECORD = {
    "id": "P1", "age_yr": 76, "sex": "female",
    "levels": {"L1": {"fracture": True, "oedema": True}, "T12": {"fracture": True}},
}  # fmt: skip
CHROMIUM = Path("/usr/bin/chromium")
PAINTED = """() => {
  window.painted = [];
  let pressed = 0;
  document.addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
  document.addEventListener("endplate:weighed", () => {
    const from = pressed;
    requestAnimationFrame(() => setTimeout(() => painted.push(performance.now() - from), 0));
  });
}"""
"""Milliseconds from a key, by the time that the browser gave it, to the end of the frame with the new cells."""


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """The address with its token, and the id of the case."""
    from endplate.store.cases import add_case, change_case
    from endplate.store.database import open_store

    with tempfile.TemporaryDirectory(prefix="endplate-bench-") as folder:
        data = Path(folder)
        with open_store(data / "endplate.db") as store:
            case_id = add_case(store, "Anna")
            change_case(store, case_id, {"record": RECORD, "patient_id": "P1"})
        with serving(data) as address:
            yield address, case_id


def typed(address: str, case_id: str) -> list[float] | None:
    """Milliseconds from a key press to the painted matrix; None without a browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if not CHROMIUM.exists():
        return None
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(address)
        page.goto(f"{address.partition('/enter')[0]}/cases/{case_id}/candidacy")
        page.evaluate(PAINTED)
        page.click("#part-pain > summary")
        field = page.locator('[name="f.pain.under_analgesia"]')
        field.focus()
        for key in range(KEYS):
            field.evaluate("field => field.select()")
            page.keyboard.press(str(key % 10))
            while page.evaluate("painted.length") <= key:
                page.wait_for_timeout(5)
            page.wait_for_timeout(200)
        times: list[float] = page.evaluate("painted")
        browser.close()
    return times


def together(address: str, case_id: str) -> list[float]:
    """Milliseconds of each answer while many people answer."""
    import httpx

    times: list[float] = []
    base = address.partition("/enter")[0]
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        client.get(address)
        text = client.get(f"{base}/cases/{case_id}/candidacy").text
        csrf = text.partition('name="csrf" content="')[2].partition('"')[0]
        cookies = dict(client.cookies)

    def person(number: int) -> None:
        time.sleep(PAUSE_S * number / PEOPLE)
        with httpx.Client(cookies=cookies, timeout=60, headers={"X-CSRF-Token": csrf, "HX-Request": "true"}) as own:
            for answer in range(ANSWERS):
                start = time.perf_counter()
                found = own.post(
                    f"{base}/cases/{case_id}/candidacy/answer", data={"f.pain.under_analgesia": str(answer)}
                )
                times.append(1000 * (time.perf_counter() - start) if found.status_code == 200 else float("inf"))
                time.sleep(PAUSE_S)

    people = [threading.Thread(target=person, args=(number,)) for number in range(PEOPLE)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    return times


def rows() -> list[dict[str, Any]]:
    """A row for one person at the keys, and one for many at once."""
    with served() as (address, case_id):
        one = typed(address, case_id)
    with served() as (address, case_id):  # the token of an address opens one session
        many = together(address, case_id)
    return [
        _row("workbench: key press to painted matrix, two levels", one, 100.0),
        _row(f"workbench: {PEOPLE} people on candidacy, an answer a second each", many, 300.0),
    ]


def _row(case: str, times: list[float] | None, goal_ms: float) -> dict[str, Any]:
    if not times:
        return {"case": case, "check": "skipped: no Chromium or playwright"}
    p95 = statistics.quantiles(times, n=20)[-1]
    said = "met" if p95 <= goal_ms else "MISSED"
    return {
        "case": case,
        "ours_s": statistics.median(times) / 1000,
        "check": f"p95 {p95:.0f} ms of {len(times)}; at most {goal_ms:g} ms: {said}",
    }
