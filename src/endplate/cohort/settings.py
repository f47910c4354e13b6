"""What is done with every case of a cohort, and the hash by which a case is known to have been done so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from endplate.case.plan import PlanSettings
from endplate.cohort.row import CohortRow
from endplate.image.labels.segmenter import SegmenterChoice
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.report.document import plain

Step = Literal["assess", "plan", "rehearse", "decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortSettings:
    """How each case is read, measured and written.

    Parameters
    ----------
    step : {"assess", "plan", "rehearse", "decide"}, default "assess"
        The verb that is run on each case.
    plan : PlanSettings, optional
        Settings of measuring and rehearsal.
    reading : ReadSettings, optional
        Limits, and what to trust in a header that contradicts itself.
    scheme : str, optional
        How labels are numbered where the file does not say.
    segmenter : SegmenterChoice, optional
        What makes the labels of a case that has none.
    pages, volumes : bool, default False
        Whether each case gets its report and its volumes besides its document.
    """

    step: Step = "assess"
    plan: PlanSettings = field(default_factory=PlanSettings)
    reading: ReadSettings = DEFAULT
    scheme: str | None = None
    segmenter: SegmenterChoice | None = None
    pages: bool = False
    volumes: bool = False

    @property
    def formats(self) -> tuple[str, ...]:
        """What of a report is written."""
        return ("json", *(("html",) if self.pages else ()), *(("nifti",) if self.volumes else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One case to be run: everything that its process needs to know.

    Parameters
    ----------
    row : CohortRow
        Where its files lie.
    folder : Path
        Where its results go.
    settings : CohortSettings
        The same for all.
    threads : int
        Processor cores that its kernels may use.
    """

    row: CohortRow
    folder: Path
    settings: CohortSettings
    threads: int = 1


def settings_hash(settings: CohortSettings) -> str:
    """SHA-256 of every setting; two runs with the same one give the same results."""
    text = json.dumps(plain(asdict(settings)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
