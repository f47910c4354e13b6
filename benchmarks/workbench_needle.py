"""The workbench: from a pointer that moves a needle to its clearances painted on the page.

A server of its own on loopback over a measured digital spine; Chromium drags the target of a needle in one of its
planes (skipped aloud without it). Each time is from the pointer event to the frame in which the text of the answer to
the place of that event, or of a later one, was painted.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.workbench import CHROMIUM
from benchmarks.workbench_server import serving

MOVES = 120
PAUSE_MS = 30.0
"""Between two moves of the pointer: a hand that drags is seen 33 times a second."""
GOAL_MS = 100.0
WATCHED = """() => {
  window.moves = []; window.times = [];
  const asked = [];
  const given = window.fetch;
  window.fetch = (url, ...more) => {
    if (String(url).includes("/clearance?")) asked.push(moves.length);
    return given(url, ...more);
  };
  document.querySelectorAll(".plane svg").forEach((svg) =>
    svg.addEventListener("pointermove", (event) => moves.push(event.timeStamp), true));
  let painted = 0;
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
    const now = performance.now();
    const upto = asked.shift() ?? painted;
    while (painted < upto) { times.push(now - moves[painted]); painted += 1; }
  }, 0))).observe(document.querySelector("#clearances tbody"), { childList: true });
}"""


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """The address with its token, and the id of the case."""
    from tests.support.measured_store import measured_case

    from endplate.store.database import open_store
    from endplate.store.files import Files

    with tempfile.TemporaryDirectory(prefix="endplate-bench-") as folder:
        data = Path(folder)
        with open_store(data / "endplate.db") as store:
            case_id = measured_case(store, Files(data).prepare(), data / "given")
        with serving(data) as address:
            yield address, case_id


def dragged(address: str, case_id: str) -> list[float] | None:
    """Milliseconds from each move of the pointer to the painted clearances; None without a browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if not CHROMIUM.exists():
        return None
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.goto(address)
        page.goto(f"{address.partition('/enter')[0]}/cases/{case_id}/rehearsal")
        page.wait_for_selector("#plan[data-ready]")
        page.wait_for_load_state("networkidle")
        page.evaluate(WATCHED)
        box = page.locator('.plane[data-plane="across"] .grip[data-end="target"]').bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.evaluate("() => { moves.length = 0; }")
        page.mouse.down()
        for step in range(MOVES):
            page.mouse.move(x + (step % 20) - 10, y + (step % 7) - 3)
            page.wait_for_timeout(PAUSE_MS)
        page.wait_for_timeout(1000)
        times = [float(one) for one in page.evaluate("times")]
        page.mouse.up()
        browser.close()
    return times


def rows() -> list[dict[str, Any]]:
    """One row: clearances while a needle is dragged."""
    case = "workbench: pointer move to painted clearances, a needle dragged"
    with served() as (address, case_id):
        times = dragged(address, case_id)
    if not times:
        return [{"case": case, "check": "skipped: no Chromium or playwright"}]
    p95 = statistics.quantiles(times, n=20)[-1]
    said = "met" if p95 <= GOAL_MS and len(times) > MOVES // 2 else "MISSED"
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    check = f"p95 {p95:.0f} ms of {len(times)} moves; at most {GOAL_MS:g} ms: {said}; {load:.1f} jobs a core"
    return [{"case": case, "ours_s": statistics.median(times) / 1000, "check": check}]
