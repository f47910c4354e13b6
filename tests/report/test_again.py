"""A report rendered again from its folder: the same page, with its decision, without the scan; nothing foreign used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import Markup
from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.case.care import weigh
from endplate.cli.app import main
from endplate.errors import InputError
from endplate.patient import parse_record
from endplate.report.again import render_again, write_again
from endplate.report.plain_view import plain_view, view_from_json, view_to_json
from endplate.report.write import write_report

RECORD = {"id": "p", "age_yr": 76, "sex": "F", "levels": {"L1": {"fracture": True}}}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("results")
    case = replace(rehearsed_case(), care=weigh(parse_record(json.dumps(RECORD))))
    write_report(case, folder, formats=("html", "json"))
    return folder, (folder / "report.html").read_text(encoding="utf-8")


def test_the_same_page_comes_back_with_its_decision(written: tuple[Path, str]) -> None:
    folder, page = written
    assert render_again(folder) == page and "Is a repair indicated" in page and "Rehearsal of a repair" in page


def test_pdfs_are_written_beside_and_go_when_the_page_is_rendered_again(written: tuple[Path, str]) -> None:
    pytest.importorskip("weasyprint")
    folder, page = written
    paths = write_again(folder, pdf=True)
    assert {path.name for path in paths.values()} == {"report.html", "report.pdf", "decision-aid.pdf"}
    assert all((folder / name).read_bytes().startswith(b"%PDF-") for name in ("report.pdf", "decision-aid.pdf"))
    assert (folder / "report.html").read_text(encoding="utf-8") == page
    assert main(["report", str(folder), "--json"]) == 0 and not (folder / "report.pdf").exists()


def test_a_view_that_was_changed_is_not_printed(tmp_path: Path, capsys) -> None:
    case = rehearsed_case()
    write_report(case, tmp_path / "out", formats=("html", "json"))
    assert "no guideline was asked" in render_again(tmp_path / "out")
    view = json.loads((tmp_path / "out" / "report.json").read_text())
    view["levels"] = {"markup": "<script>alert(1)</script>"}
    (tmp_path / "out" / "report.json").write_text(json.dumps(view))
    with pytest.raises(InputError, match=r"no report\.json as endplate left it"):
        render_again(tmp_path / "out")
    assert main(["report", str(tmp_path / "out")]) == 2 and "assess or plan the scan again" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "none")]) == 2 and "no folder" in capsys.readouterr().err


def test_a_page_that_was_changed_is_kept_and_what_is_advised_can_be_done(tmp_path: Path, capsys, monkeypatch) -> None:
    """The command writes into the folder of its results and has no --out: another place would be no advice."""
    monkeypatch.chdir(tmp_path)
    Path("record.json").write_text(json.dumps({key: value for key, value in RECORD.items() if key != "id"}))
    write_report(replace(rehearsed_case(), care=weigh(parse_record(json.dumps(RECORD)))), Path("out"))
    page = Path("out") / "report.html"
    page.write_text(page.read_text(encoding="utf-8") + "<!-- mine -->", encoding="utf-8")
    assert main(["report", "out"]) == 2
    said = capsys.readouterr().err
    assert "out already holds report.html that was changed since it was written" in said
    assert "another place" not in said and "--out" not in said
    assert "move it away and run this again, then `endplate decide out --record RECORD`" in " ".join(said.split())
    assert page.read_text(encoding="utf-8").endswith("<!-- mine -->")
    page.rename("mine.html")
    assert main(["report", "out"]) == 0 and "Is a repair indicated" not in page.read_text(encoding="utf-8")
    assert main(["decide", "out", "--record", "record.json"]) == 0
    assert "Is a repair indicated" in page.read_text(encoding="utf-8")


def test_a_view_survives_its_text_and_keeps_drawings_apart_from_words() -> None:
    view = plain_view({"a": Markup("<svg></svg>"), "b": "<svg></svg>", "c": (1, 2.5, float("nan"), None, True)})
    again = view_from_json(view_to_json(view))
    assert again == {"a": "<svg></svg>", "b": "<svg></svg>", "c": [1, 2.5, None, None, True]}
    assert isinstance(again["a"], Markup) and not isinstance(again["b"], Markup)
    with pytest.raises(TypeError, match="nothing that a page prints"):
        plain_view({"a": object()})
