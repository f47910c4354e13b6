"""Where a number came from: file fingerprints, parameters, seconds by stage."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from endplate.case.model import Case, Provenance
from endplate.errors import ImageError
from endplate.image.dicom.files import files_of
from endplate.image.limits import DEFAULT
from endplate.version import __version__


def sha256(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files in name order (names included).

    Raises
    ------
    ImageError : the path cannot be read.
    """
    digest = hashlib.sha256()
    try:
        files = files_of(path, DEFAULT.limits) if path.is_dir() else [path]
        for file in files:
            if path.is_dir():
                digest.update(os.fsencode(file.relative_to(path)))  # a name need not be text
            with file.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    except OSError as error:
        raise ImageError(f"cannot read {path}", error.strerror or "", "check the path and its permissions") from error
    return digest.hexdigest()


def patient_mark(patient_id: str | None) -> str:
    """A short hash by which a patient's identifier is compared without being kept."""
    return hashlib.sha256((patient_id or "").encode()).hexdigest()[:16]


def begin(inputs: dict[str, str], parameters: dict[str, Any]) -> Provenance:
    """The provenance of a case that has just been read: SHA-256 of each input by role and name, and how it was read."""
    return Provenance(
        version=__version__,
        python=platform.python_version(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        inputs=inputs,
        parameters=parameters,
        seconds={},
    )


def with_parameters(case: Case, settings: Any) -> Case:
    """The case with every setting written into its provenance."""
    parameters = asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else dict(settings)
    return replace(case, provenance=replace(case.provenance, parameters={**case.provenance.parameters, **parameters}))


class Stopwatch:
    """Seconds by stage, added up over repeated visits."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what runs inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)
