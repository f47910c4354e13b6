"""The decision aid: two pages for the patient, in plain words, with no promise that evidence does not carry."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from endplate.case.care import Care
from endplate.report.care.alarm import alarms
from endplate.report.care.caution import cautions
from endplate.report.care.icons import icon_array
from endplate.report.page import style, template_environment
from endplate.version import __version__

ORDINARY = {"C": "neck", "T": "chest part of the back", "L": "lower back", "S": "base of the back"}
UPDATED = "November 2026"


@cache
def figures() -> dict[str, Any]:
    """Benefits and harms per 100 people, with source and certainty."""
    return tomllib.loads(files("endplate.report.care").joinpath("decision_aid.toml").read_text(encoding="utf-8"))


def decision_aid(care: Care) -> str:
    """The aid as a page of its own, two sheets of A4 when printed."""
    return (
        template_environment()
        .get_template("aid.html.j2")
        .render(
            care=care,
            broken=_where([name for name, sure in _levels(care) if sure]),
            maybe=_where([name for name, sure in _levels(care) if not sure]),
            why=_why(care),
            tumour=_tumour(care),
            not_now=_not_now(care),
            alarm=_alarm(care),
            cautions=_cautions(care),
            traumatic=_traumatic(care),
            young=_raised(care, "young_fragility"),
            figures=figures(),
            icons=icon_array,
            style=style(),
            version=__version__,
            updated=UPDATED,
        )
    )


def _levels(care: Care) -> list[tuple[str, bool]]:
    """The levels, and whether it is known that each is broken: oedema alone, or a scan in doubt, does not say so."""
    return [(facts.level, facts.values.get("fracture_on_ct") is True) for facts in care.facts]


def _alarm(care: Care) -> str:
    """Why to call: an emergency that is certain or possible, or a fracture that cement alone is not for."""
    found = {alarm.certainty for alarm in alarms(care.decision)}
    for certainty in ("certain", "possible"):
        if certainty in found:
            return certainty
    alone = any(flag.id == "no_cement_alone" for level in care.decision.levels for flag in level.flags)
    return "surgeon" if alone else ""


def _tumour(care: Care) -> str:
    """Whether a tumour in a bone is likely ("yes"), or cannot be put aside ("maybe"): then other figures hold."""
    grades = [
        set(grade.reachable) for level in care.decision.levels for grade in level.causes if grade.id == "malignancy"
    ]
    if any(grade <= {"definite", "probable"} for grade in grades):
        return "yes"
    return "maybe" if any("absent" not in grade for grade in grades) else ""


def _raised(care: Care, flag: str) -> bool:
    """Whether a flag stands at any level."""
    return any(one.id == flag for level in care.decision.levels for one in level.flags)


def _traumatic(care: Care) -> bool:
    """Whether every fracture is a traumatic one: figures and drugs for weak bone are then not for this patient."""
    levels = care.decision.levels
    return bool(levels) and all(any(flag.id == "traumatic" for flag in level.flags) for level in levels)


def _cautions(care: Care) -> list[str]:
    """Cautions in plain words, the gravest first."""
    plain = figures()["caution"]
    return [plain[caution.id] for caution in cautions(care.decision) if caution.id in plain]


def _where(names: list[str]) -> str:
    """Bones in plain words."""
    if not names:
        return ""
    parts = sorted({ORDINARY[name[0]] for name in names})
    text = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    return f"{text}, in the {' and the '.join(parts)}"


def _why(care: Care) -> list[str]:
    """Likely causes in plain words; only those that the rules call definite or probable."""
    plain = {
        "osteoporosis": "Your bones have become thin and weak. Doctors call this osteoporosis.",
        "trauma": "You had a fall or an accident.",
        "malignancy": "A tumour (cancer) in the bone may have made it weak. This needs more tests.",
        "glucocorticoid": "Steroid tablets taken for a long time make bones weak.",
    }
    found = []
    for level in care.decision.levels:
        for cause in level.causes:
            if cause.value in ("definite", "probable") and cause.id in plain and plain[cause.id] not in found:
                found.append(plain[cause.id])
    return found


def _not_now(care: Care) -> bool:
    """Whether any rule set finds a reason against cement at every level."""
    return bool(care.decision.levels) and all(
        any(verdict.status == "contraindicated" for verdict in level.verdicts) for level in care.decision.levels
    )
