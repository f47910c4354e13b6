"""A few of the random spines of `make spines`: nothing false, nothing missed, bands that hold."""

from __future__ import annotations

from collections import Counter

import pytest
from verification.random_spines import THICKNESS_MM, random_spine
from verification.spines import BANDS, counts_of, table

SEEDS = (1, 3, 7, 10)
"""A hollow body; a label cut above at 2 mm; a bleed under 5 mm slices; a label cut below at 1.5 mm."""


@pytest.fixture(scope="module")
def rows():
    return [(random_spine(seed).thickness_mm, counts_of(random_spine(seed))) for seed in SEEDS]


def test_nothing_is_called_fractured_falsely_missed_or_graded_on_spoilt_labels(rows):
    total = sum((counts for _, counts in rows), Counter())
    assert total["intact"] > 0 and total["broken"] > 0 and total["spoilt"] > 0
    assert (total["false"], total["missed"], total["spoilt, graded wrongly"]) == (0, 0, 0)


@pytest.mark.parametrize("name", [band for band in BANDS if band != "height, repeat"])
def test_the_shown_bands_hold_the_truth(rows, name):
    total = sum((counts for _, counts in rows), Counter())
    assert total[f"{name}: band"] > 0
    assert total[f"{name}: holds"] >= 0.9 * total[f"{name}: band"]


def test_the_table_has_a_row_for_each_thickness_and_one_for_all(rows):
    lines = table(rows).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == [
        *(f"{thickness:g} mm" for thickness in THICKNESS_MM if thickness in {row[0] for row in rows}),
        "all",
    ]
    assert len({line.count("|") for line in lines}) == 1


def test_a_seed_makes_one_spine():
    one, other = random_spine(11), random_spine(11)
    assert one == other and one != random_spine(19)
