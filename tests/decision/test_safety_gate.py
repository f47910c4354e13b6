"""The gate before every answer: what bars, for whom, and what only asks for care."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.vignette import facts_of, vignettes

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.verdict.decide import decide_level, outcomes


def status(ruleset: str, vignette: int = 4, **facts: Any) -> str:
    return outcomes(facts_of(vignettes()[vignette - 1]) | facts)[ruleset].status


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        ({"infection_systemic": True, "septicaemia": False}, "yes"),
        ({"infection_systemic": True}, "indeterminate"),
        ({"infection_systemic": True, "septicaemia": True}, "contraindicated"),
        ({"infection_site": True}, "contraindicated"),
        ({"infection_spine": True}, "contraindicated"),
    ],
)
def test_of_infections_rand_bars_those_of_the_site_the_blood_and_the_spine(facts: dict[str, Any], verdict: str) -> None:
    assert status("rand_2018", **facts) == verdict


@pytest.mark.parametrize(
    ("facts", "raised"),
    [({"anticoagulant": True, "inr": 1.1}, True), ({"anticoagulant": False, "inr": 1.1}, False),
     ({"anticoagulant": False, "inr": 1.51}, True)],
)  # fmt: skip
def test_an_anticoagulant_raises_the_bleeding_caution_whatever_the_inr(facts: dict[str, Any], raised: bool) -> None:
    flags = {flag.id for flag in decide_level(LevelFacts(values=facts_of(vignettes()[3]) | facts)).flags}
    assert ("bleeding" in flags) is raised


def test_pregnancy_without_cancer_leaves_the_malignant_path_not_applying() -> None:
    got = outcomes(facts_of(vignettes()[9]))
    assert got["lcd_malignant"] == ("no", "not applicable: no malignant fracture", False)
    assert got["lcd_osteoporotic"].status == "contraindicated"
    reasons = decide_level(LevelFacts(values=facts_of(vignettes()[9]))).verdict("lcd_malignant").reasons
    assert {reason.role for reason in reasons} == {"scope"}


def test_while_the_scope_is_open_a_contraindication_bars() -> None:
    assert outcomes({"pregnancy": True})["lcd_malignant"].status == "contraindicated"


@pytest.mark.parametrize(
    ("facts", "technique"),
    [
        ({"sex": "female", "age_yr": 34, "pregnancy": True}, "neither: contraindicated"),
        ({"allergy_cement": True}, "neither: contraindicated"),
        ({"allergy_contrast": True}, "vertebroplasty adequate"),
        ({"inr": 2.8, "coagulopathy_correctable": False}, "neither: contraindicated"),
        ({"inr": 2.8, "coagulopathy_correctable": True}, "vertebroplasty adequate"),
        ({"inr": 2.8}, None),
        ({"allergy_cement": None}, None),
        ({"allergy_cement": True, "tension_band_fail": True}, "neither: surgical opinion"),
        ({}, "vertebroplasty adequate"),
    ],
)
def test_no_technique_is_named_past_the_gate(facts: dict[str, Any], technique: str | None) -> None:
    level = {"pedicle_mm": 9.0, "post_wall_fraction": 0.1, "cortical_defect": False}
    given = facts_of(vignettes()[3]) | level | facts
    assert decide_level(LevelFacts(values=given)).technique.value == technique


@pytest.mark.parametrize(
    ("ruleset", "cement", "contrast"),
    [("sir_2014", "contraindicated", "yes"), ("cirse_2017", "contraindicated", "yes"),
     ("lcd_osteoporotic", "conditional", "yes")],
)  # fmt: skip
def test_allergy_to_contrast_medium_is_not_one_to_cement(ruleset: str, cement: str, contrast: str) -> None:
    treated = {"can_mobilise": False, "physio_tolerated": False, "septicaemia": False, "unrelated_radiculopathy": False,
               "haemangioma_aggressive": False, "post_wall_fraction": 0.0}  # fmt: skip
    got = [status(ruleset, **treated, **{name: True}) for name in ("allergy_cement", "allergy_contrast")]
    assert got == [cement, contrast]
