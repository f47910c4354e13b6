"""Through the front door: no command replaces or removes what endplate did not write there as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.support.faults import left_over, tree
from tests.support.writing_commands import COMMANDS, MINE, furnish, run

from endplate.cli.app import main


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    furnish(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("follow show 1 --database clinic.db --page clinic.db", "clinic.db is an input of this run"),
        ("follow show 1 --database clinic.db --page thesis.html", "holds thesis.html that endplate did not write"),
        ("follow show 1 --database clinic.db --page ct.nii.gz", "holds ct.nii.gz that endplate did not write"),
        ("record new --from-fhir bundle.json --out bundle.json", "bundle.json is an input of this run"),
        ("record new --from-fhir bundle.json --out p.json", "holds p.json that endplate did not write"),
        ("decide --record p.json --out mine", "holds fhir.json that endplate did not write"),
        ("decide --record p.json --out results", "holds another case"),
        ("decide --batch lines.jsonl --out lines.jsonl", "lines.jsonl is an input of this run"),
        ("decide --batch lines.jsonl --out theirs.csv", "holds theirs.csv that endplate did not write"),
        ("fracture ct.nii.gz --labels labels.nii.gz --level L1 --out .", "ct.nii.gz is an input of this run"),
        ("assess ct.nii.gz --labels labels.nii.gz --out mine", "holds fhir.json that endplate did not write"),
        ("demo --out mine", "holds fhir.json that endplate did not write"),
        ("assess --labels results/case.json --out results", "case.json is an input of this run"),
    ],
)
def test_what_is_not_ours_or_is_an_input_is_refused_and_kept(desk: Path, capsys, words: str, says: str) -> None:
    (desk / "mine").mkdir()
    (desk / "mine" / "fhir.json").write_text("a person's own")
    (desk / "theirs.csv").write_text("a person's own")
    held = tree(desk)
    assert main(words.split()) == 2
    line = capsys.readouterr().err
    assert says in line and line.count("\n") == 1
    assert tree(desk) == held


@pytest.mark.parametrize("name", COMMANDS)
def test_a_result_that_a_person_changed_is_kept(desk: Path, capsys, name: str) -> None:
    before = tree(desk)
    assert run(COMMANDS[name]) == 0
    ours = [path for path, data in tree(desk).items() if before.get(path) != data and data != b"<folder>"]
    changed = min((path for path in ours if "manifest" not in path), key=lambda path: path.endswith(".html"))
    with (desk / changed).open("ab") as stream:
        stream.write(b" as corrected by hand")
    held = tree(desk)
    assert run(COMMANDS[name]) == 2
    assert "was changed since it was written" in capsys.readouterr().err
    assert tree(desk) == held


@pytest.mark.parametrize("name", COMMANDS)
def test_two_runs_touch_nothing_else_and_say_what_was_left(desk: Path, capsys, name: str) -> None:
    before = tree(desk)
    for _ in range(2):
        assert run(COMMANDS[name]) == 0
    after = tree(desk)
    assert all((desk / mine).read_text() == f"{mine} is mine" for mine in MINE) and not left_over(desk)
    report = {"results/report.html", "results/.endplate-manifest.json"} if name == "decide in a case" else set()
    assert {path: data for path, data in after.items() if path in before and path not in report} == {
        path: data for path, data in before.items() if path not in report
    }


def test_people_and_programs_are_told_what_was_left(desk: Path, capsys) -> None:
    assert main(["decide", "--record", "p.json", "--out", "out"]) == 0
    assert "Left as they were, not written by endplate: notes.txt" in capsys.readouterr().out
    assert main(["decide", "--record", "p.json", "--out", "out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["result"]["kept"] == ["notes.txt", "volumes/notes.txt"]


def test_a_report_that_a_person_changed_gets_its_decision_beside_it(desk: Path) -> None:
    (desk / "results" / "report.html").write_text("<!-- care: begin --><!-- care: end --> with my remarks")
    assert main(["decide", "results", "--record", "p.json", "--quiet"]) == 0
    assert (desk / "results" / "report.html").read_text().endswith("with my remarks")
    assert "Is a repair indicated" in (desk / "results" / "care.html").read_text()


def test_a_decision_in_a_case_goes_with_the_case(desk: Path) -> None:
    assert run(COMMANDS["plan"]) == 0
    assert (desk / "out" / "decision.json").exists()
    assert run(COMMANDS["assess"]) == 0
    assert not (desk / "out" / "decision.json").exists() and (desk / "out" / "case.json").exists()


def test_every_page_allows_no_script_and_no_network(desk: Path) -> None:
    from tests.support.synthetic_case import synthetic_case

    from endplate.report.html import to_html

    assert main(["decide", "--record", "p.json", "--out", "advice", "--quiet"]) == 0
    assert run(COMMANDS["page"]) == 0
    pages = [path.read_text(encoding="utf-8") for path in (*(desk / "advice").glob("*.html"), desk / "course.html")]
    assert len(pages) == 4
    for page in [*pages, to_html(synthetic_case())]:
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
        assert policy.startswith("default-src &#39;none&#39;") or policy.startswith("default-src 'none'")
        assert "script" not in policy and "*" not in policy and "base-uri" in policy and "form-action" in policy
        assert page.index("Content-Security-Policy") < page.index("<title>") and "<script" not in page
