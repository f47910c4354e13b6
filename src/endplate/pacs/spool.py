"""What a listener keeps on disk: a folder a series, its images, and its state in one file that is replaced whole.

A kill at any moment leaves every image that was acknowledged, and a state that was true.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from endplate.atomic import private_folder, try_lock, write_text
from endplate.errors import OptionError

State = Literal["receiving", "waiting", "measuring", "measured", "done", "left", "failed", "labels"]
OPEN: tuple[State, ...] = ("receiving", "waiting", "measuring", "measured")
UID = re.compile(r"[0-9.]{1,64}")
STATE, IMAGES, RESULTS, PART = "state.json", "images", "results", ".part"
FETCHED, MADE = "fetched", "labels"
"""Folders of a series: segmentations that were fetched from the archive, and what a segmenter made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A series in the spool.

    Parameters
    ----------
    series_uid : str
        Its UID, the name of its folder.
    study_uid : str
        The study.
    modality : str
        As its images say.
    state : str
        receiving; waiting (whole, to be measured); measuring; measured (to be pushed); done; left (by a rule);
        failed; labels (a segmentation).
    reason : str
        Why it was left or failed, or what it waits for.
    attempts : int
        Measurements begun; one that was killed counts.
    since : float
        When it came into this state, seconds since 1970.
    expected : int or None
        Images that the headers say there are.
    late : int
        Images that came after it was measured.
    instances : tuple of str
        UIDs of its images, kept when the images go.
    """

    series_uid: str
    study_uid: str
    modality: str
    state: State = "receiving"
    reason: str = ""
    attempts: int = 0
    since: float = field(default_factory=time.time)
    expected: int | None = None
    late: int = 0
    instances: tuple[str, ...] = ()


class Spool:
    """The folder of one listener; a second one on the same folder is refused."""

    def __init__(self, folder: Path) -> None:
        """Open or make the folder; raises OptionError where another listener holds it."""
        self.folder = folder
        self._lock = threading.RLock()
        private_folder(folder / "series")
        self._handle = os.open(folder, os.O_RDONLY)
        if try_lock(self._handle) is False:
            os.close(self._handle)
            raise OptionError(f"another listener uses the spool {folder}", "", "give a folder of its own with --spool")
        for part in folder.glob(f"series/*/*/*{PART}"):
            part.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._handle)

    def place(self, series_uid: str) -> Path:
        """The folder of a series."""
        return self.folder / "series" / series_uid

    def images(self, series_uid: str) -> Path:
        """The images of a series."""
        return self.place(series_uid) / IMAGES

    def results(self, series_uid: str) -> Path:
        """The results of a series."""
        return self.place(series_uid) / RESULTS

    def entries(self) -> list[Entry]:
        """All series, the one that waits longest first."""
        with self._lock:
            found = [self.entry(path.name) for path in (self.folder / "series").iterdir() if path.is_dir()]
        return sorted((one for one in found if one is not None), key=lambda one: one.since)

    def entry(self, series_uid: str) -> Entry | None:
        """One series; None where there is none, or its state was never written."""
        try:
            row = json.loads((self.place(series_uid) / STATE).read_text(encoding="utf-8"))
            return Entry(**{**row, "instances": tuple(row["instances"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, entry: Entry) -> Entry:
        """Write a state whole."""
        with self._lock:
            private_folder(self.place(entry.series_uid))
            write_text(self.place(entry.series_uid) / STATE, json.dumps(asdict(entry)) + "\n")
        return entry

    def change(self, series_uid: str, state: State, reason: str = "", **more: object) -> Entry:
        """A series in a new state."""
        with self._lock:
            entry = self.entry(series_uid)
            if entry is None:
                raise KeyError(series_uid)
            values = {"state": state, "reason": reason, "since": time.time(), **more}
            return self.put(replace(entry, **values))  # type: ignore[arg-type]

    def change_if(self, series_uid: str, now: State, state: State, reason: str = "") -> bool:
        """Change a series that is in a certain state; returns whether it was."""
        with self._lock:
            entry = self.entry(series_uid)
            if entry is None or entry.state != now:
                return False
            self.change(series_uid, state, reason)
            return True

    def keep(self, fresh: Entry, instance_uid: str, content: bytes) -> str:
        """Keep an image; it is on the disk when this returns.

        Returns
        -------
        str
            "new", "again" where it was there before, or "late" where its series had been measured without it.
        """
        with self._lock:
            entry = self.entry(fresh.series_uid)
            if entry is None:
                entry = self.put(fresh)
            path = self.images(fresh.series_uid) / f"{instance_uid}.dcm"
            if instance_uid in entry.instances or path.is_file():
                return "again"
            if entry.state in ("done", "left", "measured"):
                late = self.place(fresh.series_uid) / "late" / f"{instance_uid}.dcm"
                if not late.is_file():
                    _write(late, content)
                    self.put(replace(entry, late=entry.late + 1))
                return "late"
            _write(path, content)
            if entry.state in ("waiting", "measuring", "failed", "labels"):  # it was not whole after all
                self.put(replace(entry, state="receiving", reason="", since=time.time(), attempts=0))
            return "new"

    def arrived(self, series_uid: str) -> tuple[int, float]:
        """How many images there are, and when the last one came (seconds since 1970)."""
        count, last = 0, 0.0
        for path in _files(self.images(series_uid)):
            count, last = count + 1, max(last, path.stat().st_mtime)
        return count, last

    def drop_images(self, series_uid: str) -> Entry:
        """Remove images and fetched segmentations of a series that is done; UIDs of its images are kept first."""
        uids = tuple(sorted(path.stem for path in _files(self.images(series_uid))))
        with self._lock:
            entry = self.entry(series_uid)
            if entry is None:
                raise KeyError(series_uid)
            kept = self.put(replace(entry, instances=tuple(sorted({*entry.instances, *uids}))))
        for name in (IMAGES, FETCHED):
            shutil.rmtree(self.place(series_uid) / name, ignore_errors=True)
        return kept

    def bytes_used(self) -> int:
        """Bytes of everything in the spool."""
        total = 0
        for place, _, names in os.walk(self.folder):
            for name in names:
                try:
                    total += os.stat(os.path.join(place, name)).st_size
                except OSError:  # replaced meanwhile
                    continue
        return total


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.suffix == ".dcm")


def _write(path: Path, content: bytes) -> None:
    """On the disk, whole, under its name."""
    private_folder(path.parent)
    part = path.with_name(path.name + PART)
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, path)
