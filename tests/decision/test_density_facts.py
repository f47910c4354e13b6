"""Density for the rules: of an intact L1 or its intact neighbours, HU at 120 kVp only, with its band."""

from __future__ import annotations

import json
from typing import Any

import pytest

from endplate.decision.facts.case_facts import level_facts
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.verdict.decide import decide_level
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import parse_record


def finding(code: str, level: str | None, value: Any, half: float | None = None, condition: str = "") -> Finding:
    band = {} if half is None else {"low": value - half, "high": value + half}
    where = None if level is None else Level(level)
    return Finding(code=code, level=where, value=value, unit="1", condition=condition, method="m", source="s", **band)


def scan(broken: dict[str, str], factor: float | None = 1.0, condition: str = "") -> tuple[Finding, ...]:
    """HU 80, 95, 90 at T12, L1, L2, and density 60, 70, 65; levels that are not named are intact."""
    found = [] if factor is None else [finding("hu_to_120_kvp", None, factor, condition=condition)]
    for level, hu, density in (("T12", 80.0, 60.0), ("L1", 95.0, 70.0), ("L2", 90.0, 65.0)):
        found += [finding("trabecular_hu", level, hu, 4.0), finding("trabecular_density", level, density, 10.0)]
        call = broken.get(level, "no")
        found += [] if call == "unsaid" else [finding("fracture", level, call)]
    return tuple(found)


def facts(findings: tuple[Finding, ...], **more: Any) -> LevelFacts:
    return level_facts(parse_record(json.dumps({"age_yr": 76, "sex": "F", **more})), findings, Level.L3)


@pytest.mark.parametrize(
    ("broken", "hu", "density"),
    [
        ({}, 95, 70),
        ({"T12": "yes", "L2": "yes"}, 95, 70),
        ({"L1": "yes"}, 85, 62.5),
        ({"L1": "indeterminate"}, 85, 62.5),
        ({"L1": "unsaid"}, 85, 62.5),
        ({"L1": "yes", "T12": "yes"}, None, None),
        ({"L1": "yes", "L2": "indeterminate"}, None, None),
    ],
)
def test_density_is_that_of_an_intact_l1_or_of_its_intact_neighbours(
    broken: dict[str, str], hu: float | None, density: float | None
) -> None:
    told = facts(scan(broken)).values
    assert (told.get("l1_hu"), told.get("vbmd")) == (hu, density)


@pytest.mark.parametrize(
    ("read", "hu"),
    [
        ({"fracture": True}, 85),
        ({"oedema": True}, 85),
        ({"uptake": True}, 85),
        ({"augmented": True}, 85),
        ({"oedema": False}, 95),
        ({}, 95),
    ],
)
def test_what_a_person_calls_broken_or_cemented_is_left_out(read: dict[str, bool], hu: float) -> None:
    assert facts(scan({}), levels={"L1": read}).values["l1_hu"] == hu


def test_a_person_may_call_a_level_intact_that_the_scan_calls_broken() -> None:
    assert facts(scan({"L1": "yes"}), levels={"L1": {"fracture": False}}).values["l1_hu"] == 95
    done = [{"kind": "kyphoplasty", "levels": ["L1"]}]
    assert facts(scan({}), levels={"L1": {"fracture": False}}, procedures=done).values["l1_hu"] == 85


def test_hu_are_scaled_to_120_kvp_and_left_out_where_the_scale_is_not_known() -> None:
    scaled = facts(scan({}, 0.927))
    assert scaled.values["l1_hu"] == pytest.approx(95 * 0.927)
    assert scaled.bands["l1_hu"] == pytest.approx((91 * 0.927, 99 * 0.927))
    unknown = facts(scan({}, None))
    assert "l1_hu" not in unknown.values and unknown.values["vbmd"] == 70


def test_unstated_contrast_medium_widens_the_band_downwards() -> None:
    told = facts(scan({}, 1.0, "contrast not stated"))
    assert told.values["l1_hu"] == 95 and told.bands["l1_hu"] == (73, 99)


def test_the_band_of_two_levels_is_the_mean_of_theirs() -> None:
    told = facts(scan({"L1": "yes"}))
    assert told.bands["l1_hu"] == (81, 89) and told.bands["vbmd"] == (52.5, 72.5)


def test_hu_near_the_limit_of_the_of_score_are_borderline() -> None:
    given = {"of_class": "OF2", "progression": True, "nrs": 6, "neuro": "none", "can_mobilise": True, "asa": 1,
             "mfi5": 1, "anticoagulant": False, "malignancy": False, "exam_concordant": True, "t_score": 0,
             "infection_spine": False, "infection_site": False, "infection_systemic": False,
             "pregnancy": False}  # fmt: skip
    near = LevelFacts(values={**given, "l1_hu": 92.0}, bands={"l1_hu": (89.0, 95.0)})
    (change,) = decide_level(near).verdict("of_score_modified").borderline
    assert change.field == "l1_hu"
    sure = LevelFacts(values={**given, "l1_hu": 95.0}, bands={"l1_hu": (91.0, 99.0)})
    assert decide_level(sure).verdict("of_score_modified").borderline == ()
