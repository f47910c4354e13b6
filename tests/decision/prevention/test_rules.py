"""Prevention rules: each figure at, just below and just above, on the verdict that it decides."""

from __future__ import annotations

import pytest

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.prevention.plan import prevention_books, rulesets
from endplate.decision.rules.derive import derive
from endplate.decision.verdict.decide import evaluate

BY_ID = {rules.id: rules for book in prevention_books() for rules in book.rulesets}
NONE_OF_IT = {
    "fragility_fracture": False,
    "hip_fracture": False,
    "hip_fracture_months": 100.0,
    "other_fragility_fracture": False,
    "other_fracture_months": 100.0,
    "pregnancy": False,
    "vertebral_fractures": 0,
    "fracture_months": 100.0,
    "t_score": 0.0,
    "frax_major_pct": 1.0,
    "frax_hip_pct": 0.1,
    "fracture_on_treatment": False,
    "glucocorticoid_mg_d": 0.0,
    "glucocorticoid_months": 0.0,
    "glucocorticoid_g_yr": 0.0,
    "sex": "female",
    "postmenopausal": True,
    "age_yr": 70.0,
    "egfr": 90.0,
    "calcium_mmol_l": 2.4,
    "oesophageal_disorder": False,
    "cannot_sit_upright": False,
    "skeletal_radiation": False,
    "bone_metastasis": False,
    "paget": False,
    "open_epiphyses": False,
    "heart_attack_or_stroke_year": False,
    "venous_thrombosis": False,
    "stroke": False,
    "heart_attack": False,
    "dialysis": False,
    "vitamin_d_ng_ml": 32.0,
    "hormone_sensitive_cancer": False,
    "bone_harming_drug": False,
    "arm_fracture": False,
    "arm_fracture_months": 100.0,
    "on_oral_bisphosphonate": False,
    "oral_bisphosphonate_years": 0.0,
    "zoledronate_years": 0.0,
    "on_denosumab": False,
    "denosumab_stopped": False,
    "teriparatide_months": 0.0,
    "romosozumab_months": 0.0,
    "stay_independent_filled": False,
}
FRACTURE = {"fragility_fracture": True}
STEROID = {"glucocorticoid_mg_d": 5.0, "glucocorticoid_months": 6.0}


def status(rules, **facts):
    return evaluate(BY_ID[rules], LevelFacts(values=NONE_OF_IT | facts)).status


