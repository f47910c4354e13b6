"""A tumour in the vertebra, by biopsy or by imaging in a patient with cancer, and which paths then speak."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.vignette import facts_of, vignettes

from endplate.decision.facts.case_facts import case_facts
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import outcomes
from endplate.patient import parse_record

MALIGNANT = rulebook().criteria["definitions.malignant_fracture"]


@pytest.mark.parametrize(
    ("facts", "malignant"),
    [
        ({"malignancy": False, "biopsy_malignant": True}, True),
        ({"biopsy_malignant": True}, True),
        ({"malignancy": True, "lesion": "lytic"}, True),
        ({"malignancy": True, "lesion": "none", "biopsy_malignant": False}, False),
        ({"malignancy": True, "lesion": "none"}, None),
        ({"malignancy": True, "biopsy_malignant": False}, None),
        ({"malignancy": False}, False),
        ({"malignancy": False, "lesion": "lytic"}, False),
        ({"lesion": "lytic"}, None),
        ({}, None),
    ],
)
def test_a_malignant_fracture_by_biopsy_alone_or_by_a_lesion_with_cancer(
    facts: dict[str, Any], malignant: bool | None
) -> None:
    assert MALIGNANT.truth(derive(facts)) is malignant


def test_a_positive_biopsy_without_known_cancer_takes_the_malignant_path() -> None:
    facts = facts_of(vignettes()[12], malignancy=False, biopsy_malignant=True)
    got = {name: outcome.status for name, outcome in outcomes(facts).items()}
    assert (got["lcd_malignant"], got["nice_ta279"], got["sins_2010"]) == ("yes", "no", "yes")


def test_a_positive_biopsy_of_a_level_is_cancer_of_the_patient() -> None:
    told = {"age_yr": 76, "sex": "F", "cancer": {"known": False}, "levels": {"L1": {"fracture": True}}}
    biopsied = told | {"levels": {"L1": {"fracture": True, "biopsy_malignant": True}}}
    assert case_facts(parse_record(json.dumps(told)))[0].values["malignancy"] is False
    assert case_facts(parse_record(json.dumps(biopsied)))[0].values["malignancy"] is True
