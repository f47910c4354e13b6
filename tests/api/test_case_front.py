"""A case by level, by name and as a table; what it prints; what it says when asked for something that is not there."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.synthetic_case import synthetic_case

import endplate as ep
from endplate.api.case import as_case
from endplate.errors import InputError
from endplate.finding import Finding


@pytest.fixture(scope="module")
def case() -> ep.Case:
    return ep.Case.of(synthetic_case())


def test_a_quantity_is_its_finding(case: ep.Case) -> None:
    wanted = next(item for item in case.findings if item.code == "anterior_height" and item.level is ep.Level.L1)
    found = case["L1"].anterior_height
    assert isinstance(found, ep.Quantity)
    for name in ("code", "value", "low", "high", "unit", "method", "source", "condition"):
        assert getattr(found, name) == getattr(wanted, name)
    assert float(found) == wanted.value and f"{found:.3f}" == f"{wanted.value:.3f}"
    assert repr(found).startswith("<Anterior height: ") and "mm (" in repr(found)
    assert case[ep.Level.L1].anterior_height == found == case["l1"].get("anterior_height")


def test_what_was_not_measured_is_no_number_and_says_why(case: ep.Case) -> None:
    gap = next(item for item in case.gaps if item.level is not None and item.code in ep.catalogue())
    found = case[gap.level].get(gap.code)
    assert found.value is None and not found.known and found.reason == gap.reason
    assert gap.reason in repr(found)
    with pytest.raises(TypeError, match="is no number here"):
        float(found)
    silent = case["L1"].repair_gain_anterior
    assert silent.value is None and silent.reason and silent.unit == "mm"


def test_text_is_no_number(case: ep.Case) -> None:
    assert case["L1"].fracture.value in ("yes", "no", "indeterminate")
    with pytest.raises(TypeError, match="its value is"):
        float(case["L1"].fracture)


def test_a_code_with_several_conditions_is_asked_for_by_condition(case: ep.Case) -> None:
    base = Finding(code="load_to_strength", level=ep.Level.L1, value=0.5, unit="1", method="m", source="s")
    others = tuple(item for item in case.findings if item.code != "load_to_strength")
    two = (replace(base, condition="standing"), replace(base, condition="lifting", value=0.9))
    several = replace(case, findings=(*others, *two))
    assert several["L1"].conditions("load_to_strength") == ("standing", "lifting")
    assert several["L1"].get("load_to_strength", "lifting").value == 0.9
    with pytest.raises(AttributeError, match="several conditions; standing, lifting"):
        _ = several["L1"].load_to_strength
    with pytest.raises(KeyError, match="conditions: standing, lifting"):
        several["L1"].get("load_to_strength", "flying")


def test_wrong_names_are_refused_with_what_to_give(case: ep.Case) -> None:
    with pytest.raises(KeyError, match="its levels: T11, T12, L1"):
        case["C1"]
    with pytest.raises(KeyError, match="'Z9' is no vertebra"):
        case["Z9"]
    with pytest.raises(TypeError, match='give a name, as case\\["L1"\\]'):
        case[3]  # type: ignore[index]
    with pytest.raises(AttributeError, match="did you mean anterior_height"):
        _ = case["L1"].anterior_heigth
    for wrong in (lambda: case["C1"], lambda: case[3], lambda: case["L1"].get("nothing")):
        with pytest.raises(InputError):
            wrong()


def test_levels_are_walked_and_asked_for(case: ep.Case) -> None:
    assert [view.level for view in case] == list(case.levels)
    assert "L1" in case and ep.Level.L1 in case and "C1" not in case and 7 not in case
    assert {"anterior_height", "get", "level"} <= set(dir(case["L1"]))
    assert len(list(case["L1"])) == len(case["L1"].findings)


def test_stages_and_copies_keep_the_front(case: ep.Case) -> None:
    assert type(replace(case, id="other")) is ep.Case
    assert ep.Case.of(case) is case
    assert copy.copy(case["L1"]) == case["L1"]
    assert pickle.loads(pickle.dumps(case["L1"].anterior_height)) == case["L1"].anterior_height


def test_nothing_prints_over_a_screen(case: ep.Case) -> None:
    for thing in (case, case["L1"], case.volume, case.labels, case.spine, case.record, case.report()):
        assert len(repr(thing)) < 400
    assert "T11, T12, L1" in repr(case) and "voxels" in repr(case.volume) and "HU" in repr(case.volume)


def test_a_notebook_shows_a_table_and_escapes_what_came_from_files(case: ep.Case) -> None:
    for shown in (case._repr_html_(), case["L1"]._repr_html_()):
        assert "<table>" in shown and "<script>" not in shown
    assert "Genant grade" in case._repr_html_() and "L1" in case._repr_html_()
    frame = case.report()._repr_html_()
    assert frame.startswith("<iframe") and 'srcdoc="' in frame and "<html" not in frame


def test_a_report_is_saved_whole(case: ep.Case, tmp_path: Path) -> None:
    place = case.report().save(tmp_path / "r.html")
    text = place.read_text(encoding="utf-8")
    assert text == case.report().html and text.rstrip().endswith("</html>")
    with pytest.raises(InputError, match="cannot write"):
        case.report().save(tmp_path)


def test_a_verb_says_what_it_needs() -> None:
    with pytest.raises(TypeError, match=r"assess\(str\).*give what endplate.read_case"):
        ep.assess("ct.nii.gz")
    assert as_case(synthetic_case(), "assess")["L1"].level is ep.Level.L1
