"""The listener's work: see when series are whole, measure one after another, push the results, go on after a kill."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from endplate.errors import EndplateError
from endplate.image.labels.segmenter import Segmented
from endplate.pacs.labels import Labels, LabelSource, NoLabelsYetError
from endplate.pacs.measure import Measure
from endplate.pacs.peer import Peer
from endplate.pacs.spool import Entry, Spool, State
from endplate.pacs.transfer import push_files

log = logging.getLogger("endplate.pacs")
MAX_ATTEMPTS = 10
"""Measurements of a series that may end without an answer, by a kill or a crash, before it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When things count as done.

    Parameters
    ----------
    quiet_s : float
        Seconds without a new image after which a series counts as whole.
    incomplete_s : float
        Seconds to wait for images that the headers say there are.
    labels_s : float
        Seconds to wait for a segmentation of the study.
    retry_s : float
        First pause after an archive did not take results; it doubles up to an hour.
    tick_s : float
        Pause between looks at the spool.
    """

    quiet_s: float = 30.0
    incomplete_s: float = 600.0
    labels_s: float = 86400.0
    retry_s: float = 10.0
    tick_s: float = 1.0


class Worker:
    """Works through a spool, one series at a time.

    Parameters
    ----------
    spool : Spool
        What is worked through.
    measure : callable
        Measures one series.
    labels : LabelSource
        Where labels come from.
    archive : WebPeer, DimsePeer or None
        Where results go; None keeps them in the spool.
    timing : Timing
        When things count as done.
    """

    def __init__(
        self, spool: Spool, measure: Measure, labels: LabelSource, archive: Peer | None, timing: Timing
    ) -> None:
        self.spool, self.measure, self.archive, self.timing = spool, measure, archive, timing
        self.labels = Labels(spool, labels)
        self._stop = threading.Event()
        self._retry: dict[str, tuple[float, float]] = {}
        self._began = time.time()

    def stop(self) -> None:
        """End after the step that is being done."""
        self._stop.set()

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Work until stopped, or until a condition holds between two steps."""
        self.recover()
        while not self._stop.is_set() and not until():
            if not self.step():
                self._stop.wait(self.timing.tick_s)

    def recover(self) -> None:
        """What was being measured when an earlier listener ended waits again."""
        for entry in self.spool.entries():
            if entry.state == "measuring":
                log.info("series %s: begun before, measured again", entry.series_uid)
                self.spool.change(entry.series_uid, "waiting", attempts=entry.attempts)

    def step(self) -> bool:
        """One thing to do, if there is one; returns whether there was."""
        entries = self.spool.entries()
        for entry in entries:
            if entry.state == "receiving":
                self._see(entry)
        for entry in entries:
            if entry.state == "measured" and self._due(entry):
                self._push(entry)
                return True
        return any(entry.state == "waiting" and self._work(entry) for entry in entries)

    def _see(self, entry: Entry) -> None:
        """A series that has been quiet is whole, or not whole and given up."""
        count, last = self.spool.arrived(entry.series_uid)
        # While no listener ran nobody could send: that time is no silence of the sender.
        quiet = time.time() - max(last, self._began)
        short = entry.expected is not None and count < entry.expected
        if count == 0 or quiet < self.timing.quiet_s or (short and quiet < self.timing.incomplete_s):
            return
        if short:
            self._fail(entry, f"{count} of {entry.expected} images came")
        elif entry.modality == "SEG":
            self.spool.change(entry.series_uid, "labels")
        else:
            log.info("series %s: whole, %d images", entry.series_uid, count)
            self.spool.change(entry.series_uid, "waiting")

    def _work(self, entry: Entry) -> bool:
        """Measure a series that waits; False where it still waits for labels."""
        if entry.attempts >= MAX_ATTEMPTS:
            self._fail(entry, f"{entry.attempts} measurements ended without an answer")
            return True
        try:
            labels = self.labels.of(entry)
        except NoLabelsYetError as error:
            if not error.away and time.time() - entry.since > self.timing.labels_s:
                self._fail(entry, str(error))
                return True
            return False
        except EndplateError as error:
            self._fail(entry, str(error))
            return True
        self.spool.change(entry.series_uid, "measuring", attempts=entry.attempts + 1)
        self._measure(entry, labels)
        return True

    def _measure(self, entry: Entry, labels: Segmented) -> None:
        began = time.monotonic()
        try:
            made = self.measure(self.spool.images(entry.series_uid), labels, self.spool.results(entry.series_uid))
        except EndplateError as error:
            self._ended(entry, "failed", str(error))
        except Exception as error:  # one series must not stop the others
            log.exception("series %s", entry.series_uid)
            self._ended(entry, "failed", f"a fault of endplate: {type(error).__name__}: {error}")
        else:
            log.info("series %s: measured in %.0f s, %d objects", entry.series_uid, time.monotonic() - began, len(made))
            self._ended(entry, "measured", "")

    def _ended(self, entry: Entry, state: State, reason: str) -> None:
        """Take note of a measurement, unless an image came meanwhile: the series is then measured whole later."""
        if not self.spool.change_if(entry.series_uid, "measuring", state, reason):
            log.info(
                "series %s: an image came while it was measured; measured again when it is whole", entry.series_uid
            )
        elif reason:
            log.error("series %s: failed: %s", entry.series_uid, reason)

    def _push(self, entry: Entry) -> None:
        """Hand the results over; they wait where the archive does not take them."""
        from endplate.dicom_export.export import FOLDER

        objects = sorted((self.spool.results(entry.series_uid) / FOLDER).glob("*.dcm"))
        try:
            if self.archive is not None:
                push_files(self.archive, objects)
        except EndplateError as error:
            _, pause = self._retry.get(entry.series_uid, (0.0, self.timing.retry_s))
            self._retry[entry.series_uid] = (time.monotonic() + pause, min(2 * pause, 3600.0))
            log.warning("series %s: not pushed, tried again in %.0f s: %s", entry.series_uid, pause, error)
            return
        log.info("series %s: %d objects pushed to %s", entry.series_uid, len(objects), self.archive or "nobody")
        self.spool.drop_images(entry.series_uid)
        self.spool.change(entry.series_uid, "done")

    def _due(self, entry: Entry) -> bool:
        return time.monotonic() >= self._retry.get(entry.series_uid, (0.0, 0.0))[0]

    def _fail(self, entry: Entry, reason: str) -> None:
        log.error("series %s: failed: %s", entry.series_uid, reason)
        self.spool.change(entry.series_uid, "failed", reason)
