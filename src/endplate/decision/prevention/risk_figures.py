"""How soon the next fracture may come, daily needs, and dates: published figures, not this patient's risk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from endplate.cited import citation_of, cited, cited_table

_JOHANSSON = "Johansson 2017: risk of a second major fracture after a first, against the population"
SECOND_MAJOR = cited_table(
    "prevention.second_major", "1", _JOHANSSON, "verified", {"1 year": 2.7, "10 years": 1.4}, cite="johansson_2017"
)
_NEIGHBOURS = "Diagn Interv Radiol 2024: new vertebral fractures after a cement repair"
AFTER_CEMENT_FIRST_YEAR_PERCENT = cited(56.6, "%", _NEIGHBOURS, "verified", cite="after_cement_2024")
AFTER_CEMENT_HAZARD = cited_table(
    "prevention.after_cement",
    "1",
    _NEIGHBOURS,
    "verified",
    {"next level": 3.99, "two levels away": 1.97},
    cite="after_cement_2024",
)
_LINDSAY = "Lindsay 2001: women with a new vertebral fracture, next one within a year 19.2 % (13.6-24.8)"
NEXT_YEAR_PERCENT = cited(19.2, "%", _LINDSAY, "verified", cite="lindsay_2001")
NEXT_YEAR_LOW_PERCENT = cited(13.6, "%", _LINDSAY, "verified", cite="lindsay_2001")
NEXT_YEAR_HIGH_PERCENT = cited(24.8, "%", _LINDSAY, "verified", cite="lindsay_2001")
RELATIVE_RISK = cited(
    5.1, "1", "Lindsay 2001: relative risk with a prevalent vertebral fracture", "verified", cite="lindsay_2001"
)
WOMEN_65_PERCENT = cited_table(
    "prevention.women_65",
    "%",
    "Balasubramanian 2019: women of 65 and over, next fracture after 1, 2, 5 years",
    "verified",
    {"1 year": 10.0, "2 years": 18.0, "5 years": 31.0},
    cite="balasubramanian_2019",
)
WOMEN_FROM_YR = cited(65.0, "a", "Balasubramanian 2019: women of 65 and over", "verified", cite="balasubramanian_2019")

CALCIUM_MG = cited(
    1200.0, "mg/d", "BHOF 2022: women from 51, men from 71, diet and supplements together", "verified", cite="bhof_2022"
)
CALCIUM_LESS_MG = cited(1000.0, "mg/d", "BHOF 2022: men of 50-70", "verified", cite="bhof_2022")
CALCIUM_WOMEN_YR = cited(51.0, "a", "BHOF 2022: women from 51", "verified", cite="bhof_2022")
CALCIUM_MEN_YR = cited(71.0, "a", "BHOF 2022: men from 71", "verified", cite="bhof_2022")
CALCIUM_FROM_YR = cited(50.0, "a", "BHOF 2022: men of 50-70", "verified", cite="bhof_2022")
VITAMIN_D_LOW_NG_ML = cited(30.0, "ng/mL", "BHOF 2022: 25-OH vitamin D 30-50 ng/mL", "verified", cite="bhof_2022")
VITAMIN_D_HIGH_NG_ML = cited(50.0, "ng/mL", "BHOF 2022: 25-OH vitamin D 30-50 ng/mL", "verified", cite="bhof_2022")
VITAMIN_D_IU = cited_table(
    "prevention.vitamin_d",
    "[iU]/d",
    "BHOF 2022: usually 800-1000 IU a day",
    "verified",
    {"low": 800.0, "high": 1000.0},
    cite="bhof_2022",
)
DXA_DAYS = cited(
    84.0, "d", "IOF/FFN/NOF key figures 2020: density tested within 12 weeks", "verified", cite="javaid_2020"
)
START_DAYS = cited(
    112.0, "d", "IOF/FFN/NOF key figures 2020: drug started within 16 weeks", "verified", cite="javaid_2020"
)
REVIEW_DAYS = cited(
    112.0, "d", "IOF/FFN/NOF key figures 2020: monitored within 16 weeks", "verified", cite="javaid_2020"
)
YEAR_DAYS = cited(364.0, "d", "IOF/FFN/NOF key figures 2020: on the drug at 52 weeks", "verified", cite="javaid_2020")
DENSITY_HOLDS_DAYS = cited(
    365.0, "d", "Density is repeated after 1-2 years: a test of the last year stands, the earlier end taken", "design"
)
FRESH_DAYS = cited(
    365.0, "d", "An older fracture is dealt with from the day on which it is found: own choice", "design"
)
REPEAT_DXA_DAYS = cited(
    730.0, "d", "Density is usually repeated after 1-2 years; the later end taken", "knowledge", cite="bhof_2022"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFigure:
    """A published figure in words."""

    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """Something to do by a day; `on` is None where no day is known to count from."""

    what: str
    on: date | None
    source: str


def imminent_risk(sex: str, age_yr: float) -> tuple[RiskFigure, ...]:
    """Figures on the next fracture that apply to a patient of this sex and age."""
    found = [
        RiskFigure(
            text=f"of 100 women with a new vertebral fracture, {NEXT_YEAR_PERCENT:.0f} broke another vertebra within a "
            f"year ({NEXT_YEAR_LOW_PERCENT:.0f} to {NEXT_YEAR_HIGH_PERCENT:.0f})",
            source=citation_of(NEXT_YEAR_PERCENT).source,
        ),
        RiskFigure(
            text=f"an earlier vertebral fracture raises the risk {RELATIVE_RISK:g} times",
            source=citation_of(RELATIVE_RISK).source,
        ),
    ]
    found.append(
        RiskFigure(
            text=f"after a first major fracture the risk of a second is {SECOND_MAJOR['1 year']:g} times that of the "
            f"population at 1 year, {SECOND_MAJOR['10 years']:g} times at 10 years",
            source=_JOHANSSON,
        )
    )
    found.append(
        RiskFigure(
            text=f"of new vertebral fractures after a cement repair, {AFTER_CEMENT_FIRST_YEAR_PERCENT:.0f} of 100 came "
            f"within a year; hazard {AFTER_CEMENT_HAZARD['next level']:g} times at the next level, "
            f"{AFTER_CEMENT_HAZARD['two levels away']:g} times two levels away",
            source=_NEIGHBOURS,
        )
    )
    if sex == "female" and age_yr >= WOMEN_FROM_YR:
        shares = ", ".join(f"{share:.0f} after {time}" for time, share in WOMEN_65_PERCENT.items())
        source = citation_of(WOMEN_65_PERCENT["1 year"]).source
        found.append(
            RiskFigure(text=f"of 100 women of 65 or over with any fracture, broke again: {shares}", source=source)
        )
    return tuple(found)


def calcium_mg(sex: str, age_yr: float) -> float | None:
    """Daily calcium from food and supplements together; None under 50 years, for which the source gives none."""
    if age_yr >= float(CALCIUM_WOMEN_YR if sex == "female" else CALCIUM_MEN_YR):
        return CALCIUM_MG
    return CALCIUM_LESS_MG if sex == "male" and age_yr >= CALCIUM_FROM_YR else None


def dates(
    start: date | None,
    density_known: bool,
    today: date | None = None,
    tested_on: date | None = None,
    on_drug: bool = False,
) -> tuple[Date, ...]:
    """What to do by when; what lies before today is said to be overdue.

    Parameters
    ----------
    start : the day to count from: of the fracture, or of its finding.
    density_known : whether a density test stands. tested_on : day of the newest one, from which the next is counted.
    on_drug : whether an osteoporosis drug is taken.
    """
    begun = "osteoporosis drug reviewed and exercise started" if on_drug else "osteoporosis drug and exercise started"
    steps = [] if density_known else [("density test (DXA) and risk assessment", DXA_DAYS)]
    steps += [(begun, START_DAYS), ("first review", REVIEW_DAYS), ("still on the drug?", YEAR_DAYS)]
    found = [_date(what, days, start, today) for what, days in steps]
    return (*found, _date("next density test", REPEAT_DXA_DAYS, tested_on or start, today))


def _date(what: str, days: float, start: date | None, today: date | None) -> Date:
    on = None if start is None else start + timedelta(float(days))
    overdue = on is not None and today is not None and on < today
    return Date(what=f"overdue: {what}" if overdue else what, on=on, source=citation_of(days).source)
