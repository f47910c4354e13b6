"""Facts that the patient record tells, each with the place in the record it was read from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Any

from endplate.cited import cited
from endplate.decision.facts.conservative_care import care_facts
from endplate.decision.facts.durations import days_between, months
from endplate.decision.facts.glucocorticoid import glucocorticoid_facts
from endplate.decision.facts.record_paths import BLOOD, CASE, LEVEL
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import Truth
from endplate.decision.rules.comparisons import comparisons
from endplate.level import Level
from endplate.patient import PatientRecord
from endplate.patient.imaging import LevelRecord
from endplate.patient.medication import medication
from endplate.patient.scale.change import Score

ALCOHOL_UNITS = cited(3.0, "/d", "three or more units a day is a risk factor", "knowledge", cite="frax")

QCT_HOLDS_DAYS = cited(730.0, "d", "Density is usually repeated after 1-2 years: the later end taken", "design")

MECHANISMS = {"none": "none", "minor strain": "minimal", "fall from standing": "standing_fall"}
VIOLENT = ("fall from height", "traffic")
ALIGNMENTS = {"normal": "normal", "new kyphosis or scoliosis": "new_deformity", "subluxation": "subluxation"}
NEUROLOGY = {"N0": "none", "N1": "none", "N2": "radicular", "N3": "deficit", "N4": "deficit"}
"""AO Spine grade; N1, transient, has passed."""
NO_EVENT = "assumed: painless, and no event is recorded; say so if there was one"
"""Origin of the event of a fracture found by chance: fragility is assumed where no adequate trauma is known (NOGG)."""
TORN = "OF5"
"""OF class of a torn tension band."""
DENSITY_SITES = ("spine", "femoral neck", "total hip")
BONE_RISKS = attrgetter("parent_hip_fracture", "smoker", "rheumatoid_arthritis", "malabsorption")

Told = Iterator[tuple[str, Any, str]]
_CASE_READERS = [(name, path, attrgetter(path)) for name, path in CASE.items()]
_LEVEL_READERS = [(name, path, attrgetter(path)) for name, path in LEVEL.items()]


def record_facts(record: PatientRecord, level: Level) -> Told:
    """Each fact that the record tells: its name, value and place; what it does not tell is left out."""
    at_level = record.levels.get(level, LevelRecord())
    sources: tuple[Iterable[tuple[str, Any, str]], ...] = (
        _at_level(record, at_level, level),
        ((name, read(record), path) for name, path, read in _CASE_READERS),
        ((name, read(at_level), f"levels.{level}.{path}") for name, path, read in _LEVEL_READERS),
        *(tell(record) for tell in _TELLERS),
    )
    return (fact for source in sources for fact in source if fact[1] is not None)


def _at_level(record: PatientRecord, at_level: LevelRecord, level: Level) -> Told:
    place = f"levels.{level}"
    yield "level", level.value, place
    yield "onset_days", *_onset(record, at_level, place)
    yield from _of_class(at_level, place)
    if at_level.cause == "traumatic":
        yield "mechanism", "high_energy", f"{place}.cause"
    if at_level.cause == "malignant":
        yield "biopsy_malignant", True, f"{place}.cause"
        yield "malignancy", True, f"{place}.cause"
    if _bone_free_of_tumour(record, at_level):
        yield "biopsy_malignant", False, f"{place}.lesion, cancer.bone_metastasis"
    yield "alignment", ALIGNMENTS.get(at_level.alignment or ""), f"{place}.alignment"
    local = kleene_or(at_level.osteomyelitis, at_level.discitis)
    # A no for the whole spine settles the level, unless the level itself says yes.
    infected = record.infection.spine if local is None or record.infection.spine else local
    yield "infection_spine", infected, "infection.spine"
    yield "ankylosed", at_level.bridging_osteophyte or None, f"{place}.bridging_osteophyte"
    yield "acute_signs", kleene_or(at_level.oedema, at_level.double_band), f"{place}.oedema"
    elsewhere = at_level.concordant is False or _painless(record)
    yield "pain_from_fracture", False if elsewhere else record.pain.from_fracture, "pain.from_fracture"
    yield "imaging_age_days", _imaging_age(record, at_level), "studies"
    again = kleene_or(record.episode.augmented_before, at_level.augmented, bool(record.procedures) or None)
    yield "prior_augmentation", again, "episode.augmented_before"


def _bone_free_of_tumour(record: PatientRecord, at_level: LevelRecord) -> bool:
    """Whether no tumour is in the vertebra as far as people looked: no lesion here, no metastasis, no biopsy."""
    cancer = record.cancer
    doubted = at_level.biopsy_malignant is not None or at_level.cause == "malignant" or cancer.biopsy_positive
    return at_level.lesion == "none" and cancer.bone_metastasis is False and not (doubted or cancer.myeloma)


TORN_CLASS = int(cited(5, "1", "OF 5: a failed tension band", "verified", cite="of_card"))


def _of_class(at_level: LevelRecord, place: str) -> Told:
    """OF class and tension band: a torn one is OF5, whatever else was written down."""
    stated = at_level.of_class
    torn = kleene_or(at_level.tension_band_failed, True if stated == TORN_CLASS else None)
    yield "tension_band_fail", torn if torn else at_level.tension_band_failed, f"{place}.tension_band_failed"
    if torn:
        yield "of_class", TORN, f"{place}.tension_band_failed"
    elif stated is not None:
        yield "of_class", f"OF{stated}", f"{place}.of_class"


def _painless(record: PatientRecord) -> bool:
    """Whether every rating of pain that was given is 0, the one under analgesia among them."""
    pain = record.pain
    given = [rating for rating in (pain.at_rest, pain.on_activity, pain.under_analgesia) if rating is not None]
    return pain.under_analgesia == 0 and not any(given)


def _complaint(record: PatientRecord) -> Told:
    neurology, mobility, pain = record.neurology, record.mobility, record.pain
    yield "neuro", neurology.state or NEUROLOGY.get(neurology.grade or ""), "neurology"
    yield "can_mobilise", mobility.can_walk if mobility.can_mobilise is None else mobility.can_mobilise, "mobility"
    if pain.mechanical is not None:
        without = "none" if pain.under_analgesia == 0 else "occasional"
        yield "pain_type", "mechanical" if pain.mechanical else without, "pain.mechanical"
    if record.questionnaires.rmdq:
        yield from _disability(record.questionnaires.rmdq.score)


def _disability(score: Score) -> Told:
    """RMDQ; with items unanswered its least, where every rule says the same of the most that it may be."""
    if score.value is not None or score.low is None or score.high is None:
        yield "rmdq", score.value, "questionnaires.rmdq"
        return
    ends = {"rmdq": score.low}, {"rmdq": score.high}
    if all(rule.truth(ends[0]) is rule.truth(ends[1]) for rule in comparisons("rmdq")):
        yield "rmdq", score.low, f"questionnaires.rmdq, {score.reason}: {score.low:g} to {score.high:g}"


def _event(record: PatientRecord) -> Told:
    mechanism, high = record.episode.mechanism, record.episode.high_energy
    if high or (high is None and mechanism in VIOLENT):
        yield "mechanism", "high_energy", "episode.mechanism"
    elif mechanism is None and high is None and _painless(record):
        yield "mechanism", "none", NO_EVENT
    else:
        yield "mechanism", MECHANISMS.get(mechanism or "", "minimal" if high is False else None), "episode.mechanism"


def _care(record: PatientRecord) -> Told:
    return ((name, value, "care.treatments") for name, value in care_facts(record))


def _blood(record: PatientRecord) -> Told:
    tests, fitness, drugs = record.laboratory, record.fitness, record.drugs
    for name, entry in BLOOD.items():
        value = getattr(tests, entry)
        yield name, value.value if value else None, f"laboratory.{entry}"
    if fitness.coagulopathy == "none":
        yield "bleeding_disorder", False, "fitness.coagulopathy"
    if fitness.coagulopathy in ("correctable", "uncorrectable"):
        yield "bleeding_disorder", True, "fitness.coagulopathy"
        yield "coagulopathy_correctable", fitness.coagulopathy == "correctable", "fitness.coagulopathy"
    else:
        yield "coagulopathy_correctable", drugs.anticoagulant_correctable, "drugs.anticoagulant_correctable"
    taken = medication(drugs)
    place = f"drugs.names: {', '.join(taken.anticoagulants)}" if taken.anticoagulants else "drugs.anticoagulant"
    yield "anticoagulant", taken.anticoagulant, place
    infection = record.infection
    yield "septicaemia", kleene_or(infection.blood_borne_untreated, infection.bacteraemia), "infection"


def _bone(record: PatientRecord) -> Told:
    yield "t_score", lowest_t_score(record), "bone.tests"
    yield "z_score", lowest_z_score(record), "bone.tests"
    yield from _denosumab(record)
    yield "vbmd", _vbmd(record), "bone.tests"
    history = record.history
    fractures = history.fractures
    yield "prior_vcf", None if fractures is None else any(f.site == "vertebra" for f in fractures), "history.fractures"
    drinks = None if history.alcohol_units_day is None else history.alcohol_units_day >= ALCOHOL_UNITS
    yield "bone_risk_factors", kleene_or(*BONE_RISKS(history), drinks), "history"
    for name, value in glucocorticoid_facts(record):
        yield name, value, "drugs.glucocorticoids"
    cancer = record.cancer
    biopsied = any(level.biopsy_malignant for level in record.levels.values())
    shown = cancer.myeloma or cancer.bone_metastasis or cancer.biopsy_positive or biopsied
    yield "malignancy", True if shown else cancer.known, "cancer"
    yield "other_bone_disease", history.paget, "history.paget"
    for name, then in (("stature_lost_ever_cm", "tallest_height_cm"), ("stature_lost_cm", "last_height_cm")):
        earlier = getattr(record.examination, then)
        lost = None if earlier is None or record.height_cm is None else earlier - record.height_cm
        yield name, lost, f"examination.{then}"
    if record.mass_kg and record.height_cm:
        yield "bmi", record.mass_kg / (record.height_cm / 100) ** 2, "mass_kg, height_cm"


_TELLERS: tuple[Callable[[PatientRecord], Told], ...] = (_complaint, _event, _care, _blood, _bone)


def lowest_t_score(record: PatientRecord) -> float | None:
    """Of the sites whose T-score the thresholds speak of; a forearm or QCT value is another scale."""
    scores = [test.t_score for test in record.bone.tests or () if test.site in DENSITY_SITES]
    return min((score for score in scores if score is not None), default=None)


def lowest_z_score(record: PatientRecord) -> float | None:
    """Of spine and hip, as `lowest_t_score`."""
    scores = [test.z_score for test in record.bone.tests or () if test.site in DENSITY_SITES]
    return min((score for score in scores if score is not None), default=None)


def _denosumab(record: PatientRecord) -> Told:
    """Whether denosumab was taken and stopped and not begun again, and for how many months."""
    drugs, place = medication(record.drugs).bone_drugs, "drugs.bone_drugs"
    if drugs is None:
        return
    ends = [drug.stopped_on for drug in drugs if drug.drug == "denosumab"]
    stopped = [end for end in ends if end is not None]
    yield "denosumab_stopped", bool(ends) and len(stopped) == len(ends), place
    if ends and len(stopped) == len(ends):
        yield "denosumab_stopped_months", months(days_between(max(stopped), record.recorded_on)), place


def _vbmd(record: PatientRecord) -> float | None:
    """Of the latest QCT of the last two years; an older one would hide what a scan measures now."""
    fresh = [
        (age, test.vbmd_mg_cm3)
        for test in record.bone.tests or ()
        if test.site == "spine QCT" and test.vbmd_mg_cm3 is not None
        if (age := days_between(test.on, record.recorded_on)) is not None and age <= QCT_HOLDS_DAYS
    ]
    entry = field_catalogue()["vbmd"]
    return min(max(min(fresh)[1], entry.low), entry.high) if fresh else None


def kleene_or(*answers: Truth) -> Truth:
    """Kleene's or."""
    return True if True in answers else (None if None in answers else False)


def _imaging_age(record: PatientRecord, at_level: LevelRecord) -> int | None:
    """Days since the study that shows the fracture fresh, the younger if both do; else since the one that was read."""
    studies = ((at_level.oedema, record.studies.mri_on), (at_level.uptake, record.studies.bone_scan_on))
    positive = [taken for seen, taken in studies if seen]
    read = positive or [taken for seen, taken in studies if seen is not None][:1]
    ages = [age for taken in read if (age := days_between(taken, record.recorded_on)) is not None]
    return min(ages) if ages and len(ages) == len(read) else None


def _onset(record: PatientRecord, at_level: LevelRecord, place: str) -> tuple[float | None, str]:
    """Days since the level broke, by its own day or else by the onset, and where that stands."""
    own, episode = days_between(at_level.fracture_on, record.recorded_on), record.episode
    if own is not None:
        return own, f"{place}.fracture_on"
    return episode.days_at(record.recorded_on), f"episode.{'onset_on' if episode.onset_days is None else 'onset_days'}"
