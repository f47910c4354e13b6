"""Any bytes as a record: either a record, or one clear refusal in one line; never a traceback, hang or bomb.

A hundred inputs for each target by default; `make fuzz` sets ENDPLATE_FUZZ_SECONDS, the time for each, and goes on with
new seeds until it is over. Inputs are any bytes, any JSON, any TOML, and a true record that is damaged in a few places,
which reaches deepest.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from tests.fuzz.target import clean, hunt, places

from endplate.decision.batch import row
from endplate.decision.prevention.plan import prevent
from endplate.errors import RecordError
from endplate.patient import PatientRecord, parse_record, read_record
from endplate.patient.medication import medication
from endplate.patient.named_drug import read_list

WHOLE: dict[str, Any] = {
    "id": "f1", "recorded_on": "2026-06-14", "age_yr": 76, "birth_year": 1950, "sex": "female", "mass_kg": 60,
    "height_cm": 158, "pregnant": False, "confirmed": ["mass_kg"],
    "episode": {"onset_on": "2026-06-09", "mechanism": "minor strain", "admitted_on": "2026-06-10"},
    "pain": {"under_analgesia": 8, "trend": "stable", "rated_on": "2026-06-12"},
    "questionnaires": {"rmdq": {"ticked": 21}, "odi": {"percent": 40}},
    "care": {"treatments": [{"measure": "physiotherapy", "started_on": "2026-06-11", "days": 3, "supervised": True}]},
    "levels": {"L1": {"fracture": True, "oedema": True, "loss_percent": 22, "fracture_on": "2026-06-09"}, "T8": {}},
    "studies": {"mri_on": "2026-06-10"},
    "bone": {"tests": [{"site": "spine", "t_score": -2.9, "on": "2026-06-01"}], "frax_major_percent": 21,
             "frax_hip_percent": 4},
    "laboratory": {"calcium_mmol_l": {"value": 2.35, "on": "2026-06-01"}, "albumin_g_l": 40, "creatinine_umol_l": 80,
                   "electrophoresis": "normal", "vitamin_d_ng_ml": 32},
    "drugs": {"names": ["Eliquis 5 mg bd", "prednisolone 10 mg", "Prolia since 2018-01-01 until 2025-03-01", "quxifoo"],
              "glucocorticoids": [{"drug": "dexamethasone", "mg_day": 1.5, "started_on": "2026-01-01"}],
              "bone_drugs": [{"drug": "Fosamax", "started_on": "2020-01-01", "stopped_on": "2022-01-01"}]},
    "history": {"fractures": [{"site": "wrist", "on": "2025-01-01", "levels": ["T8"]}], "postmenopausal": True},
    "falls": {"past_year": 0, "unsteady": False, "worried": False, "tug_s": 9.5},
    "procedures": [{"kind": "vertebroplasty", "levels": ["L2"], "on": "2026-06-13"}],
}  # fmt: skip
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from(
    ["F", "none", "2026-06-14", "0001-01-01", "9999-12-31", "L1", "S1", "\x1b[31m", "Infinity", "1e400", "²"]
)  # fmt: skip
ANY = st.recursive(
    SIMPLE, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5)
)


def accepted(text: str | bytes) -> PatientRecord | None:
    """The record, or None after a refusal that is fit to be shown."""
    try:
        return parse_record(text)
    except RecordError as refusal:
        assert clean(refusal)
        return None


PLACES = [place for place in places(WHOLE) if place]


def damaged(changes: list[tuple[tuple[Any, ...], str, Any, str]]) -> dict[str, Any]:
    """The whole record with places replaced, removed or given a neighbour."""
    record = json.loads(json.dumps(WHOLE))
    for path, how, value, name in changes:
        node = record
        try:
            for key in path[:-1]:
                node = node[key]
            if how == "replace":
                node[path[-1]] = value
            elif how == "remove":
                del node[path[-1]]
            else:
                node[name if isinstance(node, dict) else 0] = value
        except (KeyError, IndexError, TypeError):
            continue
    return record


CHANGES = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(["replace", "remove", "add"]), ANY, st.text(max_size=20)),
    min_size=1,
    max_size=6,
)


def test_any_bytes() -> None:
    hunt(lambda data: accepted(data) and None, st.binary(max_size=3000))


def test_any_json() -> None:
    hunt(lambda data: accepted(json.dumps(data)) and None, ANY)


def decided(changes: list[tuple[tuple[Any, ...], str, Any, str]]) -> None:
    """A damaged record is refused, or gets a row of a batch and a plan, and comes back from its own text."""
    text = json.dumps(damaged(changes))
    record = accepted(text)
    told = row((1, text))
    assert ("error" in told) is (record is None)
    if record is not None:
        assert prevent(record).next_step
        assert set(told["prevention"]) and json.dumps(told)
        assert parse_record(record.model_dump_json(exclude_unset=True)) == record


def test_a_damaged_record_is_refused_or_gets_a_plan() -> None:
    hunt(decided, CHANGES)


def test_any_toml(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"

    def case(text: str) -> None:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            read_record(path)
        except RecordError as refusal:
            assert clean(refusal)

    hunt(case, st.text(max_size=2000))


WORDS = st.sampled_from(
    ["apixaban", "Prolia", "prednisolone", "5 mg", "2,5 mg", "bd", "stopped", "since 2020-01-01", "cream", "until",
     "co", "codamol", "valproic", "acid", "apixabann", "(", ",", "/", "ß", "é", "\u202e", "0" * 60, "-", "5-10"]
) | st.text(max_size=12)  # fmt: skip


def listed(entries: list[str]) -> None:
    """A list of drugs is read to the last entry, alone and in a record."""
    found = read_list(entries)
    assert {one.entry for one in found.drugs} | {one.entry for one in found.not_understood} == set(entries)
    assert all(one.mg_day is None or one.mg_day >= 0 for one in found.drugs)
    text = json.dumps({"age_yr": 76, "sex": "F", "recorded_on": "2026-06-14", "drugs": {"names": entries}})
    record = accepted(text)
    if record is not None:
        assert medication(record.drugs).listed == found


def test_any_list_of_drugs_is_read_and_nothing_is_dropped() -> None:
    hunt(listed, st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=8))


def test_the_whole_record_is_a_record() -> None:
    record = accepted(json.dumps(WHOLE))
    assert record is not None and medication(record.drugs).anticoagulant is True
    assert len(PLACES) > len(WHOLE)
