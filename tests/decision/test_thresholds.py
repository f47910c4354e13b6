"""Every threshold at, just below and just above: as read from the files, and by hand where a verdict hangs on it."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from tests.support.vignette import facts_of, vignettes

from endplate.decision.explanation.rule_listing import every_book
from endplate.decision.logic.kleene import Compare, walk
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import outcomes

COMPARISON = re.compile(r"\b(\w+) (<=|>=|<|>) (\w+)")
ANSWERS = {"<": (True, False, False), "<=": (True, True, False), ">": (False, False, True), ">=": (False, True, True)}
STEP = 1e-6


def written() -> set[tuple[str, str, float]]:
    """Comparisons as the files write them: fact, sign, number."""
    found = set()
    for folder in ("rules/guidelines", "rules/knowledge", "prevention/rules"):
        for file in files("endplate.decision").joinpath(*folder.split("/")).iterdir():
            if file.name.endswith(".toml"):
                found |= _comparisons(file.read_text(encoding="utf-8"))
    return found


def _comparisons(text: str) -> set[tuple[str, str, float]]:
    shared = files("endplate.decision.rules").joinpath("knowledge", "definitions.toml").read_text(encoding="utf-8")
    tables = (tomllib.loads(text), tomllib.loads(shared))
    thresholds = (
        {name: entry["value"] for table in tables[::-1] for name, entry in table["threshold"].items()}
        if ("threshold" in tables[0])
        else {name: entry["value"] for name, entry in tables[1]["threshold"].items()}
    )
    scores = {name for table in tables for name in table.get("score", {})}
    matches = [found for line in text.splitlines() if "when" in line or "of = [" in line
               for found in COMPARISON.findall(line)]  # fmt: skip
    return {(name, sign, float(thresholds[limit])) for name, sign, limit in matches if name not in scores}


def read() -> dict[tuple[str, str, float], Compare]:
    found = {}
    for book in every_book():
        nodes = [*book.criteria.values(), *(flag.when for flag in book.flags)]
        nodes += [node for ruleset in book.rulesets for node in (*ruleset.nodes(), *ruleset.scored_nodes())]
        nodes += [node for grading in book.gradings for node in grading.ladder.nodes]
        for part in (part for node in nodes for part in walk(node)):
            if isinstance(part, Compare):
                found[(part.field, part.sign, float(part.limit.value))] = part
    return found


def test_the_rules_compare_exactly_what_the_files_write() -> None:
    assert set(read()) == written()
    assert len(written()) > 60


@pytest.mark.parametrize("key", sorted(read()), ids=lambda key: f"{key[0]} {key[1]} {key[2]:g}")
def test_every_comparison_below_at_and_above(key: tuple[str, str, float]) -> None:
    name, sign, value = key
    node = read()[key]
    got = tuple(node.truth({name: at}) for at in (value - STEP, value, value + STEP))
    assert got == ANSWERS[sign]


BASES: dict[str, dict[str, Any]] = {
    "outpatient": facts_of(vignettes()[3]),
    "inpatient": facts_of(vignettes()[1]),
    "clear": facts_of(vignettes()[0], nsm_days=60, drug_days=60, exercise_days=60, of_class="OF2",
                      tension_band_fail=False),
    "one_finding": facts_of(vignettes()[4]),
    "tumour": facts_of(vignettes()[12]),
    "chronic": facts_of(vignettes()[6]),
    "walks": facts_of(vignettes()[3], physio_tolerated=True, drug_effects_unacceptable=False, nsm_days=30,
                      haemangioma_aggressive=False, post_wall_fraction=0.0),
    "bedridden": facts_of(vignettes()[3], physio_tolerated=True, drug_effects_unacceptable=False, nsm_days=30,
                          can_mobilise=False, pain_drug_resistant=False, unrelated_radiculopathy=False,
                          septicaemia=False,
                          haemangioma_aggressive=False, post_wall_fraction=0.0),
}  # fmt: skip
"""Facts at which one more number decides."""

BY_HAND = [
    ("outpatient", "lcd_osteoporotic", "nrs", [(4.9, "no"), (5, "yes"), (5.1, "yes")]),
    ("inpatient", "lcd_osteoporotic", "nrs", [(7.9, "no"), (8, "yes"), (8.1, "yes")]),
    ("outpatient", "lcd_osteoporotic", "loss_pct", [(24.9, "no"), (25, "no"), (25.1, "yes")]),
    ("outpatient", "lcd_osteoporotic", "rmdq", [(16, "no"), (17, "no"), (18, "yes")]),
    ("outpatient", "lcd_osteoporotic", "onset_days", [(41, "yes"), (84, "yes"), (84.1, "no")]),
    ("outpatient", "lcd_osteoporotic", "imaging_age_days", [(29, "yes"), (30, "yes"), (31, "conditional")]),
    ("outpatient", "lcd_osteoporotic", "n_levels", [(2, "yes"), (3, "yes"), (4, "conditional")]),
    ("outpatient", "lcd_osteoporotic", "canal_pct", [(9.9, "yes"), (10, "conditional"), (10.1, "conditional")]),
    ("outpatient", "lcd_osteoporotic", "inr", [(1.5, "yes"), (1.6, "indeterminate"), (1.8, "indeterminate"),
                                               (1.9, "conditional")]),
    ("outpatient", "lcd_osteoporotic", "platelets", [(49, "conditional"), (50, "yes"), (51, "yes")]),
    ("outpatient", "lcd_osteoporotic", "level", [("C7", "no"), ("T1", "yes"), ("L5", "yes"), ("L6", "no")]),
    ("clear", "nice_ta279", "nrs", [(6.9, "no"), (7, "yes"), (7.1, "yes")]),
    ("clear", "nice_ta279", "onset_days", [(83, "yes"), (84, "yes"), (84.1, "indeterminate")]),
    ("one_finding", "rand_2018", "nrs", [(4.9, "no"), (5, "conditional"), (5.1, "conditional")]),
    ("one_finding", "rand_2018", "age_yr", [(17.9, "no"), (18, "conditional"), (19, "conditional")]),
    ("one_finding", "rand_2018", "loss_pct", [(24.9, "no"), (25, "conditional"), (40, "conditional")]),
    ("outpatient", "rand_2018", "rmdq", [(16, "conditional"), (17, "conditional"), (18, "yes")]),
    ("clear", "payer_a", "nrs", [(6.9, "no"), (7, "yes"), (7.1, "yes")]),
    ("clear", "payer_a", "drug_days", [(27, "no"), (28, "yes"), (29, "yes")]),
    ("clear", "payer_a", "exercise_days", [(27, "no"), (28, "yes"), (29, "yes")]),
    ("clear", "payer_a", "level", [("T4", "no"), ("T5", "yes"), ("L5", "yes")]),
    ("clear", "payer_a", "of_class", [("OF2", "yes"), ("OF3", "no"), ("OF4", "no")]),
    ("clear", "payer_b", "nsm_days", [(41, "no"), (42, "yes"), (43, "yes")]),
    ("walks", "cirse_2017", "nsm_days", [(20, "no"), (21, "yes"), (22, "yes")]),
    ("walks", "cirse_2017", "nrs", [(0, "contraindicated"), (0.1, "yes")]),
    ("walks", "cirse_2017", "n_levels", [(5, "yes"), (6, "conditional")]),
    ("walks", "cirse_2017", "post_wall_fraction", [(0.19, "yes"), (0.2, "yes"), (0.21, "conditional")]),
    ("bedridden", "sir_2014", "drug_days", [(0.9, "no"), (1, "yes"), (1.1, "yes")]),
    ("chronic", "nass_2025", "nrs", [(5.9, "no"), (6, "no"), (6.1, "indeterminate")]),
    ("tumour", "nass_neoplastic", "nrs", [(5.9, "indeterminate"), (6, "indeterminate"), (6.1, "yes")]),
    ("tumour", "nass_neoplastic", "loss_pct", [(79.9, "yes"), (80, "indeterminate")]),
    ("tumour", "nass_neoplastic", "post_wall_fraction", [(0.0, "yes"), (0.01, "indeterminate"),
                                                         (0.2, "indeterminate")]),
    ("outpatient", "ahrq", "onset_days", [(41, "conditional"), (42, "conditional")]),
]  # fmt: skip


@pytest.mark.parametrize(("base", "ruleset", "name", "steps"), BY_HAND, ids=lambda value: str(value)[:20])
def test_verdicts_by_hand(base: str, ruleset: str, name: str, steps: list[tuple[Any, str]]) -> None:
    got = [(value, outcomes(BASES[base] | {name: value})[ruleset].status) for value, _ in steps]
    assert got == steps


SUMS = [
    ("of_modified", "nrs", [(4.9, -1), (5, 1)]),
    ("of_modified", "t_score", [(-3, 0), (-3.1, 1)]),
    ("of_modified", "l1_hu", [(90, 1), (90.1, 0)]),
    ("of_modified", "asa", [(3, 0), (4, -1)]),
    ("of_modified", "mfi5", [(2, 0), (3, -1)]),
    ("of_modified", "neuro", [("none", 0), ("radicular", 2), ("deficit", 2)]),
    ("of_modified", "of_class", [("OF0", 0), ("OF1", 2), ("OF2", 4), ("OF3", 6), ("OF4", 8), ("OF5", 10)]),
    ("of_original", "nrs", [(3.9, -1), (4, 1)]),
    ("of_original", "t_score", [(-3, 0), (-3.1, 1)]),
    ("of_original", "bmi", [(19.9, -1), (20, 0)]),
    ("of_original", "asa", [(3, 0), (4, -1)]),
    ("w", "loss_pct", [(24.9, 0), (25, 1), (40, 1), (40.1, 2)]),
    ("w", "rmdq", [(17, 0), (18, 2)]),
    ("w", "kyphotic_deformity", [(False, 0), (True, 1)]),
    ("w", "progression", [(False, 0), (True, 2)]),
    ("sins", "loss_pct", [(19.9, 0), (20, 2), (50, 2), (50.1, 3)]),
    ("sins", "level", [("C2", 3), ("C3", 2), ("C7", 3), ("T2", 3), ("T3", 1), ("T10", 1), ("T11", 3), ("L1", 3),
                       ("L2", 2), ("L4", 2), ("L5", 3), ("S1", 3)]),
    ("sins", "pain_type", [("mechanical", 3), ("occasional", 1), ("none", 0)]),
    ("sins", "lesion", [("lytic", 2), ("mixed", 1), ("blastic", 0)]),
    ("sins", "alignment", [("subluxation", 4), ("new_deformity", 2), ("normal", 0)]),
    ("sins", "posterior_elements", [("bilateral", 3), ("unilateral", 1), ("none", 0)]),
]  # fmt: skip


@pytest.mark.parametrize(("score", "name", "steps"), SUMS, ids=lambda value: str(value)[:20])
def test_points_by_hand(score: str, name: str, steps: list[tuple[Any, float]]) -> None:
    found = {one.name: one for ruleset in rulebook().rulesets for one in ruleset.scores}[score]
    health = dict.fromkeys(("dementia", "care_dependent", "anticoagulant"), False) | {"mfi5": 0, "asa": 1, "bmi": 25}
    others = {"l1_hu": {"t_score": 0}, "t_score": {"l1_hu": 200}, "loss_pct": {"lesion_over_half": False}}
    for value, points in steps:
        facts = {**health, **others.get(name, {}), name: value}
        item = next(one for one in found.items if any(name in str(n) or name in _fields(n) for n in one.nodes))
        assert item.bounds(facts) == (points, points), value


def _fields(node: Any) -> set[str]:
    return {part.field for part in walk(node)}


def test_more_than_half_of_a_body_that_has_not_collapsed_gives_a_point() -> None:
    sins = {one.name: one for ruleset in rulebook().rulesets for one in ruleset.scores}["sins"]
    collapse = next(item for item in sins.items if item.name == "collapse")
    assert collapse.bounds({"loss_pct": 10, "lesion_over_half": True}) == (1, 1)
    assert collapse.bounds({"loss_pct": 30, "lesion_over_half": True}) == (2, 2)


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({"of_class": "OF2", "progression": True, "nrs": 5, "t_score": 0, "can_mobilise": True}, "conservative"),
        ({"of_class": "OF2", "progression": True, "nrs": 5, "t_score": -4, "can_mobilise": True}, "either"),
        ({"of_class": "OF2", "progression": True, "nrs": 5, "t_score": -4, "can_mobilise": False}, "surgery"),
    ],
)
def test_the_bounds_of_the_of_score(facts: dict[str, Any], answer: str) -> None:
    base = facts_of(vignettes()[3])
    assert outcomes(base | facts | {"mfi5": 1, "asa": 3})["of_score_modified"].answer == answer


@pytest.mark.parametrize(
    ("facts", "of_class"),
    [
        ({"tension_band_fail": True}, "OF5"),
        ({"tension_band_fail": False, "endplates_involved": 2}, "OF4"),
        ({"tension_band_fail": False, "endplates_involved": 1, "post_wall_fraction": 0.21}, "OF3"),
        ({"tension_band_fail": False, "endplates_involved": 1, "post_wall_fraction": 0.2}, "OF2"),
        ({"tension_band_fail": False, "endplates_involved": 0, "mri_oedema": True}, "OF1"),
        ({"tension_band_fail": False, "endplates_involved": 0, "mri_oedema": False}, "OF0"),
        ({"tension_band_fail": False, "endplates_involved": 0}, None),
        ({"endplates_involved": 2}, None),
    ],
)
def test_the_of_class_follows_and_never_from_ct_alone(facts: dict[str, Any], of_class: str | None) -> None:
    assert derive(facts).get("of_class") == of_class


@pytest.mark.parametrize(
    ("facts", "name", "value"),
    [
        ({"sex": "male", "age_yr": 30}, "pregnancy", False),
        ({"sex": "female", "age_yr": 60}, "pregnancy", False),
        ({"sex": "female", "age_yr": 59.9}, "pregnancy", None),
        ({"infection_systemic": False}, "septicaemia", False),
        ({"infection_systemic": True}, "septicaemia", None),
        ({"analgesic_step2_tried": True, "mobilisation_offered": True}, "nsm_optimised", True),
        ({"analgesics_contraindicated": True, "mobilisation_offered": True}, "nsm_optimised", True),
        ({"analgesic_step2_tried": True, "mobilisation_offered": False}, "nsm_optimised", False),
        ({"analgesic_step2_tried": True}, "nsm_optimised", None),
        ({"further_loss_pct": 20}, "progression", True),
        ({"further_loss_pct": 19.9}, "progression", None),
        ({"exam_concordant": False}, "pain_from_fracture", False),
        ({"inr": 1.5, "platelets": 50}, "bleeding_disorder", False),
        ({"inr": 1.6, "platelets": 50}, "bleeding_disorder", None),
        ({"canal_pct": 10}, "retropulsion", True),
        ({"canal_pct": 9}, "retropulsion", False),
        ({"canal_pct": 30, "neuro": "radicular"}, "impingement", True),
        ({"canal_pct": 30, "neuro": "none"}, "impingement", False),
        ({"neuro": "none"}, "unrelated_radiculopathy", False),
        ({"crp_mg_l": 10, "esr_mm_h": 30}, "inflammation_raised", False),
        ({"crp_mg_l": 10.1}, "inflammation_raised", True),
        ({"esr_mm_h": 30.1}, "inflammation_raised", True),
        ({"lesion": "lytic"}, "lesion_destructive", True),
        ({"lesion": "blastic", "pedicle_destroyed": False}, "lesion_destructive", False),
        ({"mri_oedema": False}, "bone_scan_pos", False),
        ({"mri_oedema": False}, "ct_accepted", False),
        ({"mri_oedema": True}, "ct_accepted", False),
        ({}, "ct_accepted", None),
        ({"mri_oedema": True}, "bone_scan_pos", None),
        ({"mri_oedema": False, "bone_scan_pos": True}, "bone_scan_pos", True),
        ({"sex": "female", "age_yr": 80, "pregnancy": True}, "pregnancy", True),
    ],
)
def test_facts_that_follow_from_others(facts: dict[str, Any], name: str, value: Any) -> None:
    assert derive(facts).get(name) == value
