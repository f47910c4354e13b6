"""`record new` asks for drugs by name and for what the names leave open, and once more about odd numbers."""

from __future__ import annotations

import json
from datetime import date

import pytest

from endplate.cli.app import main
from endplate.cli.record.ask import Interview
from endplate.cli.record.doubt_questions import settle, stands
from endplate.cli.record.drug_questions import ask_drugs


def told(*answers):
    """Fields from typed answers, what was said, and the prompts."""
    left, said, prompts = list(answers), [], []

    def ask(prompt):
        prompts.append(prompt)
        return left.pop(0)

    fields = ask_drugs(ask, said.append)
    assert left == []
    return fields, said, prompts


@pytest.mark.parametrize(("typed", "fields"), [("", {}), ("none", {"names": ()}), ("NONE", {"names": ()})])
def test_no_list_is_not_an_empty_list(typed, fields):
    assert told(typed)[0] == fields


def test_a_question_mark_says_what_it_is_for():
    _, said, prompts = told("?", "")
    assert "make people fall" in said[0] and len(prompts) == 2


def test_an_anticoagulant_is_told_and_asked_about():
    fields, _, prompts = told("Eliquis 5 mg bd, paracetamol", "no")
    assert fields == {
        "names": ("Eliquis 5 mg bd", "paracetamol"), "anticoagulant": True, "anticoagulant_correctable": False,
    }  # fmt: skip
    assert "paused or reversed" in prompts[1]
    assert "anticoagulant_correctable" not in told("warfarin", "")[0]


def test_a_glucocorticoid_is_asked_for_dose_and_day():
    fields, said, _ = told("dexamethasone", "x", "1,5", "2026-13-01", "2026-01-05")
    (course,) = fields["glucocorticoids"]
    assert (course.prednisone_mg_day, course.started_on, course.ongoing) == (10, date(2026, 1, 5), True)
    assert ["is no dose" in said[0], "is no day" in said[1]] == [True, True]
    assert "glucocorticoids" not in told("prednisolone", "")[0]
    assert "glucocorticoids" not in told("hydrocortisone cream")[0]
    (known,) = told("prednisolone 10 mg", "")[0]["glucocorticoids"]
    assert (known.prednisone_mg_day, known.started_on) == (10, None)
    (named,) = told("steroid tablets", "5", "7.5", "")[0]["glucocorticoids"]
    assert named.prednisone_mg_day == 7.5


def test_an_osteoporosis_drug_is_asked_for_its_days_and_a_fracture():
    (drug,) = told("Fosamax 70 mg weekly", "2019-05-01", "yes")[0]["bone_drugs"]
    assert (drug.drug, drug.started_on, drug.stopped_on, drug.fracture_on_it) == (
        "oral bisphosphonate", date(2019, 5, 1), None, True,
    )  # fmt: skip
    (ended,) = told("Prolia since 2018-01-01 (stopped)", "2025-03-01", "")[0]["bone_drugs"]
    assert (ended.started_on, ended.stopped_on, ended.fracture_on_it) == (date(2018, 1, 1), date(2025, 3, 1), None)


def test_an_odd_spelling_is_asked_about_and_what_stays_odd_is_said():
    fields, said, prompts = told("apixabann 5 mg, quxifoo", "yes", "")
    assert fields["names"] == ("apixaban (written as apixabann 5 mg)", "quxifoo") and fields["anticoagulant"] is True
    assert "is apixaban meant?" in prompts[1]
    assert said == ["  not understood: quxifoo: it is kept as written, and no rule can use it"]
    kept, said, _ = told("apixabann", "")
    assert kept == {"names": ("apixabann",)} and "perhaps apixaban?" in said[0]


def kept(name, value, *answers):
    left, said, confirmed = list(answers), [], set()
    keeps = stands(name, value, lambda _: left.pop(0), said.append, confirmed)
    assert left == []
    return keeps, confirmed, said


@pytest.mark.parametrize(
    ("name", "value", "answers", "keeps", "confirmed"),
    [
        ("calcium_mmol_l", 2.3, (), True, set()),
        ("laboratory.calcium_mmol_l", 9.4, (), False, set()),
        ("vitamin_d_ng_ml", 80, ("",), False, set()),
        ("vitamin_d_ng_ml", 80, ("yes",), True, {"laboratory.vitamin_d_ng_ml"}),
        ("smoker", True, (), True, set()),
        ("id", "p1", (), True, set()),
        ("age_yr", 76, (), True, set()),
    ],
)
def test_an_odd_number_is_asked_about_once(name, value, answers, keeps, confirmed):
    assert kept(name, value, *answers)[:2] == (keeps, confirmed)


def test_the_question_names_the_unit_that_it_smells_of():
    assert kept("calcium_mmol_l", 9.4)[2] == [
        "  laboratory.calcium_mmol_l is 9.4 mmol/L, which no living patient has (0.8 to 6): is it 9.4 mg/dL "
        "(2.35 mmol/L)?"
    ]


def settled(draft, *answers):
    left, confirmed = list(answers), set()
    settle(draft, confirmed, lambda _: left.pop(0), lambda _: None)
    assert left == []
    return draft, confirmed


HEAVY = {"age_yr": 76.0, "sex": "female", "mass_kg": 140.0, "height_cm": 160.0}


def test_what_only_shows_beside_another_number_is_asked_about():
    assert settled(dict(HEAVY), "yes") == (HEAVY | {"confirmed": ("mass_kg",)}, {"mass_kg"})
    left, confirmed = settled(dict(HEAVY), "")
    assert "mass_kg" not in left and confirmed == set()
    plain = {"age_yr": 76.0, "sex": "female", "mass_kg": 60.0}
    assert settled(dict(plain)) == (plain, set())
    assert settled({"age_yr": 500.0}) == ({"age_yr": 500.0}, set())


def test_an_interview_asks_for_drugs_by_name_and_keeps_odd_numbers_that_are_right():
    prompts = []
    answers = {
        "Age": ["76"], "Sex": ["female"], "Body mass": ["140"], "Height": ["160"], "Is it right": ["yes"],
        "Anything about drugs": ["yes"], "More about drugs": ["yes"], "all drugs by name": ["Eliquis 5 mg"],
    }  # fmt: skip

    def ask(prompt):
        prompts.append(prompt.strip())
        return next((g.pop(0) for start, g in answers.items() if prompt.strip().startswith(start) and g), "")

    record = Interview(ask, lambda _: None).record()
    assert (record.mass_kg, record.confirmed) == (140, ("mass_kg",))
    assert (record.drugs.names, record.drugs.anticoagulant) == (("Eliquis 5 mg",), True)
    assert not any(prompt.startswith("names") for prompt in prompts)


def test_the_terminal_says_what_the_list_of_drugs_holds(tmp_path, capsys):
    told = {"age_yr": 76, "sex": "F", "levels": {"L1": {"fracture": True}},
            "drugs": {"names": ["Eliquis 5 mg", "xareltoo"], "anticoagulant": False}}  # fmt: skip
    (tmp_path / "p.json").write_text(json.dumps(told))
    assert main(["decide", "--record", str(tmp_path / "p.json")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "! anticoagulant on the list: Eliquis 5 mg" in said
    assert "! not understood: xareltoo, perhaps rivaroxaban?" in said
    assert said.index("! anticoagulant on the list") < said.index("Prevention: ")
