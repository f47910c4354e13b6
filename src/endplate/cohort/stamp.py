"""The stamp of a case: how it ended, from which inputs, by which version and settings; written with the results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from endplate.cohort.fingerprint import Print, quick_prints, same_at_a_glance
from endplate.cohort.settings import Job
from endplate.version import __version__

STAMP, PICTURE = "cohort.json", "thumbnail.jpg"
FORMAT, FORMAT_VERSION = "endplate-cohort-case", 1
STAMP_KIND = "cohort-stamp"
KINDS = ("cohort-case", STAMP_KIND, "case", "decision")
"""What a case of a cohort leaves in its folder (see `report/owned.py`)."""
MAX_BYTES = 2**24

Status = Literal["done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What is known of a case that has ended.

    Parameters
    ----------
    id, status, version, settings : name, how it ended, endplate's version, hash of the settings.
    kind, reason : of a failure: the kind of error and its one line.
    inputs : by role, as of `fingerprint`. outputs : bytes by name.
    seconds, rss_mb : time of the work, and the memory of the process at its end.
    age_yr, sex : of the record. verdicts : level, rule set, status and answer of each.
    marks : level, place in the thumbnail as fractions across and down, and grade.
    notes : what was odd about the row. segmenter : what made the labels.
    """

    id: str
    status: Status
    settings: str
    version: str = __version__
    kind: str = ""
    reason: str = ""
    inputs: Mapping[str, Print] = field(default_factory=dict)
    outputs: Mapping[str, int] = field(default_factory=dict)
    seconds: float | None = None
    rss_mb: float | None = None
    age_yr: float | None = None
    sex: str | None = None
    verdicts: tuple[tuple[str, str, str, str], ...] = ()
    marks: tuple[tuple[str, float, float, str], ...] = ()
    notes: tuple[str, ...] = ()
    segmenter: Mapping[str, Any] | None = None

    def text(self) -> str:
        """The stamp as JSON."""
        return json.dumps({"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)}, indent=1) + "\n"


def read_stamp(folder: Path) -> Stamp | None:
    """The stamp in a folder; None where there is none that can be read."""
    path = folder / STAMP
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        found = json.loads(path.read_bytes())
        if found.pop("format") != FORMAT or found.pop("format_version") != FORMAT_VERSION:
            return None
        for name in ("verdicts", "marks"):
            found[name] = tuple(map(tuple, found[name]))
        return Stamp(**{**found, "notes": tuple(found["notes"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def is_whole(folder: Path, stamp: Stamp) -> bool:
    """Whether everything that the case left is still there, in its size."""
    try:
        return all((folder / name).stat().st_size == size for name, size in stamp.outputs.items())
    except OSError:
        return False


def fits(job: Job, stamp: Stamp | None, settings: str) -> bool:
    """Whether a case ended under these settings and this version, and left a whole folder; its inputs aside."""
    return (
        stamp is not None
        and stamp.id == job.row.id
        and stamp.version == __version__
        and stamp.settings == settings
        and is_whole(job.folder, stamp)
    )


def is_done(job: Job, stamp: Stamp | None, settings: str) -> bool:
    """Whether nothing is left to do, known without reading any input: path, size and time of each are as they were."""
    return stamp is not None and fits(job, stamp, settings) and same_at_a_glance(quick_prints(job), stamp.inputs)
