"""Whole patients, made up: what prevention must say of each kind that an audit found wrong, and of its neighbours."""

from __future__ import annotations

import copy
import json
import os
from datetime import date
from pathlib import Path

import pytest

from endplate.decision.batch import row
from endplate.decision.facts.case_facts import case_facts
from endplate.decision.prevention.plan import prevent
from endplate.errors import RecordError
from endplate.patient import parse_record, read_record

WELL = {
    "id": "w", "recorded_on": "2026-06-14", "age_yr": 76, "sex": "female", "mass_kg": 60, "height_cm": 158,
    "pregnant": False,
    "episode": {"onset_on": "2026-05-20", "mechanism": "minor strain"},
    "pain": {"under_analgesia": 7, "from_fracture": True},
    "levels": {"L1": {"fracture": True, "oedema": True, "concordant": True, "lesion": "none"}},
    "bone": {"tests": [{"site": "spine", "t_score": -2.9, "on": "2026-06-01"}]},
    "laboratory": {"calcium_mmol_l": 2.35, "albumin_g_l": 40, "creatinine_umol_l": 65, "egfr_ml_min": 80,
                   "vitamin_d_ng_ml": 32},
    "drugs": {"names": ["paracetamol"], "glucocorticoids": [], "bone_drugs": [], "anticoagulant": False},
    "cancer": {"known": False, "skeletal_radiation": False, "bone_metastasis": False},
    "history": {"fractures": [], "postmenopausal": True, "heart_attack_or_stroke_past_year": False,
                "heart_attack": False, "venous_thrombosis": False, "stroke": False, "oesophageal_disorder": False,
                "cannot_sit_upright": False,
                "paget": False, "open_epiphyses": False},
    "falls": {"past_year": 0, "unsteady": False, "worried": False},
}  # fmt: skip
"""A woman of 76 with a fresh fragility fracture, everything known, nothing in the way of any drug."""


def record(**changes):
    told = copy.deepcopy(WELL)
    for path, value in changes.items():
        *parents, last = path.split("__")
        node = told
        for name in parents:
            node = node.setdefault(name, {})
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value
    return parse_record(json.dumps(told))


def plan(**changes):
    return prevent(record(**changes))


def drugs(**changes):
    return {verdict.ruleset: verdict.status for verdict in plan(**changes).drugs}


def treat(**changes):
    return {verdict.ruleset: verdict.applies and verdict.status for verdict in plan(**changes).treat}


ENDED = {"drug": "denosumab", "stopped_on": "2025-03-01"}
MAN = {"sex": "male", "pregnant": None, "history__postmenopausal": None}
YOUNG = {"age_yr": 31, "history__postmenopausal": False}


def test_where_nothing_is_in_the_way_every_drug_stands_open():
    assert drugs() == {
        "oral_bisphosphonate": "yes", "zoledronate": "yes", "denosumab": "yes", "anabolic": "yes", "romosozumab": "yes",
        "raloxifene": "yes", "hormone_therapy": "conditional", "calcitonin": "no", "ta791": "yes",
    }  # fmt: skip


# Who the guidelines speak of.


@pytest.mark.parametrize(
    "who",
    [
        YOUNG,
        YOUNG | {"bone__tests": [{"site": "spine", "z_score": -3.4, "t_score": -3.5, "on": "2026-06-01"}]},
        YOUNG | {"pregnant": True},
        MAN | {"age_yr": 40},
        MAN | {"age_yr": 11, "height_cm": 140, "mass_kg": 35, "history__open_epiphyses": True},
    ],
)  # fmt: skip
def test_the_young_go_to_a_specialist_and_no_drug_is_proposed(who):
    told = plan(**who)
    assert "a specialist in bone disease decides" in told.next_step
    assert not any(verdict.status in ("yes", "conditional") for verdict in (*told.drugs, *told.treat))
    assert not any(verdict.applies for verdict in told.treat)


