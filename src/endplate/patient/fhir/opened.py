"""A bundle opened: JSON within limits, one patient, each resource that is read valid R4B; one of each version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import Any

from endplate.cited import cited
from endplate.errors import RecordError, text_fault
from endplate.patient.fhir.usable import READ
from endplate.patient.fhir.when import bare
from endplate.patient.limits import shown

Resource = dict[str, Any]

MAX_BYTES = int(cited(67108864.0, "By", "A long life in a hospital has some 20 MB: own choice", "design"))
MAX_ENTRIES = int(cited(100000.0, "1", "A long life in a hospital has some 20 000: own choice", "design"))
MAX_DEPTH = int(cited(64.0, "1", "Resources are some 12 deep: own choice", "design"))
ABOUT = ("subject", "patient")
"""Where a resource names whom it is about."""
PEOPLE = ("", "Patient")
CHECKED = ("Patient", "Encounter", "Medication", *READ)
"""Kinds that are read, or that those refer to; what is wrong with others does not matter here."""


def bundle_bytes(path: Path) -> bytes:
    """The bytes of a bundle file.

    Raises
    ------
    RecordError : no plain file (a pipe would wait for ever), or larger than the limit. OSError : it cannot be read.
    """
    state = path.stat()
    if not S_ISREG(state.st_mode):
        raise RecordError(f"the bundle {path} is no plain file", "a pipe or folder is not read", "give a file")
    if state.st_size > MAX_BYTES:
        raise RecordError(f"the bundle {path} has {state.st_size} bytes, more than {MAX_BYTES}", "", "give one patient")
    return path.read_bytes()


def opened(text: str | bytes, name: str) -> tuple[Resource, list[Resource], list[tuple[Resource, str]]]:
    """The patient, the other resources, and those left out already with the reason.

    Raises
    ------
    RecordError : not JSON, not a Bundle, no patient or several, or a resource that is not valid R4B.
    """
    data = _parsed(text, name)
    kind = data.get("resourceType") if isinstance(data, dict) else None
    if kind not in ("Bundle", "Patient"):
        raise RecordError(f"{name} is no FHIR bundle", f"its resourceType is {_word(kind)}", "give a FHIR R4 Bundle")
    entries = [({"resource": data})] if kind == "Patient" else _entries(data, name)
    kept, out = _versions(_resources(entries, name))
    patient = _patient(kept, name)
    _all_valid(kept, name)
    others, strange = _one_subject([one for one in kept if one is not patient], patient, name)
    return patient, others, out + strange


def _patient(resources: list[Resource], name: str) -> Resource:
    patients = [one for one in resources if one["resourceType"] == "Patient"]
    if len(patients) != 1:
        count = len(patients) or "no"
        raise RecordError(f"{name} holds {count} patients", "a record is of one", "give a bundle of one patient")
    return patients[0]


def _all_valid(resources: list[Resource], name: str) -> None:
    for number, one in enumerate(resources, start=1):
        if one["resourceType"] in CHECKED:
            _valid(one, f"{name}: resource {number}" if one["resourceType"] != "Patient" else name)


def _parsed(text: str | bytes, name: str) -> Any:
    if len(text) > MAX_BYTES:
        raise RecordError(f"{name} has {len(text)} bytes, more than {MAX_BYTES}", "", "give one patient's bundle")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            double = next(key for key in found if keys.count(key) > 1)
            raise RecordError(f"{name} gives {shown(double)} twice", "one of the two would be lost", "leave one out")
        # FHIR has no null for a whole element: what is null is not there.
        return {key: value for key, value in found.items() if value is not None}

    try:
        data = json.loads(text, parse_constant=_no_number, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{name} is not JSON", text_fault(error), "give a FHIR R4 bundle") from error
    layer, depth = [data], 0
    while layer:
        depth, layer = depth + 1, [inner for one in layer for inner in _inside(one)]
        if depth > MAX_DEPTH:
            raise RecordError(f"{name} is more than {MAX_DEPTH} layers deep", "no bundle is", "mend the bundle")
    return data


def _inside(node: Any) -> Iterable[Any]:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _word(value: Any) -> str:
    return shown(repr(value))


def _entries(data: Resource, name: str) -> list[Resource]:
    entries = data.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise RecordError(f"{name} is not valid FHIR R4B: entry is no list of entries", "", "mend the bundle")
    if len(entries) > MAX_ENTRIES:
        raise RecordError(
            f"{name} has {len(entries)} entries, more than {MAX_ENTRIES}", "", "give one patient's bundle"
        )
    return entries


def _resources(entries: list[Resource], name: str) -> Iterator[tuple[Resource, str]]:
    """Each resource, and why its entry takes it back."""
    for number, entry in enumerate(entries, start=1):
        resource = entry.get("resource")
        if resource is None:
            continue
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(kind, str) or not kind.isalpha():
            what = f"{name}: entry {number} holds no FHIR resource"
            raise RecordError(what, f"its resourceType is {_word(kind)}", "mend the bundle")
        request = entry.get("request")
        if isinstance(request, dict) and request.get("method") == "DELETE":
            yield resource, "MODIFIED: its entry deletes it"
        elif "modifierExtension" in entry:
            yield resource, "MODIFIED: modifierExtension of its entry is not understood"
        else:
            yield resource, ""


def _versions(found: Iterable[tuple[Resource, str]]) -> tuple[list[Resource], list[tuple[Resource, str]]]:
    """The newest version of each resource, and the others with the reason."""
    newest: dict[Any, Resource] = {}
    out: list[tuple[Resource, str]] = []
    for number, (one, reason) in enumerate(found):
        key = (one["resourceType"], str(one["id"])) if "id" in one else number
        other = newest.get(key)
        if reason:
            out.append((one, reason))
        elif other is None or other == one:
            newest[key] = one
        elif not (_updated(one) and _updated(other)):
            newest[number] = one
        else:
            older, newest[key] = sorted((other, one), key=_updated)
            out.append((older, "a newer version of it is in the bundle"))
    return list(newest.values()), out


def _updated(resource: Resource) -> str:
    meta = resource.get("meta")
    return str(meta.get("lastUpdated", "")) if isinstance(meta, dict) else ""


def _valid(resource: Resource, name: str) -> None:
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(shown(str(part)) for part in (resource["resourceType"], *fault["loc"]))
        said = f"{name} is not valid FHIR R4B: {where}: {fault['msg'].splitlines()[0]}"
        raise RecordError(said, "", "mend the bundle") from error
    except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RecursionError) as error:
        said = f"{name} is not valid FHIR R4B: {resource['resourceType']}"
        raise RecordError(said, " ".join(str(error).split()), "mend the bundle") from error


def _one_subject(
    resources: list[Resource], patient: Resource, name: str
) -> tuple[list[Resource], list[tuple[Resource, str]]]:
    """Resources about the patient, and those about something else.

    Raises
    ------
    RecordError : several patients: one of them would get the other's values.
    """
    about = [one for one in resources if _kind(_reference(one)) in PEOPLE]
    strange = [(one, _strange(one)) for one in resources if _kind(_reference(one)) not in PEOPLE]
    references = list(filter(None, map(_reference, about)))
    people = {bare(reference) for reference in references}
    if "id" in patient and any(_kind(reference) == "Patient" for reference in references):
        people.add(str(patient["id"]))
    if len(people) > 1:
        said = f"{name} speaks of several patients: {', '.join(shown(one) for one in sorted(people)[:4])}"
        raise RecordError(said, "a record is of one", "give a bundle of one patient")
    return about, strange


def _strange(resource: Resource) -> str:
    return f"MODIFIED: it is about a {shown(_kind(_reference(resource)))}, not the patient"


def _reference(resource: Resource) -> str:
    """Whom a resource is about, as it says; empty where it does not."""
    return next((str(resource[key].get("reference", "")) for key in ABOUT if isinstance(resource.get(key), dict)), "")


def _kind(reference: str) -> str:
    """The kind of resource that a reference names; empty for a bare id, a uuid or a fragment."""
    parts = reference.split("/_history/")[0].rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 else ""
