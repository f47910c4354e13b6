"""The decision aid: two pages for the patient, in plain words, with no promise that evidence does not carry."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from endplate.case.care import Care
from endplate.report.care.icons import icon_array
from endplate.report.page import style, template_environment
from endplate.version import __version__

ORDINARY = {"C": "neck", "T": "chest part of the back", "L": "lower back", "S": "base of the back"}
UPDATED = "November 2026"


@cache
def figures() -> dict[str, Any]:
    """Benefits and harms per 100 people, with source and certainty."""
    return tomllib.loads(files("endplate.report.care").joinpath("aid.toml").read_text(encoding="utf-8"))


def decision_aid(care: Care) -> str:
    """The aid as a page of its own, two sheets of A4 when printed."""
    return (
        template_environment()
        .get_template("aid.html.j2")
        .render(
            care=care,
            where=_where(care),
            why=_why(care),
            not_now=_not_now(care),
            emergency=any(level.emergencies for level in care.decision.levels),
            figures=figures(),
            icons=icon_array,
            style=style(),
            version=__version__,
            updated=UPDATED,
        )
    )


def _where(care: Care) -> str:
    """The broken bones in plain words."""
    names = [level.level for level in care.decision.levels]
    if not names:
        return ""
    parts = sorted({ORDINARY[name[0]] for name in names})
    told = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    return f"{told}, in the {' and the '.join(parts)}"


def _why(care: Care) -> list[str]:
    """Likely causes in plain words; only those that the rules call definite or probable."""
    plain = {
        "osteoporosis": "Your bones have become thin and weak. Doctors call this osteoporosis.",
        "trauma": "You had a fall or an accident.",
        "malignancy": "A growth in the bone may have made it weak. This needs more tests.",
        "glucocorticoid": "Cortisone tablets taken for a long time make bones weak.",
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
