"""Variants side by side: numbers of the rehearsals themselves, one scale, and what differs in words."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
from tests.support.kept_rehearsal import plain_variant

from endplate.web.compare import compared


def rows(*results):
    return [SimpleNamespace(result=one, title=f"variant {place}") for place, one in enumerate(results)]


def lines(groups):
    return {line.title: line for group in groups for line in group.lines}


@pytest.fixture(scope="module")
def mine():
    return plain_variant(members=16)


def changed(result, **factors):
    other = copy.deepcopy(result)
    for name, by in factors.items():
        band = other["values"][other["procedure"]][name]
        for key in ("value", "low", "high"):
            band[key] = None if band[key] is None else band[key] + by
    return other


def test_what_a_reader_compares_first_is_there_without_opening_anything(mine):
    glance, rest = compared(rows(mine, mine))
    titles = list(lines(glance))
    for words in ("Anterior height gained", "Cavity left", "Cement in the body", "Cement outside the body",
                  "Leakage routes reached", "Predicted failure load", "Load of bending forward over it",
                  "Least to spare beyond a wall's limit", "How it ended"):  # fmt: skip
        assert any(title.startswith(words) for title in titles), words
    assert [title for title in titles if "facing endplate" in title], "adjacent levels"
    assert "Highest balloon pressure (MPa)" in lines(rest)
    shown = {id(line) for group in glance for line in group.lines}
    assert not shown & {id(line) for group in rest for line in group.lines}


def test_values_and_bands_are_those_of_the_rehearsal_on_one_scale(mine):
    other = changed(mine, cured_anterior_mm=2.0)
    line = lines(compared(rows(mine, other))[0])["Anterior height gained (mm)"]
    band = mine["values"]["kyphoplasty"]["cured_anterior_mm"]
    top = max(0.0, band["high"] + 2.0)
    bottom = min(0.0, band["low"])
    for cell, by in zip(line.cells[1:], (0.0, 2.0), strict=True):
        assert float(cell.text.replace("−", "-")) == pytest.approx(band["value"] + by, abs=0.05)
        expected = [100 * (band[end] + by - bottom) / (top - bottom) for end in ("low", "value", "high")]
        assert list(cell.bar) == pytest.approx(expected, abs=0.02)
    assert line.zero == pytest.approx(100 * -bottom / (top - bottom), abs=0.02)
    assert line.cells[0].bar is None and line.cells[0].text == ""


def test_a_difference_is_marked_and_said_and_none_is_made_up(mine):
    other = changed(mine, cured_anterior_mm=0.4, cured_wedge_deg=-1.0, cement_ml=0.01)
    found = lines(compared(rows(mine, other))[0])
    gain = found["Anterior height gained (mm)"].cells[2]
    assert (gain.mark, gain.change) == ("▲", "0.4 mm more, bands overlap")
    wedge = found["Wedge angle changed (minus: less wedged) (°)"].cells[2]
    assert wedge.mark == "▼" and wedge.change.startswith("1.0° less wedged")
    assert found["Cement in the body (mL)"].cells[2].change == "the same"
    far = changed(mine, cured_anterior_mm=500.0)
    cell = lines(compared(rows(mine, far))[0])["Anterior height gained (mm)"].cells[2]
    assert cell.change.endswith("bands apart")
    assert all(line.cells[1].change == "" for line in found.values()), "the first one is what others are held against"


def test_a_vertebroplasty_says_that_its_shape_is_taken_as_unchanged(mine):
    line = lines(compared(rows(mine, plain_variant("vertebroplasty", "found")))[0])["Anterior height gained (mm)"]
    assert line.cells[2].text == "taken as unchanged" and line.cells[2].change == ""


def test_the_tightest_wall_counts_from_its_own_limit(mine):
    line = lines(compared(rows(mine))[0])["Least to spare beyond a wall's limit (mm)"]
    spare = min(wall["mm"] - wall["least"] for needle in mine["needles"] for wall in needle["clearances"])
    assert float(line.cells[1].text) == pytest.approx(spare, abs=0.05)
    assert "mm to the" in line.cells[1].more and line.cells[0].reason == "no needle"


def test_a_variant_without_needle_or_with_an_early_end_says_why(mine):
    refused = copy.deepcopy(mine) | {"needles": [], "reason": "the pedicle is too narrow", "stopped": "no needle path"}
    found = lines(compared(rows(mine, refused))[0])
    assert found["Least to spare beyond a wall's limit (mm)"].cells[2].reason == "the pedicle is too narrow"
    assert found["How it ended"].cells[2].text == "ended early"


def test_movers_are_the_effects_of_the_ensemble_strongest_first(mine):
    gain = next(one for one in mine["moved"] if one["name"] == "cured_anterior_mm")
    assert gain["by"][0]["share"] == 1.0
    shares = [one["share"] for one in gain["by"]]
    assert shares == sorted(shares, reverse=True) and gain["words"][0].startswith(gain["by"][0]["unknown"])
    assert plain_variant(members=0)["moved"] == []
