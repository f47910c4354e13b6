"""Where the patient record holds each fact: read by the decision, and asked in that place by `record new`."""

from __future__ import annotations

from functools import cache

CASE = {
    "mass_kg": "mass_kg",
    "wall_occiput_cm": "examination.wall_occiput_cm",
    "rib_pelvis_fingers": "examination.rib_pelvis_fingers",
    "age_yr": "age_yr",
    "sex": "sex",
    "pregnancy": "pregnant",
    "hospitalised": "episode.hospitalised",
    "judged_recent": "episode.judged_recent",
    "ct_accepted": "studies.double_band_accepted",
    "nrs": "pain.under_analgesia",
    "trend": "pain.trend",
    "pain_drug_resistant": "pain.drug_resistant",
    "midline_pain": "pain.midline",
    "night_pain": "pain.at_night",
    "relief_at_rest": "pain.relieved_by_rest",
    "activity_pain": "pain.worse_on_activity",
    "position_pain": "pain.worse_on_position_change",
    "spinous_tenderness": "examination.spinous_tenderness",
    "contusion": "examination.contusion",
    "deficit_new": "neurology.new_deficit",
    "progressive_weakness": "neurology.progressive_weakness",
    "saddle_anaesthesia": "neurology.saddle_anaesthesia",
    "urinary_retention": "neurology.retention",
    "myelopathy": "neurology.myelopathy",
    "unrelated_radiculopathy": "neurology.unrelated_radiculopathy",
    "spinal_stenosis": "neurology.spinal_stenosis",
    "physio_tolerated": "mobility.tolerates_physiotherapy",
    "adl_limited": "mobility.adl_limited_severely",
    "nsm_optimised": "care.optimised",
    "drug_effects_unacceptable": "care.unacceptable_drug_effects",
    "bmd_referral": "care.bone_referral",
    "op_education": "care.education_given",
    "infection_site": "infection.surgical_site",
    "infection_systemic": "infection.systemic",
    "fever": "infection.fever",
    "iv_drug_use": "infection.intravenous_drug_use",
    "immunosuppression": "infection.immunosuppressed",
    "asa": "fitness.asa",
    "mfi5": "fitness.mfi5",
    "dementia": "fitness.dementia",
    "care_dependent": "fitness.care_dependent",
    "bleeding_risk_accepted": "fitness.bleeding_risk_accepted",
    "pulmonary_dysfunction": "fitness.pulmonary_dysfunction",
    "ankylosed": "fitness.ankylosed_spine",
    "allergy_cement": "allergies.cement",
    "allergy_opacifier": "allergies.opacifier",
    "allergy_contrast": "allergies.contrast",
    "postmenopausal": "history.postmenopausal",
    "weight_loss": "cancer.weight_loss",
    "l1_hu": "bone.l1_hu",
    "glucocorticoid_courses": "drugs.repeated_short_steroid_courses",
}
"""Facts of the patient that stand in the record as they are."""

LEVEL = {
    "exam_concordant": "concordant",
    "mri_oedema": "oedema",
    "bone_scan_pos": "uptake",
    "compaction_band": "double_band",
    "cleft": "cleft",
    "fracture_on_ct": "fracture",
    "fracture_cause": "cause",
    "progression": "progression",
    "further_loss_pct": "further_loss_percent",
    "loss_pct": "loss_percent",
    "kyphosis_deg": "kyphosis_deg",
    "scoliosis_deg": "scoliosis_deg",
    "kyphotic_deformity": "kyphotic_deformity",
    "endplates_involved": "endplates_involved",
    "post_wall_fraction": "posterior_wall_fraction",
    "canal_pct": "canal_percent",
    "retropulsion": "retropulsion",
    "impingement": "impingement",
    "cord_compression": "cord_compression",
    "cortical_defect": "cortical_defect",
    "osteophytes": "osteophytes",
    "endplate_erosion": "endplate_erosion",
    "unstable": "unstable",
    "lesion": "lesion",
    "lesion_over_half": "lesion_over_half",
    "lesion_destructive": "lesion_destructive",
    "haemangioma_aggressive": "haemangioma_aggressive",
    "posterior_elements": "posterolateral",
    "pedicle_destroyed": "pedicle_destroyed",
    "pedicle_mm": "pedicle_width_mm",
    "epidural_mass": "epidural_mass",
    "convex_posterior_cortex": "convex_posterior_cortex",
    "biopsy_malignant": "biopsy_malignant",
}
"""Facts of a level that stand in the record as they are."""

BLOOD = {"inr": "inr", "platelets": "platelets_g_l", "crp_mg_l": "crp_mg_l", "esr_mm_h": "esr_mm_h"}
"""Blood values by their names in the record."""
OTHER = {
    "onset_days": "episode.onset_days",
    "mechanism": "episode.mechanism",
    "neuro": "neurology.state",
    "can_mobilise": "mobility.can_mobilise",
    "pain_type": "pain.mechanical",
    "pain_from_fracture": "pain.from_fracture",
    "rmdq": "questionnaires.rmdq.ticked",
    "malignancy": "cancer.known",
    "infection_spine": "infection.spine",
    "septicaemia": "infection.blood_borne_untreated",
    "bleeding_disorder": "fitness.coagulopathy",
    "other_bone_disease": "history.paget",
    "prior_augmentation": "episode.augmented_before",
    "anticoagulant": "drugs.anticoagulant",
}
"""Facts of the patient that are read off an answer of another kind."""
OTHER_LEVEL = {"of_class": "of_class", "alignment": "alignment", "tension_band_fail": "tension_band_failed"}
"""Facts of a level that are read off an answer of another kind."""


def path_of(fact: str, level: str) -> str:
    """Place in the record, dotted, of the answer that tells a fact at a level; empty where no single answer does."""
    if fact in LEVEL or fact in OTHER_LEVEL:
        return f"levels.{level}.{LEVEL.get(fact) or OTHER_LEVEL[fact]}" if level else ""
    if fact in BLOOD:
        return f"laboratory.{BLOOD[fact]}"
    return CASE.get(fact) or OTHER.get(fact, "")


@cache
def facts_by_place() -> dict[str, str]:
    """The fact that each place of the record tells; places of a level without its name, such as `levels.oedema`."""
    level = {f"levels.{path}": fact for fact, path in (LEVEL | OTHER_LEVEL).items()}
    blood = {f"laboratory.{path}": fact for fact, path in BLOOD.items()}
    return {path: fact for fact, path in (CASE | OTHER).items()} | level | blood
