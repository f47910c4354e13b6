"""Broken bundles without end: each becomes a record and a list of what was left, or one clean refusal; nothing else.

A few hundred cases by default; ENDPLATE_FUZZ_SECONDS sets the time for each target. And the other way: whatever record
there is comes back from its transaction as it was.
"""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from hypothesis import strategies as st
from tests.fuzz import target
from tests.support.full_record import record_told_in_full

from endplate.errors import InputError, RecordError
from endplate.patient import PatientRecord, parse_record

pytest.importorskip("fhir.resources", reason="fhir.resources (extra `fhir`) reads FHIR")

from endplate.patient.fhir import FromFhir, record_from_bundle, record_resources, transaction

hunt = functools.partial(target.hunt, examples=80)
CODES = {"coding": [{"system": "http://loinc.org", "code": "17861-6", "display": "Calcium"}]}
ABOUT = {"subject": {"reference": "Patient/x1"}}
FOREIGN: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "x1", "gender": "female", "birthDate": "1950-03-01"},
    {"resourceType": "Observation", "id": "o1", "status": "final", "code": CODES, "effectiveDateTime": "2026-01-01",
     "valueQuantity": {"value": 9.4, "unit": "mg/dL", "code": "mg/dL"}, **ABOUT},
    {"resourceType": "Observation", "status": "final", "issued": "2026-01-01T10:00:00Z", "bodySite": {"text": "hip"},
     "code": {"coding": [{"system": "http://loinc.org", "code": "38265-5"}]},
     "valueQuantity": {"value": -2.7, "code": "{T-score}"}},
    {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "authoredOn": "2026-01-01", **ABOUT,
     "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                                               "code": "11289"}]},
     "dosageInstruction": [{"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                            "doseAndRate": [{"doseQuantity": {"value": 5, "code": "mg"}}]}]},
    {"resourceType": "MedicationStatement", "status": "stopped", "effectivePeriod": {"end": "2025-01-01"},
     "medicationReference": {"reference": "#m"}, **ABOUT,
     "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "Prolia"}}]},
    {"resourceType": "Condition", "clinicalStatus": {"coding": [{"code": "active"}]}, "bodySite": [{"text": "L1"}],
     "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M80.08XA"}]}, **ABOUT},
    {"resourceType": "Procedure", "status": "completed", "bodySite": [{"text": "L1"}], **ABOUT,
     "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "22514"}]}},
    {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/x1"}, "code": {"text": "latex"}},
    {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"},
     "period": {"start": "2026-01-10"}},
]  # fmt: skip
WHOLE = [
    {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in FOREIGN]},
    transaction(record_resources(record_told_in_full())),
]
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(
    ["", "2026-02-30", "0001-01-01", "9999", "urn:endplate:record", "levels.*.oedema", "drugs.names.999999", "\x1b[31m",
     "entered-in-error", "Patient/x2", "10*999/L", "1e400", "²", "#m", "L1"]
)  # fmt: skip
KEYS = ["system", "code", "value", "coding", "modifierExtension", "url", "reference", "start", "resource",
        "resourceType", "valueQuantity", "extension"]  # fmt: skip
ANY = st.recursive(
    SIMPLE,
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


PLACES = [[place for place in target.places(one) if place] for one in WHOLE]
CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(["replace", "replace", "remove", "add"]), ANY),
    min_size=1,
    max_size=5,
)


def damaged(which: int, changes: list[tuple[float, str, Any]]) -> dict[str, Any]:
    """A whole bundle with places replaced, removed or given a neighbour."""
    data = json.loads(json.dumps(WHOLE[which]))
    for where, how, value in changes:
        path = PLACES[which][int(where * len(PLACES[which]))]
        node = data
        try:
            for key in path[:-1]:
                node = node[key]
            if how == "replace":
                node[path[-1]] = value
            elif how == "remove":
                del node[path[-1]]
            elif isinstance(node, list):
                node.insert(0, value)
            else:
                node["modifierExtension"] = value
        except (KeyError, IndexError, TypeError):
            continue
    return data


def judged(text: str | bytes) -> FromFhir | None:
    """Read: a record and clean lines, or one clean refusal."""
    try:
        found = record_from_bundle(text)
    except InputError as refusal:
        assert target.clean(refusal)
        return None
    assert isinstance(found.record, PatientRecord)
    assert all(": " in line and len(line) < 2000 for line in found.unused)
    return found


def test_the_whole_bundles_are_read() -> None:
    foreign, own = (judged(json.dumps(one)) for one in WHOLE)
    assert foreign is not None and foreign.record.drugs.names and foreign.record.procedures
    assert own is not None and own.record == record_told_in_full()


@pytest.mark.parametrize("which", [0, 1])
def test_damaged_bundles(which: int) -> None:
    def case(changes: list[tuple[float, str, Any]]) -> None:
        judged(json.dumps(damaged(which, changes)))

    hunt(case, CHANGES)


def test_any_json() -> None:
    kinds = st.sampled_from(["Patient", "Observation", "Condition", "MedicationStatement", "Device", "Bundle"])

    def case(kind: str, tree: Any) -> None:
        judged(json.dumps(tree))
        resource = {"resourceType": kind} | (tree if isinstance(tree, dict) else {"code": tree})
        judged(json.dumps({"resourceType": "Bundle", "entry": [{"resource": FOREIGN[0]}, {"resource": resource}]}))

    hunt(case, kinds, ANY)


def test_any_bytes() -> None:
    def case(start: bytes, content: bytes) -> None:
        judged(start + content)

    hunt(case, st.sampled_from([b"", b"{", b'{"resourceType":"Bundle"']), st.binary(max_size=400))


TEXTS = st.text(min_size=1, max_size=30)
RECORDS = st.fixed_dictionaries(
    {
        "age_yr": st.floats(0, 120), "sex": st.sampled_from(["F", "M"]), "id": st.none() | TEXTS,
        "recorded_on": st.none() | st.dates().map(str),
        "mass_kg": st.none() | st.floats(40, 90),
        "drugs": st.fixed_dictionaries({"names": st.none() | st.lists(TEXTS, max_size=4)}),
        "allergies": st.fixed_dictionaries({"others": st.none() | st.lists(TEXTS, max_size=3)}),
        "cancer": st.fixed_dictionaries({"kind": st.none() | TEXTS, "known": st.none() | st.booleans()}),
        "laboratory": st.fixed_dictionaries({"inr": st.none() | st.floats(0.5, 8)}),
        "bone": st.fixed_dictionaries({"tests": st.none() | st.lists(st.fixed_dictionaries(
            {"site": st.sampled_from(["spine", "not stated", "forearm"]), "t_score": st.floats(-6, 4)}), max_size=3)}),
    }
)  # fmt: skip


def test_any_record_comes_back_from_its_transaction() -> None:
    def case(data: dict[str, Any]) -> None:
        try:
            record = parse_record(json.dumps(data))
        except RecordError:
            return
        found = judged(json.dumps(transaction(record_resources(record))))
        assert found is not None and found.record == record and found.unused == ()

    hunt(case, RECORDS)
