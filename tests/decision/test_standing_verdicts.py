"""What a page shows while one types is what the whole decision says, without the reasons."""

from __future__ import annotations

import json

import pytest

from endplate.decision.facts.case_facts import case_facts
from endplate.decision.verdict.decide import decide, standing
from endplate.patient import parse_record
from endplate.report.care.alarm import alarms
from endplate.report.care.caution import cautions, technique_lines

LEVELS = {"L1": {"fracture": True, "oedema": True}, "T12": {"fracture": True, "cleft": True}}
RECORDS = [
    {"age_yr": 76, "sex": "female", "levels": LEVELS},
    {"age_yr": 76, "sex": "female", "levels": LEVELS, "infection": {"systemic": True}, "pain": {"under_analgesia": 8}},
    {"age_yr": 45, "sex": "male", "levels": LEVELS, "neurology": {"progressive_weakness": True}},
]
CELL = ("ruleset", "level", "status", "answer", "applies", "missing", "reachable")


@pytest.mark.parametrize("told", RECORDS)
def test_it_says_the_same_without_why(told):
    facts = case_facts(parse_record(json.dumps(told)))
    brief, whole = standing(facts), decide(facts)
    assert [level.level for level in brief.levels] == ["T12", "L1"]
    for ours, theirs in zip(brief.levels, whole.levels, strict=True):
        for short, long in zip(ours.verdicts, theirs.verdicts, strict=True):
            assert [getattr(short, name) for name in CELL] == [getattr(long, name) for name in CELL]
            assert long.reasons and not short.reasons
    assert alarms(brief) == alarms(whole)
    assert cautions(brief) == cautions(whole)
    assert technique_lines(brief) == technique_lines(whole)
