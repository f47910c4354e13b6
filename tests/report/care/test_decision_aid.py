"""The decision aid: plain enough for a reader of 12, two sheets, every figure with source and certainty."""

from __future__ import annotations

import json
import re

import pytest

from endplate.case.care import weigh
from endplate.decision.recovery.trials import trials
from endplate.patient import parse_record
from endplate.report.care.decision_aid import decision_aid, figures
from endplate.report.care.icons import icon_array

BASE = {
    "id": "p",
    "age_yr": 76,
    "sex": "F",
    "recorded_on": "2026-06-14",
    "episode": {"onset_on": "2026-05-10", "mechanism": "fall from standing"},
    "levels": {"L1": {"fracture": True}, "T12": {"fracture": True}},
}


def aid(**fields):
    return decision_aid(weigh(parse_record(json.dumps(BASE | fields))))


def sentences(page):
    """The words for the patient, without pictures and source lines."""
    page = re.sub(r"<(style|svg|title)[^>]*>.*?</\1>", " ", page, flags=re.DOTALL)
    page = re.sub(r'<p class="citation">.*?</p>', " ", page, flags=re.DOTALL)
    page = re.sub(r"</(p|li|td|th|h\d)>", ". ", page)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("&#39;", "'")
    return [s for s in re.split(r"[.?!:]+\s", text) if re.search(r"[a-z]", s)]


def syllables(word):
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)


def grade(page):
    """Flesch-Kincaid grade (Kincaid 1975): 0.39 words per sentence + 11.8 syllables per word - 15.59."""
    lines = sentences(page)
    words = [word for line in lines for word in re.findall(r"[a-z']+", line.lower())]
    return 0.39 * len(words) / len(lines) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def test_a_reader_of_twelve_can_follow():
    page = aid()
    assert grade(page) <= 6.5, grade(page)
    assert max(len(line.split()) for line in sentences(page)) <= 32


def test_the_formula_tells_hard_words_from_easy_ones():
    hard = "<p>Percutaneous augmentation procedures demonstrate considerable heterogeneity.</p>"
    assert grade(hard) > 12 > grade("<p>The cat sat on the mat. It was warm.</p>")


def test_every_option_is_there_doing_nothing_first():
    page = aid()
    places = [page.index(name) for name in ("No procedure</th>", "(vertebroplasty)</th>", "(kyphoplasty)</th>")]
    assert places == sorted(places)


def test_every_figure_carries_source_and_certainty_and_a_picture_of_a_hundred():
    page = aid()
    rows = figures()["benefit"] + figures()["harm"]
    for row in rows:
        assert row["source"] in page and row["certainty"] in page
    arms = ("without", "with_cement", "vertebroplasty", "kyphoplasty", "cement")
    counts = [row[key] for row in rows for key in arms if key in row]
    assert page.count("<svg") == len(counts)
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert all(picture.count("<g>") == 100 for picture in pictures)
    assert sorted(int(re.search(r"(\d+) of 100", picture)[1]) for picture in pictures) == sorted(counts)


def test_the_picture_fills_as_many_people_as_it_says():
    for count in (0, 1, 44, 100):
        assert icon_array(count, "x", "i").count('class="person"') == 2 * count


def test_the_figures_are_those_of_the_trials():
    told = " ".join(result.text for trial in trials() for result in trial.results)
    first = figures()["benefit"][0]
    assert f"in {first['with_cement']} against {first['without']} %" in told
    blinded = [trial for trial in trials() if trial.design == "blinded"]
    people = sum(int(number) for trial in blinded for number in re.findall(r" (\d+)", trial.arms))
    said = figures()["no_difference"]
    assert f"{people} people" in said["text"] and said["people"] == people
    assert sorted(said["trials"]) == sorted(trial.name for trial in blinded)
    assert said["text"].startswith({5: "Five", 6: "Six", 7: "Seven"}[len(blinded)])
    assert all(name in said["source"] for name in said["trials"])
    assert "no significant" in told and "no clear difference" in figures()["no_difference"]["text"]


