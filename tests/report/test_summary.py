"""The summary claims no more than the bands allow, and says what it left out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.synthetic_case import synthetic_case

from endplate.case import Case
from endplate.finding import Caution
from endplate.level import Level
from endplate.report.summary import Sentence, summarise


@pytest.fixture(scope="module")
def case() -> Case:
    return synthetic_case()


def with_densities(case: Case, bands: dict[Level, tuple[float, float, float]]) -> Case:
    """The case with these densities (value, low, high) alone."""
    out = []
    for finding in case.findings:
        if not finding.code.startswith(("trabecular_density", "density_category")):
            out.append(finding)
        elif finding.code == "trabecular_density" and finding.level in bands:
            value, low, high = bands[finding.level]
            out.append(replace(finding, value=value, low=low, high=high))
    return replace(case, findings=tuple(out))


def density_sentence(case: Case) -> Sentence:
    (sentence,) = (
        s for s in summarise(case) if s.text.startswith("Density of the trabecular bone") or "mg/cm³" in s.text
    )
    return sentence


def test_a_band_across_a_cut_off_is_never_told_as_a_category(case: Case) -> None:
    told = density_sentence(with_densities(case, {Level.L2: (87, 31, 143)}))
    assert "87 mg/cm³ (31 to 143), cannot be classed" in told.text
    assert "range" not in told.text and told.tone != "alarm"


def test_a_certain_category_is_told_and_osteoporosis_alarms(case: Case) -> None:
    told = density_sentence(with_densities(case, {Level.L2: (50, 40, 60), Level.L3: (60, 50, 70)}))
    assert "the mean of L2 and L3: 55 mg/cm³ (45 to 65), in the osteoporosis range" in told.text
    assert told.tone == "alarm"


def test_fractured_levels_and_levels_out_of_line_do_not_speak_for_the_patient(case: Case) -> None:
    bands = {level: (70.0, 60.0, 79.0) for level in (Level.T12, Level.L2, Level.L3)}
    told_case = with_densities(case, bands | {Level.L1: (150, 140, 160), Level.L4: (190, 180, 200)})
    caution = Caution(code="density_out_of_line", level=Level.L4, text="trabecular HU 250, out of line")
    told = density_sentence(replace(told_case, cautions=(caution,)))
    assert "the mean of L2 and L3: 70 mg/cm³" in told.text
    assert "Not used: L1 (150, fractured) and L4 (190, out of line with the other levels)." in told.text
    assert "normal range" not in told.text


def test_many_levels_are_told_as_a_run(case: Case) -> None:
    levels = (Level.T12, Level.L2, Level.L3, Level.L4)
    few = density_sentence(with_densities(case, {level: (90.0, 50.0, 130.0) for level in levels}))
    assert "L4 90 (50 to 130): cannot be classed" in few.text
    more = with_densities(case, {level: (90.0, 50.0, 130.0) for level in levels})
    extra = next(f for f in more.findings if f.code == "trabecular_density")
    more = replace(more, findings=(*more.findings, replace(extra, level=Level.L5, value=94.0)))
    assert "T12 and L2 to L5 (90 to 94, bands in the table): cannot be classed" in density_sentence(more).text


def test_the_cut_offs_are_named_once(case: Case) -> None:
    text = density_sentence(case).text
    assert text.count("osteoporosis up to 80") == 1 and text.count("120") == 1


def test_a_sign_without_height_loss_gets_its_sentence(case: Case) -> None:
    signed = tuple(
        replace(reading, signs=("superior endplate depressed by 4 mm",)) if reading.level is Level.L2 else reading
        for reading in case.fractures
    )
    texts = [sentence.text for sentence in summarise(replace(case, fractures=signed))]
    assert (
        "L2: a sign of a fracture without a height loss of 20 % (superior endplate depressed by 4 mm): look at it."
        in texts
    )
    assert not any("L2: a sign of a fracture" in sentence.text for sentence in summarise(case))


def test_a_broken_body_that_was_solved_is_told_to_be_a_model_without_cracks(case: Case) -> None:
    assert any("of L1 is that of a body" in s.text and "no cracks" in s.text for s in summarise(case))
    unbroken = tuple(f for f in case.findings if f.code != "fracture")
    assert not any("no cracks" in s.text for s in summarise(replace(case, findings=unbroken)))


def test_one_computed_body_is_not_called_the_weakest(case: Case) -> None:
    one = tuple(f for f in case.findings if not f.code.startswith("failure_load") or f.level is Level.L2)
    texts = " ".join(sentence.text for sentence in summarise(replace(case, findings=one)))
    assert "Only L2 could be computed" in texts and "weakest" not in texts


def test_a_deformity_below_grade_1_is_an_unusual_shape_in_every_sentence(case: Case) -> None:
    found = tuple(
        replace(f, value={"genant_grade": 0, "deformity": "yes", "fracture": "indeterminate"}.get(f.code, f.value))
        if f.level is Level.L2
        else f
        for f in case.findings
    )
    (sentence,) = [s.text for s in summarise(replace(case, findings=found)) if s.text.startswith("L2 has")]
    assert "unusual shape without a height loss of 20 %" in sentence and "deformed" not in sentence
    assert "Genant grade 0 (less than 20 % of height lost" in sentence