def test_a_young_man_broken_by_violence_is_asked_for_no_bone_drug_and_no_density_test():
    told = plan(
        **MAN, age_yr=28, episode={"onset_on": "2026-06-08", "mechanism": "traffic", "high_energy": True},
        history__fractures=None,
    )  # fmt: skip
    assert told.next_step.startswith("by the record no fracture of weak bone")
    assert told.dates == () and not any(verdict.applies for verdict in told.treat)
    weak = plan(**MAN, age_yr=28, episode={"onset_on": "2026-06-08", "mechanism": "minor strain"})
    assert "a specialist in bone disease decides" in weak.next_step and weak.dates


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (MAN | {"age_yr": 66, "drugs__bone_drugs": [{"drug": "Evenity", "started_on": "2026-02-01"}]},
         "romosozumab is taken now, and is to be reviewed: not licensed for this patient"),
        ({"drugs__bone_drugs": [{"drug": "Prolia", "started_on": "2024-01-10"}], "laboratory__calcium_mmol_l": 2.05},
         "denosumab is taken now, and is contraindicated here: Low calcium (corrected for albumin); it is never"),
        ({"drugs__bone_drugs": [{"drug": "alendronate", "started_on": "2024-01-10"}], "laboratory__egfr_ml_min": 20},
         "oral bisphosphonate is taken now, and is contraindicated here: Kidney function below 35"),
        ({"drugs__bone_drugs": [{"drug": "zoledronate", "started_on": "2025-06-10"}]}, ""),
        ({"drugs__bone_drugs": [{"drug": "Evenity", "started_on": "2025-01-01", "stopped_on": "2025-12-31"}],
          "laboratory__calcium_mmol_l": 2.05}, ""),
    ],
)  # fmt: skip
def test_a_drug_that_is_taken_though_something_speaks_against_it_is_named_first(changes, words):
    told = [caution.text for caution in plan(**changes).cautions if "is taken now" in caution.text]
    assert len(told) == bool(words) and all(text.startswith(words) for text in told)


def test_a_young_woman_on_glucocorticoids_has_a_guideline_of_her_own():
    course = [{"prednisone_mg_day": 10, "started_on": "2025-01-01"}]
    applies = {name for name, status in treat(**YOUNG, drugs__glucocorticoids=course).items() if status}
    assert applies == {"acr_giop_treat"}


def test_a_man_of_fifty_five_gets_a_bisphosphonate_first_and_no_romosozumab():
    told = plan(**MAN, age_yr=55, laboratory__testosterone_nmol_l=4.5)
    assert "bisphosphonate first in men" in told.next_step and "consider an anabolic" not in told.next_step
    assert "Romosozumab" not in told.next_step
    assert {v.ruleset: v.status for v in told.drugs}["anabolic"] == "yes"


def test_a_man_on_glucocorticoids_may_have_an_anabolic_drug_first():
    course = [{"prednisone_mg_day": 10, "started_on": "2025-01-01"}]
    told = plan(**MAN, age_yr=55, drugs__glucocorticoids=course)
    assert "consider an anabolic drug first (Teriparatide or abaloparatide; by ACR GIOP 2022)" in told.next_step


def test_the_guidelines_that_differ_on_the_first_drug_are_named():
    told = plan()
    (conflict,) = told.conflicts
    assert set(conflict.yes) == {"asbmr_bhof_first"} and set(conflict.no) == {"acp_first", "endocrine_first"}
    assert (
        "the guidelines differ on the first drug (anabolic: ASBMR/BHOF 2024; bisphosphonate: ACP 2023" in told.next_step
    )


# Kidney, calcium, vitamin D.


