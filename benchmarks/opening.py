"""The workbench: from opening a case of 512 x 512 x 400 voxels to its first picture, and from opening a long worklist.

The case is a digital spine in a field of that size, measured by the job that prepares the viewer (minutes, not timed).
Chromium opens its page with WebGL drawn by the processor, and without WebGL. The first pictures are made by the server
in both; with WebGL the live view takes their place.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workbench import CHROMIUM
from benchmarks.workbench_server import serving

SHAPE = (512, 512, 400)
SPACING_MM = (0.7, 0.7, 1.0)
MUSCLE_HU, NOISE_HU = 50.0, 20.0
OPENED = 5
CASES = 300
"""On the long worklist; its page shows sixty of them."""
GOAL_MS = 3000.0
WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
NO_WEBGL = ("--disable-gpu", "--disable-3d-apis")
SEEN = """(() => {
  const viewer = document.getElementById("viewer");
  const pictures = [...document.querySelectorAll("#stills img, #flat img")];
  const made = pictures.filter((one) => one.complete && one.naturalWidth > 40);
  const seen = made.filter((one) => one.checkVisibility({ visibilityProperty: true }));
  return Boolean(viewer) && (seen.length === 3 || viewer.dataset.live !== undefined);
})()"""
"""Three pictures of the server that are seen, or the live view."""
REACHED = "document.getElementById('viewer')?.dataset.{} !== undefined"
FRAME = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))"
HOW = {"WebGL in software": WEBGL, "without WebGL": NO_WEBGL}


def made(folder: Path) -> str:
    """A store with one large case whose pictures are made; its id."""
    from endplate.image.nifti import HU, write_labels, write_volume
    from endplate.image.phantom import PhantomSpec, make_phantom
    from endplate.image.volume import Grid, LabelMap
    from endplate.store.cases import add_case, set_input
    from endplate.store.database import open_store
    from endplate.store.files import Files, keep_input

    spine = make_phantom(PhantomSpec(levels=("T12", "L1", "L2", "L3", "L4"), spacing_mm=SPACING_MM))
    inner = spine.volume.grid
    before = [(want - have) // 2 for want, have in zip(SHAPE, inner.shape, strict=True)]
    affine = inner.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ before
    grid = Grid(shape=SHAPE, affine=affine)
    place = tuple(slice(b, b + n) for b, n in zip(before, inner.shape, strict=True))
    noise = np.random.default_rng(0).normal(MUSCLE_HU, NOISE_HU, SHAPE)
    hu = noise.astype(np.int16)
    hu[place] = spine.volume.hu
    labels = np.zeros(SHAPE, np.uint16)
    labels[place] = spine.labels.labels
    write_volume(folder / "ct.nii.gz", grid, hu, meaning=HU)
    write_labels(folder / "labels.nii.gz", LabelMap(grid=grid, labels=labels, scheme=spine.labels.scheme))
    with open_store(folder / "endplate.db") as store:
        files = Files(folder).prepare()
        case_id = add_case(store, "Large")
        for role in ("ct", "labels"):
            set_input(store, case_id, role, keep_input(store, files, "nifti", [folder / f"{role}.nii.gz"]), role)
        for number in range(CASES):
            add_case(store, f"Case {number}")
    return case_id


def measured(folder: Path, case_id: str) -> None:
    """Measure the case without strength, as a job does; its pictures are made on the way."""
    from endplate.jobs import queue
    from endplate.jobs.context import JobContext
    from endplate.jobs.tasks import task_of
    from endplate.store.database import open_store
    from endplate.store.files import Files

    with open_store(folder / "endplate.db") as store:
        job = queue.claim(store, queue.submit(store, "measure", "Measure", "bench", case_id, {"mechanics": False}))
        if job is None:
            raise RuntimeError("the job was not there")
        done = task_of("measure")(JobContext(job=job, store=store, files=Files(folder)))
        queue.end(store, job.id, "done", {"result": done})


def opened(base: str, cookies: Any, case_id: str, how: str) -> dict[str, list[float]]:
    """Milliseconds from the request of the page: `first` to its first picture, `live` to a view that can be moved in
    (coarse where the scan is large), `whole` to the whole scan with its surfaces; the last two with WebGL alone.
    """
    from playwright.sync_api import sync_playwright

    steps = {"first": SEEN}
    if HOW[how] == WEBGL:
        steps |= {"live": REACHED.format("live"), "whole": REACHED.format("ready")}
    times: dict[str, list[float]] = {name: [] for name in steps}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", *HOW[how]])
        for _ in range(OPENED):
            context = browser.new_context(viewport={"width": 1280, "height": 860})
            context.add_cookies(cookies)
            page = context.new_page()
            begun = time.perf_counter()
            page.goto(f"{base}/cases/{case_id}/view", wait_until="commit")
            for name, expression in steps.items():
                times[name].append(_until(page, expression, begun))
            context.close()
        browser.close()
    return times


def _until(page: Any, expression: str, begun: float, longest_s: float = 120.0) -> float:
    """Milliseconds until an expression holds and the frame after it is painted."""
    while not page.evaluate(expression):
        if time.perf_counter() - begun > longest_s:
            return float("inf")
        time.sleep(0.01)
    page.evaluate(FRAME)
    return 1000 * (time.perf_counter() - begun)


def listed(base: str, cookies: Any) -> list[float]:
    """Milliseconds from the request of a long worklist to its first painted row."""
    from playwright.sync_api import sync_playwright

    times = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", *NO_WEBGL])
        context = browser.new_context()
        context.add_cookies(cookies)
        for _ in range(2 * OPENED):
            page = context.new_page()
            begun = time.perf_counter()
            page.goto(f"{base}/")
            page.evaluate(FRAME)
            times.append(1000 * (time.perf_counter() - begun))
            page.close()
        browser.close()
    return times


def signed_in(address: str) -> Any:
    """The cookie of the session, as a browser keeps it."""
    import httpx

    with httpx.Client(follow_redirects=True) as client:
        client.get(address)
        return [
            {"name": name, "value": value, "url": address.partition("/enter")[0]}
            for name, value in client.cookies.items()
        ]


def rows() -> list[dict[str, Any]]:
    """Rows for the case with and without WebGL, and for the worklist."""
    if not CHROMIUM.exists():
        return [{"case": "workbench: opening a case", "check": "skipped: no Chromium"}]
    with tempfile.TemporaryDirectory(prefix="endplate-bench-") as name:
        folder = Path(name)
        case_id = made(folder)
        begun = time.perf_counter()
        measured(folder, case_id)
        prepared_s = time.perf_counter() - begun
        out = []
        with serving(folder) as address:
            base, cookies = address.partition("/enter")[0], signed_in(address)
            out.append(_row(f"workbench: worklist of {CASES} cases to its first rows", listed(base, cookies), 1000.0))
            for how in HOW:
                times = opened(base, cookies, case_id, how)
                case = f"workbench: case of {'x'.join(map(str, SHAPE))} to its first picture, {how}"
                row = _row(case, times["first"], GOAL_MS)
                for name, words in (("live", "live in"), ("whole", "whole in")):
                    if name in times:
                        middle, most = statistics.median(times[name]) / 1000, max(times[name]) / 1000
                        row["check"] += f"; {words} {middle:.1f} s, slowest {most:.1f} s"
                row["check"] += f"; measured in {prepared_s:.0f} s"
                out.append(row)
    return out


def _row(case: str, times: list[float], goal_ms: float) -> dict[str, Any]:
    said = "met" if max(times) <= goal_ms else "MISSED"
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return {
        "case": case,
        "ours_s": statistics.median(times) / 1000,
        "check": f"slowest {max(times):.0f} ms of {len(times)}; at most {goal_ms:g} ms: {said}; {load:.1f} jobs a core",
    }
