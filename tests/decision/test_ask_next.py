"""What to ask next: ranked over all rule sets, each answer able to move a verdict, nothing known or implied."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.vignette import facts_of, level_facts, vignettes

from endplate.decision.explanation.ask_next import ask_next, asked_by
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.facts.record_paths import facts_by_place, path_of
from endplate.decision.logic.field import field_catalogue
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import outcomes
from endplate.decision.verdict.reason import missing_fields
from endplate.decision.verdict.sensitivity import find_sensitivities

FULL = facts_of(vignettes()[0], septicaemia=False, unrelated_radiculopathy=False, post_wall_fraction=0.3,
                haemangioma_aggressive=False, pain_drug_resistant=False, rmdq=20, nsm_days=30,
                 pain_type="mechanical", drug_days=30, exercise_days=30)  # fmt: skip
WHO = {"clinician", "patient", "radiologist", "laboratory", "drug list"}


def asked(facts: dict[str, Any], **more: Any) -> list[str]:
    return [question.field for question in ask_next((LevelFacts(values=facts),), **more)]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in FULL.items() if name not in names}


def test_one_missing_answer_is_the_one_to_ask_and_settles_what_it_opens() -> None:
    (question,) = ask_next((LevelFacts(values=without("nrs")),))
    assert question.field == "nrs" and question.who == "patient"
    assert question.settles == pytest.approx(question.settled_so_far)
    assert 0.9 * question.open_verdicts < question.settles <= question.open_verdicts
    assert "nice_ta279" in question.rulesets


def test_nothing_open_asks_nothing() -> None:
    assert asked(FULL) == []


def test_of_two_answers_the_one_that_more_verdicts_hang_on_comes_first() -> None:
    assert asked(without("infection_spine", "bmd_referral"))[0] == "infection_spine"
    assert set(asked(without("infection_spine", "bmd_referral"))) == {"infection_spine", "bmd_referral"}


def test_with_age_and_sex_alone_the_first_five_settle_most_and_no_figure_falls_behind() -> None:
    questions = ask_next((LevelFacts(values={"age_yr": 82, "sex": "female"}),))
    total = questions[0].open_verdicts
    assert total >= 20 and questions[4].settled_so_far > total / 2
    so_far = [question.settled_so_far for question in questions]
    assert so_far == sorted(so_far) and so_far[-1] <= total
    assert {question.who for question in questions} <= WHO
    assert "pregnancy" not in [question.field for question in questions]


def test_the_list_is_the_same_every_time_and_can_leave_facts_out() -> None:
    bare = {"age_yr": 82, "sex": "female"}
    assert asked(bare) == asked(bare)
    assert asked(bare, length=2) == asked(bare)[:2]
    assert asked(bare)[0] not in asked(bare, without=[asked(bare)[0]])


def test_two_levels_are_asked_together() -> None:
    one, other = ({**without("nrs"), "level": level} for level in ("L1", "L2"))
    (alone,) = ask_next((LevelFacts(values=one),))
    (both,) = ask_next((LevelFacts(values=one), LevelFacts(values=other)))
    assert both.open_verdicts == 2 * alone.open_verdicts


@pytest.mark.parametrize(
    ("known", "implied"),
    [
        ({"of_class": "OF3"}, {"posterior_wall_involved", "tension_band_fail"}),
        ({"of_class": "OF2"}, {"posterior_wall_involved", "tension_band_fail"}),
        ({"post_wall_fraction": 0.1}, {"posterior_wall_involved"}),
        ({"allergy_cement": False}, {"allergy_opacifier"}),
        ({"mri_oedema": False}, {"bone_scan_pos", "ct_accepted"}),
        ({"infection_systemic": False}, {"septicaemia"}),
        ({"neuro": "none"}, {"unrelated_radiculopathy"}),
        ({"malignancy": False}, {"biopsy_malignant", "sins_unstable"}),
        ({"sex": "male"}, {"pregnancy", "postmenopausal"}),
        ({"age_yr": 71, "sex": "female"}, {"pregnancy", "postmenopausal"}),
        ({"malignancy": True, "lesion": "lytic", "level": "L1", "tension_band_fail": False}, {"of_class"}),
    ],
)
def test_no_rule_set_asks_for_what_is_implied(known: dict[str, Any], implied: set[str]) -> None:
    facts = derive(known)
    for rules in rulebook().rulesets:
        assert not implied & set(missing_fields(rules, facts)), rules.id


@pytest.mark.parametrize("vignette", vignettes()[:6], ids=lambda one: str(one["number"]))
def test_no_fact_is_asked_that_cannot_move_the_verdict(vignette: dict[str, Any]) -> None:
    facts = {name: value for place, (name, value) in enumerate(level_facts(vignette).values.items()) if place % 4}
    filled = derive(facts)
    for rules in rulebook().rulesets:
        moving = {change.field for change in find_sensitivities(rules, filled)}
        assert set(missing_fields(rules, filled)) <= moving, rules.id


def test_every_place_of_the_record_that_tells_a_fact_says_who_asks_for_it() -> None:
    for place, fact in facts_by_place().items():
        level = "L1" if place.startswith("levels.") else ""
        told = path_of(fact, level)
        assert told.replace(".L1", "") == place and fact in field_catalogue()
    assert {"nice_ta279", "lcd_osteoporotic"} <= {rules.id for rules in asked_by("mechanism")}
    assert outcomes(FULL)["lcd_osteoporotic"].status != "indeterminate"
