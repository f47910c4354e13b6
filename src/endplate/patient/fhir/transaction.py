"""Resources as a transaction that a server takes: uuid addresses, conditional creation, narrative text.

All names follow from the content, so pushing the same case twice creates nothing the second time, and what has changed
arrives as a new resource beside the old one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from html import escape
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from endplate.patient.fhir.code import OURS
from endplate.patient.fhir.person import HASHED
from endplate.patient.fhir.read import MADE

Resource = dict[str, Any]

SPACE = UUID("6f0c6c0e-2f0a-5d51-9a3a-7c1f2b9d4e10")
"""Namespace of the addresses: any fixed one serves."""
XHTML = "http://www.w3.org/1999/xhtml"
SINGLE = ("QuestionnaireResponse",)
"""Kinds that hold one identifier and no list."""
NAMED = ("code", "medicationCodeableConcept", "method")
VALUES = ("valueQuantity", "valueBoolean", "valueString", "valueDateTime")


def transaction(resources: Iterable[Resource]) -> Resource:
    """A transaction bundle of resources that refer to one another as `Kind/id`.

    Parameters
    ----------
    resources : with ids of their own; the first is the patient.
    """
    patient, *others = resources
    key = _patient_key(patient, others)
    address = {_local(patient): f"urn:uuid:{uuid5(SPACE, '|'.join(key))}"}
    names = _resource_names(others, "|".join(key))
    address |= {local: f"urn:uuid:{name}" for local, name in names.items()}
    entries = [_entry(_named(patient, *key), address, key)]
    entries += [_entry(_named(one, MADE, names[_local(one)]), address, (MADE, names[_local(one)])) for one in others]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _resource_names(resources: list[Resource], key: str) -> dict[str, str]:
    """A name by patient and content for each resource; the same content twice gets two."""
    names: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for one in resources:
        content = _canonical(one)
        names[_local(one)] = str(uuid5(SPACE, f"{key}|{content}|{seen[content]}"))
        seen[content] += 1
    return names


def _entry(resource: Resource, address: dict[str, str], key: tuple[str, str]) -> Resource:
    made = _readdressed({**_head(resource), "text": _narrative(resource), **_body(resource)}, address)
    return {
        "fullUrl": address[_local(resource)],
        "resource": made,
        "request": {
            "method": "POST",
            "url": resource["resourceType"],
            "ifNoneExist": f"identifier={_query(key[0])}|{_query(key[1])}",
        },
    }


def _query(text: str) -> str:
    """Text as a value of a search, which has signs of its own."""
    escaped = "".join(f"\\{sign}" if sign in "\\$|," else sign for sign in text)
    return quote(escaped, safe=":/-._~")


def _patient_key(patient: Resource, others: list[Resource]) -> tuple[str, str]:
    """System and value of the patient's identifier; where the record has no name, one that stands for its content."""
    given = patient.get("identifier")
    if given:
        return str(given[0]["system"]), str(given[0]["value"])
    return HASHED, str(uuid5(SPACE, json.dumps([_canonical(one) for one in (patient, *others)])))


def _canonical(resource: Resource) -> str:
    """The content of a resource without its place in the bundle."""
    return json.dumps({key: value for key, value in resource.items() if key != "id"}, sort_keys=True, default=str)


def _named(resource: Resource, system: str, value: str) -> Resource:
    identifier = {"system": system, "value": value}
    single = resource["resourceType"] in SINGLE
    return resource | {"identifier": identifier if single else [identifier]}


def _local(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _head(resource: Resource) -> Resource:
    return {key: resource[key] for key in ("resourceType", "id", "meta") if key in resource}


def _body(resource: Resource) -> Resource:
    return {key: value for key, value in resource.items() if key not in ("resourceType", "id", "meta")}


def _readdressed(node: Any, address: dict[str, str]) -> Any:
    """Local references as addresses of the bundle."""
    if isinstance(node, dict):
        return {
            key: address.get(value, value) if key == "reference" else _readdressed(value, address)
            for key, value in node.items()
        }
    return [_readdressed(one, address) for one in node] if isinstance(node, list) else node


def _narrative(resource: Resource) -> Resource:
    """The resource in words for people."""
    text = escape(_words(resource), quote=False)
    return {"status": "generated", "div": f'<div xmlns="{XHTML}"><p>{text}</p></div>'}


def _words(resource: Resource) -> str:
    named = _name(resource) or _person(resource)
    site = resource.get("bodySite") or []
    sites = [one["text"] for one in (site if isinstance(site, list) else [site]) if "text" in one]
    place = "" if not sites or named.endswith(tuple(sites)) else f" at {', '.join(sites)}"
    value = next((f": {_value(resource[key])}" for key in VALUES if key in resource), "")
    return f"{named}{place}{value}"


def _name(resource: Resource) -> str:
    concept: Resource = next(
        (resource[key] for key in ("code", "medicationCodeableConcept", "method") if key in resource), {}
    )
    asked = str(resource.get("questionnaire", "")).removeprefix(f"{OURS}:")
    return str(concept.get("text") or resource.get("title") or asked)


def _person(resource: Resource) -> str:
    return " ".join(["Patient", *filter(None, [resource.get("gender"), resource.get("birthDate")])])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        unit = value.get("unit", "")
        return f"{value['value']:g} {unit if unit != '1' else ''}".strip()
    return str(value)
