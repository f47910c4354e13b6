"""The care section: the matrix, reasons a click away, nothing lost, and a report that can take it twice."""

from __future__ import annotations

import json
import re

import pytest
from markupsafe import Markup
from tests.support.synthetic_case import synthetic_case

from endplate.case.care import weigh
from endplate.decision.rules.rulebook import rulebook
from endplate.patient import parse_record
from endplate.report.care.alarm import alarms
from endplate.report.care.caution import KINDS
from endplate.report.care.decision_aid import decision_aid, figures
from endplate.report.care.matrix import matrix
from endplate.report.care.places import marked
from endplate.report.care.section import BEGIN, END, care_page, care_parts, care_section, within
from endplate.report.care.timeline import timeline
from endplate.report.constants import constants
from endplate.report.html import render
from endplate.report.page_view import report_view
from endplate.report.plain_view import plain_view
from endplate.report.shared_pictures import apart, shared
from endplate.web.harmless import is_harmless

ALARM_EMPTY, EMPTY = marked("emergencies", ""), marked("care", "")
BASE = {
    "id": "p",
    "age_yr": 76,
    "sex": "F",
    "recorded_on": "2026-06-14",
    "episode": {"onset_on": "2026-05-10", "mechanism": "fall from standing"},
    "pain": {"under_analgesia": 8},
    "levels": {"L1": {"fracture": True, "oedema": True}, "T12": {"fracture": True}},
    "care": {"treatments": [{"measure": "brace", "started_on": "2026-05-12"}]},
}


def care(**fields):
    return weigh(parse_record(json.dumps(BASE | fields)))


def test_every_rule_set_answers_for_every_level_in_one_matrix():
    blocks = matrix(care().decision)
    rows = [row for block in blocks for row in block.rows]
    assert len(rows) == len(rulebook().rulesets)
    assert all([verdict.level for verdict in row.verdicts] == ["T12", "L1"] for row in rows)


def test_reasons_and_what_is_missing_stand_behind_each_cell():
    page = care_page(care())
    assert page.count('<details class="verdict') >= len(rulebook().rulesets)
    assert "answers that would decide it" in page and "(reference" not in page
    assert (
        "nice_ta279: National Institute for Health and Care Excellence" in page
        and "CIRSE 2017; approximation</summary>" in page
    )
    assert "blinded" in page and page.index("VERTOS IV") < page.index("FREE 2009")


