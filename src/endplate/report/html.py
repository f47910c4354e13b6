"""The page: one self-contained HTML file that needs no network, from the case and the templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from endplate.case import Case
from endplate.cited import TRUST_WORDS
from endplate.report import table
from endplate.report.care.section import ALARM_EMPTY, EMPTY, care_alarm, care_section
from endplate.report.constants import constants, stages_used
from endplate.report.figure.bitmap import ABOVE_RGB, ramp_rgb
from endplate.report.figure.curve import curve_figure, shared_limits
from endplate.report.figure.pattern import grade_patterns
from endplate.report.figure.section import section_figure
from endplate.report.figure.strain import TOP_OF_SCALE, strain_figure
from endplate.report.figure.strip import strip_figure
from endplate.report.method import methods
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
        "constants": constants(*stages_used(case)),
        "trust_words": TRUST_WORDS,
        "parameters": flat(case.provenance.parameters),
        "rehearsals": sections(case),
        "alarm": ALARM_EMPTY if case.care is None else care_alarm(case.care),
        "care": EMPTY if case.care is None else care_section(case.care),
        **_figures(case),
    }


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
        "sagittal": section_figure(case, "sagittal"),
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