def test_no_arm_is_drawn_that_nobody_counted_and_trials_that_disagree_are_named():
    told = {trial.name: " ".join(result.text for result in trial.results) for trial in trials()}
    lungs, again = figures()["harm"][1:3]
    assert "cement" in lungs and "vertebroplasty" not in lungs and "does not tell" in lungs["source"]
    assert "without" in again and not {"cement", "vertebroplasty", "kyphoplasty"} & again.keys()
    for trial, found in (
        ("Blasco 2012", "29 against 8"),
        ("Farrokhi 2011", "2.2 against 13.3"),
        ("FREE 2009-13", "56 against 45"),
    ):
        assert found in told[trial] and found in again["source"] and trial.split(" 2009-")[0] in again["source"]
    assert "no picture" in figures()["balloon"]["text"] and "1.49 lower over 24 months" in told["FREE 2009-13"]
    assert "18.2 to 18.0" in told["CAFE 2011"] and "18.2 to 18.0" in figures()["tumour"]["source"]


TUMOUR = {"L1": {"fracture": True, "lesion": "lytic", "lesion_destructive": True}}


def test_a_patient_with_a_tumour_gets_no_text_or_figure_of_weak_bones():
    page = aid(levels=TUMOUR, cancer={"known": True})
    for words in ("heal by themselves", "VAPOUR", "Lindsay", "Most people get better", "makes bones strong", "<svg"):
        assert words in aid() and words not in page
    assert "CAFE 2011" in page and "The tumour needs its own care" in page
    assert grade(page) <= 6.5, grade(page)


def test_where_a_tumour_is_not_ruled_out_the_figures_stand_with_a_warning():
    page = aid(cancer={"known": True})
    assert "a tumour (cancer) in the bone is not ruled out" in page and "VAPOUR" in page
    assert "not ruled out" not in aid(cancer={"known": False})


def test_only_a_bone_known_to_be_broken_is_called_collapsed():
    both = aid(levels={"L1": {"fracture": True}, "T12": {"oedema": True, "concordant": True}})
    assert "has partly collapsed: L1, in the lower back." in both
    one = aid(levels={"L1": {"oedema": True}})
    assert "has partly collapsed" not in one


@pytest.mark.parametrize("word", ["guarantee", "cure", "will be pain-free", "safe procedure", "best choice"])
def test_nothing_is_promised(word):
    assert word not in aid().lower()


def test_it_names_the_bones_and_the_cause_of_this_patient():
    page = aid()
    assert "T12 and L1, in the chest part of the back and the lower back" in page
    assert "osteoporosis" in aid(bone={"tests": [{"site": "spine", "t_score": -3.2}]})
    assert "may have partly collapsed" in aid(levels={})


def test_an_emergency_and_a_contraindication_are_told_first():
    assert "need a doctor today" not in aid() and 'cautions call"' not in aid()
    assert "need a doctor today" in aid(neurology={"state": "deficit", "saddle_anaesthesia": True})
    possible = aid(neurology={"state": "deficit", "new_deficit": True})
    assert "may need a doctor today. Please call now" in possible and grade(possible) <= 6.5
    alone = aid(levels={"L1": {"fracture": True, "of_class": 5}})
    assert "Call your doctor today" in alone and "Cement alone is not for you now" in alone
    assert alone.index("Call your doctor today") < alone.index("What can you choose?")
    assert "reason against cement" in aid(infection={"spine": True, "systemic": True})
    assert "reason against cement" not in aid()


def test_fall_risk_drugs_of_this_patient_are_named_and_escaped():
    page = aid(drugs={"names": ["Zolpidem <b>10</b>"]})
    assert "Zolpidem &lt;b&gt;10&lt;/b&gt;" in page and "Do not stop them alone" in page


def test_who_made_it_when_and_that_it_is_no_medical_device():
    page = aid()
    for words in (
        "not a medical device",
        "last checked",
        "took part in this sheet",
        "Not yet tested with patients",
        "not a forecast",
    ):
        assert words in page
