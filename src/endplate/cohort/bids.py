"""The rows of a cohort from a BIDS tree as VerSe and TPTBox lay it out."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from endplate.cohort.row import CohortRow
from endplate.errors import OptionError, text_fault
from endplate.image.limits import Limits

CT = re.compile(r"(?P<stem>sub-[^_]+(_[a-zA-Z]+-[^_]+)*)_ct\.nii(\.gz)?")
LABELS = re.compile(
    r"(?P<stem>sub-[^_]+(_[a-zA-Z]+-[^_]+)*?)_seg-vert(ebra\w*)?(?P<rest>(_[a-zA-Z]+-[^_]+)*)_msk\.nii(\.gz)?"
)
ENTITY = re.compile(r"_?([a-zA-Z]+)-([^_]+)")
PARTICIPANTS = "participants.tsv"
SEXES = {"f": "female", "female": "female", "w": "female", "m": "male", "male": "male"}
REMOVED = frozenset({"seg", "label", "mod", "desc"})
"""Entities that say what a derivative is, not which scan it was made from."""


def is_bids(folder: Path) -> bool:
    """Whether a folder holds subjects as BIDS and VerSe name them, itself or in a folder of raw data."""
    places = (folder, folder / "rawdata", folder / "derivatives")
    return any(next(place.glob("sub-*"), None) is not None for place in places if place.is_dir())


def read_bids(folder: Path, limits: Limits) -> list[CohortRow]:
    """A row for each `*_ct.nii.gz` with its `*_seg-vert_msk.nii.gz`, and one for labels that have no scan.

    The id is what names the scan (sub-verse014, or sub-x_ses-y where a subject has several). Age and sex come from
    `participants.tsv` where it has them.

    Raises
    ------
    OptionError : more files than the limit, or a table of participants that cannot be read.
    """
    scans: dict[str, Path] = {}
    masks: dict[str, list[Path]] = {}
    for path in _files(folder, limits):
        if found := CT.fullmatch(path.name):
            scans[_key(found["stem"])] = path
        elif found := LABELS.fullmatch(path.name):
            masks.setdefault(_key(found["stem"] + found["rest"]), []).append(path)
    people = _participants(folder / PARTICIPANTS)
    rows = []
    for key in sorted({*scans, *masks}):
        labels, notes = _one(masks.get(key, []))
        rows.append(
            CohortRow(
                id=key,
                ct=scans.get(key),
                labels=labels,
                record=_record(key, people),
                notes=notes,
            )
        )
    return rows


def _files(folder: Path, limits: Limits) -> list[Path]:
    found: list[Path] = []
    for path in folder.rglob("sub-*.nii*"):
        found.append(path)
        if len(found) > 100 * limits.files:
            raise OptionError(
                f"{folder} holds more than {100 * limits.files} scans", "", "give a table of cases instead"
            )
    return sorted(found)


def _key(stem: str) -> str:
    """What names the scan: the entities in their order without those that name a derivative."""
    kept = [f"{name}-{value}" for name, value in ENTITY.findall(stem) if name not in REMOVED]
    return "_".join(kept)


def _one(found: list[Path]) -> tuple[Path | None, tuple[str, ...]]:
    """The label map of a scan; where there are several, the first, and a note."""
    if len(found) < 2:
        return (found[0] if found else None), ()
    return found[0], (f"{len(found)} label maps belong to this scan; {found[0].name} was taken",)


def _participants(path: Path) -> Mapping[str, Mapping[str, str]]:
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise OptionError(
            f"{path} is no table with tabs in UTF-8", text_fault(error), "mend it or move it away"
        ) from error
    return {str(row.get("participant_id") or ""): {k.lower(): v or "" for k, v in row.items() if k} for row in rows}


def _record(key: str, people: Mapping[str, Mapping[str, str]]) -> dict[str, Any] | None:
    """Age and sex of the participant; None unless both are known, since a record needs both."""
    person = people.get(key.partition("_")[0])
    sex = SEXES.get((person or {}).get("sex", "").strip().lower())
    try:
        age = float((person or {}).get("age", ""))
    except ValueError:
        return None
    return {"id": key, "age_yr": age, "sex": sex} if sex else None