@pytest.mark.parametrize(
    ("laboratory", "kidney"),
    [
        ({"laboratory__egfr_ml_min": 9, "laboratory__creatinine_umol_l": None}, 9),
        ({"laboratory__creatinine_umol_l": 420}, 9.5),
        ({"history__dialysis": True, "laboratory__egfr_ml_min": None, "laboratory__creatinine_umol_l": None}, None),
    ],
)
def test_in_advanced_kidney_disease_denosumab_carries_its_boxed_warning(laboratory, kidney):
    told = plan(**laboratory)
    by_id = {verdict.ruleset: verdict for verdict in told.drugs}
    assert by_id["denosumab"].status == "conditional" and "FDA boxed warning" in by_id["denosumab"].answer
    assert by_id["anabolic"].status == by_id["raloxifene"].status == "contraindicated"
    assert "a specialist in kidney and bone disease chooses the drug" in told.next_step
    assert "no recorded contraindication" not in told.next_step.split("Denosumab")[0]
    assert told.facts.get("egfr") == (kidney if kidney is None else pytest.approx(kidney, abs=0.5))


def test_the_smaller_of_clearance_and_egfr_decides():
    frail = {"age_yr": 92, "mass_kg": 38, "height_cm": 150, "laboratory__creatinine_umol_l": 80}
    assert drugs(**frail)["zoledronate"] == drugs(**frail)["oral_bisphosphonate"] == "contraindicated"
    assert drugs(**frail)["denosumab"] == "conditional"
    heavy = {"mass_kg": 95, "laboratory__egfr_ml_min": 34}
    assert drugs(**heavy)["zoledronate"] == "contraindicated"
    said = [one.text for one in plan(**frail).cautions]
    assert any(
        "creatinine clearance 24 mL/min (Cockcroft-Gault), eGFR 80; the smaller decides" in text for text in said
    )


def test_egfr_alone_is_said_to_be_alone():
    said = [one.text for one in plan(laboratory__creatinine_umol_l=None).cautions]
    assert any("judged by eGFR alone; creatinine would give the creatinine clearance" in text for text in said)
    said = [one.text for one in plan(mass_kg=None).cautions]
    assert any("judged by eGFR alone; body mass would give" in text for text in said)
    said = [one.text for one in plan(laboratory__egfr_ml_min=None).cautions]
    assert any(text.startswith("kidney function: creatinine clearance 62 mL/min") for text in said)


@pytest.mark.parametrize(
    ("calcium", "albumin", "blocked"),
    [
        (2.12, 27, set()),
        (2.12, 40, {"oral_bisphosphonate", "zoledronate", "denosumab", "romosozumab"}),
        (2.35, 50, {"oral_bisphosphonate", "zoledronate", "denosumab", "romosozumab"}),
        (2.55, 30, {"anabolic"}),
        (2.65, 45, set()),
        (1.6, None, {"oral_bisphosphonate", "zoledronate", "denosumab", "romosozumab"}),
        (3.0, None, {"anabolic"}),
    ],
)
def test_calcium_counts_as_corrected_for_albumin(calcium, albumin, blocked):
    told = drugs(laboratory__calcium_mmol_l=calcium, laboratory__albumin_g_l=albumin)
    assert {name for name, status in told.items() if status == "contraindicated"} == blocked


def test_a_calcium_out_of_range_without_albumin_stays_open():
    told = drugs(laboratory__calcium_mmol_l=2.12, laboratory__albumin_g_l=None)
    assert {told[name] for name in ("oral_bisphosphonate", "zoledronate", "denosumab", "anabolic")} == {"indeterminate"}
    said = [one.text for one in plan(laboratory__calcium_mmol_l=2.12, laboratory__albumin_g_l=None).cautions]
    assert any("cannot be judged without albumin" in text for text in said)


def test_vitamin_d_is_corrected_before_a_potent_antiresorptive():
    told = plan(laboratory__vitamin_d_ng_ml=12)
    low = {verdict.ruleset for verdict in told.drugs if verdict.status == "conditional"}
    assert low == {"zoledronate", "denosumab", "romosozumab", "hormone_therapy"}
    assert "with a caution: Zoledronate (Vitamin D deficient: correct it first)" in told.next_step


# Cancer.


