"""Everything that the report prints of a case, as plain view objects: what every template of the report is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from endplate.bibliography import full_text
from endplate.biomechanics.result import Strength
from endplate.case import Case
from endplate.cited import TRUST_WORDS
from endplate.finding import Caution
from endplate.report import table
from endplate.report.constants import constants, stages_used
from endplate.report.figure.curve import curve_figure, shared_limits
from endplate.report.figure.pattern import grade_patterns
from endplate.report.figure.section import section_figure
from endplate.report.figure.strain import TOP_OF_SCALE, strain_figure
from endplate.report.figure.strip import strip_figure
from endplate.report.method import methods
from endplate.report.overview.answer import scan_lines
from endplate.report.overview.repairs import repairs
from endplate.report.phrase import BUILT, NOTE, caution_words, levels_listed, title_of, with_unit
from endplate.report.plain_view import plain_view
from endplate.report.rehearsal.section import sections
from endplate.report.summary import summarise

PICTURE_WORDS = (
    "A cut through the middle of every body, bent to follow the spine. Thick lines: endplates. Thin lines: where the "
    "heights were taken; each is averaged over a band 10 mm wide, so a line and its number can differ slightly. Fine "
    "outlines: the vertebra as labelled."
)
PICTURE_REGION = " Dotted: where bone density was read."


def report_view(case: Case) -> dict[str, Any]:
    """The report of a case without what was decided about it: text, numbers, lists, dicts and ready drawings."""
    used = constants(*stages_used(case))
    view: dict[str, Any] = plain_view(
        {
            "case": _case(case),
            "levels": levels_listed([vertebra.level for vertebra in case.spine.vertebrae]) if case.spine else "none",
            "summary": summarise(case),
            "built": [_caution(caution) for caution in case.cautions if caution.code == BUILT],
            "problems": [_caution(caution) for caution in case.cautions if caution.code not in (BUILT, NOTE)],
            "notes": [_caution(caution) for caution in case.cautions if caution.code == NOTE],
            "calibration_told": any(finding.code == "density_calibration" for finding in case.findings),
            "missing": table.missing(case),
            "tables": table.tables(case),
            "whole_case": [(title_of(finding.code), with_unit(finding)) for finding in table.whole_case(case)],
            "methods": methods(case),
            "constants": used,
            "references": full_text(sorted({key for constant in used for key in constant.cite})),
            "trust_words": TRUST_WORDS,
            "parameters": flat(case.provenance.parameters),
            "rehearsals": sections(case),
            "lines": scan_lines(case),
            "repairs": [repairs(rehearsal) for rehearsal in case.rehearsals],
            "rehearsed": [str(rehearsal.level) for rehearsal in case.rehearsals],
            "own_contents": _contents(case),
            **_figures(case),
        }
    )
    return view


def _case(case: Case) -> dict[str, Any]:
    """Name, patient, scan, calibration and solver of a case."""
    record = case.record
    patient = ("age_yr", "sex", "mass_kg", "height_cm")
    calibration = ("route", "equivalent", "slope_mg_cm3_per_hu", "offset_mg_cm3", "sd_mg_cm3", "source", "notes")
    found = case.calibration
    return {
        "id": case.id,
        "record": None if record is None else {name: getattr(record, name) for name in patient},
        "provenance": case.provenance,
        "labels": {"scheme": case.labels.scheme, "notes": case.labels.notes},
        "calibration": None if found is None else {name: getattr(found, name) for name in calibration},
        "strengths": [_solved(strength) for strength in case.strengths],
    }


def _solved(strength: Strength) -> dict[str, Any]:
    names = ("level", "load_case", "law", "voxel_mm", "solver")
    return {name: getattr(strength, name) for name in names}


def _caution(caution: Caution) -> dict[str, Any]:
    return {"level": caution.level, "text": caution_words(caution), "repaired": caution.repaired}


def _contents(case: Case) -> list[tuple[str, str]]:
    """The list of contents as far as the scan fills it: (id, words) of the sections that are there."""
    curves = any(len(strength.displacement_mm) for strength in case.strengths)
    return [
        *([("limits", "Limitations and gaps")] if case.cautions or case.gaps else []),
        ("pictures", "Findings by level"),
        ("numbers", "Measurements"),
        *([("curves", "Strength")] if curves else [("strains", "Strain")] if case.strengths else []),
        *((f"rehearsal-{done.level}", f"Rehearsal of {done.level}") for done in case.rehearsals),
    ]


def _figures(case: Case) -> dict[str, Any]:
    limits = shared_limits(case.strengths)
    strains = []
    for strength in case.strengths:
        vertebra = case.spine.at(strength.level) if case.spine else None
        if vertebra is not None:
            strains.append(strain_figure(strength, vertebra))
    return {
        "patterns": grade_patterns(),
        "strip": strip_figure(case),
        "spine_picture": section_figure(case, "sagittal"),
        "spine_words": PICTURE_WORDS + (PICTURE_REGION if case.densities else ""),
        "coronal": section_figure(case, "coronal"),
        "curves": [figure for s in case.strengths if (figure := curve_figure(s, *limits)) is not None],
        "strains": [figure for figure in strains if figure is not None],
        "strain_highest_percent": f"{100 * TOP_OF_SCALE:g}",
        "strain_when": _strain_when(case),
    }


def _strain_when(case: Case) -> str:
    """At which point of the loading the strain of the maps stands."""
    if any(len(strength.displacement_mm) for strength in case.strengths):
        return "at the last point before yield"
    return "at 0.2 % shortening of the body, of the linear run"


def flat(parameters: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested parameters as (dotted name, text) in their order."""
    out: list[tuple[str, str]] = []
    for key, value in parameters.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            out += flat(value, f"{name}.")
        else:
            found = {None: "not given", True: "yes", False: "no"}
            out.append((name, found[value] if value is None or isinstance(value, bool) else str(value)))
    return out
