"""What the plan says in words: the next step, dates, figures, supplements, laboratory, each with its source."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace

import pytest

from endplate.decision.prevention.facts import prevention_facts
from endplate.decision.prevention.fall_drugs import fall_drugs, source
from endplate.decision.prevention.laboratory import laboratory_list
from endplate.decision.prevention.next_step import Situation
from endplate.decision.prevention.plan import EXERCISE, density_stands, next_step, prevent, rulesets
from endplate.decision.prevention.risk_figures import dates, imminent_risk
from endplate.finding import Finding
from endplate.level import Level
from endplate.patient import parse_record

BASE = {"age_yr": 76, "sex": "F", "recorded_on": "2026-06-01"}
CALCIUM = "calcium 1200 mg a day, food included"
GRACE = "IOF/FFN/NOF key figures 2020: "


def record(**fields):
    return parse_record(json.dumps(BASE | fields))


def verdict(title, status, missing=(), ruleset="", **more):
    whole = {"applies": True, "answer": f"answer of {title}", "reasons": ()} | more
    return SimpleNamespace(title=title, status=status, missing=missing, ruleset=ruleset, **whole)


YES, NO = verdict("A", "yes"), verdict("B", "no")
OPEN, SILENT = verdict("C", "indeterminate", ("age_yr",)), verdict("D", "indeterminate")
WHY = (SimpleNamespace(role="relative", truth=True, words="too fresh"),
       SimpleNamespace(role="relative", truth=None, words="unknown"))  # fmt: skip
FREE, HELD = verdict("Free", "yes"), verdict("Held", "conditional", reasons=WHY)
WARNED = verdict("Warned", "conditional")
FIRST, LAST = verdict("F", "yes", ruleset="f"), verdict("G", "no", ruleset="g", answer="bisphosphonate first")
AWAY = verdict("H", "no", applies=False, ruleset="h")
UNSURE, BARRED = verdict("Unsure", "indeterminate"), verdict("Barred", "contraindicated")
BUILDS, NEW = verdict("Builds", "indeterminate", ruleset="anabolic"), verdict("New", "yes", ruleset="romosozumab")
BARRED_BUILDS = verdict("Builds", "contraindicated", ruleset="anabolic")
FIT, LACK = "no recorded contraindication (suitability for age not assessed)", "open, complete the record"


@pytest.mark.parametrize(
    ("treat", "high", "drugs", "words"),
    [
        ([], [], [], "no guideline asks for a drug"),
        ([NO, SILENT], [YES], [FREE], "no guideline asks for a drug"),
        ([NO, OPEN], [YES], [FREE], "complete the record first: no guideline can answer yet"),
        ([YES, OPEN], [], [], "guidelines that would treat: A"),
        ([YES, NO, verdict("E", "yes")], [NO, OPEN], [], "guidelines that would treat: A, E"),
        (
            [YES],
            [],
            [FREE, HELD, WARNED, NO],
            f"guidelines that would treat: A; {FIT}: Free; with a caution: Held (too fresh), Warned (answer of Warned)",
        ),
        ([YES], [], [UNSURE, BARRED], f"guidelines that would treat: A; {LACK}: Unsure; blocked: Barred"),
        (
            [YES],
            [YES, NO, verdict("E", "yes")],
            [BUILDS, NEW, FREE],
            "guidelines that would treat: A; very high risk (A, E): a specialist chooses the first drug: no guideline "
            f"here names an anabolic one first for this patient; {FIT}: New, Free; {LACK}: Builds",
        ),
        (
            [YES],
            [YES],
            [BARRED_BUILDS, FREE, BARRED],
            "guidelines that would treat: A; very high risk (A): a specialist chooses the first drug: no guideline "
            f"here names an anabolic one first for this patient; {FIT}: Free; blocked: Builds, Barred",
        ),
    ],
)
def test_the_next_step_names_guidelines_and_drugs_by_what_they_say(treat, high, drugs, words):
    assert next_step(iter(treat), iter(high), iter(drugs)) == words


TREATS = "guidelines that would treat: A; "
HIGH = f"{TREATS}very high risk (A): "
BY_F = "consider an anabolic drug first (Builds; by F), by a specialist"


@pytest.mark.parametrize(
    ("drugs", "first", "words"),
    [
        ([BUILDS], [FIRST, AWAY], f"{HIGH}{BY_F}; {LACK}: Builds"),
        ([BARRED_BUILDS], [FIRST], f"{HIGH}the anabolic drugs are blocked, ask a specialist; blocked: Builds"),
        ([BUILDS], [LAST, AWAY], f"{HIGH}G: bisphosphonate first; {LACK}: Builds"),
        ([BUILDS], [OPEN, verdict("I", "no", ("sex",)), AWAY, NO], f"{HIGH}B: answer of B; {LACK}: Builds"),
        (
            [BUILDS],
            [OPEN, verdict("I", "no", ("sex",)), AWAY],
            f"{HIGH}which drug first is open, complete the record for C, I; {LACK}: Builds",
        ),
        (
            [verdict("Builds", "no", ruleset="anabolic", applies=False), verdict("On the NHS", "yes", ruleset="ta791")],
            [FIRST],
            f"{HIGH}the anabolic drugs are blocked, ask a specialist",
        ),
    ],
)  # fmt: skip
def test_an_anabolic_drug_comes_first_only_where_a_guideline_says_so(drugs, first, words):
    assert next_step([YES], [YES], drugs, first) == words


def test_guidelines_that_differ_are_named_on_both_sides():
    differ = [SimpleNamespace(yes=("f",), no=("g", "x"))]
    assert next_step([YES], [YES], [BUILDS], [FIRST, LAST], differ) == (
        f"{HIGH}{BY_F}; the guidelines differ on the first drug (anabolic: F; bisphosphonate: G, x); {LACK}: Builds"
    )


STOPPED = (
    "denosumab was stopped: a potent antiresorptive first (zoledronate, or denosumab again), no anabolic drug alone"
)


@pytest.mark.parametrize(
    ("situation", "words"),
    [
        (Situation(denosumab_stopped=True), STOPPED),
        (
            Situation(denosumab_stopped=True, fractured=True),
            f"{STOPPED}; fractures of the rebound: augmentation is strongly discouraged",
        ),
        (
            Situation(advanced_kidney=True, fractured=True),
            "advanced kidney disease: a specialist in kidney and bone disease chooses the drug, after the bone disease "
            "of the kidney itself is excluded (denosumab: FDA boxed warning, severe hypocalcaemia)",
        ),
        (
            Situation(tumour_in_bone=True),
            "tumour in bone: the oncologist chooses the drug, since zoledronate and denosumab are given in other doses "
            "against it",
        ),
    ],
)
def test_what_outranks_the_guidelines_stands_in_their_place(situation, words):
    differ = [SimpleNamespace(yes=("f",), no=("g",))]
    assert next_step([YES], [YES], [BUILDS], [FIRST, LAST], differ, situation) == f"{TREATS}{words}; {LACK}: Builds"
    assert not Situation(fractured=True).decides


def test_a_patient_of_whom_no_guideline_speaks_goes_to_a_specialist():
    outside = "no guideline here speaks of this patient: a specialist in bone disease decides, and looks for a cause"
    assert next_step([AWAY, AWAY], [AWAY], [FREE]) == outside
    assert next_step([AWAY, AWAY, OPEN], [AWAY], [FREE]) == f"{outside}; still open: C"
    assert next_step([AWAY, OPEN], [AWAY], [FREE]) == "complete the record first: no guideline can answer yet"
    assert next_step([AWAY, AWAY, NO], [AWAY], [FREE]) == "no guideline asks for a drug"


def test_the_plan_holds_one_verdict_per_rule_set_and_the_facts_it_asked_for():
    found = [Finding(code="fracture", value="yes", unit="", level=Level.L1, method="m", source="s")]
    plan = prevent(record(episode={"mechanism": "fall from standing", "onset_on": "2026-05-10"}), iter(found))
    for verdicts, question in (
        (plan.treat, "bone treatment"),
        (plan.very_high_risk, "very high risk"),
        (plan.drugs, "drug"),
        (plan.first_drug, "anabolic first"),
        ((plan.falls,), "falls"),
    ):
        assert [one.ruleset for one in verdicts] == [rules.id for rules in rulesets(question)]
        assert verdicts and all(one.question == question for one in verdicts)
    assert plan.needed is plan.facts["fragility_fracture"] is True
    assert plan.facts == prevention_facts(
        record(episode={"mechanism": "fall from standing", "onset_on": "2026-05-10"}), found
    )
    assert plan.dates[0].on == date(2026, 8, 2)
    assert plan.exercise == EXERCISE and plan.next_step.startswith("guidelines that would treat: ")


STEPS = (
    ("density test (DXA) and risk assessment", 84, GRACE + "density tested within 12 weeks"),
    ("osteoporosis drug and exercise started", 112, GRACE + "drug started within 16 weeks"),
    ("first review", 112, GRACE + "monitored within 16 weeks"),
    ("still on the drug?", 364, GRACE + "on the drug at 52 weeks"),
    ("next density test", 730, "Density is usually repeated after 1-2 years; the later end taken"),
)


@pytest.mark.parametrize("known", [False, True])
def test_every_step_has_its_day_and_its_source(known):
    broken = date(2026, 1, 1)
    steps = STEPS[1:] if known else STEPS
    assert [(one.what, (one.on - broken).days, one.source) for one in dates(broken, known)] == list(steps)
    assert [(one.what, one.on) for one in dates(None, known, date(2030, 1, 1))] == [(what, None) for what, *_ in steps]


def test_only_days_before_today_are_overdue():
    told = [one.what.startswith("overdue: ") for one in dates(date(2026, 1, 1), False, date(2026, 4, 24))]
    assert told == [True, True, True, False, False]
    assert dates(date(2026, 1, 1), False, date(2026, 3, 26))[0].what == "density test (DXA) and risk assessment"
    assert (
        dates(date(2026, 1, 1), False, date(2026, 3, 27))[0].what == "overdue: density test (DXA) and risk assessment"
    )


def test_figures_say_what_was_found_and_where():
    told = [(figure.text, figure.source) for figure in imminent_risk("female", 65)]
    lindsay = "Lindsay 2001: women with a new vertebral fracture, next one within a year 19.2 % (13.6-24.8)"
    assert told == [
        ("of 100 women with a new vertebral fracture, 19 broke another vertebra within a year (14 to 25)", lindsay),
        (
            "an earlier vertebral fracture raises the risk 5.1 times",
            "Lindsay 2001: relative risk with a prevalent vertebral fracture",
        ),
        (
            "after a first major fracture the risk of a second is 2.7 times that of the population at 1 year, "
            "1.4 times at 10 years",
            "Johansson 2017: risk of a second major fracture after a first, against the population",
        ),
        (
            "of new vertebral fractures after a cement repair, 57 of 100 came within a year; hazard 3.99 times at the "
            "next level, 1.97 times two levels away",
            "Diagn Interv Radiol 2024: new vertebral fractures after a cement repair",
        ),
        (
            "of 100 women of 65 or over with any fracture, broke again: 10 after 1 year, 18 after 2 years, "
            "31 after 5 years",
            "Balasubramanian 2019: women of 65 and over, next fracture after 1, 2, 5 years",
        ),
    ]
    assert imminent_risk("female", 64.9) == imminent_risk("male", 65) == imminent_risk("female", 65)[:4]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, [CALCIUM, "not measured"]),
        ({"drugs": {"calcium_mg_day": 500}}, [f"{CALCIUM}; supplements now 500", "not measured"]),
        ({"drugs": {"calcium_mg_day": 0}}, [f"{CALCIUM}; supplements now 0", "not measured"]),
        ({"laboratory": {"vitamin_d_ng_ml": 20}}, [CALCIUM, "20, below the goal"]),
        ({"age_yr": 40, "laboratory": {"vitamin_d_ng_ml": 30}}, ["30, in the goal"]),
    ],
)  # fmt: skip
def test_supplements_are_told_against_what_is_taken_and_measured(fields, told):
    found = prevent(record(**fields)).supplements
    vitamin = f"vitamin D to a level of 30-50 ng/mL ({told[-1]}); usually 800-1000 IU a day"
    assert [one.text for one in found] == [*told[:-1], vitamin]
    assert [one.source for one in found] == ["BHOF 2022", "BHOF 2022: 25-OH vitamin D 30-50 ng/mL"][-len(told) :]


def test_the_laboratory_list_is_told_whole_with_results_and_days():
    told = {"electrophoresis": {"value": "abnormal", "on": "2026-05-01"}, "egfr_ml_min": 62.5, "cortisol": "normal"}
    items = laboratory_list(record(laboratory=told))
    assert [(item.name, item.field) for item in items] == [
        ("free light chains", "free_light_chains"),
        ("blood count", "haemoglobin_g_l"),
        ("calcium", "calcium_mmol_l"),
        ("phosphate", "phosphate_mmol_l"),
        ("alkaline phosphatase", "alp_u_l"),
        ("creatinine", "creatinine_umol_l"),
        ("albumin", "albumin_g_l"),
        ("liver enzymes", "alt_u_l"),
        ("25-OH vitamin D", "vitamin_d_ng_ml"),
        ("parathyroid hormone", "pth_pmol_l"),
        ("TSH", "tsh_mu_l"),
        ("ESR", "esr_mm_h"),
        ("CRP", "crp_mg_l"),
        ("serum electrophoresis", "electrophoresis"),
        ("eGFR", "egfr_ml_min"),
        ("coeliac antibodies", "coeliac"),
        ("urinary calcium", "urinary_calcium"),
        ("tryptase", "tryptase"),
        ("cortisol", "cortisol"),
    ]
    by_field = {item.field: (item.result, item.on, item.optional) for item in items}
    assert by_field["electrophoresis"] == ("abnormal", date(2026, 5, 1), False)
    assert by_field["egfr_ml_min"] == ("62.5", None, False)
    assert by_field["cortisol"] == ("normal", None, True)
    assert by_field["free_light_chains"] == (None, None, False) and by_field["coeliac"] == (None, None, True)
    men = [item for item in laboratory_list(record(sex="M")) if item.name == "testosterone"]
    assert [(item.field, item.optional) for item in men] == [("testosterone_nmol_l", False)]


FULL = {
    "pregnant": False,
    "bone": {"tests": [{"site": "spine", "t_score": -3}], "frax_major_percent": 21, "frax_hip_percent": 4},
    "history": {
        "postmenopausal": True, "oesophageal_disorder": True, "cannot_sit_upright": False, "paget": True,
        "open_epiphyses": False, "heart_attack_or_stroke_past_year": True, "venous_thrombosis": False, "stroke": True,
    },
    "laboratory": {"egfr_ml_min": 61, "calcium_mmol_l": 2.4},
    "cancer": {"skeletal_radiation": True, "bone_metastasis": False},
    "falls": {
        "past_year": 1, "unsteady": True, "worried": False, "stay_independent": 5, "tug_s": 13, "tandem_s": 8,
        "chair_stands": 7, "systolic_drop_mmhg": 21, "diastolic_drop_mmhg": 11, "orthostatic_symptoms": True,
    },
}  # fmt: skip


def test_every_answer_that_prevention_asks_for_is_read():
    assert prevention_facts(record(**FULL)) == {
        "age_yr": 76, "sex": "female", "pregnancy": False, "postmenopausal": True, "t_score": -3,
        "frax_major_pct": 21, "frax_hip_pct": 4, "egfr": 61, "calcium_mmol_l": 2.4, "oesophageal_disorder": True,
        "cannot_sit_upright": False, "skeletal_radiation": True, "bone_metastasis": False, "paget": True,
        "open_epiphyses": False, "heart_attack_or_stroke_year": True, "venous_thrombosis": False, "stroke": True,
        "fell_past_year": True, "unsteady": True, "worried_about_falling": False, "stay_independent": 5, "tug_s": 13,
        "tandem_s": 8, "chair_stands": 7, "systolic_drop": 21, "diastolic_drop": 11, "orthostatic_symptoms": True,
        "stay_independent_filled": True, "dialysis": False,
    }  # fmt: skip
    assert prevention_facts(record()) == {
        "age_yr": 76, "sex": "female", "postmenopausal": True, "stay_independent_filled": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "bone"),
    [
        ({"cancer": {"myeloma": True, "bone_metastasis": False}}, True),
        ({"levels": {"L1": {"biopsy_malignant": True}}}, True),
        ({"levels": {"L1": {"biopsy_malignant": False}}, "cancer": {"bone_metastasis": True}}, True),
        ({"cancer": {"myeloma": False}}, None),
    ],
)
def test_a_tumour_in_bone_counts_as_a_metastasis(fields, bone):
    assert prevention_facts(record(**fields)).get("bone_metastasis") is bone


@pytest.mark.parametrize(
    ("drugs", "on_treatment"),
    [
        ([], False),
        ([{"drug": "denosumab", "fracture_on_it": True}], True),
        ([{"drug": "denosumab", "fracture_on_it": False}], None),
        ([{"drug": "denosumab"}, {"drug": "zoledronate", "fracture_on_it": True}], True),
        (None, None),
    ],
)
def test_a_fracture_under_treatment_is_told(drugs, on_treatment):
    assert prevention_facts(record(drugs={"bone_drugs": drugs})).get("fracture_on_treatment") is on_treatment


def test_a_density_without_a_day_of_record_must_be_younger_than_the_fracture():
    tests = {"tests": [{"site": "spine", "t_score": -3, "on": "2026-01-01"}]}
    undated = parse_record(json.dumps({"age_yr": 76, "sex": "F", "bone": tests}))
    assert density_stands(undated, None) is False
    assert density_stands(undated, date(2026, 1, 1)) is True
    assert density_stands(undated, date(2026, 1, 2)) is False
    assert density_stands(record(), date(2020, 1, 1)) is False


def test_a_fall_drug_is_told_as_it_was_written_and_by_whole_words():
    told = [
        (one.entry, one.drug, one.drug_class)
        for one in fall_drugs(["Valproic acid 300", "Morphine (MST)", "xtramadol"])
    ]
    assert told == [
        ("Valproic acid 300", "valproic acid", "anticonvulsant"),
        ("Morphine (MST)", "morphine", "opioid"),
    ]
    assert fall_drugs([]) == ()


def test_the_classes_of_fall_drugs_have_a_source():
    assert source().startswith("CDC STEADI fall-risk drug classes")


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("Stilnoct 5 mg", [("zolpidem", "Z-drug")]),
        ("Oxycontin 20 mg bd", [("oxycodone", "opioid")]),
        ("diazepam (stopped)", []),
        ("diazepam paused", [("diazepam", "benzodiazepine")]),
    ],
)
def test_fall_drugs_are_known_by_trade_name_and_gone_when_stopped(entry, found):
    assert [(one.drug, one.drug_class) for one in fall_drugs([entry])] == found
