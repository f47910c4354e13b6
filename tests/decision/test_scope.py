"""What every rule set says to those it may not be for: scope is data, and a guideline says nothing beyond it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.vignette import facts_of, vignettes

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.kleene import Criterion
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import decide_level, outcomes

CLEAR = facts_of(vignettes()[0], nsm_days=60, drug_days=60, exercise_days=60, of_class="OF2", septicaemia=False,
                 pain_drug_resistant=True, unrelated_radiculopathy=False, post_wall_fraction=0.0,
                 haemangioma_aggressive=False)  # fmt: skip
"""Woman of 76 for whom every rule set that can say yes says yes or names a condition."""
NO_AGE = {name: value for name, value in CLEAR.items() if name not in ("t_score", "postmenopausal")}
PATIENTS: dict[str, dict[str, Any]] = {
    "premenopausal": {**NO_AGE, "age_yr": 38, "sex": "female", "postmenopausal": False, "t_score": -1.0,
                      "z_score": -1.0, "glucocorticoid_mg_d": 0, "glucocorticoid_months": 0},
    "man of 40": {**NO_AGE, "age_yr": 40, "sex": "male", "t_score": -1.0, "z_score": -0.5,
                  "glucocorticoid_mg_d": 0, "glucocorticoid_months": 0},
    "pregnant": {**CLEAR, "age_yr": 34, "pregnancy": True},
    "traumatic": {**NO_AGE, "age_yr": 28, "sex": "male", "mechanism": "high_energy"},
    "metastatic": {**CLEAR, "malignancy": True, "lesion": "lytic", "pain_type": "mechanical",
                   "posterior_elements": "none"},
    "infected": {**CLEAR, "infection_spine": True},
    "painless": {**CLEAR, "nrs": 0, "exam_concordant": False},
    "healed": {**CLEAR, "mri_oedema": False, "cleft": False, "exam_concordant": False, "onset_days": 700},
    "sacrum": {**CLEAR, "level": "S1"},
}  # fmt: skip
CEMENT = [rules for rules in rulebook().rulesets if rules.question in ("augmentation", "vertebroplasty", "kyphoplasty")]
FOR_TUMOURS = {"lcd_malignant", "nass_neoplastic", "nice_metastatic", "sins_2010", "payer_a", "payer_b", "sir_2014",
               "cirse_2017", "acr_2018", "acr_2022", "suspicion_2018"}  # fmt: skip
EITHER_CAUSE = {"sir_2014", "cirse_2017", "acr_2018", "acr_2022", "payer_a", "payer_b"}


def applying(patient: str) -> dict[str, str]:
    got = outcomes(PATIENTS[patient])
    return {name: outcome.status for name, outcome in got.items() if outcome.applies}


def test_the_clear_case_is_inside_every_scope_but_those_of_tumours_and_trauma() -> None:
    got = outcomes(CLEAR)
    outside = {name for name, outcome in got.items() if not outcome.applies}
    assert outside == {"lcd_malignant", "nass_neoplastic", "nice_metastatic", "sins_2010", "tlics"}
    assert sum(outcome.status in ("yes", "conditional") for outcome in got.values()) > 10


@pytest.mark.parametrize("ruleset", rulebook().rulesets, ids=lambda rules: rules.id)
def test_scope_is_a_list_of_criteria_each_of_which_says_what_a_case_is_otherwise(ruleset: Any) -> None:
    assert ruleset.scope.children
    for part in ruleset.scope.children:
        assert isinstance(part, Criterion) and part.otherwise and part.citation.source


@pytest.mark.parametrize("patient", ["premenopausal", "man of 40", "traumatic", "sacrum"])
def test_no_rule_set_on_cement_speaks_of_a_fracture_that_is_not_shown_to_be_osteoporotic(patient: str) -> None:
    favours = {name for name, status in applying(patient).items() if status in ("yes", "conditional")}
    assert favours & {rules.id for rules in CEMENT} == set()
    assert {"nice_ta279", "lcd_osteoporotic", "aaos_2010_kyphoplasty", "acr_2022"} & set(applying(patient)) == set()


@pytest.mark.parametrize(
    ("patient", "why"),
    [
        ("premenopausal", "not applicable: not shown to be osteoporotic"),
        ("man of 40", "not applicable: not shown to be osteoporotic"),
        ("traumatic", "not applicable: traumatic fracture, a spine trauma surgeon's question"),
        ("metastatic", "not applicable: malignant fracture"),
        ("painless", "not applicable: painless"),
        ("sacrum", "not applicable: the sacrum or neck; see the techniques for sacroplasty"),
    ],
)
def test_nice_says_why_it_does_not_speak(patient: str, why: str) -> None:
    assert outcomes(PATIENTS[patient])["nice_ta279"] == ("no", why, False)


def test_pregnancy_and_infection_never_end_in_a_yes_to_cement() -> None:
    for patient in ("pregnant", "infected"):
        got = outcomes(PATIENTS[patient])
        assert {got[rules.id].status for rules in CEMENT if got[rules.id].applies} <= {
            "contraindicated", "conditional", "no", "indeterminate",
        }  # fmt: skip
    infected = outcomes(PATIENTS["infected"])
    assert not [rules.id for rules in CEMENT if infected[rules.id].status in ("yes", "conditional")]


def test_only_rule_sets_for_tumours_speak_of_a_metastasis() -> None:
    assert set(applying("metastatic")) <= FOR_TUMOURS
    assert {"lcd_malignant", "nice_metastatic", "sins_2010", "sir_2014"} <= set(applying("metastatic"))


@pytest.mark.parametrize("patient", ["painless", "healed"])
def test_a_painless_or_healed_fracture_is_in_the_liaison_path_and_gets_no_cement(patient: str) -> None:
    got = outcomes(PATIENTS[patient])
    assert got["nogg_liaison"].status == "yes"
    assert not [rules.id for rules in CEMENT if got[rules.id].status in ("yes", "conditional")]
    assert decide_level(LevelFacts(values=PATIENTS[patient])).technique.value == (
        "neither: nothing for cement to treat (painless, healed, not tender, infected or improving)"
    )


@pytest.mark.parametrize("patient", ["premenopausal", "man of 40", "traumatic"])
def test_those_below_fifty_are_referred_not_told_by_a_guideline_for_the_old(patient: str) -> None:
    liaison = outcomes(PATIENTS[patient])["nogg_liaison"]
    assert not liaison.applies and "refer to a bone specialist" in liaison.answer


def test_a_traumatic_fracture_is_a_trauma_surgeon_s_question() -> None:
    decision = decide_level(LevelFacts(values=PATIENTS["traumatic"]))
    assert decision.verdict("tlics").applies and "spine trauma surgeon" in decision.verdict("tlics").answer
    assert "traumatic" in {flag.id for flag in decision.flags}
    assert decision.technique.value == "neither: a spine trauma surgeon's question"


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"age_yr": 76, "sex": "female", "mechanism": "minimal", "fracture_on_ct": True, "other_bone_disease": False},
         "osteoporotic"),
        ({"age_yr": 76, "sex": "female", "t_score": -2.5, "mechanism": "none"}, "osteoporotic"),
        ({"age_yr": 76, "sex": "female", "t_score": -2.4, "vbmd": 81, "mechanism": "none"}, None),
        ({"age_yr": 76, "sex": "female", "mechanism": "high_energy", "t_score": -1.0}, "traumatic"),
        ({"age_yr": 76, "sex": "female", "mechanism": "high_energy", "t_score": -2.6}, None),
        ({"age_yr": 76, "sex": "female", "mechanism": "high_energy"}, None),
        ({"age_yr": 28, "sex": "male", "mechanism": "high_energy"}, "traumatic"),
        ({"age_yr": 28, "sex": "female", "mechanism": "high_energy"}, "traumatic"),
        ({"age_yr": 49, "sex": "male", "mechanism": "minimal", "fracture_on_ct": True, "z_score": -2.0},
         "osteoporotic"),
        ({"age_yr": 49, "sex": "male", "mechanism": "minimal", "fracture_on_ct": True, "glucocorticoid_mg_d": 10,
          "glucocorticoid_months": 8}, "osteoporotic"),
        ({"age_yr": 50, "sex": "male", "mechanism": "minimal", "fracture_on_ct": True, "other_bone_disease": False},
         "osteoporotic"),
        ({"age_yr": 76, "sex": "female", "mechanism": "minimal", "malignancy": True, "lesion": "lytic"}, "malignant"),
        ({"age_yr": 76, "sex": "female", "fracture_cause": "osteoporotic", "mechanism": "high_energy"},
         "osteoporotic"),
    ],
)  # fmt: skip
def test_the_cause_follows_from_what_is_known_or_is_asked_for(facts: dict[str, Any], cause: str | None) -> None:
    known = {"malignancy": False} | facts
    assert derive(known).get("fracture_cause") == cause


def test_that_no_tumour_is_known_does_not_show_osteoporosis() -> None:
    bare = {name: value for name, value in CLEAR.items() if name not in ("mechanism", "t_score", "l1_hu")}
    verdict = decide_level(LevelFacts(values=bare)).verdict("nice_ta279")
    assert verdict.status == "indeterminate" and "fracture_cause" in verdict.missing
