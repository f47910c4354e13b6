"""What the case screen says of one level: findings in the report's words, cautions and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from endplate.finding import Finding
from endplate.fracture.findings import signs_to_look_at
from endplate.report.phrase import band_of, caution_words, polished, title_of, with_unit
from endplate.report.read_document import cautions_of, findings_of
from endplate.report.table import GROUPS

OTHER = "Other"
BY_READER = ("genant_grade_computed", "fracture_computed", "fracture_age")
REPAIR = ("repair_", "balloon_", "cement_", "needle_", "neighbour_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One finding in words: its title, value with unit, 95 % band, method and source; `read` where a reader gave it."""

    title: str
    value: str
    band: str
    method: str
    source: str
    read: bool


def level_facts(document: Mapping[str, Any], level: str) -> dict[str, Any]:
    """Groups of facts of a level, its cautions, and what could not be measured of it.

    Parameters
    ----------
    document : as `read_document` gives it. level : a name in it.
    """
    found = [finding for finding in findings_of(dict(document)) if finding.level == level]
    groups: dict[str, list[Fact]] = {}
    for finding in found:
        groups.setdefault(_group(finding.code), []).append(_fact(finding))
    order = [*GROUPS, "Repair", OTHER]
    return {
        "groups": [(name, groups[name]) for name in order if name in groups],
        "signs": polished(_signs(found)),
        "now": _now(found),
        **words_of(document, level),
    }


def _now(found: list[Finding]) -> dict[str, Any]:
    """The grade and the fracture as they stand, measured or read, with which the forms to correct them open."""
    known = {finding.code: finding.value for finding in found}
    grade, fracture = known.get("genant_grade"), known.get("fracture")
    if known.get("fracture_age") == "old" and fracture == "yes":
        fracture = "old"
    return {
        "grade": int(grade) if isinstance(grade, int | float) else None,
        "fracture": fracture if fracture in ("yes", "no", "old") else "",
    }


def _signs(found: list[Finding]) -> str:
    """Signs of a fracture that no height loss bears out, in words."""
    known = {finding.code: finding for finding in found}
    if "fracture" not in known or "deformity" not in known:
        return ""
    fracture = known["fracture"]
    return signs_to_look_at(fracture.value, known["deformity"].value, fracture.method)


def words_of(document: Mapping[str, Any], level: str | None) -> dict[str, Any]:
    """Cautions and gaps of a level, or of the whole case."""
    held = [caution for caution in cautions_of(dict(document)) if caution.level == level]
    cautions = [polished(caution_words(caution)) for caution in held]
    gaps: dict[str, list[str]] = {}
    for row in document["gaps"]:
        if row["level"] == level:
            gaps.setdefault(polished(row["reason"]), []).append(title_of(row["code"]))
    return {"cautions": list(dict.fromkeys(cautions)), "gaps": [(why, ", ".join(what)) for why, what in gaps.items()]}


def _group(code: str) -> str:
    if code.startswith(REPAIR):
        return "Repair"
    if code in BY_READER:
        return "Shape"
    return next((name for name, codes in GROUPS.items() if code in codes), OTHER)


def _fact(finding: Finding) -> Fact:
    title = title_of(finding.code)
    return Fact(
        title=f"{title}, {finding.condition}" if finding.condition else title,
        value=with_unit(finding, with_band=False),
        band=band_of(finding),
        method=polished(finding.method),
        source=polished(finding.source),
        read=finding.source.startswith("reading of "),
    )
