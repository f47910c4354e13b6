"""Which fractures prevention counts, how old the last is, and what a tumour or a pregnancy takes away."""

from __future__ import annotations

import json
from datetime import date

import pytest

from endplate.decision.facts.case_facts import level_facts
from endplate.decision.prevention.facts import prevention_facts
from endplate.decision.prevention.fractures import fractured_now, fragility_assumed, last_vertebral_on, malignant
from endplate.decision.prevention.plan import prevent
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import parse_record

MONTH = 30.4375
BASE = {"age_yr": 76, "sex": "F", "recorded_on": "2026-06-01", "history": {"fractures": []}}
FALL = {"onset_on": "2026-05-10", "mechanism": "fall from standing"}
OLD = {"fracture": True, "oedema": False}


def facts(levels, **more):
    return prevention_facts(parse_record(json.dumps({**BASE, "episode": FALL, "levels": levels, **more})))


def earlier(*fractures):
    return {"fractures": fractures}


TUMOURS = [
    ({"biopsy_malignant": True}, {}),
    ({"lesion": "lytic"}, {"known": True}),
    ({"lesion": "blastic"}, {"myeloma": True}),
]


@pytest.mark.parametrize(("level", "cancer"), TUMOURS)
def test_a_level_proven_malignant_is_no_fragility_fracture_and_bars_anabolic_drugs(level, cancer):
    told = facts({"L1": {"fracture": True, **level}}, cancer=cancer)
    assert told["fragility_fracture"] is False and told["vertebral_fractures"] == 0
    assert told["bone_metastasis"] is True and "fracture_months" not in told
    both = facts({"L1": {"fracture": True, **level}, "T8": {"fracture": True, "lesion": "none"}}, cancer=cancer)
    assert both["vertebral_fractures"] == 1


def test_a_malignant_level_does_not_hide_the_fragility_fracture_below_it():
    told = facts({"T8": {"fracture": True, "biopsy_malignant": True}, "L1": {"fracture": True}})
    assert (told["fragility_fracture"], told["vertebral_fractures"]) == (True, 1)
    assert told["fracture_months"] == pytest.approx(22 / MONTH)


def test_cancer_in_the_history_alone_takes_no_fracture_away():
    told = facts({"L1": {"fracture": True}}, cancer={"known": True})
    assert told["fragility_fracture"] is True and "bone_metastasis" not in told


def test_the_plan_for_a_malignant_fracture_asks_for_no_drug_by_it():
    told = {"levels": {"L1": {"fracture": True, "biopsy_malignant": True}}, "episode": FALL}
    plan = prevent(parse_record(json.dumps({**BASE, **told})))
    assert plan.needed is False
    barred = {verdict.ruleset for verdict in plan.drugs if verdict.status == "contraindicated"}
    assert barred == {"anabolic"}


@pytest.mark.parametrize(
    ("level", "days"),
    [
        ({"fracture": True}, 22),
        ({"fracture": True, "oedema": True}, 22),
        ({"fracture": True, "fracture_on": "2026-02-01"}, 120),
        (OLD, None),
        (OLD | {"uptake": True}, 22),
        (OLD | {"cleft": True}, 22),
        (OLD | {"fracture_on": "2024-06-01"}, 730),
        ({"fracture": True, "concordant": False}, None),
    ],
)
def test_the_onset_of_the_pain_dates_a_fracture_only_where_it_may_be_its_own(level, days):
    assert facts({"L1": level}).get("fracture_months") == (None if days is None else pytest.approx(days / MONTH))


def test_pain_that_comes_from_elsewhere_dates_no_fracture():
    assert "fracture_months" not in facts({"L1": {"fracture": True}}, pain={"from_fracture": False})


def test_the_latest_of_all_vertebral_fractures_counts():
    two = {"T8": OLD | {"fracture_on": "2024-06-01"}, "L1": {"fracture": True}}
    assert facts(two)["fracture_months"] == pytest.approx(22 / MONTH)
    past = earlier({"site": "vertebra", "on": "2026-04-01", "levels": ["T8"]})
    assert facts({"T8": OLD}, history=past)["fracture_months"] == pytest.approx(61 / MONTH)