@pytest.mark.parametrize(
    ("rules", "other", "field", "no", "yes"),
    [
        ("bhof_treat", {}, "t_score", -2.49, -2.5),
        ("bhof_treat", {"t_score": -1.0}, "frax_hip_pct", 2.9, 3.0),
        ("bhof_treat", {"t_score": -1.0}, "frax_major_pct", 19.9, 20.0),
        ("bhof_treat", {"frax_hip_pct": 9.0}, "t_score", -0.99, -1.0),
        ("bhof_very_high", FRACTURE, "fracture_months", 12.1, 12.0),
        ("bhof_very_high", {}, "vertebral_fractures", 1, 2),
        ("bhof_very_high", {}, "t_score", -3.0, -3.01),
        ("aace_treat", {"frax_hip_pct": 9.0}, "t_score", -0.99, -1.0),
        ("aace_treat", {}, "t_score", -2.49, -2.5),
        ("aace_treat", {"t_score": -1.5}, "frax_hip_pct", 2.9, 3.0),
        ("aace_treat", {"t_score": -1.5}, "frax_major_pct", 19.9, 20.0),
        ("aace_very_high", FRACTURE, "fracture_months", 12.1, 12.0),
        ("aace_very_high", {}, "t_score", -3.0, -3.01),
        ("aace_very_high", {}, "frax_major_pct", 30.0, 30.1),
        ("aace_very_high", {}, "frax_hip_pct", 4.5, 4.6),
        ("aace_very_high", {}, "vertebral_fractures", 1, 2),
        ("aace_very_high", FRACTURE, "glucocorticoid_mg_d", 0.0, 0.1),
        ("aace_very_high", FRACTURE, "bone_harming_drug", False, True),
        ("acp_treat", {}, "t_score", -2.49, -2.5),
        ("acp_very_high", FRACTURE, "fracture_months", 12.1, 12.0),
        ("acp_very_high", {}, "vertebral_fractures", 1, 2),
        ("acp_very_high", {"hip_fracture": True}, "hip_fracture_months", 12.1, 12.0),
        ("ta791", FRACTURE | {"fracture_months": 24.0}, "t_score", -2.49, -2.5),
        ("ta791", FRACTURE | {"t_score": -2.5}, "fracture_months", 24.1, 24.0),
        ("ta791", {"t_score": -2.5, "hip_fracture": True}, "hip_fracture_months", 24.1, 24.0),
        ("ta791", {"t_score": -2.5, "arm_fracture": True}, "arm_fracture_months", 24.1, 24.0),
        ("nogg_very_high", FRACTURE, "fracture_months", 24.1, 24.0),
        ("nogg_very_high", {}, "vertebral_fractures", 1, 2),
        ("nogg_very_high", {}, "t_score", -3.49, -3.5),
        ("nogg_very_high", {"glucocorticoid_months": 3.0}, "glucocorticoid_mg_d", 7.4, 7.5),
        ("nogg_very_high", {"glucocorticoid_mg_d": 7.5}, "glucocorticoid_months", 2.9, 3.0),
        ("endocrine_treat", {}, "t_score", -2.49, -2.5),
        ("endocrine_very_high", {"t_score": -2.5}, "vertebral_fractures", 1, 2),
        ("endocrine_very_high", {"vertebral_fractures": 2}, "t_score", -2.49, -2.5),
        ("acr_giop_treat", STEROID, "frax_major_pct", 9.9, 10.0),
        ("acr_giop_treat", STEROID | {"frax_major_pct": 10.0}, "glucocorticoid_mg_d", 2.4, 2.5),
        ("acr_giop_treat", STEROID | {"frax_major_pct": 10.0}, "glucocorticoid_months", 3.0, 3.1),
        ("acr_giop_very_high", STEROID, "t_score", -3.49, -3.5),
        ("acr_giop_very_high", STEROID, "frax_major_pct", 29.9, 30.0),
        ("acr_giop_very_high", STEROID, "frax_hip_pct", 4.4, 4.5),
        ("acr_giop_very_high", {"glucocorticoid_months": 3.1}, "glucocorticoid_mg_d", 29.9, 30.0),
        ("acr_giop_very_high", STEROID, "glucocorticoid_g_yr", 4.9, 5.0),
        ("asbmr_bhof_very_high", FRACTURE, "fracture_months", 24.1, 24.0),
    ],
)
def test_a_threshold_turns_the_verdict_exactly_there(rules, other, field, no, yes):
    assert (status(rules, **(other | {field: no})), status(rules, **(other | {field: yes}))) == ("no", "yes")


@pytest.mark.parametrize(
    ("drug", "field", "fine", "blocked"),
    [
        ("oral_bisphosphonate", "egfr", 35.0, 34.9),
        ("anabolic", "egfr", 30.0, 29.9),
        ("raloxifene", "egfr", 30.0, 29.9),
        ("anabolic", "dialysis", False, True),
        ("anabolic", "teriparatide_months", 23.9, 24.0),
        ("romosozumab", "romosozumab_months", 11.9, 12.0),
        ("hormone_therapy", "hormone_sensitive_cancer", False, True),
        ("hormone_therapy", "heart_attack_or_stroke_year", False, True),
        ("zoledronate", "egfr", 35.0, 34.9),
        ("oral_bisphosphonate", "calcium_mmol_l", 2.2, 2.19),
        ("zoledronate", "calcium_mmol_l", 2.2, 2.19),
        ("denosumab", "calcium_mmol_l", 2.2, 2.19),
        ("romosozumab", "calcium_mmol_l", 2.2, 2.19),
        ("anabolic", "calcium_mmol_l", 2.6, 2.61),
        ("oral_bisphosphonate", "oesophageal_disorder", False, True),
        ("oral_bisphosphonate", "cannot_sit_upright", False, True),
        ("anabolic", "skeletal_radiation", False, True),
        ("anabolic", "bone_metastasis", False, True),
        ("anabolic", "paget", False, True),
        ("anabolic", "open_epiphyses", False, True),
        ("romosozumab", "heart_attack_or_stroke_year", False, True),
        ("raloxifene", "venous_thrombosis", False, True),
        ("raloxifene", "stroke", False, True),
        ("hormone_therapy", "venous_thrombosis", False, True),
        ("hormone_therapy", "stroke", False, True),
    ],
)
def test_a_drug_is_blocked_exactly_there(drug, field, fine, blocked):
    assert status(drug, **{field: fine}) in ("yes", "conditional")
    assert status(drug, **{field: blocked}) == "contraindicated"


