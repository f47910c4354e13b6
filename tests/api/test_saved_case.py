"""What was written is read back: the same findings; files of 0.1.0 too; anything else is refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.synthetic_case import synthetic_case

import endplate as ep
from endplate.errors import OptionError
from endplate.report import read_document as recall
from endplate.report.document import FORMAT_VERSION

OLD = Path(__file__).with_name("case-0.1.0.json")
"""Written by release 0.1.0 from a small digital spine."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    paths = ep.Case.of(synthetic_case()).save(folder)
    assert paths["json"] == folder / "case.json"
    return folder


def edited(folder: Path, **changes: Any) -> Path:
    document = json.loads(OLD.read_text(encoding="utf-8")) | changes
    path = folder / "case.json"
    path.write_text(json.dumps({name: value for name, value in document.items() if value is not ...}))
    return path


def test_a_written_case_comes_back(written: Path) -> None:
    case, saved = ep.Case.of(synthetic_case()), ep.load_case(written)
    assert (saved.id, saved.levels, saved.gaps, saved.cautions) == (case.id, case.levels, case.gaps, case.cautions)
    assert saved.findings == tuple(item for item in case.findings if item.value == item.value)
    assert saved.format_version == FORMAT_VERSION
    assert saved["L1"].anterior_height == case["L1"].anterior_height
    assert saved.record == case.record
    assert saved.report().html == (written / "report.html").read_text(encoding="utf-8")
    assert ep.load_case(written / "case.json").findings == saved.findings
    assert len(repr(saved)) < 300 and "<table>" in saved._repr_html_()


def test_a_document_names_its_format_and_version(written: Path) -> None:
    document = json.loads((written / "case.json").read_text(encoding="utf-8"))
    assert (document["format"], document["format_version"]) == ("endplate-case", FORMAT_VERSION)


def test_a_case_of_the_first_release_is_read() -> None:
    saved = ep.load_case(OLD)
    assert saved.format_version == 1 and saved.provenance["version"] == "0.1.0"
    assert saved.levels == ("L1", "L2")
    assert saved["L1"].genant_grade.value == 2 and saved["L1"].fracture.value == "yes"
    assert saved["L2"].failure_load.value is None and saved["L2"].failure_load.reason
    assert saved.record is not None and saved.record.age_yr == 74
    assert ep.weigh(saved, guidelines=["nice_ta279"]).facts[0].level == "L1"


def test_a_case_without_a_version_counts_as_the_first(tmp_path: Path) -> None:
    assert ep.load_case(edited(tmp_path, format_version=...)).format_version == 1


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, 99])
def test_a_later_version_is_refused(tmp_path: Path, version: int) -> None:
    with pytest.raises(OptionError, match=f"format version {version}.*reads versions up to {FORMAT_VERSION}.*update"):
        ep.load_case(edited(tmp_path, format_version=version))


@pytest.mark.parametrize("version", ["1", 0, None, True, 1.5])
def test_no_version_at_all_is_refused(tmp_path: Path, version: object) -> None:
    with pytest.raises(OptionError, match="no endplate wrote it"):
        ep.load_case(edited(tmp_path, format_version=version))


def test_former_versions_are_brought_forward_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "FORMAT_VERSION", 3)
    monkeypatch.setattr(recall, "UPGRADES", {1: lambda d: d | {"a": 1}, 2: lambda d: d | {"b": d["a"] + 1}})
    done = recall.upgraded({"format_version": 1}, Path("case.json"))
    assert done == {"format_version": 1, "a": 1, "b": 2}


def test_a_former_version_is_checked_as_todays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    later = {**recall.schema(), "properties": {**recall.schema()["properties"], "format_version": {"const": 2}}}
    monkeypatch.setattr(recall, "FORMAT_VERSION", 2)
    monkeypatch.setattr(recall, "UPGRADES", {1: lambda document: document | {"id": "renamed"}})
    monkeypatch.setattr(recall, "schema", lambda: later)
    recall._validator.cache_clear()
    try:
        document = recall.read_document(edited(tmp_path))
    finally:
        recall._validator.cache_clear()
    assert (document["id"], document["format_version"]) == ("renamed", 1)


def test_every_former_version_has_a_step() -> None:
    assert set(recall.UPGRADES) == set(range(recall.FIRST, FORMAT_VERSION))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": "other"}, "is no endplate case"),
        ({"findings": [{"code": "x", "level": "Z9", "value": 1}]}, r"findings\[0\].*required"),
        ({"gaps": [{"code": "x"}]}, r"gaps\[0\].*required"),
        ({"cautions": ["x"]}, r"cautions\[0\].*not of type"),
        ({"levels": ["Z9"]}, r"levels\[0\].*Z9"),
        ({"levels": 3}, "is not whole"),
    ],
)
def test_what_is_not_whole_is_refused(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(OptionError, match=why):
        ep.load_case(edited(tmp_path, **changes))


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot read"):
        ep.load_case(tmp_path / "nothing")
    with pytest.raises(OptionError, match="give a path"):
        ep.load_case(3)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"no report\.html beside"):
        ep.load_case(OLD).report()