@pytest.mark.parametrize(("on", "known"), [("2025-06-01", True), ("2025-05-31", False)])
def test_one_without_a_date_may_be_later_unless_the_known_one_is_within_a_year(on, known):
    past = earlier({"site": "vertebra", "on": on}, {"site": "vertebra"})
    assert ("fracture_months" in facts({}, history=past)) is known


def test_a_violent_event_does_not_explain_a_healed_fracture():
    assert facts({"L1": {"fracture": True}}, episode={"mechanism": "traffic"})["fragility_fracture"] is False
    healed = facts({"L1": OLD}, episode={"mechanism": "traffic"})
    assert healed["fragility_fracture"] is True, "how the old one came nobody says: taken as fragility"
    past = earlier({"site": "vertebra", "levels": ["L1"], "low_energy": True})
    assert facts({"L1": OLD}, episode={"mechanism": "traffic"}, history=past)["fragility_fracture"] is True


def test_hip_and_other_sites_are_told_apart():
    past = earlier({"site": "hip", "on": "2026-03-02"}, {"site": "wrist", "low_energy": True, "on": "2025-06-01"},
                   {"site": "rib"})  # fmt: skip
    told = facts({}, history=past)
    assert told["hip_fracture"] is True and told["hip_fracture_months"] == pytest.approx(91 / MONTH)
    assert told["other_fragility_fracture"] is True
    crash = facts({}, history=earlier({"site": "hip", "low_energy": False}, {"site": "rib", "low_energy": False}))
    assert crash["hip_fracture"] is False and crash["other_fragility_fracture"] is False
    assert "other_fragility_fracture" not in facts({}, history=earlier({"site": "rib"}))


@pytest.mark.parametrize(
    ("site", "yes"),
    [
        ("hip", {"nogg_treat", "bhof_treat", "aace_treat", "acp_treat", "asbmr_bhof_treat", "endocrine_treat"}),
        ("wrist", {"nogg_treat"}),
    ],
)
def test_each_guideline_counts_the_sites_it_names(site, yes):
    told = {"history": earlier({"site": site, "low_energy": True, "on": "2026-05-01"}), "levels": {},
            "bone": {"tests": [{"site": "spine", "t_score": 0}], "frax_hip_percent": 1, "frax_major_percent": 5},
            "drugs": {"glucocorticoids": [], "bone_drugs": []}}  # fmt: skip
    plan = prevent(parse_record(json.dumps({**BASE, **told, "levels": {"L1": {"fracture": False}}})))
    assert {verdict.ruleset for verdict in plan.treat if verdict.status == "yes"} == yes
    high = {verdict.ruleset: verdict.status for verdict in plan.very_high_risk}
    assert high["aace_very_high"] == "yes"
    assert high["asbmr_bhof_very_high"] == high["bhof_very_high"] == ("yes" if site == "hip" else "no")
    assert high["nogg_very_high"] == "no"


@pytest.mark.parametrize(
    ("day", "status"), [("2026-05-19", "conditional"), ("2026-05-18", "yes"), ("2026-05-17", "yes")]
)
def test_zoledronate_may_follow_from_the_fourteenth_day(day, status):
    told = {"episode": FALL | {"onset_on": day}, "levels": {"L1": {"fracture": True}},
            "laboratory": {"egfr_ml_min": 80, "calcium_mmol_l": 2.4, "vitamin_d_ng_ml": 30},
            "drugs": {"bone_drugs": []}}  # fmt: skip
    plan = prevent(parse_record(json.dumps({**BASE, **told})))
    assert {verdict.ruleset: verdict.status for verdict in plan.drugs}["zoledronate"] == status


def test_in_pregnancy_every_drug_is_a_specialists_and_it_need_not_be_asked_of_the_old():
    young = {**BASE, "age_yr": 34, "pregnant": True, "episode": FALL, "levels": {"L1": {"fracture": True}}}
    young["history"] = {"postmenopausal": False}
    drugs = prevent(parse_record(json.dumps(young))).drugs
    assert {v.status for v in drugs} == {"no"} and "specialist" in prevent(parse_record(json.dumps(young))).next_step
    old = prevent(parse_record(json.dumps({**BASE, "episode": FALL})))
    assert not any("pregnancy" in verdict.missing for verdict in old.drugs)