@pytest.mark.parametrize(
    "told",
    [
        {"cancer__known": True, "cancer__kind": "breast"},
        {"cancer__known": True, "cancer__kind": "Carcinoma of the left breast, 2019"},
        {"cancer__known": True, "cancer__kind": "endometrial"},
        {"cancer__known": True, "cancer__hormone_sensitive": True},
        {"drugs__names": ["letrozole 2.5 mg"]},
        {"drugs__names": ["Tamoxifen"], "cancer__known": None},
    ],
)
def test_hormones_are_barred_by_a_hormone_sensitive_cancer(told):
    found = drugs(**told)
    assert (found["hormone_therapy"], found["raloxifene"]) == ("contraindicated", "conditional")


@pytest.mark.parametrize(("kind", "status"), [("colon", "conditional"), ("carcinoma", "indeterminate")])
def test_another_cancer_bars_no_hormones_and_one_without_a_site_leaves_them_open(kind, status):
    assert drugs(cancer__known=True, cancer__kind=kind)["hormone_therapy"] == status


def test_drugs_that_harm_bone_are_named():
    said = [one.text for one in plan(drugs__names=["Arimidex", "Zoladex 10.8 mg"]).cautions]
    assert "aromatase inhibitor on the list (Arimidex): it lowers bone density" in said
    assert "androgen deprivation on the list (Zoladex 10.8 mg): it lowers bone density" in said


# Treatment so far.


def test_rebound_fractures_after_denosumab_ask_for_a_potent_antiresorptive():
    ended = [{"drug": "denosumab", "started_on": "2018-01-01", "stopped_on": "2025-03-01"}]
    three = {level: {"fracture": True, "oedema": True, "lesion": "none"} for level in ("T11", "T12", "L1")}
    told = plan(drugs__bone_drugs=ended, drugs__names=[], levels=three)
    assert "a potent antiresorptive first (zoledronate, or denosumab again)" in told.next_step
    assert "augmentation is strongly discouraged" in told.next_step
    assert "consider an anabolic" not in told.next_step and "guidelines differ" not in told.next_step
    by_id = {verdict.ruleset: verdict.status for verdict in told.drugs}
    assert (by_id["anabolic"], by_id["romosozumab"], by_id["zoledronate"]) == ("conditional", "conditional", "yes")


@pytest.mark.parametrize(
    ("bone_drugs", "names", "stopped"),
    [
        ([{"drug": "Prolia", "stopped_on": "2025-03-01"}], [], True),
        ([], ["Prolia (stopped)"], True),
        ([], ["Prolia until 2025-03-01"], True),
        ([ENDED, {"drug": "Aclasta", "started_on": "2025-09-01"}], [], False),
        ([ENDED, {"drug": "Prolia", "started_on": "2026-01-01"}], [], False),
        ([{"drug": "Aclasta", "stopped_on": "2016-01-01"}, ENDED], [], True),
        ([], ["Prolia"], False),
        ([{"drug": "alendronate"}], [], False),
        ([], [], False),
    ],
)  # fmt: skip
def test_denosumab_counts_as_stopped_where_nothing_potent_followed(bone_drugs, names, stopped):
    assert plan(drugs__bone_drugs=bone_drugs, drugs__names=names).facts["denosumab_stopped"] is stopped


def test_who_is_on_denosumab_is_warned_of_a_late_dose():
    told = plan(drugs__names=["Prolia 60 mg"], drugs__bone_drugs=None)
    assert any("no dose may be late" in one.text for one in told.cautions)
    assert {v.ruleset: v.answer for v in told.drugs}["denosumab"].startswith("continue without a late dose")


def test_years_of_tablets_and_a_fracture_under_them_are_said():
    long = [{"drug": "alendronate", "started_on": "2019-01-01"}]
    told = plan(drugs__bone_drugs=long)
    assert told.facts["fracture_on_treatment"] is True and told.facts["oral_bisphosphonate_years"] > 7
    assert "Oral bisphosphonate for 5 years or more" in told.next_step
    assert "Fracture while taking an oral bisphosphonate" in told.next_step
    fresh = [{"drug": "alendronate", "started_on": "2026-06-01"}]
    assert plan(drugs__bone_drugs=fresh).facts.get("fracture_on_treatment") is None
    undated = plan(drugs__bone_drugs=None, drugs__names=["Fosamax"])
    assert {v.ruleset: v.status for v in undated.drugs}["oral_bisphosphonate"] == "indeterminate"


