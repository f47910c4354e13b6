"""Conditions, allergies and procedures of other programs: what of them the record has a place for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from endplate.level import Level
from endplate.patient.fhir.code_table import SNOMED, Codes, codes_of, icd_codes, matches, table
from endplate.patient.fhir.context import Context, Told, left
from endplate.patient.fhir.observation import site
from endplate.patient.fhir.usable import past
from endplate.patient.fhir.when import day_text, whole_day

Resource = dict[str, Any]

CPT = "http://www.ama-assn.org/go/cpt"
REPAIRS = {"22510": "vertebroplasty", "22511": "vertebroplasty", "22513": "kyphoplasty", "22514": "kyphoplasty"}
NO_ALLERGY = "716186003"
OWN_FRACTURE_WORDS = "Vertebral compression fracture of"
"""The words of a fracture that endplate writes, with the vertebra behind; where no code is sure they stand alone."""
LATER = ("D", "G", "K", "P", "S")
"""Seventh character of a later encounter or a sequela in ICD-10-CM."""
LONGEST = 200


def read_condition(resource: Resource, about: Context) -> Told:
    """What a condition tells."""
    codes = codes_of(resource.get("code"))
    day = day_text({name: value for name, value in resource.items() if name != "recordedDate"}, about.encounters)
    if day[:10] > about.today.isoformat():
        return left(f"dated {day}, after the day of the record, {about.today}")
    for known in table()["no_place"]["one"]:
        if matches(known, codes):
            return left(known["why"])
    fracture = _vertebra(resource, codes, day)
    return fracture or _past_fracture(codes, day) or _illness(resource, codes) or left(_unknown(codes))


def _unknown(codes: Codes) -> str:
    return "the record has no place for its code" if any(code for _, code in codes) else "it has no code"


def _vertebra(resource: Resource, codes: Codes, day: str) -> Told | None:
    """A fracture of a vertebra, present where its level is given and it has not healed."""
    known = table()["fracture"]
    found = [(code, cause) for code in icd_codes(codes) for start, cause in known["level"].items()
             if code.replace(".", "").startswith(start.replace(".", ""))]  # fmt: skip
    own = _words(resource.get("code")).startswith(OWN_FRACTURE_WORDS)
    if not found and not own and not any(system == SNOMED and code in known["snomed"] for system, code in codes):
        return None
    try:
        level = site(resource) or _level_of_code(found)
    except ValueError:
        level = _level_of_code(found)
    if level is None:
        return left("the vertebra is not stated: give it by levels")
    on = {".on": day} if whole_day(day) else {}
    if past(resource) or any(code[-1:] in LATER for code, _ in found):
        return Told(items=[("history.fractures", {".site": "vertebra", ".levels.0": str(level)} | on)])
    cause = next((cause for _, cause in found if cause), "")
    pairs: list[tuple[str, Any]] = [(f"levels.{level}.fracture", True)]
    pairs += [(f"levels.{level}.cause", cause)] if cause else []
    pairs += [(f"levels.{level}.fracture_on", day)] if on else []
    return Told(pairs=pairs)


LEVEL_OF_CODE = {"S22.01": "T1", "S22.02": "T2", "S22.03": "T3", "S22.04": "T4", "S32.01": "L1", "S32.02": "L2",
                 "S32.03": "L3", "S32.04": "L4", "S32.05": "L5"}  # fmt: skip
"""Codes that name one vertebra; others name two (T5-T6)."""


def _level_of_code(found: list[tuple[str, str]]) -> Level | None:
    for code, _ in found:
        for start, level in LEVEL_OF_CODE.items():
            if code.replace(".", "").startswith(start.replace(".", "")):
                return Level(level)
    return None


def _past_fracture(codes: Codes, day: str) -> Told | None:
    for known in table()["past_fracture"]["one"]:
        if matches(known, codes):
            low = {".low_energy": True} if known.get("low_energy") else {}
            on = {".on": day} if whole_day(day) else {}
            return Told(items=[("history.fractures", {".site": known["site"]} | low | on)])
    return None


def _illness(resource: Resource, codes: Codes) -> Told | None:
    pairs = [pair for known in table()["condition"]["one"] if matches(known, codes) for pair in _sets(known, resource)]
    if not pairs:
        known = any(matches(one, codes) for one in table()["condition"]["one"])
        return left("it is over, and the record asks for what is now") if known else None
    words = _words(resource.get("code"))
    if any(path == "cancer.known" for path, _ in pairs) and words:
        pairs.append(("cancer.kind", words))
    return Told(pairs=list(dict(pairs).items()))


def _sets(known: dict[str, Any], resource: Resource) -> Iterator[tuple[str, Any]]:
    if not (known.get("now") and past(resource)):
        yield from ((path, True) for path in known["sets"])


def read_allergy(resource: Resource, about: Context) -> Told:
    """An allergy as an entry of the list; the statement that there is none as an empty list."""
    if any(code == NO_ALLERGY for _, code in codes_of(resource.get("code"))):
        return Told(pairs=[("allergies.others", "none")])
    words = _words(resource.get("code"))
    return Told(items=[("allergies.others", {"": words})]) if words else left("it names no substance")


def read_procedure(resource: Resource, about: Context) -> Told:
    """A repair of vertebrae that was done."""
    kind = next(
        (REPAIRS[code] for system, code in codes_of(resource.get("code")) if system == CPT and code in REPAIRS), ""
    )
    if not kind:
        return left("no repair of a vertebra by a code that is known")
    try:
        levels = [str(site({"bodySite": [one]})) for one in resource.get("bodySite", ())]
    except ValueError:
        levels = []
    if not levels:
        return left("the vertebra is not stated: give it by procedures")
    day = day_text(resource, about.encounters)
    if day[:10] > about.today.isoformat():
        return left(f"dated {day}, after the day of the record, {about.today}")
    on = {".on": day} if whole_day(day) else {}
    return Told(items=[("procedures", {".kind": kind} | {f".levels.{n}": name for n, name in enumerate(levels)} | on)])


def _words(concept: Any) -> str:
    """A concept in words that a record takes."""
    held = concept if isinstance(concept, dict) else {}
    coded = next((one["display"] for one in held.get("coding", ()) if one.get("display")), "")
    text = " ".join(str(held.get("text") or coded).split())
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST]


def one_a_fracture(items: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """A fracture told twice for one day, by its place and by its cause alone, as one."""
    causes = [one for path, one in items if path == "history.fractures" and ".on" in one and _placeless(one)]
    out: list[tuple[str, dict[str, Any]]] = []
    joined: list[dict[str, Any]] = []
    for path, one in items:
        cause = next((two for two in causes if two[".on"] == one.get(".on")), None)
        if path == "history.fractures" and cause is not None and not _placeless(one):
            joined.append(cause)
            one = cause | one
        out.append((path, one))
    return [(path, one) for path, one in out if not any(one is two for two in joined)]


def _placeless(one: dict[str, Any]) -> bool:
    return bool(one[".site"] == "other" and one.get(".low_energy"))
