"""The patient: name, sex, age. A missing sex or age is asked for, never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from endplate.cited import cited
from endplate.errors import RecordError
from endplate.patient.fhir.code import OURS
from endplate.patient.fhir.when import whole_day
from endplate.patient.record import DAYS_PER_YEAR, MID_MONTH

Resource = dict[str, Any]

BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
LETTERS = {"F": "female", "M": "male"}
HASHED = f"{OURS}:hash"
"""System of the identifier of a patient whose record has no name; it stands for the content and is none."""
MID_DAY = int(cited(15.0, "d", "The middle of a month, where only the month of birth is known", "design"))


def read_person(patient: Resource, today: date, name: str) -> Iterator[tuple[str, Any]]:
    """What the patient resource tells.

    Raises
    ------
    RecordError : a modifier that is not understood, or two sexes.
    """
    if "modifierExtension" in patient or "implicitRules" in patient:
        url = "implicitRules" if "implicitRules" in patient else "modifierExtension"
        raise RecordError(
            f"{name}: the patient carries {url}", "it may change the meaning of everything else", "take it out if not"
        )
    yield from _names(patient)
    sex = _sex(patient, name)
    if sex:
        yield "sex", sex
    yield from _age(str(patient.get("birthDate", "")), today)


def _names(patient: Resource) -> Iterator[tuple[str, Any]]:
    names = {one.get("system"): one["value"] for one in patient.get("identifier") or () if one.get("value")}
    if HASHED in names:
        return
    first = next(iter(names.values()), patient.get("id", ""))
    name = names.get(OURS, first)
    if name and name != "patient":
        yield "id", name


def _sex(patient: Resource, name: str) -> str:
    """The sex, from gender or the sex at birth of US Core; empty where neither says female or male."""
    born = next((one.get("valueCode") for one in patient.get("extension") or () if one.get("url") == BIRTH_SEX), "")
    said = (LETTERS.get(str(born), ""), str(patient.get("gender", "")))
    told = {sex for sex in said if sex in LETTERS.values()}
    if len(told) > 1:
        raise RecordError(
            f"{name}: gender is {patient.get('gender')}, but the sex at birth is {LETTERS[str(born)]}",
            "bone density and the rules are read by one of them",
            "say which with --sex female or --sex male",
        )
    return next(iter(told), "")


def _age(born: str, today: date) -> Iterator[tuple[str, Any]]:
    if len(born) == len("2000"):
        yield "birth_year", int(born)
        yield "age_yr", max(round((today - date(int(born), MID_MONTH, 1)).days / DAYS_PER_YEAR, 1), 0.0)
    elif (day := whole_day(born if len(born) != len("2000-01") else f"{born}-{MID_DAY}")) is not None:
        yield "age_yr", round((today - day).days / DAYS_PER_YEAR, 1)


def person_notes(patient: Resource) -> dict[str, str]:
    """What of the patient changes how everything else is to be read."""
    notes = {}
    if patient.get("active") is False:
        notes["Patient.active"] = "the patient's entry is marked as no longer in use"
    if patient.get("deceasedBoolean") or patient.get("deceasedDateTime"):
        notes["Patient.deceased"] = "the patient is marked as deceased"
    if patient.get("link"):
        notes["Patient.link"] = "the patient's entry is linked to another: is this the one that counts?"
    return notes


def ask_person(tree: dict[str, Any], name: str) -> None:
    """Ask for sex and age where the bundle does not tell them.

    Raises
    ------
    RecordError : says how to give them.
    """
    if "sex" not in tree:
        why = "the rules and the reference values differ by sex, and the bundle says neither female nor male"
        raise RecordError(f"{name}: sex is missing", why, "give it with --sex female or --sex male")
    if "age_yr" not in tree:
        raise RecordError(
            f"{name}: age is missing", "the bundle tells no date of birth", "give it with --age, in years"
        )
