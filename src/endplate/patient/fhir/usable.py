"""Whether a resource says that something is so: what denies, retracts or changes it is not used, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Resource = dict[str, Any]
MODIFIED = "MODIFIED: "
"""Opens a reason that turns the meaning of a resource round: such are listed first."""

STATUS = {
    "Observation": ("final", "amended", "corrected"),
    "QuestionnaireResponse": ("completed", "amended"),
    "MedicationStatement": ("active", "completed", "stopped", "on-hold", "unknown"),
    "MedicationRequest": ("active", "completed", "stopped", "on-hold"),
    "Procedure": ("completed",),
}
"""Status by which a resource says that something is or was so. A Condition has two of its own."""
ORDERS = ("order", "original-order", "reflex-order", "filler-order", "instance-order")
CLINICAL = {"Condition": ("active", "recurrence", "relapse", "inactive", "remission", "resolved"),
            "AllergyIntolerance": ("active",)}  # fmt: skip
READ = (*STATUS, *CLINICAL)
"""Kinds of resources that a record can be read from, beside the patient."""


def why_unused(resource: Resource) -> str:
    """Why a resource may not be used; empty where it may."""
    for reason in _CHECKS:
        if found := reason(resource):
            return found
    return ""


def _modifier(resource: Resource) -> str:
    if "implicitRules" in resource:
        return f"{MODIFIED}implicitRules {resource['implicitRules']} are not understood"
    url = next(_modifiers(resource), None)
    return "" if url is None else f"{MODIFIED}modifierExtension {url} is not understood"


def _modifiers(node: Any) -> Iterator[str]:
    """Addresses of modifier extensions anywhere inside."""
    if isinstance(node, dict):
        for one in node.get("modifierExtension") or ():
            yield str(one.get("url", "without address")) if isinstance(one, dict) else "without address"
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _modifiers(inner)


def _negated(resource: Resource) -> str:
    if resource.get("doNotPerform"):
        return f"{MODIFIED}doNotPerform: it is not to be given"
    if resource["resourceType"] == "MedicationRequest" and resource.get("intent") not in ORDERS:
        return f"{MODIFIED}intent {resource.get('intent')}: no order"
    return f"{MODIFIED}focus: it is about something else than the patient" if resource.get("focus") else ""


def _status(resource: Resource) -> str:
    known = STATUS.get(resource["resourceType"])
    if known is None or resource.get("status") in known:
        return ""
    return f"{MODIFIED}status {resource.get('status', 'not given')}"


def _verified(resource: Resource) -> str:
    kind = resource["resourceType"]
    if kind not in CLINICAL:
        return ""
    verified = _codes(resource, "verificationStatus")
    if verified and "confirmed" not in verified:
        return f"{MODIFIED}verificationStatus {', '.join(verified)}"
    clinical = _codes(resource, "clinicalStatus")
    return (
        f"{MODIFIED}clinicalStatus {', '.join(clinical)}"
        if clinical and not set(clinical) & set(CLINICAL[kind])
        else ""
    )


def _codes(resource: Resource, name: str) -> list[str]:
    return [str(one.get("code", "")) for one in resource.get(name, {}).get("coding", ())]


def past(resource: Resource) -> bool:
    """Whether a condition is over, as its status or the end of its time says."""
    over = set(_codes(resource, "clinicalStatus")) & {"inactive", "remission", "resolved"}
    return bool(over) or any(name.startswith("abatement") for name in resource)


_CHECKS: tuple[Callable[[Resource], str], ...] = (_modifier, _negated, _status, _verified)
