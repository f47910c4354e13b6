"""Agreement with an expert: against the textbook's numbers, with what is not measured kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from endplate.cohort.agreement import agreement
from endplate.cohort.truth import ExpertLevel, read_truth
from endplate.errors import OptionError
from endplate.level import Level


def levels(pairs):
    """Truth and measurement of levels of one case, from (expert grade, measured grade or None)."""
    names = list(Level)[: len(pairs)]
    truth = {
        ("c", level): ExpertLevel(grade=expert, heights={}) for level, (expert, _) in zip(names, pairs, strict=True)
    }
    measured = {
        ("c", level): {} if ours is None else {"genant_grade": float(ours)}
        for level, (_, ours) in zip(names, pairs, strict=True)
    }
    return truth, measured, set(truth)


def test_sensitivity_specificity_and_their_wilson_intervals():
    pairs = [(0, 0)] * 8 + [(0, 1)] * 2 + [(1, 1)] * 3 + [(2, 2)] * 4 + [(3, 0)]
    found = agreement(*levels(pairs))
    assert (found.graded, found.silent, found.absent) == (18, 0, 0)
    assert found.sensitivity.value == pytest.approx(7 / 8) and found.specificity.value == pytest.approx(8 / 10)
    # Wilson (1927): centre (p + z2/2n)/(1 + z2/n), half width z sqrt(p q/n + z2/4n2)/(1 + z2/n).
    z, n, p = 1.959964, 10, 0.8
    centre, half = (p + z**2 / (2 * n)), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert found.specificity.low == pytest.approx((centre - half) / (1 + z**2 / n), abs=1e-5)
    assert found.specificity.high == pytest.approx((centre + half) / (1 + z**2 / n), abs=1e-5)


def test_kappa_with_linear_weights_is_its_definition():
    pairs = [(0, 0)] * 10 + [(0, 1)] * 2 + [(1, 1)] * 4 + [(1, 2)] + [(2, 2)] * 3 + [(3, 2)] + [(3, 3)] * 2
    found = agreement(*levels(pairs))
    table = np.zeros((4, 4))
    for expert, ours in pairs:
        table[expert, ours] += 1
    weights = np.abs(np.subtract.outer(range(4), range(4)))
    chance = np.outer(table.sum(1), table.sum(0)) / table.sum()
    assert found.kappa.value == pytest.approx(1 - (weights * table).sum() / (weights * chance).sum())
    assert found.kappa.low < found.kappa.value < found.kappa.high <= 1.0


def test_a_level_without_a_grade_is_neither_agreement_nor_intact():
    truth, measured, found = levels([(0, 0), (2, None), (1, None), (3, 3), (0, 0)])
    absent = ("c", list(Level)[2])
    del measured[absent]
    compared = agreement(truth, measured, found - {absent})
    assert (compared.graded, compared.silent, compared.absent) == (3, 1, 1)
    assert compared.sensitivity.value == 1.0 and compared.sensitivity.count == 1


def test_where_nothing_can_be_said_the_reason_stands_in_place_of_the_number():
    compared = agreement(*levels([(0, 0), (0, 0), (0, 0), (0, 0)]))
    assert compared.kappa.value is None and compared.kappa.reason
    assert compared.sensitivity.value is None and "grades 1 to 3" in compared.sensitivity.reason


def test_bland_altman_is_the_mean_difference_and_its_spread():
    rng = np.random.default_rng(4711)
    expert = rng.uniform(15, 30, 40)
    ours = expert + rng.normal(0.4, 0.8, 40)
    truth = {
        (f"c{n}", Level.L1): ExpertLevel(grade=None, heights={"anterior_mm": float(x)}) for n, x in enumerate(expert)
    }
    measured = {(f"c{n}", Level.L1): {"anterior_height": float(x)} for n, x in enumerate(ours)}
    (one,) = agreement(truth, measured, set(truth)).heights
    difference = ours - expert
    assert one.bias.value == pytest.approx(difference.mean()) and one.count == 40
    assert one.low == pytest.approx(difference.mean() - 1.96 * difference.std(ddof=1))
    assert one.high == pytest.approx(difference.mean() + 1.96 * difference.std(ddof=1))
    assert one.bias.low == pytest.approx(difference.mean() - 2.0227 * difference.std(ddof=1) / np.sqrt(40), abs=1e-3)


@pytest.mark.parametrize(
    "text",
    ["id,grade\na,1\n", "id,level,grade\na,L1,5\n", "id,level,grade\na,X1,1\n", "id,level,grade\na,L1,1\na,L1,2\n",
     "id,level,grade,anterior_mm\na,L1,1,-3\n", "id,level,grade,size\na,L1,1,2\n"],
)  # fmt: skip
def test_an_expert_table_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "g.csv").write_text(text)
    with pytest.raises(OptionError, match=r"g\.csv"):
        read_truth(tmp_path / "g.csv")


def test_marks_saved_from_the_page_are_read(tmp_path):
    (tmp_path / "m.csv").write_text(
        "\ufeffid,level,grade,measured,mark,note\r\na,L1,2,1,changed,\r\na,L2,,0,wrong label,x\r\n", encoding="utf-8"
    )
    found = read_truth(tmp_path / "m.csv")
    assert found[("a", Level.L1)].grade == 2 and found[("a", Level.L2)].grade is None
