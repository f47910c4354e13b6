"""How old the fracture is, by the record and the scan: whether it is loose, and between which ends that is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from endplate.cited import cited
from endplate.level import Level
from endplate.patient import PatientRecord
from endplate.repair.site.bone import FractureZone

Age = Literal["fresh", "healing", "healed", "not united", "unknown"]
Looseness = Literal["rigid", "mobile"]

FRESH_DAYS = cited(
    42.0,
    "d",
    "mobility and gain fall after 4 to 8 weeks, the middle taken",
    "knowledge",
    cite="mckiernan_2003",
)
HEALED_DAYS = cited(
    90.0, "d", "gain near zero after 3 months unless there is a cleft", "knowledge", cite="mckiernan_2003"
)
BOTH: tuple[Looseness, Looseness] = ("rigid", "mobile")


@dataclass(frozen=True, slots=True, kw_only=True)
class FractureAge:
    """How old a fracture is taken to be.

    Attributes
    ----------
    age : in a word. nominal : what the run at the usual values takes. band : the (low, high) end of the ensemble.
    decided_by : what decided it, in words. days : since the onset, None where it is not told.
    """

    age: Age
    nominal: Looseness
    band: tuple[Looseness, Looseness]
    decided_by: str
    days: float | None = None


def fracture_age(record: PatientRecord | None, level: Level, zone: FractureZone | None) -> FractureAge:
    """What decides, in this order: a cleft, oedema on MRI or uptake on a bone scan, the days since the onset.

    Where image and onset contradict each other both ends stay open, and the words say so.
    """
    read = None if record is None else record.levels.get(level)
    days = None if record is None else record.episode.days_at(record.recorded_on)
    if zone is not None and zone.cleft.any():
        return _made("not united", days, "a cleft on the CT")
    if read is not None and read.cleft:
        return _made("not united", days, "a cleft in the record")
    active, witness = _activity(read)
    if active is None:
        return _by_days(days)
    if active:
        return _made("fresh", days, witness)
    if days is not None and days <= FRESH_DAYS:
        words = f"{witness}, against an onset {days:.0f} days ago: both ends stay open"
        return FractureAge(age="unknown", nominal="mobile", band=BOTH, decided_by=words, days=days)
    return _made("healed", days, witness)


def _activity(read: object) -> tuple[bool | None, str]:
    """Whether the fracture is active by MRI, else by bone scan, and the words for it."""
    oedema, uptake = (getattr(read, name, None) for name in ("oedema", "uptake"))
    if oedema is not None:
        return bool(oedema), "oedema on MRI" if oedema else "no oedema on MRI"
    if uptake is not None:
        return bool(uptake), "uptake on the bone scan" if uptake else "no uptake on the bone scan"
    return None, ""


def _by_days(days: float | None) -> FractureAge:
    """By the onset alone."""
    if days is None:
        words = "nothing: no onset, MRI, bone scan or cleft is known; loose is taken, both ends stay open"
        return FractureAge(age="unknown", nominal="mobile", band=BOTH, decided_by=words)
    text = f"the onset {days:.0f} days ago"
    if days <= FRESH_DAYS:
        return _made("fresh", days, text)
    if days <= HEALED_DAYS:
        return FractureAge(age="healing", nominal="mobile", band=BOTH, decided_by=text, days=days)
    words = f"{text}, without MRI or bone scan: healed is taken, both ends stay open"
    return FractureAge(age="healed", nominal="rigid", band=BOTH, decided_by=words, days=days)


def _made(age: Age, days: float | None, decided_by: str) -> FractureAge:
    """An age that leaves no doubt whether the fracture is loose."""
    loose: Looseness = "rigid" if age == "healed" else "mobile"
    return FractureAge(age=age, nominal=loose, band=(loose, loose), decided_by=decided_by, days=days)
