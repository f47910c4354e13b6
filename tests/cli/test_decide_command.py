"""`endplate decide` and `rules` end to end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.support.small_case import small_document, small_finding, write_small_case

from endplate.cli.app import main

RECORD = {
    "id": "p",
    "age_yr": 76,
    "sex": "F",
    "recorded_on": "2026-06-14",
    "episode": {"onset_on": "2026-05-10", "mechanism": "fall from standing"},
    "pain": {"under_analgesia": 8},
    "levels": {"L1": {"fracture": True}},
}
REPORT = "<main><!-- care: begin --><!-- care: end --><p>the scan</p></main>"


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.json").write_text(json.dumps(RECORD))

    def run(*words, code=0):
        assert main([*words, "--json"]) == code
        answer = json.loads(capsys.readouterr().out)
        return answer["result"] if code == 0 else answer["error"]["message"]

    return run


def a_case(folder, patient="p", page=REPORT):
    finding = small_finding("height_loss", 0.32, unit="1", low=0.28, high=0.36)
    write_small_case(folder, small_document(finding, patient=patient), page)


def test_a_record_alone_gives_a_page_an_aid_a_document_and_a_bundle(desk, tmp_path):
    told = desk("decide", "--record", "p.json", "--out", "advice")
    assert sorted(path.name for path in (tmp_path / "advice").iterdir()) == [
        ".endplate-manifest.json",
        "after-procedure.html",
        "care.html",
        "decision-aid.html",
        "decision.json",
        "fhir.json",
    ]
    assert [level["level"] for level in told["decision"]["levels"]] == ["L1"]
    assert json.loads((tmp_path / "advice" / "decision.json").read_text()) == told["decision"]


def test_a_case_takes_the_decision_into_its_report_again_and_again(desk, tmp_path):
    a_case(tmp_path / "case")
    desk("decide", "case", "--record", "p.json")
    first = (tmp_path / "case" / "report.html").read_text()
    assert "Is a repair indicated" in first and "the scan" in first
    desk("decide", "case", "--record", "p.json")
    assert (tmp_path / "case" / "report.html").read_text() == first


def test_what_the_scan_measured_is_weighed(desk, tmp_path):
    a_case(tmp_path / "case")
    explained = desk("decide", "case", "--record", "p.json", "--explain", "lcd_osteoporotic")["explained"]["L1"]
    assert "32 %" in explained


def test_the_report_of_another_program_is_left_alone(desk, tmp_path):
    a_case(tmp_path / "case", page="")
    (tmp_path / "case" / "report.html").write_text("<p>mine</p>")
    desk("decide", "case", "--record", "p.json")
    assert (tmp_path / "case" / "report.html").read_text() == "<p>mine</p>"
    assert (tmp_path / "case" / "care.html").exists()


def test_changed_answers_show_which_verdicts_move(desk):
    moves = desk("decide", "--record", "p.json", "--what-if", "nrs=4")["moves"]["L1"]
    assert {move["id"]: move["after"][0] for move in moves}["nice_ta279"] == "no"
    assert desk("decide", "--record", "p.json", "--what-if", "nrs=8")["moves"] == {"L1": [], "prevention": []}


@pytest.mark.parametrize(
    ("answer", "moved"),
    [("egfr=20", {"oral_bisphosphonate", "zoledronate", "denosumab", "anabolic", "romosozumab",
                  "raloxifene"}), ("unsteady=yes", {"steadi"}),
     ("bone_metastasis=yes", {"anabolic"}), ("mri_oedema=no", set())],
)  # fmt: skip
def test_changed_answers_show_what_moves_in_prevention(desk, answer, moved):
    moves = desk("decide", "--record", "p.json", "--what-if", answer)["moves"]["prevention"]
    assert {move["id"] for move in moves} == moved


def test_without_a_fractured_level_only_prevention_can_be_asked(desk, tmp_path):
    (tmp_path / "p.json").write_text(json.dumps({key: value for key, value in RECORD.items() if key != "levels"}))
    assert set(desk("decide", "--record", "p.json", "--what-if", "egfr=20")["moves"]) == {"prevention"}
    assert "nothing here asks for nrs" in desk("decide", "--record", "p.json", "--what-if", "nrs=4", code=2)
    assert "STEADI" in desk("decide", "--record", "p.json", "--explain", "steadi")["explained"]["prevention"]
    assert "no level is known" in desk("decide", "--record", "p.json", "--explain", "technique", code=2)


@pytest.mark.parametrize(
    ("name", "where", "says"),
    [("steadi", "prevention", "CDC STEADI: indeterminate"), ("technique", "L1", "Technique: "),
     ("osteoporosis", "L1", "Osteoporosis: "), ("anabolic", "prevention", "Teriparatide or abaloparatide")],
)  # fmt: skip
def test_prevention_and_gradings_explain_themselves(desk, name, where, says):
    explained = desk("decide", "--record", "p.json", "--explain", name)["explained"]
    assert list(explained) == [where] and explained[where].startswith(says)


def test_many_records_are_decided_one_a_line_and_bad_ones_named(desk, tmp_path):
    lines = [json.dumps(RECORD), "", '{"age_yr": 999, "sex": "F"}', json.dumps(RECORD | {"id": "q"})]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    told = desk("decide", "--batch", "in.jsonl", "--out", "rows.jsonl", "--threads", "1")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert (told["records"], told["errors"], len(rows)) == (3, 1, 3)
    assert "age_yr is 999" in rows[1]["error"] and rows[1]["line"] == 3
    assert rows[0]["levels"] == rows[2]["levels"] and rows[2]["id"] == "q"


def test_every_rule_is_listed_and_the_weak_ones_apart(desk):
    every, weak = desk("rules")["rules"], desk("rules", "--weak")["rules"]
    assert 0 < len(weak) < len(every)
    assert all(rule["source"] and rule["edition"] and rule["trust"] for rule in every)
    assert {rule["trust"] for rule in weak} <= {"weak", "design", "knowledge", "secondary", "recomputed"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["decide"], "no --record given"),
        (["decide", "--record", "absent.json"], "cannot read"),
        (["decide", "--record", "p.json", "--level", "L9"], "'L9' is no vertebra"),
        (["decide", "--record", "p.json", "--explain", "nix"], "no rule set 'nix'"),
        (["decide", "--record", "p.json", "--what-if", "nrs"], "has no value"),
        (["decide", "--record", "p.json", "--what-if", "nsr=4"], "did you mean nrs?"),
        (["decide", "--record", "p.json", "--what-if", "nrs=14"], "nrs is 14"),
        (["decide", "nowhere", "--record", "p.json"], "cannot read"),
        (["decide", "--batch", "in.jsonl"], "--batch needs --out"),
        (["decide", "--batch", "absent.jsonl", "--out", "x"], "does not exist"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(desk, tmp_path, words, says):
    message = desk(*words, code=2)
    assert says in message and "\n" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["p.json"]


def test_a_case_of_another_patient_is_refused(desk, tmp_path):
    a_case(tmp_path / "case", patient="other")
    assert "is of patient other, not p" in desk("decide", "case", "--record", "p.json", code=2)
    assert (tmp_path / "case" / "report.html").read_text() == REPORT


def test_emergencies_are_told_first_and_in_the_rows(desk, tmp_path, capsys):
    urgent = RECORD | {"neurology": {"state": "deficit", "new_deficit": True, "saddle_anaesthesia": True}}
    (tmp_path / "u.json").write_text(json.dumps(urgent))
    assert main(["decide", "--record", "u.json"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("! EMERGENCY, L1: Saddle anaesthesia")
    assert 0 < text.index("! POSSIBLE EMERGENCY, L1: New neurologic deficit") < text.index("NICE TA279")
    (tmp_path / "in.jsonl").write_text(f"{json.dumps(urgent)}\n{json.dumps(RECORD)}\n")
    desk("decide", "--batch", "in.jsonl", "--out", "rows.jsonl", "--threads", "1")
    rows = [json.loads(line)["emergencies"] for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert rows == [{"L1": {"cauda_or_cord": "certain", "new_deficit_with_canal": "possible"}}, {}]


def test_people_see_the_matrix_and_the_next_step(desk, capsys):
    assert main(["decide", "--record", "p.json"]) == 0
    text = capsys.readouterr().out
    assert "NICE TA279" in text and "Prevention:" in text


def test_a_decision_on_a_record_alone_loads_no_mechanics(tmp_path):
    (tmp_path / "p.json").write_text('{"age_yr": 76, "sex": "female", "levels": {"L1": {"fracture": true}}}')
    script = (
        "import sys; from endplate.cli.app import main; "
        f"code = main(['decide', '--record', {str(tmp_path / 'p.json')!r}]); "
        "print([name for name in ('numba', 'scipy', 'nibabel') if name in sys.modules], code)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "[] 0"
