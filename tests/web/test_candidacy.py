"""Candidacy: each answer is weighed at once, nothing is saved before it is saved, two who save are told apart."""

from __future__ import annotations

import json

import pytest

from endplate.store.cases import add_case, case_row, change_case, input_paths
from endplate.web.record_form import answered, sections

RECORD = {"id": "P1", "age_yr": 76, "sex": "female", "levels": {"L1": {"fracture": True, "oedema": True}}}


@pytest.fixture
def case(bench):
    case_id = add_case(bench.store, "Anna")
    change_case(bench.store, case_id, {"record": RECORD, "patient_id": "P1"})
    return case_row(bench.store, case_id)


@pytest.fixture
def send(browser, csrf, case):
    def post(name, **answers):
        data = {f"f.{path}": value for path, value in answers.pop("answers", {}).items()} | answers
        return browser.post(f"/cases/{case.id}/candidacy/{name}", data=data, headers={"X-CSRF-Token": csrf})

    return post


def cells(text):
    return dict(part.split('" data-says="')[:2] for part in text.replace("\n", " ").split('data-cell="')[1:])


def test_the_form_holds_what_is_known_and_says_why_it_asks(browser, case) -> None:
    text = browser.get(f"/cases/{case.id}/candidacy").text
    assert 'name="f.age_yr" value="76"' in text and 'id="part-levels.L1"' in text
    assert "Asked for by" in text and "Not known" in text


def test_an_answer_changes_the_verdicts_and_saves_nothing(bench, case, send) -> None:
    before = cells(send("answer").text)
    after = cells(send("answer", answers={"infection.systemic": "yes"}).text)
    assert before.keys() == after.keys() and before
    changed = [name for name in before if before[name].split('"')[0] != after[name].split('"')[0]]
    assert any("contraindicated" in after[name].split('"')[0] for name in changed)
    assert case_row(bench.store, case.id).record == RECORD


def test_what_cannot_be_is_said_at_its_field(send) -> None:
    text = send("answer", answers={"pain.under_analgesia": "eleven", "episode.onset_on": "soon"}).text
    assert text.count('class="refusal"') == 2 and "data-fault=" in text
    assert "from 0 to 10" in text and "2026-05-10" in text


def test_age_and_sex_come_first(bench, browser, csrf) -> None:
    case_id = add_case(bench.store, "Nobody")
    text = browser.get(f"/cases/{case_id}/candidacy").text
    assert "Give age and sex first" in text
    answer = browser.post(
        f"/cases/{case_id}/candidacy/answer", data={"f.age_yr": "70", "f.sex": "male"}, headers={"X-CSRF-Token": csrf}
    )
    assert "No level is known to be fractured" in answer.text


def test_reasons_of_a_cell_name_their_source(send) -> None:
    name = next(iter(cells(send("answer").text)))
    ruleset, _, level = name.partition(" ")
    text = send(f"reasons/{ruleset}/{level}").text
    assert "Published as" in text and "<li>" in text
    assert send("reasons/nothing/L1").status_code == 404


def test_saving_keeps_the_record_and_its_file_and_refuses_the_second_of_two(bench, case, send) -> None:
    first = send("save", version=str(case.version), answers={"pain.under_analgesia": "7", "levels.L1.cleft": "yes"})
    assert first.status_code == 303
    kept = case_row(bench.store, case.id)
    assert kept.record["pain"] == {"under_analgesia": 7} and kept.record["levels"]["L1"]["cleft"] is True
    assert json.loads(input_paths(bench.store, bench.files, case.id)["record"].read_text()) == kept.record
    second = send("save", version=str(case.version), answers={"pain.under_analgesia": "2"})
    assert second.status_code == 409 and "changed by somebody else" in second.text
    assert case_row(bench.store, case.id).record == kept.record


def test_a_script_in_an_answer_is_text_and_a_strange_field_is_nothing(send) -> None:
    text = send("answer", answers={"cancer.kind": "<script>alert(1)</script>", "levels.L1/../x.fracture": "yes"}).text
    assert "<script>alert" not in text


def test_a_field_that_is_emptied_becomes_unknown(bench, case, send) -> None:
    assert send("save", version=str(case.version), answers={"levels.L1.oedema": ""}).status_code == 303
    assert case_row(bench.store, case.id).record["levels"]["L1"] == {"fracture": True}


def test_questions_of_a_vertebra_read_as_a_clinician_says_them():
    (level,) = [one for one in sections({}, ["L1"]) if one.id == "levels.L1"]
    asked = {field.path: field for field in level.fields}
    assert asked["levels.L1.concordant"].label == "Pain and focal tenderness at this level"
    assert asked["levels.L1.uptake"].label == "Uptake on bone scan or SPECT-CT"
    assert "pedicle width" in asked["levels.L1.pedicle_width_mm"].label.lower()
    _, faults = answered({}, {"f.levels.L1.pedicle_width_mm": "wide"})
    assert "Narrower pedicle width" in faults["levels.L1.pedicle_width_mm"]
