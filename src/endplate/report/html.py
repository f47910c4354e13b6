"""The page: one self-contained HTML file that needs no network, from the case and the templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from endplate.bibliography import full_text
from endplate.case import Case
from endplate.cited import TRUST_WORDS
from endplate.report import table
from endplate.report.care.section import as_names, care_parts, unweighed_parts
from endplate.report.constants import constants, stages_used
from endplate.report.figure.bitmap import ABOVE_RGB, ramp_rgb
from endplate.report.figure.curve import curve_figure, shared_limits
from endplate.report.figure.pattern import grade_patterns
from endplate.report.figure.section import section_figure
from endplate.report.figure.strain import TOP_OF_SCALE, strain_figure
from endplate.report.figure.strip import strip_figure
from endplate.report.method import methods
from endplate.report.overview.answer import scan_lines
from endplate.report.overview.repairs import repairs
from endplate.report.page import style, template_environment
from endplate.report.phrase import (
    BUILT,
    NOTE,
    caution_words,
    levels_listed,
    moment,
    polished,
    stopped,
    title_of,
    with_unit,
)
from endplate.report.rehearsal.section import sections
from endplate.report.summary import summarise

PICTURE_WORDS = (
    "A cut through the middle of every body, bent to follow the spine. Thick lines: endplates. Thin lines: where the "
    "heights were taken; each is averaged over a band 10 mm wide, so a line and its number can differ slightly. Fine "
    "outlines: the vertebra as labelled."
)
PICTURE_REGION = " Dotted: where bone density was read."


def to_html(case: Case) -> str:
    """The report as one HTML text; everything that came from files or records is escaped."""
    environment = template_environment()
    environment.filters["title_of"] = title_of
    environment.filters["with_unit"] = with_unit
    environment.filters["moment"] = moment
    environment.filters["polished"] = polished
    environment.filters["stopped"] = stopped
    environment.filters["caution_words"] = caution_words
    return environment.get_template("report.html.j2").render(context(case))


def context(case: Case) -> dict[str, Any]:
    """Everything the template prints."""
    used = constants(*stages_used(case))
    return {
        "case": case,
        "levels": levels_listed([vertebra.level for vertebra in case.spine.vertebrae]) if case.spine else "none",
        "style": style(),
        "summary": summarise(case),
        "built": [caution for caution in case.cautions if caution.code == BUILT],
        "problems": [caution for caution in case.cautions if caution.code not in (BUILT, NOTE)],
        "notes": [caution for caution in case.cautions if caution.code == NOTE],
        "calibration_told": any(finding.code == "density_calibration" for finding in case.findings),
        "missing": table.missing(case),
        "tables": table.tables(case),
        "whole_case": table.whole_case(case),
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
        **as_names(unweighed_parts() if case.care is None else care_parts(case.care)),
        **_figures(case),
    }


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
        "ramp_above": "rgb({}, {}, {})".format(*ABOVE_RGB),
        "ramp": ", ".join("rgb({}, {}, {})".format(*ramp_rgb(step / 7.0)) for step in range(8)),
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