def assumed(**more):
    told = {**BASE, "levels": {"T11": {"fracture": True}}, "episode": {}, **more}
    record = parse_record(json.dumps(told))
    return prevention_facts(record).get("fragility_fracture"), fragility_assumed(record, ())


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({}, (True, True)),
        ({"age_yr": 50, "sex": "M"}, (True, True)),
        ({"age_yr": 49.9, "sex": "M"}, (None, False)),
        ({"age_yr": 45, "history": {"fractures": [], "postmenopausal": True}}, (True, True)),
        ({"age_yr": 45, "history": {"fractures": [], "postmenopausal": False}}, (None, False)),
        ({"episode": {"mechanism": "traffic"}}, (False, False)),
        ({"episode": {"mechanism": "fall from standing"}}, (True, False)),
        ({"cancer": {"known": True}}, (None, False)),
        ({"cancer": {"myeloma": True}}, (None, False)),
        ({"cancer": {"bone_metastasis": True}}, (None, False)),
        ({"levels": {"T11": {"fracture": True, "cause": "traumatic"}}}, (False, False)),
        ({"levels": {"T11": {"fracture": True, "cause": "osteoporotic"}}}, (True, False)),
        ({"levels": {"T11": {"fracture": False}}}, (False, False)),
        ({"levels": {}}, (None, False)),
    ],
)
def test_fragility_is_assumed_where_no_adequate_trauma_is_known(told, wanted):
    assert assumed(**told) == wanted


def test_what_was_assumed_is_said():
    told = {**BASE, "levels": {"T11": {"fracture": True}}, "episode": {}}
    said = [one.text for one in prevent(parse_record(json.dumps(told))).cautions]
    assert "taken as a fragility fracture: no adequate trauma is recorded; say so if there was one" in said


def test_forearm_and_humerus_are_told_from_other_sites():
    past = earlier({"site": "wrist", "on": "2026-03-02"}, {"site": "rib", "low_energy": True, "on": "2026-05-01"})
    told = facts({}, history=past)
    assert told["arm_fracture"] is True and told["arm_fracture_months"] == pytest.approx(91 / MONTH)
    assert facts({}, history=earlier({"site": "humerus", "low_energy": False}))["arm_fracture"] is False


@pytest.mark.parametrize(
    ("level", "cancer"),
    [({"fracture": True, **level}, cancer) for level, cancer in TUMOURS]
    + [({"fracture": True, "cause": "malignant"}, {}), ({"fracture": True}, {"known": True, "bone_metastasis": True})],
)
def test_the_quick_look_for_a_tumour_misses_none(level, cancer):
    told = parse_record(json.dumps({**BASE, "levels": {"L1": level}, "cancer": cancer}))
    whole = rulebook().criteria["definitions.malignant_fracture"].truth(derive(level_facts(told, (), Level.L1).values))
    assert malignant(told, Level.L1) is (whole is True)


def undated(**told):
    return prevention_facts(parse_record(json.dumps({"age_yr": 76, "sex": "F", **told})))


@pytest.mark.parametrize(
    ("history", "levels", "count"),
    [
        (None, [], None),
        (None, ["L1"], None),
        (None, ["L1", "L2"], 2),
        (earlier(), [], 0),
        (earlier(), ["L1"], 1),
        (earlier({"site": "vertebra"}), ["L1"], 2),
        (earlier({"site": "vertebra"}, {"site": "vertebra"}), [], 1),
        (earlier({"site": "vertebra", "levels": ["L1"]}), ["L1"], 1),
        (earlier({"site": "vertebra", "levels": ["T8", "T9"]}, {"site": "wrist"}), ["L1"], 3),
    ],
)
def test_each_broken_level_counts_once_whoever_tells_of_it(history, levels, count):
    told = facts({level: {"fracture": True} for level in levels}, history=history or {"fractures": None})
    assert told.get("vertebral_fractures") == count


