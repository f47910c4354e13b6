"""Conditions, allergies and procedures of other programs: what of them the record has a place for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from endplate.cited import cited
from endplate.level import Level
from endplate.patient.fhir.code_table import SNOMED, Codes, below, codes_of, icd_codes, matches, table
from endplate.patient.fhir.context import Context, Told, left
from endplate.patient.fhir.fracture_words import fracture_in_words
from endplate.patient.fhir.observation import site
from endplate.patient.fhir.usable import past
from endplate.patient.fhir.when import day_text, item_day, too_late, whole_day

Resource = dict[str, Any]

CPT = "http://www.ama-assn.org/go/cpt"
REPAIRS = {"22510": "vertebroplasty", "22511": "vertebroplasty", "22513": "kyphoplasty", "22514": "kyphoplasty"}
NO_ALLERGY = "716186003"
OWN_FRACTURE_WORDS = "Vertebral compression fracture of"
"""The words of a fracture that endplate writes, with the vertebra behind; where no code is sure they stand alone."""
LATER = ("D", "G", "K", "P", "S")
"""Seventh character of a later encounter or a sequela in ICD-10-CM."""
LONGEST = int(cited(200.0, "1", "Letters that a text of the record may have: own choice", "design"))


def read_condition(resource: Resource, about: Context) -> Told:
    """What a condition tells."""
    codes = codes_of(resource.get("code"))
    day = day_text({name: value for name, value in resource.items() if name != "recordedDate"}, about.encounters)
    refused = too_late(day, about.today) or next(
        (str(known["why"]) for known in table()["no_place"]["one"] if matches(known, codes)), ""
    )
    if refused:
        return left(refused)
    fracture = _vertebra(resource, codes, day)
    return (
        fracture
        or _past_fracture(resource, codes, day)
        or _illness(resource, codes)
        or _fracture_told(resource, day)
        or left(_unknown(codes))
    )


def _unknown(codes: Codes) -> str:
    return "the record has no place for its code" if any(code for _, code in codes) else "it has no code"


def _vertebra(resource: Resource, codes: Codes, day: str) -> Told | None:
    """A fracture of a vertebra, present where its level is given and it has not healed."""
    found = list(_fracture_codes(codes))
    own = _words(resource.get("code")).startswith(OWN_FRACTURE_WORDS)
    by_snomed = {code for system, code in codes if system == SNOMED} & set(table()["fracture"]["snomed"])
    if not (found or own or by_snomed):
        return None
    level = _level(resource, found)
    if level is None:
        return left("the vertebra is not stated: give it by levels")
    if past(resource) or any(code[-1:] in LATER for code, _ in found):
        return Told(items=[("history.fractures", {".site": "vertebra", ".levels.0": str(level)} | item_day(day))])
    told = {"fracture": True, "cause": next((cause for _, cause in found if cause), ""),
            "fracture_on": day if whole_day(day) else ""}  # fmt: skip
    return Told(pairs=[(f"levels.{level}.{name}", value) for name, value in told.items() if value])


def _fracture_codes(codes: Codes) -> Iterator[tuple[str, str]]:
    """The codes that stand for a fracture of a vertebra, each with the cause that it says."""
    for code in icd_codes(codes):
        for start, cause in table()["fracture"]["level"].items():
            if below(code, start):
                yield code, cause


def _level(resource: Resource, found: list[tuple[str, str]]) -> Level | None:
    """The vertebra by the place of the condition, else by its code."""
    try:
        return site(resource) or _level_of_code(found)
    except ValueError:
        return _level_of_code(found)


LEVEL_OF_CODE = {"S22.01": "T1", "S22.02": "T2", "S22.03": "T3", "S22.04": "T4", "S32.01": "L1", "S32.02": "L2",
                 "S32.03": "L3", "S32.04": "L4", "S32.05": "L5"}  # fmt: skip
"""Codes that name one vertebra; others name two (T5-T6)."""


def _level_of_code(found: list[tuple[str, str]]) -> Level | None:
    names = (name for code, _ in found for start, name in LEVEL_OF_CODE.items() if below(code, start))
    return next((Level(name) for name in names), None)


def _past_fracture(resource: Resource, codes: Codes, day: str) -> Told | None:
    """A fracture by its code; where the code leaves the place open, the words may name it."""
    for known in table()["past_fracture"]["one"]:
        if matches(known, codes):
            told = fracture_in_words(_words(resource.get("code"))) if known["site"] == "other" else None
            placed = told is not None and told.site not in ("other", "vertebra")
            site_told = told.site if told is not None and placed else known["site"]
            low = {".low_energy": True} if known.get("low_energy") or (told and told.low_energy) else {}
            return Told(items=[("history.fractures", {".site": site_told} | low | item_day(day))])
    return None


def _fracture_told(resource: Resource, day: str) -> Told | None:
    """A fracture that words alone tell of: past, unless the words name a vertebra and the condition is active."""
    told = fracture_in_words(_words(resource.get("code")))
    if told is None:
        return None
    low: dict[str, Any] = {".low_energy": True} if told.low_energy else {}
    if told.site != "vertebra":
        return Told(items=[("history.fractures", {".site": told.site} | low | item_day(day))])
    if told.level is None:
        return left("the vertebra is not stated: give it by levels")
    if past(resource):
        place = {".site": "vertebra", ".levels.0": str(told.level)}
        return Told(items=[("history.fractures", place | low | item_day(day))])
    pairs = {"fracture": True, "fracture_on": day if whole_day(day) else ""}
    return Told(pairs=[(f"levels.{told.level}.{name}", value) for name, value in pairs.items() if value])


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
    codes = {code for system, code in codes_of(resource.get("code")) if system == CPT}
    kind = next((REPAIRS[code] for code in codes if code in REPAIRS), "")
    if not kind:
        return left("no repair of a vertebra by a code that is known")
    levels = _levels(resource)
    if not levels:
        return left("the vertebra is not stated: give it by procedures")
    day = day_text(resource, about.encounters)
    if late := too_late(day, about.today):
        return left(late)
    places = {f".levels.{number}": name for number, name in enumerate(levels)}
    return Told(items=[("procedures", {".kind": kind} | places | item_day(day))])


def _levels(resource: Resource) -> list[str]:
    """The vertebrae of a procedure; none where a place is no vertebra."""
    try:
        return [str(site({"bodySite": [one]})) for one in resource.get("bodySite", ())]
    except ValueError:
        return []


def _words(concept: Any) -> str:
    """A concept in words that a record takes."""
    known = concept if isinstance(concept, dict) else {}
    coded = next((one["display"] for one in known.get("coding", ()) if one.get("display")), "")
    text = " ".join(str(known.get("text") or coded).split())
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST]


FRACTURES = "history.fractures"


def one_a_fracture(items: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """A fracture told twice for one day, by its place and by its cause alone, as one."""
    causes = {one[".on"]: one for path, one in items if path == FRACTURES and _placeless(one)}
    placed = {one.get(".on") for path, one in items if path == FRACTURES and not _placeless(one)}
    out: list[tuple[str, dict[str, Any]]] = []
    for path, one in items:
        if path != FRACTURES:
            out.append((path, one))
        elif not _placeless(one):
            out.append((path, causes.get(one.get(".on"), {}) | one))
        elif one[".on"] not in placed:
            out.append((path, one))
    return out


def _placeless(one: dict[str, Any]) -> bool:
    """Whether a fracture is told by a day and its cause, and no place."""
    return bool(one[".site"] == "other" and one.get(".low_energy") and ".on" in one)
