"""Where the labels of a series come from: a SEG that was sent, one that the archive holds, or a segmenter."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from endplate.errors import EndplateError
from endplate.image.labels.dicom_seg import named_levels
from endplate.image.labels.segmenter import Segmented, SegmenterChoice, run_segmenter
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.pacs import dimse_client
from endplate.pacs.found_series import FoundSeries, SeriesQuery
from endplate.pacs.peer import DimsePeer, Peer, PeerError
from endplate.pacs.spool import FETCHED, MADE, Entry, Spool
from endplate.pacs.transfer import find_series, pull_series

log = logging.getLogger("endplate.pacs")
LONGEST_S = 7200.0
"""How long a segmenter may run: one that hangs must not keep all other series waiting."""
NONE_SENT = "no segmentation of the study that refers to this series"


class NoLabelsYetError(Exception):
    """There are no labels by now; `away` where that is because the archive does not answer."""

    def __init__(self, reason: str, *, away: bool = False) -> None:
        super().__init__(reason)
        self.away = away


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """Where labels come from, besides a SEG that is sent.

    Parameters
    ----------
    segmenter : SegmenterChoice, optional
        What makes labels where no SEG is to be had; without it a series waits for one.
    scheme : str, optional
        How the segmenter numbers them, where neither it nor its file says.
    archive : WebPeer or DimsePeer, optional
        Asked for a SEG of the same study.
    again_s : float
        Pause before it is asked again.
    reading : ReadSettings
        How a scan is read for a segmenter that needs it as NIfTI.
    """

    segmenter: SegmenterChoice | None = None
    scheme: str | None = None
    archive: Peer | None = None
    again_s: float = 60.0
    reading: ReadSettings = DEFAULT


class Labels:
    """Finds labels for the series of a spool; keeps in mind when the archive was asked.

    Parameters
    ----------
    spool : Spool
        What the series lie in.
    source : LabelSource
        Where labels come from.
    """

    def __init__(self, spool: Spool, source: LabelSource) -> None:
        self.spool, self.source = spool, source
        self._next: dict[str, float] = {}
        self._said: dict[str, NoLabelsYetError] = {}

    def of(self, entry: Entry) -> Segmented:
        """The labels of a series.

        A SEG is taken only where it refers to the series, names a vertebra and is not one of our own results; of
        several, the latest.

        Raises
        ------
        NoLabelsYetError : there are none by now.
        LabelError, OptionError : the segmenter failed or cannot be run.
        """
        found = self._here(entry) or self._in_archive(entry)
        if found is not None:
            log.info("series %s: labels of %s", entry.series_uid, found.name)
            return Segmented(path=found, scheme=None, facts={})
        if self.source.segmenter is None:
            raise NoLabelsYetError(NONE_SENT)
        room = self.spool.place(entry.series_uid) / MADE
        shutil.rmtree(room, ignore_errors=True)  # what a killed listener left
        made = run_segmenter(
            self.source.segmenter, self.spool.images(entry.series_uid), room, reading=self.source.reading,
            longest_s=LONGEST_S,
        )  # fmt: skip
        log.info("series %s: labels by %s %s", entry.series_uid, made.facts["name"], made.facts["version"])
        return replace(made, scheme=self.source.scheme or made.scheme)

    def _here(self, entry: Entry) -> Path | None:
        """The latest SEG of the series that was sent, or fetched before."""
        fitting = [(when, path) for path in self._candidates(entry) if (when := _when_of(path, entry.series_uid))]
        return max(fitting)[1] if fitting else None

    def _candidates(self, entry: Entry) -> Iterator[Path]:
        for other in self.spool.entries():
            if other.modality == "SEG" and other.study_uid == entry.study_uid:
                yield from self.spool.images(other.series_uid).glob("*.dcm")
        yield from (self.spool.place(entry.series_uid) / FETCHED).glob("[!.]*/*.dcm")

    def _in_archive(self, entry: Entry) -> Path | None:
        """A SEG that the archive holds; it is asked at most every `again_s` seconds for a series."""
        archive, uid = self.source.archive, entry.series_uid
        if archive is None:
            return None
        if time.monotonic() < self._next.get(uid, 0.0) and uid in self._said:
            if self.source.segmenter is not None and not self._said[uid].away:
                return None
            raise self._said[uid]
        self._next[uid] = time.monotonic() + self.source.again_s
        try:
            for one in find_series(archive, SeriesQuery(study_uid=entry.study_uid, modality="SEG")):
                if one.modality == "SEG" and self.spool.entry(one.series_uid) is None:
                    _fetch(archive, one, self.spool.place(uid) / FETCHED)
        except EndplateError as error:
            log.warning("series %s: the archive cannot be asked for a segmentation: %s", uid, error)
            self._said[uid] = NoLabelsYetError(f"the archive cannot be asked for labels: {error}", away=True)
            raise self._said[uid] from error
        self._said[uid] = NoLabelsYetError(NONE_SENT)
        found = self._here(entry)
        if found is None and self.source.segmenter is None:
            raise self._said[uid]
        return found


def _fetch(archive: Peer, series: FoundSeries, folder: Path) -> None:
    """Into a folder; by C-MOVE to our own listener where an archive does no C-GET."""
    try:
        pull_series(archive, series, folder)
    except PeerError as error:
        if not isinstance(archive, DimsePeer):
            raise
        log.info("series %s: not to be had by C-GET, moved to %s: %s", series.series_uid, archive.own, error)
        dimse_client.move(archive, series, archive.own)


def _when_of(path: Path, series_uid: str) -> str:
    """When a SEG was made; empty where it does not fit the series."""
    from endplate.dicom_export.object_header import MANUFACTURER

    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        named = {str(item.SeriesInstanceUID) for item in header.get("ReferencedSeriesSequence") or ()}
        fits = series_uid in named and str(header.get("Manufacturer")) != MANUFACTURER and bool(named_levels(header))
    except (OSError, InvalidDicomError, AttributeError, ValueError, TypeError) as error:
        log.warning("%s cannot be read as a segmentation: %s", path.name, error)
        return ""
    return f"{header.get('ContentDate') or '0'}{header.get('ContentTime') or ''}" if fits else ""
