"""From record and findings to facts: each said where it was read, the unknown left out, people before machines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.full_record import record_told_in_full

from endplate.decision.facts.case_facts import case_facts, fractured_levels, level_facts
from endplate.decision.facts.record_facts import CASE, LEVEL
from endplate.decision.logic.field import field_catalogue
from endplate.decision.prevention.facts import prevention_facts
from endplate.decision.rules.derive import derive
from endplate.decision.verdict.decide import decide, outcomes
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import PatientRecord, parse_record

L1 = Level.L1


def record(**more: Any) -> PatientRecord:
    return parse_record(json.dumps({"age_yr": 76, "sex": "female", **more}))


def values(findings: tuple[Finding, ...] = (), **more: Any) -> dict[str, Any]:
    return dict(level_facts(record(**more), findings, L1).values)


def finding(code: str, value: Any, low: float | None = None, high: float | None = None, **more: Any) -> Finding:
    return Finding(code=code, value=value, unit="1", low=low, high=high, method="m", source="s", **{"level": L1} | more)


def test_a_bare_record_tells_no_more_than_it_holds() -> None:
    facts = level_facts(record(), (), L1)
    assert facts.values == {"age_yr": 76, "sex": "female", "level": "L1"}
    assert facts.origin == {"age_yr": "age_yr", "sex": "sex", "level": "levels.L1"}
    assert facts.level == "L1"


def test_every_fact_that_is_read_is_in_the_catalogue_under_its_scope() -> None:
    catalogue = field_catalogue()
    assert {catalogue[name].scope for name in CASE} == {"case"}
    assert {catalogue[name].scope for name in LEVEL} == {"level"}


def test_every_fact_of_the_catalogue_can_be_told_measured_or_derived() -> None:
    full = record_told_in_full()
    found = (finding("fracture", "yes"),)
    known = set(derive(level_facts(full, found, L1, [L1]).values)) | set(prevention_facts(full, found))
    # The full record's only level is malignant and fractured, its earlier fracture no hip: a second one tells the rest.
    dated = record(
        recorded_on="2026-03-01", episode={"onset_days": 5}, levels={"L1": {"fracture": True}},
        history={"fractures": [{"site": "hip", "on": "2026-01-01"}, {"site": "wrist", "on": "2026-01-01"}]},
        bone={"tests": [{"site": "spine QCT", "vbmd_mg_cm3": 70, "on": "2026-01-01"}]},
        drugs={"bone_drugs": [{"drug": "denosumab", "stopped_on": "2025-06-01"}]},
    )  # fmt: skip
    known |= set(level_facts(dated, (), L1).values) | set(prevention_facts(dated))
    assert set(field_catalogue()) - known == set()


@pytest.mark.parametrize(
    ("told", "name", "value"),
    [
        ({"pain": {"under_analgesia": 8, "trend": "worse"}}, "nrs", 8),
        ({"pain": {"trend": "worse"}}, "trend", "worse"),
        ({"pregnant": True}, "pregnancy", True),
        ({"questionnaires": {"rmdq": {"ticked": 18}}}, "rmdq", 18),
        ({"neurology": {"state": "deficit"}}, "neuro", "deficit"),
        ({"neurology": {"grade": "N0"}}, "neuro", "none"),
        ({"neurology": {"grade": "N2"}}, "neuro", "radicular"),
        ({"neurology": {"grade": "N3"}}, "neuro", "deficit"),
        ({"mobility": {"can_mobilise": False, "can_walk": True}}, "can_mobilise", False),
        ({"mobility": {"can_walk": True}}, "can_mobilise", True),
        ({"pain": {"mechanical": True}}, "pain_type", "mechanical"),
        ({"pain": {"mechanical": False, "under_analgesia": 3}}, "pain_type", "occasional"),
        ({"pain": {"mechanical": False, "under_analgesia": 0}}, "pain_type", "none"),
        ({"episode": {"mechanism": "traffic"}}, "mechanism", "high_energy"),
        ({"episode": {"mechanism": "traffic", "high_energy": False}}, "mechanism", "minimal"),
        ({"episode": {"mechanism": "fall from standing"}}, "mechanism", "standing_fall"),
        ({"episode": {"mechanism": "fall from standing", "high_energy": True}}, "mechanism", "high_energy"),
        ({"episode": {"mechanism": "minor strain"}}, "mechanism", "minimal"),
        ({"episode": {"mechanism": "none"}}, "mechanism", "none"),
        ({"episode": {"mechanism": "sport"}}, "mechanism", None),
        ({"pain": {"under_analgesia": 0}}, "mechanism", "none"),
        ({"pain": {"under_analgesia": 1}}, "mechanism", None),
        ({"pain": {"under_analgesia": 0}, "episode": {"mechanism": "sport"}}, "mechanism", None),
        ({"pain": {"under_analgesia": 0}, "episode": {"high_energy": True}}, "mechanism", "high_energy"),
        ({"pain": {"under_analgesia": 0}, "episode": {"high_energy": False}}, "mechanism", "minimal"),
        ({"episode": {"onset_days": 5}}, "onset_days", 5),
        ({"recorded_on": "2026-03-15", "episode": {"onset_on": "2026-03-01"}}, "onset_days", 14),
        ({"episode": {"onset_on": "2026-03-01"}}, "onset_days", None),
        ({"laboratory": {"inr": 2.8}}, "inr", 2.8),
        ({"laboratory": {"platelets_g_l": 49}}, "platelets", 49),
        ({"laboratory": {"crp_mg_l": 90}}, "crp_mg_l", 90),
        ({"laboratory": {"esr_mm_h": 40}}, "esr_mm_h", 40),
        ({"fitness": {"coagulopathy": "uncorrectable"}}, "bleeding_disorder", True),
        ({"fitness": {"coagulopathy": "uncorrectable"}}, "coagulopathy_correctable", False),
        ({"fitness": {"coagulopathy": "correctable"}}, "coagulopathy_correctable", True),
        ({"fitness": {"coagulopathy": "none"}}, "bleeding_disorder", False),
        ({"drugs": {"anticoagulant_correctable": True}}, "coagulopathy_correctable", True),
        ({"allergies": {"contrast": True}}, "allergy_contrast", True),
        ({"allergies": {"contrast": True}}, "allergy_cement", None),
        ({"allergies": {"cement": False}}, "allergy_cement", False),
        ({"infection": {"bacteraemia": True}}, "septicaemia", True),
        ({"infection": {"spine": True}}, "infection_spine", True),
        ({"levels": {"L1": {"discitis": True}}}, "infection_spine", True),
        ({"levels": {"L1": {"discitis": False}}}, "infection_spine", None),
        ({"bone": {"tests": [{"site": "spine", "t_score": -2.0}, {"site": "total hip", "t_score": -3.1},
                             {"site": "forearm", "t_score": -4.0}]}}, "t_score", -3.1),
        ({"bone": {"l1_hu": 85}}, "l1_hu", 85),
        ({"history": {"fractures": [{"site": "vertebra"}]}}, "prior_vcf", True),
        ({"history": {"fractures": []}}, "prior_vcf", False),
        ({"history": {"smoker": True}}, "bone_risk_factors", True),
        ({"history": {"smoker": False}}, "bone_risk_factors", None),
        ({"history": {"alcohol_units_day": 3}}, "bone_risk_factors", True),
        ({"history": {"parent_hip_fracture": False, "smoker": False, "rheumatoid_arthritis": False,
                      "malabsorption": False, "alcohol_units_day": 2.9}}, "bone_risk_factors", False),
        ({"history": {"paget": True}}, "other_bone_disease", True),
        ({"height_cm": 160.0, "examination": {"tallest_height_cm": 165.0}}, "stature_lost_ever_cm", 5),
        ({"height_cm": 160.0, "examination": {"last_height_cm": 162.0}}, "stature_lost_cm", 2),
        ({"examination": {"last_height_cm": 162.0}}, "stature_lost_cm", None),
        ({"mass_kg": 50.0}, "mass_kg", 50),
        ({"cancer": {"known": False}}, "malignancy", False),
        ({"cancer": {"myeloma": True}}, "malignancy", True),
        ({"cancer": {"known": True}}, "malignancy", True),
        ({"mass_kg": 50.0, "height_cm": 160.0}, "bmi", pytest.approx(19.53, abs=0.01)),
        ({"drugs": {"glucocorticoids": []}}, "glucocorticoid_mg_d", 0),
        ({"levels": {"L1": {"of_class": 3}}}, "of_class", "OF3"),
        ({"levels": {"L1": {"alignment": "new kyphosis or scoliosis"}}}, "alignment", "new_deformity"),
        ({"levels": {"L1": {"bridging_osteophyte": True}}}, "ankylosed", True),
        ({"levels": {"L1": {"bridging_osteophyte": False}}}, "ankylosed", None),
        ({"levels": {"L1": {"oedema": True}}}, "acute_signs", True),
        ({"levels": {"L1": {"concordant": False}}, "pain": {"from_fracture": True}}, "pain_from_fracture", False),
        ({"pain": {"from_fracture": False}}, "pain_from_fracture", False),
        ({"levels": {"L2": {"oedema": True}}}, "mri_oedema", None),
        ({"procedures": [{"kind": "kyphoplasty", "levels": ["L3"]}]}, "prior_augmentation", True),
        ({"recorded_on": "2026-03-15", "studies": {"mri_on": "2026-03-10"}, "levels": {"L1": {"oedema": True}}},
         "imaging_age_days", 5),
        ({"recorded_on": "2026-03-15", "studies": {"mri_on": "2026-03-10", "bone_scan_on": "2026-03-01"},
          "levels": {"L1": {"uptake": True}}}, "imaging_age_days", 14),
        ({"recorded_on": "2026-03-15", "studies": {"mri_on": "2026-03-10", "bone_scan_on": "2026-03-01"},
          "levels": {"L1": {"oedema": False, "uptake": True}}}, "imaging_age_days", 14),
        ({"recorded_on": "2026-03-15", "studies": {"mri_on": "2026-03-10", "bone_scan_on": "2026-03-01"},
          "levels": {"L1": {"oedema": True, "uptake": False}}}, "imaging_age_days", 5),
        ({"recorded_on": "2026-03-15", "studies": {"mri_on": "2026-02-10", "bone_scan_on": "2026-03-01"},
          "levels": {"L1": {"oedema": True, "uptake": True}}}, "imaging_age_days", 14),
        ({"recorded_on": "2026-03-15", "studies": {"mri_on": "2026-02-10"},
          "levels": {"L1": {"oedema": True, "uptake": True}}}, "imaging_age_days", None),
        ({"recorded_on": "2026-03-15", "studies": {"mri_on": "2026-03-10"},
          "levels": {"L1": {"oedema": False}}}, "imaging_age_days", 5),
        ({"questionnaires": {"rmdq": {"items": [True] * 18 + [None] * 6}}}, "rmdq", 18),
        ({"questionnaires": {"rmdq": {"items": [True] * 17 + [None] + [False] * 6}}}, "rmdq", None),
        ({"questionnaires": {"rmdq": {"items": [True] * 10 + [None] * 7 + [False] * 7}}}, "rmdq", 10),
        ({"questionnaires": {"rmdq": {"items": [True] * 10 + [None] * 8 + [False] * 6}}}, "rmdq", None),
        ({"recorded_on": "2026-03-15", "bone": {"tests": [
            {"site": "spine QCT", "vbmd_mg_cm3": 70, "on": "2026-01-01"},
            {"site": "spine QCT", "vbmd_mg_cm3": 90, "on": "2025-01-01"}]}}, "vbmd", 70),
        ({"recorded_on": "2026-03-15", "bone": {"tests": [
            {"site": "spine QCT", "vbmd_mg_cm3": 70, "on": "2024-03-15"}]}}, "vbmd", 70),
        ({"recorded_on": "2026-03-15", "bone": {"tests": [
            {"site": "spine QCT", "vbmd_mg_cm3": 70, "on": "2024-03-14"}]}}, "vbmd", None),
        ({"recorded_on": "2026-03-15", "bone": {"tests": [
            {"site": "spine", "vbmd_mg_cm3": 70, "on": "2026-03-14"}]}}, "vbmd", None),
        ({"recorded_on": "2026-03-15", "levels": {"L1": {"fracture_on": "2026-02-15"}}}, "onset_days", 28),
    ],
)  # fmt: skip
def test_what_the_record_tells(told: dict[str, Any], name: str, value: Any) -> None:
    assert values(**told).get(name) == value


def test_findings_are_told_in_the_units_of_the_rules_with_their_band() -> None:
    found = (
        finding("height_loss", 0.32, 0.28, 0.36),
        finding("posterior_wall_involvement", 0.1),
        finding("regional_kyphosis", 12.0, 9.0, 15.0),
        finding("fracture", "yes"),
        finding("height_loss", 0.5, level=Level.L2),
    )
    facts = level_facts(record(), found, L1)
    assert facts.values["loss_pct"] == pytest.approx(32)
    assert facts.bands["loss_pct"] == pytest.approx((28, 36))
    assert facts.origin["loss_pct"] == "finding height_loss at L1"
    assert facts.values["post_wall_fraction"] == pytest.approx(0.1)
    assert "post_wall_fraction" not in facts.bands
    assert facts.values["kyphosis_deg"] == 12
    assert facts.values["fracture_on_ct"] is True
    assert facts.values["endplate_sign"] is True


def test_what_a_person_stated_outranks_what_was_measured() -> None:
    facts = level_facts(record(levels={"L1": {"loss_percent": 20}}), (finding("height_loss", 0.4, 0.3, 0.5),), L1)
    assert facts.values["loss_pct"] == 20
    assert facts.origin["loss_pct"] == "levels.L1.loss_percent"
    assert "loss_pct" not in facts.bands


@pytest.mark.parametrize(("value", "told"), [("yes", True), ("no", False), ("indeterminate", None)])
def test_a_fracture_on_ct_that_is_not_sure_stays_unknown(value: str, told: bool | None) -> None:
    facts = values((finding("fracture", value),))
    assert facts.get("fracture_on_ct") is told
    assert facts.get("endplate_sign") is (True if told else None)


def test_a_height_that_grew_is_no_loss() -> None:
    assert values((finding("height_loss", -0.03),))["loss_pct"] == 0


@pytest.mark.parametrize(
    ("wedge", "cobb", "kyphotic"),
    [
        (15.3, None, True),
        (15.2, None, None),
        (15.2, 14.9, False),
        (15.2, 15.0, True),
        (None, 15.0, True),
        (None, 14.9, None),
        (None, None, None),
    ],
)
def test_kyphotic_deformity_by_wedge_above_the_norm_or_sagittal_index(
    wedge: float | None, cobb: float | None, kyphotic: bool | None
) -> None:
    told = {"wedge_angle": wedge, "regional_kyphosis": cobb}
    found = tuple(finding(code, value) for code, value in told.items() if value is not None)
    assert values(found).get("kyphotic_deformity") is kyphotic


@pytest.mark.parametrize(("level", "limit"), [("T8", 20), ("T11", 15), ("L3", 5), ("C7", 15)])
def test_the_sagittal_index_starts_from_the_region_s_curve(level: str, limit: float) -> None:
    for cobb, kyphotic in ((limit, True), (limit - 0.1, None)):
        found = (finding("regional_kyphosis", cobb, level=Level(level)),)
        assert level_facts(record(), found, Level(level)).values.get("kyphotic_deformity") is kyphotic


def test_levels_are_those_called_fractured_from_head_to_foot() -> None:
    told = record(levels={"L3": {"oedema": True}, "T8": {"fracture": True}, "L1": {"fracture": False}, "L2": {}})
    found = (finding("fracture", "yes"), finding("fracture", "indeterminate", level=Level.T12),
             finding("fracture", "no", level=Level.L4))  # fmt: skip
    assert fractured_levels(told, found) == (Level.T8, Level.L3), "an indeterminate level is a question, not a fracture"
    assert [facts.level for facts in case_facts(told, found)] == ["T8", "L3"]
    only_open = (finding("fracture", "indeterminate", level=Level.L1),)
    assert fractured_levels(record(), only_open) == () and case_facts(record(), only_open) == ()
    assert [facts.level for facts in case_facts(told, found, (Level.L5, Level.T5))] == ["T5", "L5"]
    assert case_facts(record()) == ()


def test_levels_that_one_procedure_would_treat_are_counted_without_the_healed() -> None:
    told = record(levels={
        "T11": {"oedema": True}, "T12": {"fracture": True}, "L1": {"fracture": True, "oedema": False},
        "L2": {"fracture": True, "concordant": False}, "L3": {"fracture": True, "oedema": False, "cleft": True},
    })  # fmt: skip
    assert {facts.values["n_levels"] for facts in case_facts(told)} == {3}
    assert case_facts(record(), (), (L1,))[0].values["n_levels"] == 1
    healed = record(levels={"L1": {"fracture": True, "oedema": False}})
    assert case_facts(healed)[0].values["n_levels"] == 1


def test_a_whole_record_gives_the_verdict_of_its_vignette() -> None:
    told = record(
        recorded_on="2026-03-15",
        pain={"under_analgesia": 8, "trend": "worse"},
        episode={"onset_on": "2026-02-08", "hospitalised": False, "mechanism": "fall from standing"},
        questionnaires={"rmdq": {"ticked": 20}},
        neurology={"state": "none", "myelopathy": False},
        mobility={"can_mobilise": False},
        care={"optimised": True, "bone_referral": True, "education_given": True},
        studies={"mri_on": "2026-03-12"},
        laboratory={"inr": 1.0, "platelets_g_l": 220},
        bone={"tests": [{"site": "spine", "t_score": -3.2}]},
        cancer={"known": False},
        allergies={"cement": False, "contrast": False},
        infection={"systemic": False, "surgical_site": False, "spine": False},
        fitness={"asa": 3, "mfi5": 1},
        drugs={"anticoagulant": False},
        levels={"L1": {
            "concordant": True, "oedema": True, "progression": True, "kyphotic_deformity": True, "of_class": 3,
            "canal_percent": 5, "unstable": False, "tension_band_failed": False, "alignment": "normal",
            "lesion": "none", "cleft": False, "osteomyelitis": False, "discitis": False, "fracture": True,
        }},
    )  # fmt: skip
    facts = case_facts(told, (finding("height_loss", 0.32, 0.29, 0.35),))
    (level,) = decide(facts).levels
    got = {name: level.verdict(name).status for name in ("lcd_osteoporotic", "nice_ta279", "rand_2018")}
    assert got == {"lcd_osteoporotic": "yes", "nice_ta279": "yes", "rand_2018": "yes"}
    assert level.verdict("of_score_modified").scores[0].low == 10
    used = {used.origin for reason in level.verdict("lcd_osteoporotic").reasons for used in reason.used}
    assert {"levels.L1.oedema", "pain.under_analgesia", "studies"} <= used
    assert outcomes(facts[0].values)["lcd_malignant"].status == "no"


@pytest.mark.parametrize(
    ("whole", "osteomyelitis", "discitis", "says"),
    [
        (False, None, None, False),
        (True, None, None, True),
        (True, False, False, True),
        (False, True, None, True),
        (None, False, False, False),
        (None, False, None, None),
        (None, None, True, True),
        (None, None, None, None),
    ],
)
def test_a_no_for_the_whole_spine_settles_its_infection_unless_the_level_says_yes(whole, osteomyelitis, discitis, says):
    told = {"fracture": True, "osteomyelitis": osteomyelitis, "discitis": discitis}
    record = parse_record(json.dumps({"age_yr": 76, "sex": "F", "infection": {"spine": whole}, "levels": {"L1": told}}))
    (facts,) = case_facts(record)
    assert facts.values.get("infection_spine") is says