def test_a_course_is_not_repeated():
    spent = [{"drug": "teriparatide", "started_on": "2020-01-01", "stopped_on": "2022-01-02"},
             {"drug": "Evenity", "started_on": "2023-01-01", "stopped_on": "2024-01-02"}]  # fmt: skip
    told = drugs(drugs__bone_drugs=spent)
    assert told["anabolic"] == told["romosozumab"] == "contraindicated"


def test_calcitonin_is_ended_not_proposed():
    told = plan(drugs__names=["Miacalcin nasal spray"])
    assert any("calcitonin is withdrawn for osteoporosis" in one.text for one in told.cautions)
    assert "Calcitonin" not in told.next_step


# Drugs by name.


def test_drugs_in_the_list_are_read_whatever_the_fields_say():
    names = ["apixaban 5 mg", "prednisolone 10 mg", "alendronic acid 70 mg", "amitriptyline"]
    told = record(drugs__names=names)
    (facts,) = case_facts(told)
    assert facts.values["anticoagulant"] is True and "apixaban" in facts.origin["anticoagulant"]
    assert facts.values["glucocorticoid_mg_d"] == 10
    made = prevent(told)
    assert made.facts["on_oral_bisphosphonate"] is True
    assert [drug.drug for drug in made.fall_drugs] == ["amitriptyline"]
    said = [one.text for one in made.cautions]
    assert "anticoagulant on the list: apixaban 5 mg" in said
    assert any(text.startswith("the list names apixaban 5 mg, but drugs.anticoagulant is false") for text in said)


def test_a_misspelt_anticoagulant_is_asked_about_not_taken_for_none():
    told = record(drugs__names=["apixabann 5 mg"])
    assert "anticoagulant" not in case_facts(told)[0].values
    assert any("not understood: apixabann 5 mg, perhaps apixaban?" in one.text for one in prevent(told).cautions)


def test_a_glucocorticoid_without_a_dose_is_asked_for():
    told = plan(drugs__names=["prednisolone"])
    assert "glucocorticoid_mg_d" not in told.facts
    assert any("its daily dose is not known" in one.text for one in told.cautions)


def test_antiplatelet_drugs_are_named_to_the_operator():
    assert any("antiplatelet drug on the list: Plavix" in one.text for one in plan(drugs__names=["Plavix"]).cautions)


# Falls, dates, FRAX, an incidental fracture.


@pytest.mark.parametrize(
    ("falls", "status"),
    [
        ({"past_year": 0, "unsteady": False, "worried": False}, "no"),
        ({"past_year": 0, "unsteady": False, "worried": False, "stay_independent": 3}, "no"),
        ({"past_year": 3, "unsteady": True, "worried": True, "tug_s": 18}, "yes"),
        ({"past_year": 0, "unsteady": False}, "indeterminate"),
    ],
)
def test_no_to_all_three_key_questions_ends_the_first_step(falls, status):
    told = plan(falls=falls).falls
    assert told.status == status and (status != "no" or told.missing == ())


def test_dates_count_from_the_newest_test_and_from_the_day_an_old_fracture_is_found():
    old = {
        "T12": {"fracture": True, "oedema": False, "concordant": False, "fracture_on": "2022-03-01", "lesion": "none"}
    }
    told = plan(levels=old, episode={"onset_on": "2022-03-01", "mechanism": "fall from standing"}, age_yr=79)
    assert told.dates[-1].on == date(2028, 5, 31) and not any("overdue" in one.what for one in told.dates)


def test_a_painless_fracture_found_by_chance_is_treated_as_fragility():
    found = {"T11": {"fracture": True, "concordant": False, "lesion": "none"}}
    told = plan(levels=found, episode={}, pain={"under_analgesia": 0, "at_rest": 0}, bone={"tests": []}, age_yr=68)
    assert told.needed is True and told.next_step.startswith("guidelines that would treat: AACE 2020, ACP 2023")
    assert any("taken as a fragility fracture" in one.text for one in told.cautions)


