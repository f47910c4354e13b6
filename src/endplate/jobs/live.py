"""What a page shows of a rehearsal while it is computed: readings of volume and pressure, and how the cavity and the
cement grow, as small volumes and surfaces that the worker writes step by step.

Nothing here is made up between steps: each frame is the state that the solver had when it was written.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.atomic import private_folder, write_bytes, write_text
from endplate.errors import OutputError
from endplate.image.orient import LPS_RAS
from endplate.image.volume import Grid
from endplate.jobs.context import JobContext
from endplate.numerics.voxel.bounding_box import bounding_box
from endplate.progress import Look, Sight

LIVE = "live.json"
WRITE_EVERY_S, LOOK_EVERY_S = 0.3, 0.05
LOOK_SHARE = 0.1
"""Of the time of a run that pictures of it may take at most."""
MOST_FRAMES = 240
"""Beyond this no more pictures are kept of one run."""
FULL = 200
"""What a whole voxel is written as, so that a byte holds half per cents."""
LEAST = 0.02
SURFACE_AT = {"cement": 0.5, "cavity": 0.5}


def frame_names(number: int) -> tuple[str, str]:
    """Names of the volume and of the surface of a frame."""
    return f"frame-{number:03d}.npy", f"frame-{number:03d}.mz3"


def read_live(folder: Path) -> dict[str, Any]:
    """Readings and frames of a rehearsal that runs or ran: `points` (stage, mL, MPa) and `frames`.

    A frame has `number`, `kind` ("cement" or "cavity"), `ml` of it, `at` (the reading then), `affine` (RAS), `shape`,
    and whether it has a `surface`.
    """
    try:
        found = json.loads((folder / LIVE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"points": [], "frames": []}
    return found if isinstance(found, dict) else {"points": [], "frames": []}


class Live:
    """Passes progress on, and keeps readings and frames where the page finds them: a `Watcher`.

    `see` keeps a picture whenever the last one took no more than a tenth of the time since.

    A disk that has no room for pictures does not end the computation; `trouble` then says what is missing.
    """

    def __init__(self, context: JobContext, clock: Callable[[], float] = time.monotonic) -> None:
        self.context, self.folder, self.clock = context, context.folder(), clock
        self.points: list[tuple[str, float, float]] = []
        self.frames: list[dict[str, Any]] = []
        self.trouble = ""
        self._stage, self._unsaid = "", False
        self._skipped: Look | None = None
        self._written = self._next_look = -1e9
        private_folder(self.folder)
        self._clear()

    def __call__(self, stage: str, fraction: float, detail: str) -> None:
        """See `endplate.progress`."""
        if stage != self._stage:
            self._stage, skipped, self._skipped = stage, self._skipped, None
            if skipped is not None:
                self._look(skipped)  # the last state of a stage is always among the pictures
            if self._unsaid:
                self._write()
        if self._unsaid and (self.clock() - self._written > WRITE_EVERY_S or fraction >= 1):
            self._write()
        self.context.tell(stage, fraction, detail)

    def read(self, stage: str, volume_ml: float, pressure_mpa: float) -> None:
        """Keep a reading as a point of the curve, to a microlitre and 10 Pa; one that says nothing new is left out."""
        point = (stage, round(float(volume_ml), 3), round(float(pressure_mpa), 5))
        if not self.points or self.points[-1] != point:
            self.points.append(point)
            self._unsaid = True

    def see(self, stage: str, look: Look) -> None:
        """Write a frame of the present state, unless the last one is of just now."""
        self._skipped = look
        if self.clock() >= self._next_look:
            self._skipped = None
            self._look(look)

    def _look(self, look: Look) -> None:
        if self.trouble or len(self.frames) >= MOST_FRAMES:
            return
        begun = self.clock()
        sight = look()
        box = bounding_box(sight.share > LEAST, 1)
        if box is None:
            return
        try:
            self.frames.append(self._frame(sight, box))
            self._list()
        except (OSError, OutputError) as error:
            self._spoilt(error)
        took = self.clock() - begun
        self._next_look = self.clock() + max(LOOK_EVERY_S, took / LOOK_SHARE)

    def kept(self) -> str:
        """What of the course stands so far, in words."""
        if not self.points:
            return "nothing of it was kept; earlier results stand as they were"
        stage, ml, _ = self.points[-1]
        pictures = f" and {len(self.frames)} pictures of how it grew" if self.frames else ""
        return f"its curve up to {ml:.2f} mL of {stage}{pictures}; no result, and earlier variants stand as they were"

    def _frame(self, sight: Sight, box: tuple[slice, ...]) -> dict[str, Any]:
        number = len(self.frames)
        volume, mesh = frame_names(number)
        cut = sight.share[box]
        affine = sight.affine.copy()
        affine[:3, 3] = (sight.affine @ [*(one.start for one in box), 1.0])[:3]
        stream = io.BytesIO()
        np.save(stream, np.rint(FULL * np.clip(cut, 0, 1)).astype(np.uint8))
        write_bytes(self.folder / volume, stream.getvalue())
        voxel_ml = abs(float(np.linalg.det(affine[:3, :3]))) / 1000
        return {
            "number": number,
            "kind": sight.kind,
            "ml": None if sight.kind == "cement" else round(float(cut.sum(dtype=np.float64)) * voxel_ml, 3),
            "at": list(self.points[-1]) if self.points else None,
            "shape": list(cut.shape),
            "affine": (LPS_RAS @ affine).round(5).tolist(),
            "surface": _surface(self.folder / mesh, cut, affine, SURFACE_AT[sight.kind]),
        }

    def _write(self) -> None:
        self._written, self._unsaid = self.clock(), False
        try:
            self._list()
        except OutputError as error:
            self._spoilt(error)
        self.context.keep(self.kept())

    def _list(self) -> None:
        write_text(self.folder / LIVE, json.dumps({"points": self.points, "frames": self.frames}))

    def _spoilt(self, error: Exception) -> None:
        self.trouble = f"curve and pictures of its course are not whole: {error}"

    def _clear(self) -> None:
        """Remove what a former attempt of the same job left."""
        for path in self.folder.glob("frame-*"):
            path.unlink(missing_ok=True)
        (self.folder / LIVE).unlink(missing_ok=True)


def _surface(path: Path, share: NDArray[np.float32], affine: NDArray[np.float64], level: float) -> bool:
    """Write the surface of what is there; False where there is none at that level."""
    from endplate.report.rehearsal.surface import surface
    from endplate.report.view.meshes import write_mz3

    i, j, k = share.shape
    mesh = surface(share, Grid(shape=(i, j, k), affine=affine), level)
    if not len(mesh[1]):
        return False
    write_mz3(path, mesh)
    return True
