"""The page of a study: one HTML file that works offline. Its one script marks cases on the contact sheet."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from endplate.cohort.agreement import Agreement
from endplate.cohort.bland_altman import bland_altman_figure
from endplate.cohort.distribution import distribution, title_of
from endplate.cohort.stamp import PICTURE, Stamp
from endplate.cohort.tally import SHOWN, Tally
from endplate.report.page import style
from endplate.version import __version__

ROOM = "endplate.cohort"
GRADES = ("0", "1", "2", "3", "?")
STATUSES = ("met", "not met", "indeterminate", "not applicable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the head of the page says of the run."""

    source: str
    step: str
    rows: int
    chosen: int
    thumbnails: int


def study_page(tally: Tally, sheet: Sequence[dict[str, Any]], facts: Facts, agreed: Agreement | None) -> str:
    """The page as text; everything that came from files is escaped."""
    environment = Environment(
        loader=PackageLoader(ROOM, "templates"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    script = _read("study.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    return environment.get_template("study.html.j2").render(
        policy=policy,
        style=style() + Markup(_read("study.css")),
        script=Markup(script),
        data=_json(sheet),
        sheet=sheet,
        facts=facts,
        version=__version__,
        tally=tally,
        per_hour=3600.0 * tally.done / tally.seconds if tally.seconds else None,
        age=(min(tally.ages), median(tally.ages), max(tally.ages)) if tally.ages else None,
        failures=sorted(tally.failures.values(), key=lambda one: (-one.count, one.reason)),
        levels=tally.levels(),
        grades=GRADES,
        rulesets=sorted(tally.verdicts),
        statuses=_statuses(tally),
        distributions=_distributions(tally),
        agreed=agreed,
        pictures=[] if agreed is None else [(one, bland_altman_figure(one)) for one in agreed.heights],
    )


def sheet_entry(stamp: Stamp, folder: Path) -> dict[str, Any] | None:
    """One case on the contact sheet; None where it has no picture."""
    try:
        picture = (folder / PICTURE).read_bytes()
    except OSError:
        return None
    return {
        "id": stamp.id,
        "folder": folder.name,
        "page": "report.html" in stamp.outputs,
        "picture": f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}",
        "about": ", ".join(
            part for part in (stamp.sex or "", f"{stamp.age_yr:g} years" if stamp.age_yr is not None else "") if part
        ),
        "levels": [{"level": level, "x": x, "y": y, "grade": grade} for level, x, y, grade in stamp.marks],
    }


def _distributions(tally: Tally) -> list[tuple[str, str, Markup]]:
    found = []
    for code in SHOWN:
        series = {level: one for (name, level), one in tally.series.items() if name == code}
        if series:
            found.append((code, title_of(code), distribution(code, series)))
    return found


def _statuses(tally: Tally) -> list[str]:
    named = {status for counts in tally.verdicts.values() for status in counts}
    return [status for status in STATUSES if status in named] + sorted(named - set(STATUSES))


def _json(sheet: Sequence[dict[str, Any]]) -> Markup:
    """What the script needs, as JSON that no HTML parser can leave early."""
    lean = [{key: value for key, value in one.items() if key != "picture"} for one in sheet]
    text = json.dumps(lean, ensure_ascii=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _read(name: str) -> str:
    return files(ROOM).joinpath(f"templates/{name}").read_text(encoding="utf-8")
