"""The options of `endplate follow`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from cyclopts import Group, Parameter, validators

from endplate.cli.options.run import option

WHERE = Group("Database", sort_key=2)

Episode = Annotated[int, Parameter(help="Number of the episode; `endplate follow list` shows all.")]
Limit = Annotated[int, Parameter(help="Rows to show at most.", validator=validators.Number(gte=0))]
Kind = Literal[
    "vertebroplasty",
    "kyphoplasty",
    "titanium-implant",
    "body-stent",
    "kiva",
    "rf-kyphoplasty",
    "ablation-with-cement",
    "sacroplasty",
]
"""As `patient.health.RepairKind`, which is not imported for its weight."""
Row = Literal["visit", "repair", "scan", "milestone", "episode"]
Part = Literal["visit", "repair", "scan", "milestone"]
Milestone = Literal[
    "risk assessed",
    "density tested",
    "falls assessed",
    "drug recommended",
    "drug started",
    "exercise started",
    "monitored",
    "on drug at 52 weeks",
]


def _sign(words: str) -> Parameter:
    """Yes, or no with --no- before its name; what nobody looked for stays unknown."""
    return Parameter(show_default=False, help=words)


@Parameter(name="*", group=WHERE)
@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOptions:
    """Which database, who writes, and which day it is."""

    database: Annotated[str | None, option("SQLite file or URL; default $ENDPLATE_DATABASE, else endplate.db.")] = None
    who: Annotated[str | None, option("Who writes; default the user of this computer.")] = None
    on: Annotated[date | None, option("The day it happened, or as of which to look; default today.")] = None


HERE = DatabaseOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
@Parameter(name="*")
class VisitInput:
    """What a visit found."""

    nrs: Annotated[float | None, option("Pain 0-10 under analgesia.")] = None
    rmdq: Annotated[float | None, option("Roland-Morris 0-24.")] = None
    odi: Annotated[float | None, option("Oswestry, percent.")] = None
    eq5d: Annotated[float | None, option("EQ-5D index; of one version and value set throughout.")] = None
    qualeffo: Annotated[float | None, option("QUALEFFO-41, 0-100, 0 best.")] = None
    pcs: Annotated[float | None, option("SF-36 physical component summary.")] = None
    height_cm: Annotated[float | None, option("Stature, cm.")] = None
    new_focal_pain: Annotated[bool | None, _sign("Pain at a level that did not hurt before.")] = None
    deficit: Annotated[bool | None, _sign("New neurological deficit.")] = None
    fever: Annotated[bool | None, _sign("Fever.")] = None
    breathless: Annotated[bool | None, _sign("Breathlessness or chest pain.")] = None
    note: Annotated[str | None, option("Anything else.")] = None


NOTHING = VisitInput()