@pytest.mark.parametrize(
    ("fractures", "name", "value"),
    [
        ([], "hip_fracture", False),
        ([{"site": "wrist"}], "hip_fracture", False),
        ([{"site": "hip"}], "hip_fracture", True),
        ([{"site": "hip", "low_energy": False}], "hip_fracture", False),
        ([{"site": "hip", "on": "2026-03-02", "low_energy": False}], "hip_fracture_months", None),
        ([{"site": "hip", "on": "2025-06-01"}, {"site": "hip", "on": "2026-03-02"}], "hip_fracture_months", 91),
        ([{"site": "hip", "on": "2026-03-02"}, {"site": "hip"}], "hip_fracture_months", 91),
        ([{"site": "hip", "on": "2024-03-02"}, {"site": "hip"}], "hip_fracture_months", None),
        ([], "other_fragility_fracture", False),
        ([{"site": "hip", "low_energy": True}], "other_fragility_fracture", False),
        ([{"site": "vertebra", "low_energy": True}], "other_fragility_fracture", False),
        ([{"site": "pelvis", "low_energy": True}, {"site": "rib"}], "other_fragility_fracture", True),
        ([{"site": "wrist", "on": "2026-03-02"}], "other_fracture_months", 91),
        ([{"site": "wrist", "on": "2026-03-02", "low_energy": False}], "other_fracture_months", None),
        ([{"site": "hip", "on": "2026-03-02"}], "other_fracture_months", None),
    ],
)
def test_fractures_of_hip_and_elsewhere_are_dated_apart(fractures, name, value):
    told = facts({}, history={"fractures": fractures}).get(name)
    assert told == (pytest.approx(value / MONTH) if name.endswith("months") and value else value)


def test_a_history_that_nobody_told_leaves_other_fractures_open():
    told = facts({"L1": {"fracture": True}}, history={})
    assert not {"hip_fracture", "other_fragility_fracture", "vertebral_fractures"} & set(told)


def test_without_a_day_of_record_the_onset_itself_dates_the_plan():
    told = {"age_yr": 76, "sex": "F", "episode": FALL, "levels": {"L1": {"fracture": True}}}
    assert last_vertebral_on(parse_record(json.dumps(told)), ()) == date(2026, 5, 10)
    assert last_vertebral_on(parse_record(json.dumps({**told, "episode": {"onset_days": 9}})), ()) is None
    dated = {**told, "recorded_on": "2026-06-01"}
    assert last_vertebral_on(parse_record(json.dumps({**dated, "episode": {"onset_days": 9}})), ()) == date(2026, 5, 23)
    assert last_vertebral_on(parse_record(json.dumps({**dated, "episode": {}})), ()) is None
    assert undated(episode={"onset_days": 9}, levels={"L1": {"fracture": True}})["fracture_months"] == 9 / MONTH


def test_a_fragility_fracture_dates_before_one_of_a_crash_which_counts_where_it_is_the_only_one():
    crash = {"site": "vertebra", "on": "2026-05-01", "low_energy": False}
    slip = {"site": "vertebra", "on": "2026-01-01", "low_energy": True}
    assert facts({}, history=earlier(crash, slip))["fracture_months"] == pytest.approx(151 / MONTH)
    assert facts({}, history=earlier(crash))["fracture_months"] == pytest.approx(31 / MONTH)
    assert facts({}, history=earlier(crash, {**slip, "low_energy": None}))["fracture_months"] == pytest.approx(
        151 / MONTH
    )


def test_an_earlier_fracture_of_a_level_that_is_broken_now_is_one_fracture():
    past = earlier({"site": "vertebra", "on": "2026-01-01", "levels": ["L1"], "low_energy": True})
    assert facts({"L1": {"fracture": True}}, history=past)["fracture_months"] == pytest.approx(151 / MONTH)
    own = {"L1": {"fracture": True, "fracture_on": "2026-04-01"}}
    assert facts(own, history=past)["fracture_months"] == pytest.approx(61 / MONTH)
    wider = earlier({"site": "vertebra", "on": "2026-05-20", "levels": ["L1", "T8"], "low_energy": True})
    assert facts(own, history=wider)["fracture_months"] == pytest.approx(12 / MONTH)


def test_what_a_person_denies_outranks_the_scan():
    found = [
        Finding(code="fracture", value=value, unit="", level=level, method="m", source="s")
        for value, level in (("yes", Level.T8), ("yes", Level.L2), ("no", Level.L3), ("indeterminate", Level.L4))
    ]
    found.append(Finding(code="height_loss", value="yes", unit="", level=Level.L5, method="m", source="s"))
    told = parse_record(json.dumps({**BASE, "levels": {"L1": {"fracture": True}, "L2": {"fracture": False}, "T7": {}}}))
    assert fractured_now(told, found) == (Level.T8, Level.L1)