def test_the_page_closes_what_it_opens_and_holds_no_markup_of_the_record():
    page = care_page(care(id="<script>alert(1)</script>"))
    for tag in ("details", "table", "ul", "section", "figure"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>")
    assert "<script" not in page


NEW_DEFICIT = {"state": "deficit", "new_deficit": True}


def alarm_of(page):
    return page[page.index("<!-- emergencies: begin") : page.index("<!-- emergencies: end")]


def test_an_emergency_stands_above_all_and_once_for_all_levels():
    page = care_page(care(neurology={"state": "deficit", "saddle_anaesthesia": True, "progressive_weakness": True}))
    assert 'role="alert"' in page and page.index("<h3>Emergency</h3>") < page.index("Is a repair indicated")
    assert alarm_of(page).count("Saddle anaesthesia, retention") == 1 and "T12, L1: Saddle" in alarm_of(page)


def test_a_possible_emergency_is_told_as_loud_with_what_to_ask():
    told = alarm_of(care_page(care(neurology=NEW_DEFICIT)))
    assert "<h3>Possible emergency</h3>" in told and "<details" not in told
    assert "Ask now for: Canal compromise; Posterior wall retropulsed." in told
    assert "Until it is excluded: Emergency surgical referral, same day" in told
    assert "Possible emergency" not in alarm_of(
        care_page(care(neurology=NEW_DEFICIT | {"state": "none", "new_deficit": False}))
    )


def test_emergencies_that_nobody_asked_about_are_open_to_see_and_no_alert():
    told = alarm_of(care_page(care()))
    assert "because nobody has asked" in told and "Ask for: Myelopathy" in told
    assert "alert" not in told and "<details" not in told


def test_alarms_run_from_certain_to_not_asked():
    both = care(neurology=NEW_DEFICIT | {"saddle_anaesthesia": True})
    assert [(alarm.certainty, alarm.id) for alarm in alarms(both.decision)] == [
        ("certain", "cauda_or_cord"),
        ("possible", "new_deficit_with_canal"),
    ]
    assert [alarm.certainty for alarm in alarms(care().decision)] == ["not asked", "not asked"]


def test_without_a_fractured_level_it_says_so_and_still_plans_prevention():
    page = care_page(care(levels={}))
    assert "no rule set can be asked" in page and "Preventing the next fracture" in page


def test_a_section_can_be_put_into_a_report_and_replaced():
    report = f"<main>{BEGIN}{END}<p>rest</p></main>"
    once = within(report, care())
    assert "Is a repair indicated" in once and once.endswith("<p>rest</p></main>")
    assert within(once, care(levels={})).count("Is a repair indicated") == 1
    assert "no rule set can be asked" in within(once, care(levels={}))
    with pytest.raises(ValueError, match="no place"):
        within("<p>nothing</p>", care())


def test_emergencies_go_to_the_top_of_a_report_and_leave_it_again():
    report = f"<main><h2>In short</h2>{ALARM_EMPTY}<p>rehearsals</p>{EMPTY}</main>"
    once = within(report, care(neurology=NEW_DEFICIT))
    assert once.index("Possible emergency") < once.index("rehearsals") < once.index("Is a repair indicated")
    again = within(once, care(levels={}))
    assert "Possible emergency" not in again and again.count("emergencies: begin") == 1


def test_a_report_without_a_place_for_emergencies_takes_them_into_the_section():
    once = within(f"<main>{BEGIN}{END}</main>", care(neurology=NEW_DEFICIT))
    assert once.index("Possible emergency") < once.index("Is a repair indicated")
    assert within(once, care(neurology=NEW_DEFICIT)) == once


def test_a_list_of_drugs_is_searched_by_generic_and_trade_names_and_the_page_says_so():
    lists = (["paracetamol"], ["Furosemide"], ["Lasix"], None)
    none, some, trade, unknown = (care_page(care(drugs={"names": names})) for names in lists)
    assert "none of the known names is in the list" in none and "generic and common trade names" in none
    assert "Furosemide (diuretic): review" in some and "Lasix (diuretic): review" in trade
    assert "generic and common trade names" not in unknown


def test_the_page_shows_cautions_the_first_drug_and_the_exercise_programme():
    page = care_page(care(drugs={"names": ["Eliquis 5 mg", "quxifoo"]}))
    assert "Anticoagulant on the list: Eliquis 5 mg" in page and "Not understood: quxifoo" in page
    assert "Which drug first" in page and "Exercise programme" in page and "hip hinge" in page


def test_the_timeline_runs_from_the_onset_in_order():
    events = [(event.day, event.text) for event in timeline(care().record)]
    assert events == [(0, "onset of the pain"), (2, "brace: started"), (35, "this record")]


def test_bands_start_from_the_patients_own_score():
    assert str(care_section(care())).count('class="course"') == 3
    assert "no band can be drawn" in str(care_section(care(pain={})))


def test_cautions_stand_above_the_verdicts_with_what_raised_them():
    page = care_page(care(infection={"fever": True}, drugs={"anticoagulant": True}, fitness={"ankylosed_spine": True}))
    first = page.index("Rule set")
    for words in (
        "Possible infection",
        "Here: Fever: yes",
        "On an anticoagulant",
        "ankylosed spine",
        "Choice of technique",
    ):
        assert page.index(words) < first, words
    assert page.index("Red flag, T12, L1: Possible infection") < page.index("Caution, T12, L1: On an anticoagulant")


def test_what_to_ask_next_the_conservative_plan_and_other_techniques_stand_in_the_section():
    page = care_page(care())
    for words in (
        "Ask next",
        "Who can give it",
        "Conservative plan",
        "Who calls it failed",
        "SpineJack",
        "Sacroplasty",
    ):
        assert words in page
    assert "does not treat fractures" in page


def test_every_red_flag_and_caution_has_plain_words_for_the_patient():
    kinds = {flag.id: flag.kind for flag in rulebook().flags}
    plain = figures()["caution"]
    assert {name for name, kind in kinds.items() if kind in KINDS} == set(plain)
    page = decision_aid(care(infection={"fever": True}, fitness={"ankylosed_spine": True}))
    assert page.index("Before anything else") < page.index("What can you choose?")
    assert plain["infection"] in page and plain["no_cement_alone"] in page


LEVELS = ("L1", "L2", "L3")
REHEARSAL_BYTES = 142_000
"""Drawings and tables of one rehearsed level: measured on a real scan, 2 mm voxels, both procedures."""


def _drawn(level):
    """A rehearsal as the page takes it, its drawings a stand-in of their usual size."""
    drawing = Markup('<svg><image href="data:image/webp;base64,{}"/></svg>').format(level * (REHEARSAL_BYTES // 2))
    none = ("balloon", "courses", "tables", "moved", "openings", "stops", "can", "plausible", "cannot", "cements")
    return {
        "level": level,
        "sentences": [],
        "zone": "",
        "ways": [{"procedure": "kyphoplasty", "lines": [], "pictures": [drawing], "solid": []}],
        **{name: "" for name in ("silhouette", "steps", "gain", "neighbours", "before")},
        **{name: [] for name in none},
    }


def test_three_rehearsed_levels_with_a_sparse_record_stay_below_a_megabyte():
    sparse = {"id": "p", "age_yr": 70, "sex": "female", "mass_kg": 65, "height_cm": 160}
    levels = {"L1": {"fracture": True, "oedema": True}, "L2": {"fracture": True}, "L3": {"fracture": True}}
    weighed = weigh(parse_record(json.dumps(sparse | {"levels": levels, "pain": {"under_analgesia": 8}})))
    view = report_view(synthetic_case()) | {
        "rehearsals": [_drawn(level) for level in LEVELS],
        "constants": plain_view(constants()),
    }
    page = render(view, care_parts(weighed))
    assert page.count("Rehearsal of a repair") == len(LEVELS)
    assert 3 * REHEARSAL_BYTES < len(page.encode()) < 1_000_000
    assert 'data-label="L2, L3"' in page and "as at L1, and " in page


def test_every_criterion_leads_to_its_facts_and_its_source():
    page = care_page(care())
    named, listed = set(re.findall(r'href="#(why-\d+|publication-\w+)"', page)), re.findall(r' id="([\w-]+)"', page)
    assert len(named) > 100 and named <= set(listed) and len(listed) == len(set(listed))
    assert "names at most 6, each with at most 3 of the other answers" in page
    assert re.search(r"6 of the \d+ answers that would decide it", page)


def test_a_picture_that_is_drawn_twice_stands_once_and_can_be_taken_apart_again():
    image = '<image x="0" y="1" width="2" height="2" href="data:image/webp;base64,AA=="/>'
    page = f"<svg>{image}</svg><svg>{image}<path/></svg>"
    once = shared(page)
    assert once.count("base64") == 1 and '<use href="#shared-1"/>' in once
    assert apart(once).replace(' id="shared-1"', "") == page and shared(once) == once
    assert is_harmless(once)
