"""Every fact says at which place of the record it was read, and what several answers make together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from endplate.decision.facts.case_facts import level_facts
from endplate.decision.facts.level_facts import LevelFacts
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import parse_record

DAY = "2026-03-15"
QCT = {"site": "spine QCT", "vbmd_mg_cm3": 70, "on": "2026-03-01"}
RISKS = ("parent_hip_fracture", "smoker", "rheumatoid_arthritis", "malabsorption")


def facts(found: tuple[Finding, ...] = (), level: Level = Level.L1, **more: Any) -> LevelFacts:
    return level_facts(parse_record(json.dumps({"age_yr": 76, "sex": "female", **more})), found, level)


def finding(code: str, value: Any, low: float | None = None, high: float | None = None, **more: Any) -> Finding:
    return Finding(
        code=code, value=value, unit="1", low=low, high=high, method="m", source="s", **{"level": Level.L1} | more
    )


@pytest.mark.parametrize(
    ("told", "name", "value", "place"),
    [
        ({"episode": {"onset_days": 5}}, "onset_days", 5, "episode.onset_days"),
        ({"episode": {"onset_on": "2026-03-01"}, "recorded_on": DAY}, "onset_days", 14, "episode.onset_on"),
        (
            {"levels": {"L1": {"fracture_on": "2026-03-02"}}, "recorded_on": DAY},
            "onset_days", 13, "levels.L1.fracture_on",
        ),
        ({"episode": {"mechanism": "none"}}, "mechanism", "none", "episode.mechanism"),
        ({"episode": {"mechanism": "traffic"}}, "mechanism", "high_energy", "episode.mechanism"),
        ({"episode": {"mechanism": "fall from height"}}, "mechanism", "high_energy", "episode.mechanism"),
        ({"episode": {"high_energy": False}}, "mechanism", "minimal", "episode.mechanism"),
        ({"episode": {"augmented_before": True}}, "prior_augmentation", True, "episode.augmented_before"),
        ({"neurology": {"state": "radicular"}}, "neuro", "radicular", "neurology"),
        ({"neurology": {"grade": "N1"}}, "neuro", "none", "neurology"),
        ({"neurology": {"grade": "N4"}}, "neuro", "deficit", "neurology"),
        ({"mobility": {"can_walk": False}}, "can_mobilise", False, "mobility"),
        ({"pain": {"mechanical": True, "under_analgesia": 0}}, "pain_type", "mechanical", "pain.mechanical"),
        ({"pain": {"mechanical": False}}, "pain_type", "occasional", "pain.mechanical"),
        ({"pain": {"from_fracture": True}}, "pain_from_fracture", True, "pain.from_fracture"),
        ({"questionnaires": {"rmdq": {"ticked": 18}}}, "rmdq", 18, "questionnaires.rmdq"),
        ({"laboratory": {"inr": 1.2}}, "inr", 1.2, "laboratory.inr"),
        ({"laboratory": {"platelets_g_l": 200}}, "platelets", 200, "laboratory.platelets_g_l"),
        ({"laboratory": {"crp_mg_l": 9}}, "crp_mg_l", 9, "laboratory.crp_mg_l"),
        ({"laboratory": {"esr_mm_h": 40}}, "esr_mm_h", 40, "laboratory.esr_mm_h"),
        ({"fitness": {"coagulopathy": "none"}}, "bleeding_disorder", False, "fitness.coagulopathy"),
        ({"fitness": {"coagulopathy": "correctable"}}, "bleeding_disorder", True, "fitness.coagulopathy"),
        ({"fitness": {"coagulopathy": "correctable"}}, "coagulopathy_correctable", True, "fitness.coagulopathy"),
        (
            {"drugs": {"anticoagulant_correctable": False}},
            "coagulopathy_correctable", False, "drugs.anticoagulant_correctable",
        ),
        ({"infection": {"spine": False}}, "infection_spine", False, "infection.spine"),
        ({"infection": {"blood_borne_untreated": True}}, "septicaemia", True, "infection"),
        ({"bone": {"tests": [{"site": "femoral neck", "t_score": -2.6}]}}, "t_score", -2.6, "bone.tests"),
        ({"recorded_on": DAY, "bone": {"tests": [QCT]}}, "vbmd", 70, "bone.tests"),
        ({"history": {"fractures": [{"site": "hip"}, {"site": "vertebra"}]}}, "prior_vcf", True, "history.fractures"),
        ({"history": {"fractures": [{"site": "hip"}]}}, "prior_vcf", False, "history.fractures"),
        ({"history": {"smoker": True}}, "bone_risk_factors", True, "history"),
        ({"history": {"paget": False}}, "other_bone_disease", False, "history.paget"),
        ({"drugs": {"glucocorticoids": []}}, "glucocorticoid_mg_d", 0, "drugs.glucocorticoids"),
        ({"cancer": {"known": True}}, "malignancy", True, "cancer"),
        (
            {"height_cm": 160, "examination": {"tallest_height_cm": 165}},
            "stature_lost_ever_cm", 5, "examination.tallest_height_cm",
        ),
        (
            {"height_cm": 160, "examination": {"last_height_cm": 163}},
            "stature_lost_cm", 3, "examination.last_height_cm",
        ),
        ({"mass_kg": 64, "height_cm": 160}, "bmi", pytest.approx(25), "mass_kg, height_cm"),
        ({"care": {"treatments": []}}, "nsm_days", 0, "care.treatments"),
        ({"levels": {"L1": {"of_class": 2}}}, "of_class", "OF2", "levels.L1.of_class"),
        ({"levels": {"L1": {"alignment": "subluxation"}}}, "alignment", "subluxation", "levels.L1.alignment"),
        ({"levels": {"L1": {"bridging_osteophyte": True}}}, "ankylosed", True, "levels.L1.bridging_osteophyte"),
        ({"levels": {"L1": {"oedema": True}}}, "acute_signs", True, "levels.L1.oedema"),
        ({"levels": {"L1": {"oedema": True}}}, "mri_oedema", True, "levels.L1.oedema"),
        (
            {"recorded_on": DAY, "studies": {"mri_on": "2026-03-10"}, "levels": {"L1": {"oedema": True}}},
            "imaging_age_days", 5, "studies",
        ),
    ],
)  # fmt: skip
def test_a_fact_names_the_place_where_it_was_read(told: dict[str, Any], name: str, value: Any, place: str) -> None:
    known = facts(**told)
    assert (known.values.get(name), known.origin.get(name)) == (value, place)


@pytest.mark.parametrize(
    ("told", "name", "value"),
    [
        ({"fitness": {"coagulopathy": "none"}, "drugs": {"anticoagulant_correctable": True}},
         "coagulopathy_correctable", True),
        ({"fitness": {"coagulopathy": "uncorrectable"}, "drugs": {"anticoagulant_correctable": True}},
         "coagulopathy_correctable", False),
        ({"drugs": {"anticoagulant_correctable": True}}, "bleeding_disorder", None),
        ({"infection": {"blood_borne_untreated": False}}, "septicaemia", None),
        ({"infection": {"bacteraemia": False}}, "septicaemia", None),
        ({"infection": {"blood_borne_untreated": False, "bacteraemia": False}}, "septicaemia", False),
        ({"levels": {"L1": {"double_band": True}}}, "acute_signs", True),
        ({"levels": {"L1": {"oedema": False}}}, "acute_signs", None),
        ({"levels": {"L1": {"double_band": False}}}, "acute_signs", None),
        ({"levels": {"L1": {"oedema": False, "double_band": False}}}, "acute_signs", False),
        ({"levels": {"L1": {"augmented": True}}}, "prior_augmentation", True),
        ({"levels": {"L1": {"augmented": False}}, "episode": {"augmented_before": False}}, "prior_augmentation", None),
        ({"levels": {"L1": {"concordant": True}}}, "pain_from_fracture", None),
        ({"levels": {"L1": {}}}, "alignment", None),
        ({"recorded_on": DAY, "studies": {"mri_on": "2026-03-10", "bone_scan_on": "2026-03-12"},
          "levels": {"L1": {"oedema": False, "uptake": False}}}, "imaging_age_days", 5),
        ({"history": {}}, "prior_vcf", None),
        *(({"history": {name: True}}, "bone_risk_factors", True) for name in RISKS),
        ({"history": dict.fromkeys(RISKS, False)}, "bone_risk_factors", None),
        ({"history": {**dict.fromkeys(RISKS, False), "alcohol_units_day": 3}}, "bone_risk_factors", True),
        ({"cancer": {"bone_metastasis": True}}, "malignancy", True),
        ({"cancer": {"biopsy_positive": True, "known": False}}, "malignancy", True),
        ({"levels": {"L3": {"biopsy_malignant": True}}}, "malignancy", True),
        ({"levels": {"L3": {"biopsy_malignant": False}}}, "malignancy", None),
        ({"cancer": {"myeloma": False}}, "malignancy", None),
        ({"height_cm": 160}, "bmi", None),
        ({"mass_kg": 60}, "bmi", None),
        ({"height_cm": 160}, "stature_lost_cm", None),
        ({"recorded_on": DAY, "bone": {"tests": [{**QCT, "on": None}]}}, "vbmd", None),
        ({"bone": {"tests": [QCT]}}, "vbmd", None),
        ({"bone": {"tests": [{"site": "spine", "z_score": -2}, {"site": "total hip", "t_score": -1}]}}, "t_score", -1),
    ],
)  # fmt: skip
def test_several_answers_make_one_only_where_they_settle_it(told: dict[str, Any], name: str, value: Any) -> None:
    assert facts(**told).values.get(name) == value


@pytest.mark.parametrize(("mg", "told"), [(-5, 0), (0, 0), (70, 70), (500, 500), (501, 500)])
def test_a_density_is_kept_to_what_the_fact_can_be(mg: float, told: float) -> None:
    assert facts(recorded_on=DAY, bone={"tests": [{**QCT, "vbmd_mg_cm3": mg}]}).values["vbmd"] == told


def test_the_day_of_the_level_s_own_fracture_outranks_the_onset() -> None:
    dated = facts(recorded_on=DAY, levels={"L1": {"fracture_on": "2026-03-01"}}, episode={"onset_days": 90})
    assert dated.values["onset_days"] == 14
    assert facts(levels={"L1": {"fracture_on": "2026-03-01"}}, episode={"onset_days": 90}).values["onset_days"] == 90


@pytest.mark.parametrize(
    ("code", "value", "low", "high", "name", "told", "band"),
    [
        ("height_loss", 0.3, 0.25, 0.35, "loss_pct", 30, (25, 35)),
        ("height_loss", 0.3, None, 0.35, "loss_pct", 30, None),
        ("height_loss", 0.3, 0.25, None, "loss_pct", 30, None),
        ("posterior_wall_involvement", 0.4, 0.3, 0.5, "post_wall_fraction", 0.4, (0.3, 0.5)),
        ("regional_kyphosis", 12, 9, 15, "kyphosis_deg", 12, (9, 15)),
    ],
)
def test_what_was_measured_names_finding_and_level_and_keeps_a_whole_band(
    code: str, value: float, low: float, high: float, name: str, told: float, band: Any
) -> None:
    known = facts((finding(code, value, low, high),))
    assert known.values[name] == pytest.approx(told)
    assert known.bands.get(name) == (None if band is None else pytest.approx(band))
    assert known.origin[name] == f"finding {code} at L1"


def test_a_finding_under_a_condition_tells_nothing_of_the_level() -> None:
    assert "loss_pct" not in facts((finding("height_loss", 0.3, condition="if so"),)).values


def test_a_fracture_and_a_kyphosis_name_their_findings() -> None:
    known = facts((finding("fracture", "yes"), finding("regional_kyphosis", 20.0), finding("wedge_angle", 2.0)))
    assert known.origin["fracture_on_ct"] == known.origin["endplate_sign"] == "finding fracture at L1"
    assert known.origin["kyphotic_deformity"] == "findings wedge_angle, regional_kyphosis at L1"


@pytest.mark.parametrize(
    ("level", "norm"),
    [("T9", 2.4), ("C7", 2.4), ("T10", 3.84), ("T11", 3.84), ("T12", 4.8), ("L1", 5.28), ("L2", 4.8),
     ("L3", 0.0), ("L4", -2.4), ("L5", -7.2)],
)  # fmt: skip
def test_a_wedge_counts_from_ten_degrees_above_the_norm_of_its_level(level: str, norm: float) -> None:
    for above, kyphotic in ((10.01, True), (9.99, None)):
        found = (finding("wedge_angle", norm + above, level=Level(level)),)
        assert facts(found, Level(level)).values.get("kyphotic_deformity") is kyphotic


@pytest.mark.parametrize(
    ("level", "limit"),
    [("T1", 20), ("T10", 20), ("T11", 15), ("T12", 15), ("L1", 15), ("L2", 5), ("L5", 5), ("C7", 15)],
)
def test_a_sagittal_index_counts_from_fifteen_degrees_above_its_region(level: str, limit: float) -> None:
    for cobb, kyphotic in ((limit, True), (limit - 0.01, False)):
        wedge = finding("wedge_angle", -20.0, level=Level(level))
        found = (finding("regional_kyphosis", cobb, level=Level(level)), wedge)
        assert facts(found, Level(level)).values.get("kyphotic_deformity") is kyphotic


@pytest.mark.parametrize(
    ("levels", "origin", "mean"),
    [
        ({"L1": 60.0, "T12": 80.0, "L2": 90.0}, "finding trabecular_density at L1", 60),
        ({"T12": 80.0, "L2": 90.0}, "finding trabecular_density at T12 and L2", 85),
        ({"T12": 80.0, "L3": 90.0}, None, None),
        ({"L2": 80.0}, None, None),
    ],
)
def test_a_density_names_the_levels_that_it_is_the_mean_of(levels: dict[str, float], origin: Any, mean: Any) -> None:
    found = [finding("trabecular_density", value, level=Level(name)) for name, value in levels.items()]
    found += [finding("fracture", "no", level=Level(name)) for name in levels]
    known = facts(tuple(found))
    assert (known.values.get("vbmd"), known.origin.get("vbmd")) == (mean, origin)
    assert "vbmd" not in known.bands


def test_levels_that_are_counted_say_so() -> None:
    known = level_facts(parse_record('{"age_yr": 76, "sex": "F"}'), (), Level.L1, [Level.L1, Level.L2])
    assert (known.values["n_levels"], known.origin["n_levels"]) == (2, "levels not known to be healed or painless")
    assert "n_levels" not in facts().values
