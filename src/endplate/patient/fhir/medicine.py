"""Drugs of other programs as entries of the record's list: what is taken, what dose, since when, until when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from endplate.cited import cited, cited_table
from endplate.patient.drug_table import KnownDrug, drug_by_code
from endplate.patient.fhir.code_table import codes_of
from endplate.patient.fhir.context import Context, Told, left
from endplate.patient.fhir.when import bare, ended, whole_day
from endplate.patient.named_drug import read_list

Resource = dict[str, Any]

LONGEST = int(cited(200.0, "1", "Letters that a text of the record may have: own choice", "design"))
OVER = ("completed", "stopped")
KEPT_WHEN_OVER = ("bone",)
"""Drugs whose past matters to the rules."""
LASTING = ("bone", "glucocorticoid")
"""Drugs whose length of use matters to the rules."""
DOUBT = {"on-hold": ["paused"], "unknown": ["maybe"]}
"""Words of the list by which a drug is asked about."""
DAYS = cited_table("fhir.days", "d", "Units of time, exact", "design", {"d": 1.0, "wk": 7.0, "h": 1 / 24})
MG = cited_table("fhir.mg", "mg", "Units of mass, exact", "design", {"mg": 1.0, "ug": 1e-3, "mcg": 1e-3, "g": 1e3})


def read_drug(resource: Resource, about: Context) -> Told:
    """An entry of the list of drugs, or why there is none."""
    name, drug = _name(_concept(resource, about))
    if not name:
        return left("it names no drug")
    periods = list(_periods(resource))
    since = next(filter(None, (whole_day(str(one.get("start") or "")) for one in periods)), None)
    until = next(filter(None, (ended(one, about.today) for one in periods)), None)
    if since is not None and since > about.today:
        return left(f"it is to start on {since}, after the day of the record, {about.today}")
    status = str(resource.get("status"))
    if until is not None:
        return _over(name, drug, [*_dated("since", since), *_dated("until", until)], f"it has ended on {until}")
    if status in OVER:
        return _over(name, drug, _dated("since", since), f"status {status}: it has ended")
    told = _entry([*_dosed(name, drug, resource), *_dated("since", since), *DOUBT.get(status, [])])
    if since is not None and drug is not None and drug.group in LASTING and _by_order_alone(resource):
        told.notes[f"drugs.names {name}"] = f"{name}: ordered on {since}: was it taken before?"
    return told


def _by_order_alone(resource: Resource) -> bool:
    """Whether the start of a drug is known by the day of an order alone, which may be a renewal."""
    stated = [one for one in _periods(resource) if one.get("start")]
    return len(stated) == 1 and stated[0]["start"] == resource.get("authoredOn")


def _over(name: str, drug: KnownDrug | None, days: list[str], why: str) -> Told:
    """A drug of the past: kept where its past matters to the rules."""
    if drug is None or drug.group not in KEPT_WHEN_OVER:
        return left(why)
    return _entry([_without_dose(name, drug), "stopped", *days])


def _entry(words: list[str]) -> Told:
    text = " ".join(" ".join(words).split())
    return Told(items=[("drugs.names", {"": "".join(letter for letter in text if letter.isprintable())[:LONGEST]})])


def _dated(word: str, day: Any) -> list[str]:
    return [] if day is None else [word, day.isoformat()]


def _concept(resource: Resource, about: Context) -> Resource:
    """What names the drug: in the resource, in one that it holds, or in one that it refers to."""
    if "medicationCodeableConcept" in resource:
        return dict(resource["medicationCodeableConcept"])
    reference = resource.get("medicationReference") or {}
    name = str(reference.get("reference") or "")
    if name.startswith("#"):
        medication: Resource = next((one for one in resource.get("contained", ()) if f"#{one.get('id')}" == name), {})
    else:
        medication = dict(about.medications.get(bare(name), {}))
    return {"text": reference.get("display", ""), **(medication.get("code") or {})}


def _name(concept: Resource) -> tuple[str, KnownDrug | None]:
    """The drug in words, and the known drug that its code or words stand for."""
    coded = next((one["display"] for one in concept.get("coding", ()) if one.get("display")), "")
    words = " ".join(str(concept.get("text") or coded).split())
    named = [one.drug for one in read_list((words,)).drugs] if words else []
    drug = drug_by_code(codes_of(concept))
    if drug is None or drug in named:
        return words, drug or next(iter(named), None)
    # The code is what the sender meant; the list is read by name.
    return (f"{drug.generic} ({words})" if words else drug.generic), drug


def _periods(resource: Resource) -> Iterator[dict[str, Any]]:
    """Every period in which a drug is taken, as far as the resource says."""
    yield resource.get("effectivePeriod") or {}
    for one in (*resource.get("dosageInstruction", ()), *resource.get("dosage", ())):
        yield ((one.get("timing") or {}).get("repeat") or {}).get("boundsPeriod") or {}
    yield {"start": resource.get("effectiveDateTime") or resource.get("authoredOn")}
    # A supply that has run out says nothing about a drug that goes on: its end is not used.


def _dosed(name: str, drug: KnownDrug | None, resource: Resource) -> list[str]:
    """The name with the daily dose; the strength of a tablet is none, so a glucocorticoid stands without it."""
    doses = [*resource.get("dosageInstruction", ()), *resource.get("dosage", ())]
    if drug is None or drug.group != "glucocorticoid":
        return [name]
    bare_name = _without_dose(name, drug)
    if len(doses) != 1:
        return [bare_name]
    needed = ["as needed"] if doses[0].get("asNeededBoolean") else []
    daily = _mg_day(doses[0])
    if daily is not None:
        return [bare_name, f"{daily:g} mg", *needed]
    return [bare_name, *(["variable"] if doses[0].get("text") else []), *needed]


def _without_dose(name: str, drug: KnownDrug) -> str:
    return drug.generic if any(letter.isdigit() for letter in name) else name


def _mg_day(dose: Resource) -> float | None:
    """Milligrams a day of a structured dose; None where it is told otherwise."""
    repeat = (dose.get("timing") or {}).get("repeat") or {}
    rates = list(dose.get("doseAndRate") or ())
    mg = _mg(rates[0].get("doseQuantity") or {}) if len(rates) == 1 else None
    days = _days(repeat)
    return None if mg is None or not days else float(mg * repeat.get("frequency", 1) / days)


def _mg(amount: Resource) -> float | None:
    factor = MG.get(str(amount.get("code") or amount.get("unit")))
    return None if factor is None or "value" not in amount else float(amount["value"] * factor)


def _days(repeat: Resource) -> float | None:
    length = DAYS.get(str(repeat.get("periodUnit")))
    return None if length is None or not repeat.get("period") else float(repeat["period"] * length)