@pytest.mark.parametrize(
    ("drug", "field", "doubtful", "fine"),
    [
        ("zoledronate", "fracture_months", 0.4598, 0.4599),
        ("zoledronate", "vitamin_d_ng_ml", 19.9, 20.0),
        ("denosumab", "vitamin_d_ng_ml", 19.9, 20.0),
        ("romosozumab", "vitamin_d_ng_ml", 19.9, 20.0),
        ("zoledronate", "zoledronate_years", 3.0, 2.9),
        ("oral_bisphosphonate", "oral_bisphosphonate_years", 5.0, 4.9),
        ("denosumab", "egfr", 29.9, 30.0),
        ("denosumab", "dialysis", True, False),
        ("romosozumab", "egfr", 29.9, 30.0),
        ("romosozumab", "heart_attack", True, False),
        ("romosozumab", "stroke", True, False),
        ("romosozumab", "denosumab_stopped", True, False),
        ("anabolic", "denosumab_stopped", True, False),
        ("raloxifene", "hormone_sensitive_cancer", True, False),
    ],
)
def test_a_caution_makes_a_drug_conditional_exactly_there(drug, field, doubtful, fine):
    assert [status(drug, **{field: value}) for value in (doubtful, fine)] == ["conditional", "yes"]


def test_hormones_are_for_women_under_sixty():
    assert [status("hormone_therapy", age_yr=age) for age in (59.9, 60.0)] == ["yes", "conditional"]


def test_a_fracture_under_tablets_and_years_of_them_are_cautions():
    failed = {"on_oral_bisphosphonate": True, "fracture_on_treatment": True}
    assert status("oral_bisphosphonate", **failed) == "conditional"
    assert status("oral_bisphosphonate", **failed | {"on_oral_bisphosphonate": False}) == "yes"


def test_the_boxed_warning_on_denosumab_is_named():
    verdict = evaluate(BY_ID["denosumab"], LevelFacts(values=NONE_OF_IT | {"egfr": 12.0}))
    assert verdict.answer.startswith("FDA boxed warning: severe hypocalcaemia in advanced kidney disease")


YOUNG = {"sex": "female", "postmenopausal": False, "age_yr": 31.0}
MAN_40 = {"sex": "male", "postmenopausal": None, "age_yr": 40.0}
CHILD = {"sex": "male", "postmenopausal": None, "age_yr": 10.0}
OF_WOMEN = ("romosozumab", "raloxifene", "hormone_therapy", "ta791", "aace_treat", "endocrine_treat", "endocrine_first")


@pytest.mark.parametrize("who", [YOUNG, MAN_40, CHILD])
@pytest.mark.parametrize("name", sorted(set(BY_ID) - {"steadi", "calcitonin"}))
def test_no_rule_set_on_bone_speaks_to_the_young(name, who):
    ill = {"fragility_fracture": True, "fracture_months": 1.0, "t_score": -4.0, "frax_major_pct": 40.0}
    outcome = BY_ID[name].outcome(NONE_OF_IT | ill | who)
    assert (outcome.status, outcome.applies) == ("no", False)


@pytest.mark.parametrize("name", OF_WOMEN)
def test_what_is_for_women_says_so_to_a_man(name):
    outcome = BY_ID[name].outcome(NONE_OF_IT | FRACTURE | {"sex": "male", "postmenopausal": None, "age_yr": 70.0})
    assert (outcome.status, outcome.applies) == ("no", False)


CASES = [pytest.param(case, id=case.name) for book in prevention_books() for case in book.cases]


@pytest.mark.parametrize("case", CASES)
def test_every_expert_case_of_prevention(case):
    filled = derive(case.facts)
    for name, wanted in case.expect.items():
        outcome = BY_ID[name].outcome(filled)
        assert (f"{outcome.status}: {outcome.answer}" if ": " in wanted else outcome.status) == wanted, name


