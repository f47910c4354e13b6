"""The plan: made for every fragility fracture, open where the record is open, dated from the fracture."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from endplate.decision.prevention.facts import prevention_facts
from endplate.decision.prevention.fall_drugs import fall_drugs
from endplate.decision.prevention.plan import prevent
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import parse_record

BASE = {
    "age_yr": 76,
    "sex": "F",
    "recorded_on": "2026-06-01",
    "episode": {"onset_on": "2026-05-10", "mechanism": "fall from standing"},
    "levels": {"L1": {"fracture": True}},
}


def record(**fields):
    return parse_record(json.dumps(BASE | fields))


def facts(**fields):
    return prevention_facts(record(**fields))


def test_a_fragility_fracture_always_gets_a_plan_with_dates_from_the_fracture():
    plan = prevent(record())
    assert plan.needed is True and "very high risk" in plan.next_step
    assert plan.next_step.startswith("guidelines that would treat: ")
    assert plan.dates[0].on == date(2026, 8, 2) and "density test" in plan.dates[0].what
    assert plan.calcium_mg == 1200 and any("vitamin D" in item.text for item in plan.supplements)


def test_a_drug_without_a_listed_block_is_not_called_fit_for_the_patient():
    calm = {"calcium_mmol_l": 2.4, "creatinine_umol_l": 60, "egfr_ml_min": 80, "vitamin_d_ng_ml": 30}
    told = prevent(record(laboratory=calm, drugs={"bone_drugs": []})).next_step
    assert "no recorded contraindication (suitability for age not assessed): " in told and "Denosumab" in told


def test_a_fracture_found_by_the_scan_counts_like_one_that_is_told():
    found = Finding(code="fracture", value="yes", unit="", level=Level.L1, method="m", source="s")
    assert prevention_facts(record(levels={}), [found])["fragility_fracture"] is True
    nothing = Finding(code="fracture", value="no", unit="", level=Level.L1, method="m", source="s")
    assert prevention_facts(record(levels={}, history={"fractures": []}), [nothing])["fragility_fracture"] is False
    assert "fragility_fracture" not in prevention_facts(record(levels={})), "nobody looked"


def test_how_it_happened_decides_and_unknown_stays_unknown():
    none_before = {"fractures": []}
    assert facts(episode={"mechanism": "traffic"}, history=none_before)["fragility_fracture"] is False
    assert "fragility_fracture" not in facts(episode={"mechanism": "traffic"}), "earlier ones are not told"
    unsure = {"fractures": [{"site": "vertebra"}]}
    assert facts(episode={"mechanism": "traffic"}, history=unsure)["fragility_fracture"] is True, "assumed"
    assert facts(episode={"high_energy": False})["fragility_fracture"] is True
    young = {"age_yr": 40, "sex": "M", "episode": {}}
    assert "fragility_fracture" not in facts(**young) and prevent(record(**young)).needed is None
    assert "complete the record" in prevent(record(levels={}, episode={})).next_step


def test_months_count_from_the_onset_or_the_last_dated_fracture():
    assert facts()["fracture_months"] == pytest.approx(22 / 30.4375)
    assert facts(episode={"onset_days": 60.875})["fracture_months"] == pytest.approx(2)
    old = {"fractures": [{"site": "vertebra", "on": "2025-06-01", "levels": ["T8"]}]}
    assert facts(episode={}, history=old)["fracture_months"] == pytest.approx(365 / 30.4375)


def test_fractures_are_counted_only_where_the_history_is_told():
    assert "vertebral_fractures" not in facts()
    assert facts(history={"fractures": []})["vertebral_fractures"] == 1
    old = {"fractures": [{"site": "vertebra", "levels": ["T8", "T9"]}, {"site": "hip"}]}
    assert (facts(history=old)["vertebral_fractures"], facts(history=old)["hip_fracture"]) == (3, True)


def test_steroids_are_the_largest_running_dose():
    doses = [
        {"prednisone_mg_day": 5, "started_on": "2025-06-01"},
        {"prednisone_mg_day": 20, "started_on": "2024-01-01", "stopped_on": "2024-02-01"},
    ]
    found = facts(drugs={"glucocorticoids": doses})
    assert found["glucocorticoid_mg_d"] == 5 and found["glucocorticoid_months"] == pytest.approx(365 / 30.4375)
    assert facts(drugs={"glucocorticoids": []})["glucocorticoid_mg_d"] == 0
    assert "glucocorticoid_mg_d" not in facts()


def test_only_dxa_sites_give_the_t_score_that_thresholds_speak_of():
    tests = [{"site": "forearm", "t_score": -4.0}, {"site": "total hip", "t_score": -1.5}]
    assert facts(bone={"tests": tests})["t_score"] == -1.5
    assert "t_score" not in facts(bone={"tests": tests[:1]})


@pytest.mark.parametrize(("age", "known"), [(59.9, False), (60, True), (94.9, True), (95, False)])
def test_chair_stands_say_nothing_outside_the_ages_of_the_norms(age, known):
    assert ("chair_stands" in facts(age_yr=age, falls={"chair_stands": 3})) is known


def test_arms_used_score_nothing():
    assert facts(falls={"chair_stands": 15, "arms_used": True})["chair_stands"] == 0
    assert facts(falls={"past_year": 0})["fell_past_year"] is False


def test_the_laboratory_list_puts_what_could_hide_a_myeloma_first():
    plan = prevent(record(laboratory={"inr": 1.0, "tsh_mu_l": {"value": 2, "on": "2026-05-20"}}))
    assert [item.field for item in plan.laboratory[:2]] == ["electrophoresis", "free_light_chains"]
    tsh = next(item for item in plan.laboratory if item.field == "tsh_mu_l")
    assert (tsh.result, tsh.on) == ("2", date(2026, 5, 20))
    assert not any(item.field == "testosterone_nmol_l" for item in plan.laboratory)
    assert any(item.field == "testosterone_nmol_l" for item in prevent(record(sex="M")).laboratory)


def test_fall_risk_drugs_are_found_by_name_and_no_list_is_not_an_empty_list():
    found = fall_drugs(["Zolpidem 10 mg at night", "RAMIPRIL/hydrochlorothiazide", "alendronate", "tramadolol"])
    assert [(drug.drug, drug.drug_class) for drug in found] == [
        ("zolpidem", "Z-drug"),
        ("ramipril", "antihypertensive"),
        ("hydrochlorothiazide", "diuretic"),
    ]
    assert prevent(record()).fall_drugs is None and prevent(record(drugs={"names": []})).fall_drugs == ()


@pytest.mark.parametrize(
    ("sex", "age", "calcium"),
    [("F", 51, 1200), ("F", 50, None), ("M", 71, 1200), ("M", 70, 1000), ("M", 50, 1000), ("M", 49, None)],
)
def test_calcium_follows_age_and_sex(sex, age, calcium):
    assert prevent(record(sex=sex, age_yr=age)).calcium_mg == calcium


@pytest.mark.parametrize(("level", "place"), [(29.9, "below"), (30.0, "in"), (50.0, "in"), (50.1, "above")])
def test_vitamin_d_is_held_against_its_goal(level, place):
    plan = prevent(record(laboratory={"vitamin_d_ng_ml": level}))
    assert any(f", {place} the goal" in item.text for item in plan.supplements)


@pytest.mark.parametrize(("sex", "age", "count"), [("F", 65, 5), ("F", 64.9, 4), ("M", 80, 4)])
def test_figures_of_women_of_65_are_told_to_them_only(sex, age, count):
    assert len(prevent(record(sex=sex, age_yr=age)).figures) == count


def test_a_known_density_needs_no_first_test_and_no_date_without_a_day():
    known = prevent(record(bone={"tests": [{"site": "spine", "t_score": -3, "on": "2026-05-20"}]}))
    assert "density test (DXA)" not in known.dates[0].what
    assert prevent(record(episode={}, recorded_on=None)).dates[0].on is None


def test_an_old_or_undated_fracture_counts_from_the_day_it_is_found():
    found = date(2026, 6, 1) + timedelta(84)
    assert prevent(record(episode={})).dates[0].on == found
    old = {"onset_on": "2022-03-01", "mechanism": "fall from standing"}
    assert prevent(record(episode=old)).dates[0].on == found
    year = {"onset_on": "2025-06-01", "mechanism": "fall from standing"}
    assert prevent(record(episode=year)).dates[0].on == date(2025, 6, 1) + timedelta(84)


def test_the_next_density_test_counts_from_the_newest():
    old = {"onset_on": "2022-03-01", "mechanism": "fall from standing"}
    tests = [
        {"site": "spine", "t_score": -3, "on": "2024-01-01"},
        {"site": "total hip", "t_score": -3, "on": "2026-05-20"},
    ]
    last = prevent(record(episode=old, bone={"tests": tests})).dates[-1]
    assert (last.what, last.on) == ("next density test", date(2026, 5, 20) + timedelta(730))


def test_who_takes_a_drug_has_it_reviewed():
    plan = prevent(record(drugs={"names": ["Fosamax 70 mg weekly"]}))
    assert any(item.what == "osteoporosis drug reviewed and exercise started" for item in plan.dates)


@pytest.mark.parametrize(
    ("site", "on", "stands"),
    [
        ("spine", "2026-05-10", True),
        ("total hip", "2025-06-01", True),
        ("femoral neck", "2025-05-31", False),
        ("forearm", "2026-05-20", False),
        ("spine QCT", "2026-05-20", False),
        ("spine", None, False),
    ],
)
def test_a_density_stands_from_spine_or_hip_of_the_last_year(site, on, stands):
    test = {"site": site, "t_score": -3} | ({"on": on} if on else {})
    asked = any("density test (DXA)" in item.what for item in prevent(record(bone={"tests": [test]})).dates)
    assert asked is not stands


def test_a_density_since_an_older_fracture_stands():
    old = {"onset_on": "2024-01-01", "mechanism": "fall from standing"}
    tests = {"tests": [{"site": "spine", "t_score": -3, "on": "2024-01-01"}]}
    assert "DXA" not in prevent(record(episode=old, bone=tests)).dates[0].what


@pytest.mark.parametrize(("today", "overdue"), [("2026-08-01", False), ("2026-08-02", False), ("2026-08-03", True)])
def test_a_day_that_has_passed_is_said_to_be_overdue(today, overdue):
    first = prevent(record(recorded_on=today)).dates[0]
    assert first.on == date(2026, 8, 2) and first.what.startswith("overdue: ") is overdue


def test_the_next_step_names_anabolic_drugs_that_are_not_blocked_and_what_is_open():
    clear = {"oesophageal_disorder": False, "cannot_sit_upright": False, "paget": False, "open_epiphyses": False,
             "heart_attack_or_stroke_past_year": True}  # fmt: skip
    laboratory = {"calcium_mmol_l": 2.4, "egfr_ml_min": 80, "vitamin_d_ng_ml": 30}
    drugs = {"bone_drugs": []}
    words = prevent(record(history=clear, laboratory=laboratory, drugs=drugs)).next_step
    assert "consider an anabolic drug first (Teriparatide or abaloparatide; by ASBMR/BHOF 2024)" in words
    assert "open, complete the record: Teriparatide or abaloparatide, Raloxifene" in words
    assert words.endswith("blocked: Romosozumab, Hormone therapy")
    assert "(suitability for age not assessed): Oral bisphosphonate, Zoledronate, Denosumab;" in words
    barred = prevent(
        record(history=clear, laboratory=laboratory, drugs=drugs, cancer={"bone_metastasis": True})
    ).next_step
    assert "tumour in bone: the oncologist chooses the drug" in barred and "consider an anabolic" not in barred


@pytest.mark.parametrize(
    ("dose", "told"),
    [
        (2.4, ["FRAX major 20 %, at 2.4 mg/d times 0.8: 16 %", "FRAX hip 4 %, at 2.4 mg/d times 0.65: 2.6 %"]),
        (2.5, []),
        (7.4, []),
        (7.5, ["FRAX major 20 %, at 7.5 mg/d times 1.15: 23 %", "FRAX hip 4 %, at 7.5 mg/d times 1.2: 4.8 %"]),
    ],
)
def test_frax_is_adjusted_for_the_dose_of_glucocorticoid(dose, told):
    drugs = {"glucocorticoids": [{"prednisone_mg_day": dose, "months": 12}]}
    plan = prevent(record(drugs=drugs, bone={"frax_major_percent": 20, "frax_hip_percent": 4}))
    assert [figure.text for figure in plan.figures if "FRAX" in figure.text] == told
    assert not any("FRAX" in f.text for f in prevent(record(drugs={"glucocorticoids": []})).figures)


def test_frax_is_adjusted_for_a_spine_weaker_than_the_neck():
    tests = [{"site": "femoral neck", "t_score": -1.0}, {"site": "spine", "t_score": -3.5}]
    told = prevent(record(bone={"tests": tests, "frax_major_percent": 15})).figures[-1].text
    assert told == "FRAX major 15 % by neck T -1, with spine T -3.5: 18.75 %"
    drugs = {"glucocorticoids": [{"prednisone_mg_day": 10, "months": 12}]}
    both = prevent(record(drugs=drugs, bone={"tests": tests, "frax_major_percent": 15})).figures[-2:]
    assert [figure.source for figure in both] == [
        "Kanis 2011: FRAX adjusted for the glucocorticoid dose (prednisone-equivalent)",
        "NOGG 2021/24: major FRAX rises by a tenth for each T-score that the spine lies below the neck",
    ]
    assert not any("FRAX" in f.text for f in prevent(record(bone={"tests": tests})).figures)
