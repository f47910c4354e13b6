"""Which names endplate writes, by what they belong to, and the refusals that keep everything else as it is."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from endplate.atomic import readable
from endplate.errors import OutputError
from endplate.report.manifest import Manifest, standing

PAGE, DOCUMENT, VOLUMES, VIEW = "report.html", "case.json", "volumes", "report.json"
DECISION = "decision.json"
BESIDE = ("decision-aid.html", DECISION, "fhir.json", "care.html", "after-procedure.html")
"""What a decision leaves beside a case: about the case that was there, so it goes with it."""
KINDS: dict[str, tuple[str, ...]] = {
    "case": (DOCUMENT, PAGE, VIEW, f"{VOLUMES}/labels.nii.gz", f"{VOLUMES}/README.txt"),
    "decision": BESIDE,
    "pdf": ("report.pdf", "decision-aid.pdf"),
    "fracture": ("ct.nii.gz", "ct.json", "labels.nii.gz", "truth.json"),
    "dicom": ("measurements.dcm", "report.dcm", "vertebrae.dcm", "bodies.dcm", "needle-paths.dcm"),
    "cohort-case": ("thumbnail.jpg",),
    "cohort-stamp": ("cohort.json",),
    "study": ("study.html", "cases.parquet", "findings.csv", "agreement.json"),
    "demo": ("intact/ct.nii.gz", "intact/labels.nii.gz", "patient.toml"),
}
"""Names that are known before the work is done. Other kinds (a page, a record, rows) are one file of any name."""
OF_A_LEVEL = re.compile(
    r"(C[1-7]|T\d\d?|L\d|S1)_(vertebra|body|density_roi|(\w+_)?strain|"
    r"(vertebroplasty|kyphoplasty)_(cement|sphere|cavity|compaction|path)(_LPS|_RAS)?)\.(nii\.gz|stl|gii|mrk\.json)"
)
"""Names of the volumes of a level; another one of such a name would pass for a result of this case."""
MAX_NAMED = 3
"""Names that a refusal lists; it says how many more there are."""


class StandingError(OutputError):
    """Files stand in the way that endplate did not write, or that were changed since."""


def kind_of(name: str, kinds: Sequence[str]) -> str:
    """What a file belongs to among the kinds that a run writes."""
    return next((kind for kind in kinds if name in KINDS.get(kind, ())), kinds[0])


def refuse_inputs(folder: Path, names: Iterable[str], inputs: Iterable[Path]) -> None:
    """Refuse to replace what the run itself reads.

    Raises
    ------
    OutputError : one of the names in the folder is an input, or lies in an input folder within this one.
    """
    here = Path(os.path.realpath(folder))
    read = {Path(os.path.realpath(path)) for path in inputs}
    for name in names:
        target = Path(os.path.realpath(folder / name))
        within = [path for path in target.parents if path != here and path.is_relative_to(here)]
        if target in read or (os.path.lexists(target) and read.intersection(within)):
            raise OutputError(
                f"{folder / name} is an input of this run", "an output would replace it", "choose another place"
            )


def refuse_standing(
    folder: Path, wanted: Iterable[str], kinds: Sequence[str], names: Collection[str], manifest: Manifest
) -> None:
    """Refuse to replace what endplate did not write, what was changed since, and what is of another kind.

    Parameters
    ----------
    wanted : every name that may be replaced. names : those among them whatever kind they are listed as.

    Raises
    ------
    OutputError : naming what stands there.
    """
    renewed = _renewed(kinds, names)
    found: dict[str, list[str]] = {"foreign": [], "changed": []}
    strange = _strange_volumes(folder, manifest) if "case" in kinds else []
    behind = f"{VOLUMES}/" if VOLUMES in strange else "/"  # what stands in the place of the folder is named once
    for name in (*(name for name in wanted if not name.startswith(behind)), *strange):
        entry = manifest.get(name)
        stands = standing(folder, name, entry)
        of_another_kind = entry is not None and entry.of not in kinds and name not in renewed
        if stands == "ours" and of_another_kind:
            stands = "foreign"
        if stands in found:
            found[stands].append(readable(name))
    _refuse_found(folder, found["foreign"], "that endplate did not write")
    _refuse_found(folder, found["changed"], "that was changed since it was written")
    if "case" in kinds:
        _refuse_decision_alone(folder, manifest)


def _refuse_found(folder: Path, names: Sequence[str], why: str) -> None:
    if not names:
        return
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    raise StandingError(
        f"{folder} already holds {' and '.join(names[:MAX_NAMED])}{more} {why}",
        "nothing but what endplate lists as its own there is replaced",
        f"move it away, or choose another place, such as {folder / 'endplate'}",
    )


def _renewed(kinds: Sequence[str], names: Collection[str]) -> set[str]:
    """Names of another kind that a decision, or a report rendered again, may renew: the page of the case."""
    return {PAGE} & set(names) if {"decision", "pdf"} & set(kinds) else set()


def _strange_volumes(folder: Path, manifest: Manifest) -> list[str]:
    """Volumes named as those of a level are, or what stands in the place of their folder."""
    place = folder / VOLUMES
    if not os.path.lexists(place):
        return []
    if place.is_symlink() or not place.is_dir():
        return [VOLUMES]
    found = [f"{VOLUMES}/{path.name}" for path in place.iterdir() if OF_A_LEVEL.fullmatch(path.name)]
    return sorted(name for name in found if name not in manifest)


def _refuse_decision_alone(folder: Path, manifest: Manifest) -> None:
    """A decision without a case may be about another patient: it is neither removed nor joined."""
    alone = [name for name in BESIDE if name in manifest and os.path.lexists(folder / name)]
    if alone and not os.path.lexists(folder / DOCUMENT):
        raise OutputError(
            f"{folder} already holds {' and '.join(alone)} of a decision without a case",
            "it would seem to belong to the new one",
            f"choose another folder, such as {folder / 'endplate'}",
        )
