"""Files beside the database: inputs by their hash, results by the id of their case, logs of jobs.

No name that a user or a request gives is ever part of a path here: paths are made of hashes and ids that we made.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select

from endplate.atomic import private_folder
from endplate.errors import OutputError
from endplate.store import work_tables as tables
from endplate.store.database import Store
from endplate.store.ids import new_id, now

HEX_ID = re.compile(r"[0-9a-f]{32}")
HEX_HASH = re.compile(r"[0-9a-f]{64}")
SUFFIXES = (".nii.gz", ".nii", ".dcm", ".json", ".toml")
"""Endings that a stored file keeps, since readers choose the format by them."""


@dataclass(frozen=True, slots=True)
class Files:
    """The folder of files that belongs to one store."""

    root: Path

    def prepare(self) -> Files:
        """Make the folders; raises OutputError."""
        try:
            for name in ("inputs", "results", "runs", "views", "incoming", "locks"):
                private_folder(self.root / name)
        except OSError as error:
            raise OutputError(
                f"the folder {self.root} cannot be used", error.strerror or str(error), "name another with --data"
            ) from error
        return self

    def input(self, sha256: str) -> Path:
        """The folder that holds a stored file or series."""
        return self.root / "inputs" / _checked(HEX_HASH, sha256)

    def results(self, case_id: str) -> Path:
        """The results folder of a case."""
        return self.root / "results" / _checked(HEX_ID, case_id)

    def run(self, job_id: str) -> Path:
        """The folder of one job, for what it makes besides the results of its case."""
        return self.root / "runs" / _checked(HEX_ID, job_id)

    def view(self, case_id: str) -> Path:
        """The folder of what the viewer shows of a case."""
        return self.root / "views" / _checked(HEX_ID, case_id)

    def lock(self, job_id: str) -> Path:
        """The file that the worker of a job keeps locked as long as it lives."""
        return self.root / "locks" / _checked(HEX_ID, job_id)

    def new_incoming(self) -> Path:
        """An empty folder for an upload."""
        place = self.root / "incoming" / new_id()
        private_folder(place)
        return place

    def incoming(self, upload_id: str) -> Path:
        """The folder of an upload."""
        return self.root / "incoming" / _checked(HEX_ID, upload_id)

    def path_of(self, sha256: str) -> Path:
        """What a reader opens: the one stored file, or the folder of a series or of masks."""
        place = self.input(sha256)
        found = sorted(place.iterdir()) if place.is_dir() else []
        if not found:
            raise OutputError("a stored file is gone", f"{place} is empty or missing", "restore a backup")
        whole = [path for path in reversed(found) if path.name.startswith("whole")]  # an image before its sidecar
        return whole[0] if whole else place


def _checked(pattern: re.Pattern[str], name: str) -> str:
    if not pattern.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is no id of ours")
    return name


def hash_of_file(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep_input(
    store: Store, files: Files, kind: str, paths: Sequence[Path], names: Sequence[str] = (), ours: bool = False
) -> str:
    """Keep one file, or the files of a series or of masks, under their hash; returns it.

    Parameters
    ----------
    kind : "nifti", "dicom", "seg", "masks", "record" or "scheme".
    paths : the files.
    names : for masks, the name of each file in the kept folder, made by us; else files are numbered.
    ours : the files are ours (an upload), so they are linked in place of copied.
    """
    hashes = [hash_of_file(path) for path in paths]
    single = len(paths) == 1 and not names
    named = [f"{name}:{value}" for name, value in zip(names, hashes, strict=True)] if names else hashes
    digest = hashes[0] if single else series_hash(named)
    place, size = files.input(digest), sum(path.stat().st_size for path in paths)
    if not place.is_dir():
        targets = ["whole" + _suffix(paths[0])] if single else _numbered(paths, names)
        _fill(place, paths, targets, ours)
    with store.writing() as connection:
        known = connection.execute(
            select(tables.stored_file.c.sha256).where(tables.stored_file.c.sha256 == digest)
        ).first()
        if known is None:
            connection.execute(insert(tables.stored_file).values(sha256=digest, kind=kind, bytes=size, added_at=now()))
    return digest


def series_hash(hashes: Sequence[str]) -> str:
    """The hash by which several files are known together, in whatever order they were given."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()


def _numbered(paths: Sequence[Path], names: Sequence[str]) -> list[str]:
    return list(names) if names else [f"{number:05d}{_suffix(path)}" for number, path in enumerate(paths)]


def _suffix(path: Path) -> str:
    return next((end for end in SUFFIXES if path.name.lower().endswith(end)), "")


def _fill(place: Path, paths: Iterable[Path], names: Iterable[str], ours: bool) -> None:
    """Build the folder under another name, then give it its own: it is whole or absent."""
    building = place.with_name(f"{place.name}.{new_id()}")
    try:
        private_folder(building)
        for path, name in zip(paths, names, strict=True):
            if ours:
                os.link(path, building / name)
            else:
                shutil.copyfile(path, building / name)
            (building / name).chmod(0o400)
        try:
            os.replace(building, place)
        except OSError:
            if not place.is_dir():  # else another program kept the same file meanwhile
                raise
    except OSError as error:
        full = error.errno in (28, 122)
        raise OutputError(
            f"the file cannot be kept: {error.strerror or error}", "nothing was kept", "free some space" if full else ""
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
