"""The views for people: explanation trees, what-if, conflicts, and rows for many records."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import get_args

import pytest
from tests.support.vignette import level_facts, vignettes

from endplate.decision.batch import CHUNK, rows
from endplate.decision.explanation.explain import explain, explain_grading, printed, shown
from endplate.decision.explanation.what_if import what_if, what_if_prevention
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.threshold import Trust
from endplate.decision.prevention.plan import prevention_rulesets
from endplate.decision.rules.rulebook import rulebook
from endplate.decision.verdict.decide import decide, decide_level, urgent
from endplate.decision.verdict.document import as_document
from endplate.errors import OptionError, RecordError

NUMBER_18 = next(v for v in vignettes() if v["number"] == 18)
NUMBER_11 = next(v for v in vignettes() if v["number"] == 11)
OPEN = level_facts(NUMBER_18)


def test_an_explanation_leads_from_the_verdict_to_facts_and_sources() -> None:
    facts = LevelFacts(values=OPEN.values, origin={"loss_pct": "finding height_loss at L1"})
    text = printed(explain("lcd_osteoporotic", facts))
    lines = text.splitlines()
    assert lines[0].startswith("Medicare LCD, osteoporotic fracture at L1: indeterminate (covered or covered where")
    assert lines[1].startswith("  source: Medicare LCDs L33569") and "Local Coverage Determinations" in lines[1]
    at = next(i for i, line in enumerate(lines) if "Height loss: 30 %" in line)
    assert lines[at].strip() == "[yes] Height loss: 30 % (finding height_loss at L1); asked: > 25 %"
    assert "more than 25 %, strict; Medicare LCDs" in lines[at + 1]
    assert lines[at + 1].index("source") == lines[at].index("[yes]") + 2
    assert any(line.strip() == "[?] Roland-Morris disability (RMDQ-24): not known; asked: > 17" for line in lines)
    assert any(line.strip() == "[?] at least 2 of" for line in lines)
    order = [text.index(part) for part in ("Absolute contra", "Relative contra", "Scope;", "Answers, the first")]
    assert order == sorted(order)
    (marks,) = [line for line in lines if line.startswith("[verified] ") or line.startswith("[secondary] ")]
    assert "[weak]" not in marks


@pytest.mark.parametrize("ruleset", rulebook().rulesets, ids=lambda ruleset: ruleset.id)
def test_every_rule_set_explains_itself_with_and_without_facts(ruleset) -> None:
    for facts in (OPEN, LevelFacts(values={})):
        branch = explain(ruleset, facts)
        outcome = ruleset.outcome(facts.values) if not facts.values else None
        assert ruleset.title in branch.text
        assert outcome is None or outcome.status in branch.text
        assert printed(branch) == printed(explain(ruleset.id, facts))


def test_a_score_is_told_item_by_item_with_what_was_assumed() -> None:
    less = LevelFacts(values={k: v for k, v in OPEN.values.items() if k != "progression"})
    text = printed(explain("of_score_modified", less))
    assert "Modified OF score: 5\n" in text
    assert "Deformity progresses: 0 (unknown, counts 0)" in text
    assert "Morphology, twice the OF class: 4\n" in text
    assert "Weight of unfavourable conditions (W): 1 to 3\n" in printed(explain("rand_2018", OPEN))


def test_a_grading_explains_itself() -> None:
    text = printed(explain_grading("osteoporosis", OPEN))
    assert text.splitlines()[0] == "Osteoporosis: definite"
    assert "Lowest T-score: -3.2; asked: <= -2.5" in text


def test_an_unknown_rule_set_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        explain("ghost", OPEN)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("nrs", 7.5, "7.5"), ("loss_pct", 30, "30 %"), ("pregnancy", True, "yes"), ("pregnancy", False, "no"),
     ("nrs", None, "not known"), ("alignment", "new_deformity", "new deformity"), ("inr", 1.0, "1")],
)  # fmt: skip
def test_facts_in_words(name: str, value: object, words: str) -> None:
    assert shown(field_catalogue()[name], value) == words


def test_what_if_names_exactly_the_verdicts_that_move() -> None:
    moves = {move.id: (move.before, move.after) for move in what_if(OPEN, {"rmdq": 18})}
    assert set(moves) == {"lcd_osteoporotic", "rand_2018", "limitation"}
    before, after = moves["lcd_osteoporotic"]
    assert (before.status, after.status) == ("indeterminate", "yes")


def test_what_if_tells_flags_and_gradings_too() -> None:
    moves = {
        move.id: (move.before, move.after) for move in what_if(level_facts(vignettes()[0]), {"infection_spine": True})
    }
    assert moves["infection"] == ("open", "raised")
    assert moves["technique"][1].startswith("neither: nothing for cement to treat")
    assert moves["lcd_osteoporotic"][1].status == "contraindicated"
    cleared = {m.id: m.after for m in what_if(level_facts(NUMBER_11), {"deficit_new": False})}
    assert cleared == {"new_deficit_with_canal": "clear"}


def test_what_if_can_forget_and_changes_nothing_by_itself() -> None:
    full = level_facts(vignettes()[3])
    assert {move.id for move in what_if(full, {"rmdq": None})} == {"lcd_osteoporotic", "rand_2018", "limitation"}
    assert what_if(full, {}) == ()
    assert full.values["rmdq"] == 18


def test_what_if_refuses_questions_and_answers_that_make_no_sense() -> None:
    with pytest.raises(OptionError, match="no rule asks for 'rmqd'; did you mean rmdq"):
        what_if(OPEN, {"rmqd": 18})
    with pytest.raises(OptionError, match=r"no rule asks for 'zzzz'\.$"):
        what_if(OPEN, {"zzzz": 18})
    for name, value, wanted in (
        ("rmdq", 30, "a number from 0 to 24"),
        ("rmdq", True, "a number from 0 to 24"),
        ("trend", "ill", "one of worse, stable, better"),
        ("pregnancy", 1, "true or false"),
    ):
        with pytest.raises(RecordError, match=f"{name} is {value!r}; it should be {wanted}"):
            what_if(OPEN, {name: value})


def test_conflicts_are_named_with_their_sides_and_never_voted() -> None:
    decision = decide_level(level_facts(vignettes()[3]))
    conflicts = {conflict.id: conflict for conflict in decision.conflicts}
    pain = conflicts["pain_cut_off"]
    assert set(pain.yes) == {"rand.pain", "medicare_lcd.outpatient_pain", "of_score.pain_under_analgesia"}
    assert set(pain.no) == {"nice.severe", "payers.a_pain", "nass.pain_above"}
    assert "asbmr_2019" in conflicts["cement_at_all"].no
    assert "lcd_osteoporotic" in conflicts["cement_at_all"].yes
    assert "levels" not in conflicts


def test_a_rule_set_that_does_not_speak_takes_no_side() -> None:
    decision = decide_level(level_facts(vignettes()[12]))
    sides = {name for conflict in decision.conflicts for name in (*conflict.yes, *conflict.no)}
    assert not sides & {"nice_ta279", "asbmr_2019", "lcd_osteoporotic"}


def test_high_thoracic_levels_are_disputed() -> None:
    facts = level_facts(vignettes()[3], level="T3")
    assert "levels" in {conflict.id for conflict in decide_level(facts).conflicts}


def test_emergencies_come_before_everything_and_open_ones_are_kept_apart() -> None:
    decision = decide_level(level_facts(NUMBER_11))
    (emergency,) = decision.emergencies
    assert emergency.action.startswith("Emergency surgical referral, same day")
    assert {flag.id for flag in decision.open_flags} >= {"cauda_or_cord"}
    assert next(f for f in decision.open_flags if f.id == "cauda_or_cord").missing == (
        "progressive_weakness", "saddle_anaesthesia", "urinary_retention",
    )  # fmt: skip


def lines() -> list[str]:
    one = {"id": "a", "age_yr": 76, "sex": "female", "levels": {"L1": {"oedema": True}, "L2": {"oedema": True}}}
    return [json.dumps(one), "", '{"age_yr": 300, "sex": "female"}', json.dumps(one | {"infection": {"spine": True}})]


def test_rows_of_many_records_keep_order_and_name_the_bad_line() -> None:
    first, bad, last = rows(lines())
    assert first["id"] == "a"
    assert list(first["levels"]) == ["L1", "L2"]
    assert first["levels"]["L1"]["lcd_osteoporotic"][0] == "indeterminate"
    assert bad["line"] == 3
    assert "age_yr" in bad["error"]
    assert last["line"] == 4
    assert last["levels"]["L2"]["lcd_osteoporotic"] == ["contraindicated", "contraindicated"]


def test_processes_give_the_same_rows() -> None:
    assert list(rows(lines(), processes=2)) == list(rows(lines()))


def test_a_decision_is_plain_data_that_json_keeps() -> None:
    decision = decide([OPEN])
    document = as_document(decision)
    assert json.loads(json.dumps(document)) == document
    (level,) = document["levels"]
    verdict = next(one for one in level["verdicts"] if one["ruleset"] == "lcd_osteoporotic")
    assert verdict["status"] == "indeterminate"
    assert verdict["missing"] == ["rmdq"]
    (change,) = verdict["would_change"]
    assert change["field"] == "rmdq"
    assert [outcome["status"] for _, outcome in change["outcomes"]][-1] == "yes"
    assert verdict["reasons"][0]["citation"]["trust"] in get_args(Trust)
    assert level["technique"]["id"] == "technique"


def test_a_move_is_told_by_name_with_both_outcomes_in_words() -> None:
    (graded,) = [move for move in what_if(OPEN, {"t_score": None, "mechanism": None}) if move.id == "osteoporosis"]
    assert (graded.id, graded.title, graded.before) == ("osteoporosis", "Osteoporosis", "definite")
    assert graded.after == "definite or probable or possible or absent"
    (flag,) = what_if(level_facts(NUMBER_11), {"deficit_new": False})
    assert (flag.title, flag.before) == ("New neurologic deficit with a compromised canal", "raised")
    (verdict,) = [move for move in what_if(OPEN, {"rmdq": 18}) if move.id == "lcd_osteoporotic"]
    assert verdict.title == "Medicare LCD, osteoporotic fracture"
    others = {one.id for one in rulebook().gradings if one.group != "derived"} | {one.id for one in rulebook().flags}
    derived = {grading.id for grading in rulebook().group("derived")} - others
    every = what_if(LevelFacts(values={}), OPEN.values)
    assert "of_class" in derived and not derived & {move.id for move in every}


def test_what_if_of_prevention_moves_its_own_verdicts_only() -> None:
    moves = what_if_prevention({"age_yr": 76, "sex": "female"}, {"t_score": -3.0})
    assert {move.id for move in moves} <= {rules.id for rules in prevention_rulesets()}
    treat = next(move for move in moves if move.id == "bhof_treat")
    assert (treat.before.status, treat.after.status) == ("indeterminate", "yes")
    with pytest.raises(OptionError, match="no rule asks for 't_scor'; did you mean t_score"):
        what_if_prevention({}, {"t_scor": -3.0})


def test_a_row_names_emergencies_and_its_line_whatever_its_bytes() -> None:
    one = {"id": "a", "age_yr": 76, "sex": "female", "levels": {"L1": {"oedema": True}}}
    cord = one | {"neurology": {"saddle_anaesthesia": True}}
    told = list(rows(["\n", json.dumps(one), json.dumps(cord), '{"id": "\udcff"}', "no json"]))
    assert [row["line"] for row in told] == [2, 3, 4, 5]
    assert told[0]["emergencies"] == {} and told[1]["emergencies"] == {"L1": {"cauda_or_cord": "certain"}}
    assert set(told[0]["levels"]["L1"]) == {rules.id for rules in rulebook().rulesets}
    assert [row["error"].split(";")[0] for row in told[2:]] == [
        "line 4 is not valid JSON or TOML",
        "line 5 is not valid JSON or TOML",
    ]
    assert set(told[2]) == {"line", "id", "error"} and told[2]["id"] == "\ufffd" and told[3]["id"] is None


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ({}, {}),
        ({"pregnancy": True}, {}),
        ({"neuro": "deficit"}, {"new_deficit_with_canal": "possible"}),
        ({"neuro": "deficit", "deficit_new": True}, {"new_deficit_with_canal": "possible"}),
        ({"neuro": "none", "deficit_new": True}, {}),
        ({"saddle_anaesthesia": True, "deficit_new": True},
         {"cauda_or_cord": "certain", "new_deficit_with_canal": "possible"}),
    ],
)  # fmt: skip
def test_an_emergency_is_certain_or_possible_and_nothing_else_is_one(known: dict[str, object], found: object) -> None:
    assert urgent(known) == found


def test_rows_are_shared_out_to_fresh_processes_in_large_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Pool:
        def __init__(self, processes: int) -> None:
            asked.append(processes)

        def __enter__(self) -> Pool:
            return self

        def __exit__(self, *_: object) -> None:
            asked.append("closed")

        def imap(self, work: object, numbered: object, chunksize: int) -> object:
            asked.append(chunksize)
            return map(work, numbered)

    def context(method: str) -> SimpleNamespace:
        asked.append(method)
        return SimpleNamespace(Pool=Pool)

    monkeypatch.setattr("multiprocessing.get_context", context)
    assert list(rows(lines(), processes=1)) == list(rows(lines())) and asked == []
    assert list(rows(lines(), processes=3)) == list(rows(lines()))
    assert asked == ["spawn", 3, CHUNK, "closed"]


def test_a_flag_tells_its_words_its_reason_and_whether_some_of_it_is_known_to_hold() -> None:
    facts = level_facts(NUMBER_11)
    decision = decide_level(facts)
    assert decision.level == facts.level
    (emergency,) = decision.emergencies
    assert (emergency.id, emergency.kind, emergency.truth, emergency.missing) == (
        "new_deficit_with_canal", "emergency", True, ()
    )  # fmt: skip
    assert emergency.words == emergency.reason.words == "New neurologic deficit with a compromised canal"
    assert (emergency.reason.role, emergency.reason.truth) == ("emergency", True)
    assert {"neuro", "deficit_new"} <= {used.field for used in emergency.reason.used}
    assert all(flag.kind != "emergency" for flag in decision.flags)
    for known, suspected in (({"neuro": "deficit"}, True), ({}, False)):
        (flag,) = [one for one in decide_level(LevelFacts(values=known)).open_flags if one.id == emergency.id]
        assert (flag.truth, flag.suspected) == (None, suspected)


def test_a_grade_tells_its_group_and_what_it_hangs_on() -> None:
    known = {one.id: one for one in decide_level(LevelFacts(values={"t_score": -2.6})).causes}
    sure = known["osteoporosis"]
    assert (sure.group, sure.title, sure.value) == ("cause", "Osteoporosis", "definite")
    assert (sure.reachable, sure.missing) == (("definite",), ())
    assert [used.field for reason in sure.reasons for used in reason.used] == ["t_score"]
    unsure = {one.id: one for one in decide_level(LevelFacts(values={"t_score": -2.0})).causes}["osteoporosis"]
    assert (unsure.value, unsure.reachable) == (None, ("definite", "probable", "possible", "absent"))
    assert {"mechanism", "vbmd", "l1_hu", "bone_risk_factors"} <= set(unsure.missing)
    assert [reason.words for reason in unsure.reasons] and all(reason.role == "answer" for reason in unsure.reasons)


def test_a_sum_and_a_conflict_are_told_by_name() -> None:
    decision = decide_level(level_facts(vignettes()[3]))
    (score,) = decision.verdict("of_score_modified").scores
    assert score.name in {name for book in rulebook().books for name in book.scores}
    assert score.words == "Modified OF score"
    known = {dispute.id: dispute for dispute in rulebook().disputes}
    for conflict in decision.conflicts:
        dispute = known[conflict.id]
        assert (conflict.question, conflict.positions) == (dispute.question, dispute.positions)
