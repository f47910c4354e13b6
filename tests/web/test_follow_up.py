"""The follow-up of a case in the workbench: begun, visited, ticked off, flagged; never that of another patient."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from endplate.errors import OptionError
from endplate.followup.read import course
from endplate.store.cases import add_case, change_case
from endplate.web.follow_up_form import day_of, visit_of

RECORD = {"id": "anna", "age_yr": 74, "sex": "female", "pain": {"under_analgesia": 8}}
AGO = date.today() - timedelta(days=120)


def new_case(bench, **record):
    case_id = add_case(bench.store, "spine")
    whole = RECORD | record
    change_case(bench.store, case_id, {"record": whole, "patient_id": whole["id"]})
    return case_id


@pytest.fixture
def post(browser, csrf):
    def send(address, **fields):
        return browser.post(address, data={"csrf": csrf} | fields)

    return send


@pytest.fixture
def begun(bench, post):
    """A case whose episode began some time ago; its address."""
    address = f"/cases/{new_case(bench)}/follow-up"
    assert post(f"{address}/start", levels=["L1", ""], on=str(AGO)).status_code == 303
    return address


def test_a_course_is_begun_from_the_record(bench, browser, begun):
    page = browser.get(begun).text
    assert "L1" in page and str(AGO) in page
    said = f"from {AGO + timedelta(77)} to {AGO + timedelta(105)}. Overdue: the patient should have been seen by "
    assert f"Visit at 3 months, due {said}{AGO + timedelta(28)}." in page
    seen = course(bench.store, 1)
    assert seen.episode.patient_id == "anna"
    assert seen.start.nrs == 8
    service = " ".join(browser.get("/service").text.replace("<strong>", "").replace("</strong>", "").split())
    assert "anna" in service and f"Visit at 3 months, due {said}" in service
    assert "months overdue" not in service, "six months is the name of the visit, not how late it is"
    worklist = browser.get("/?show=due").text
    assert f"Visit at 3 months, due {said}" in worklist
    assert "risk assessed by" in worklist


def test_a_visit_is_kept_as_it_was_said(bench, browser, post, begun):
    answer = post(f"{begun}/1/visit", on=str(AGO + timedelta(20)), nrs="7,5", deficit="yes", fever="no", breathless="")
    assert answer.status_code == 303
    row = course(bench.store, 1).visits[-1]
    assert (row.nrs, row.deficit, row.fever, row.breathless, row.odi) == (7.5, True, False, None, None)
    page = browser.get(begun).text
    assert "Same day" in page
    assert "neurological deficit" in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "the visit says nothing"),
        ({"nrs": "11"}, "it runs from 0 to 10"),
        ({"nrs": "much"}, "it is no number"),
        ({"nrs": "nan"}, "nrs"),
        ({"nrs": "4", "on": "2999-01-01"}, "lies in the future"),
        ({"nrs": "4", "on": "yesterday"}, "is no day"),
        ({"nrs": "4", "on": "1999-01-01"}, "before the onset"),
    ],
)
def test_a_visit_that_cannot_be_is_refused_in_one_line(bench, post, begun, fields, said):
    answer = post(f"{begun}/1/visit", **fields)
    assert answer.status_code == 400
    assert said in answer.text
    assert len(course(bench.store, 1).visits) == 1


def test_steps_are_ticked_off(bench, browser, post, begun):
    assert post(f"{begun}/1/step", kind="risk assessed", on=str(AGO + timedelta(10))).status_code == 303
    assert post(f"{begun}/1/step", kind="tea made").status_code == 400
    assert [mark.kind for mark in course(bench.store, 1).milestones] == ["risk assessed"]
    assert str(AGO + timedelta(10)) in browser.get(begun).text


def test_a_repair_moves_the_start_of_the_course(bench, post, begun):
    on = AGO + timedelta(30)
    assert post(f"{begun}/1/repair", kind="kyphoplasty", levels="L1", on=str(on)).status_code == 303
    assert course(bench.store, 1).start.on == on
    assert post(f"{begun}/1/repair", kind="prayer", levels="L1", on=str(on)).status_code == 400
    assert post(f"{begun}/1/close", on=str(on)).status_code == 303
    assert post(f"{begun}/1/visit", nrs="3").status_code == 400


def test_the_episode_of_another_patient_is_neither_read_nor_changed(bench, browser, post, begun):
    other = f"/cases/{new_case(bench, id='eve')}/follow-up"
    assert browser.get(f"{other}?episode=1").status_code == 404
    for what, fields in (("visit", {"nrs": "1"}), ("step", {"kind": "risk assessed"}), ("close", {}),
                         ("repair", {"kind": "kyphoplasty", "levels": "L1"}), ("scan", {})):  # fmt: skip
        assert post(f"{other}/1/{what}", **fields).status_code == 404
    assert len(course(bench.store, 1).visits) == 1
    assert course(bench.store, 1).episode.closed_on is None


def test_without_an_id_nothing_is_begun(bench, browser, post):
    case_id = add_case(bench.store, "nobody")
    assert "this case has no record with a patient id yet" in browser.get(f"/cases/{case_id}/follow-up").text
    assert post(f"/cases/{case_id}/follow-up/start", levels="L1").status_code == 400


def test_what_is_left_empty_is_unknown():
    assert visit_of({"nrs": "0", "odi": " ", "fever": ""}) == {"nrs": 0.0, "on": date.today()}
    with pytest.raises(OptionError):
        day_of((date.today() + timedelta(2)).isoformat())


def test_another_day_than_that_of_the_record_is_refused_and_not_asked_for(bench, browser, post):
    address = f"/cases/{new_case(bench, recorded_on=str(AGO))}/follow-up"
    page = browser.get(address).text
    assert f"Under care since {AGO}, the day of the record" in page and 'name="on"' not in page
    refused = post(f"{address}/start", levels=["L1", ""], on=str(AGO + timedelta(days=30)))
    assert refused.status_code == 400 and "an episode begins with its record" in refused.text
    assert post(f"{address}/start", levels=["L1", ""]).status_code == 303
    assert course(bench.store, 1).episode.started_on == AGO


def test_a_record_without_its_day_opens_the_page_too(bench, browser):
    answer = browser.get(f"/cases/{new_case(bench)}/follow-up")
    assert answer.status_code == 200
    assert f'value="{date.today()}"' in answer.text