@pytest.mark.parametrize(
    ("age", "used"), [(39.9, False), (40, True), (90, True), (90.1, False), (28, False), (97, False)]
)
def test_frax_is_void_at_ages_that_it_is_not_made_for(age, used):
    bone = {"frax_major_percent": 35, "frax_hip_percent": 5, "tests": [{"site": "total hip", "t_score": -1.5}]}
    menopause = {} if age > 60 else {"history__postmenopausal": True}
    told = plan(age_yr=age, bone=bone, levels={}, episode={}, **menopause)
    assert ("frax_major_pct" in told.facts) is used
    assert any("FRAX is left out" in one.text for one in told.cautions) is not used
    assert any("FRAX" in one.text for one in told.figures) is False
    treats = {verdict.ruleset for verdict in told.treat if verdict.status == "yes"}
    assert ("aace_treat" in treats) is used


def test_age_and_sex_alone_name_no_drug():
    told = prevent(parse_record('{"age_yr": 82, "sex": "female"}'))
    assert told.next_step == "complete the record first: no guideline can answer yet"
    assert "postmenopausal" not in {name for verdict in told.drugs for name in verdict.missing}


def test_exercise_is_a_programme_with_doses_and_sources():
    told = plan()
    assert [one.kind for one in told.programme] == [
        "first", "balance", "strength", "back extensors and posture", "walking and other weight-bearing",
        "moving safely",
    ]  # fmt: skip
    assert all(one.dose and one.progression and one.avoid and one.source and one.cite for one in told.programme)
    assert len(told.exercise) == len(told.programme) + 1 and told.exercise[1].text.startswith("balance: every day")


def test_a_row_of_a_batch_holds_prevention_causes_and_falls():
    found = row((7, json.dumps(WELL)))
    assert found["prevention"]["steadi"][0] == "no" and found["prevention"]["bhof_treat"] == ["yes", "treat"]
    assert found["causes"]["L1"]["osteoporosis"] == "definite" and found["causes"]["L1"]["trauma"] == "absent"
    assert set(found["prevention"]) == {verdict.ruleset for made in [prevent(record())] for verdict in (
        *made.treat, *made.very_high_risk, *made.drugs, *made.first_drug, made.falls)}  # fmt: skip
    quick = {verdict.ruleset: [verdict.status, verdict.answer] for verdict in prevent(record()).drugs}
    assert {name: found["prevention"][name] for name in quick} == quick
    assert set(row((8, '{"age_yr": 82, "sex": "F"}'))) == {
        "line", "id", "note", "emergencies", "levels", "causes", "prevention", "fall_drugs",
    }  # fmt: skip


SHARED = Path(os.environ.get("ENDPLATE_SHARED", Path(__file__).resolve().parents[4] / "shared")) / "cases" / "care"
SAID = {
    "01": ("very high risk",), "05": ("a specialist in bone disease decides",), "07": ("guidelines that would treat",),
    "15": ("Hormone therapy", "blocked: "), "17": ("guidelines that would treat",),
    "18": ("bisphosphonate first in men",), "19": ("FDA boxed warning",), "20": ("Zoledronate, Denosumab",),
    "24": ("guidelines that would treat",), "27": ("no anabolic drug alone", "strongly discouraged"),
    "28": ("complete the record first",),
}  # fmt: skip


@pytest.mark.parametrize("number", sorted(SAID))
def test_the_records_of_the_audit(number):
    path = SHARED / f"{number}.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    said = prevent(read_record(path)).next_step
    assert all(words in said for words in SAID[number]), said


def test_the_slip_of_the_audit_is_asked_about():
    path = SHARED / "30.json"
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    with pytest.raises(RecordError, match=r"is it 9\.4 mg/dL \(2\.35 mmol/L\)\?"):
        read_record(path)