def test_the_glucocorticoid_guideline_speaks_to_adults_of_any_age():
    steroid = {"glucocorticoid_mg_d": 10.0, "glucocorticoid_months": 12.0, "fragility_fracture": True}
    assert [status("acr_giop_treat", **steroid | who) for who in (YOUNG, MAN_40, CHILD)] == ["yes", "yes", "no"]


def test_an_unknown_blocker_leaves_a_drug_open_not_allowed():
    for rules in rulesets("drug"):
        facts = {name: None for name in NONE_OF_IT if name not in ("sex", "age_yr", "postmenopausal")}
        wanted = "no" if rules.id == "calcitonin" else "indeterminate"
        assert status(rules.id, **facts) == wanted, rules.id


def test_a_recent_fragility_fracture_is_treated_by_all_and_very_high_by_most():
    facts = FRACTURE | {"fracture_months": 1.0, "vertebral_fractures": 1}
    assert {status(rules.id, **facts) for rules in rulesets("bone treatment") if rules.id != "acr_giop_treat"} == {
        "yes"
    }
    high = {rules.id: status(rules.id, **facts) for rules in rulesets("very high risk")}
    assert [name for name, said in high.items() if said == "yes"] == [
        "aace_very_high",
        "acp_very_high",
        "asbmr_bhof_very_high",
        "bhof_very_high",
        "nogg_very_high",
    ]


def test_a_guideline_keeps_to_whom_it_is_for():
    assert status("endocrine_treat", sex="male", fragility_fracture=True) == "no"
    assert status("acr_giop_treat", fragility_fracture=True) == "no"
    assert status("raloxifene", sex="male") == "no"


MEN = {60: 14, 65: 12, 70: 12, 75: 11, 80: 10, 85: 8, 90: 7}
WOMEN = {60: 12, 65: 11, 70: 10, 75: 10, 80: 9, 85: 8, 90: 4}
GOOD = {
    "fell_past_year": True,
    "tug_s": 9.0,
    "tandem_s": 20.0,
    "chair_stands": 20,
    "systolic_drop": 0.0,
    "diastolic_drop": 0.0,
    "orthostatic_symptoms": False,
}


def falls(**facts):
    return evaluate(BY_ID["steadi"], LevelFacts(values=NONE_OF_IT | GOOD | facts))


@pytest.mark.parametrize(
    ("sex", "age", "norm"), [("male", a, n) for a, n in MEN.items()] + [("female", a, n) for a, n in WOMEN.items()]
)
def test_chair_stands_follow_the_table_of_age_and_sex(sex, age, norm):
    for years in (age, age + 4.9):
        assert "impaired" not in falls(sex=sex, age_yr=float(years), chair_stands=norm).answer
        assert "impaired" in falls(sex=sex, age_yr=float(years), chair_stands=norm - 1).answer


@pytest.mark.parametrize(
    ("field", "fine", "impaired"),
    [
        ("tug_s", 11.9, 12.0),
        ("tandem_s", 10.0, 9.9),
        ("systolic_drop", 19.9, 20.0),
        ("diastolic_drop", 9.9, 10.0),
        ("orthostatic_symptoms", False, True),
    ],
)
def test_a_fall_test_is_impaired_exactly_there(field, fine, impaired):
    assert "tests normal" in falls(**{field: fine}).answer
    assert "impaired" in falls(**{field: impaired}).answer


def test_the_screen_needs_one_yes_or_four_points():
    clear = {
        "fell_past_year": False,
        "unsteady": False,
        "worried_about_falling": False,
        "stay_independent_filled": True,
        "stay_independent": 3,
    }
    assert falls(**clear | {"stay_independent_filled": False, "stay_independent": None}).status == "no"
    assert falls(**clear).status == "no"
    for name, value in {
        "fell_past_year": True,
        "unsteady": True,
        "worried_about_falling": True,
        "stay_independent": 4,
    }.items():
        assert falls(**clear | {name: value}).status == "yes"
    assert falls(fell_past_year=None).status == "indeterminate"


def test_every_rule_file_of_prevention_carries_its_sources():
    for book in prevention_books():
        for threshold in book.thresholds.values():
            assert threshold.citation.source and threshold.citation.edition and threshold.citation.trust
