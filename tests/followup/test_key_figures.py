"""Key figures: who counts, what counts as in time, and nobody counted too early."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from endplate.followup.key_figures import key_figures
from endplate.followup.write import Author, add, start_episode

ANNA = Author(name="anna")
DAY = date(2025, 1, 6)


def begin(store, name, low_energy=True):
    return start_episode(store, ANNA, {"id": name, "sex": "female", "age_yr": 76}, DAY, ["L1"], low_energy=low_energy)


def tick(store, number, kind, day):
    add(store, ANNA, "milestone", number, {"kind": kind, "on": DAY + timedelta(day)})


def figure(store, name, day):
    return next(f for f in key_figures(store, DAY + timedelta(day)) if f.name.startswith(name))


def test_in_time_late_and_never_are_told_apart(store):
    early, late, _never = (begin(store, name) for name in "abc")
    tick(store, early, "density tested", 84)
    tick(store, late, "density tested", 85)
    found = figure(store, "density tested", 100)
    assert (found.done, found.of, found.band) == (1, 3, "below 50 %")


def test_nobody_is_counted_before_the_time_allowed_has_passed(store):
    first, _second = begin(store, "a"), begin(store, "b")
    assert figure(store, "drug started", 112).percent is None
    tick(store, first, "drug started", 50)
    assert (figure(store, "drug started", 112).done, figure(store, "drug started", 112).of) == (1, 1)
    assert figure(store, "drug started", 113).of == 2


def test_what_the_record_shows_counts_as_done(store):
    told = {"bone": {"tests": [{"site": "spine", "t_score": -2.9, "on": "2025-01-01"}]}, "falls": {"tug_s": 18}}
    number = start_episode(
        store, ANNA, {"id": "r", "sex": "female", "age_yr": 73}, DAY, ["L2"], low_energy=True, record=told
    )
    begin(store, "bare")
    assert [(figure(store, name, 100).done, figure(store, name, 100).of) for name in ("density", "falls")] == [
        (1, 2)
    ] * 2
    tick(store, number, "density tested", 50)
    assert figure(store, "density", 100).done == 1


@pytest.mark.parametrize(("done", "band"), [(4, "below 50 %"), (5, "50-80 %"), (8, "50-80 %"), (9, "above 80 %")])
def test_the_bands_end_where_the_source_says(store, done, band):
    numbers = [begin(store, str(n)) for n in range(10)]
    for number in numbers[:done]:
        tick(store, number, "falls assessed", 10)
    assert figure(store, "falls assessed", 20).band == band


def test_a_year_on_the_drug_counts_from_its_start(store):
    number = begin(store, "a")
    tick(store, number, "drug started", 30)
    assert figure(store, "on drug", 30 + 363).percent is None
    assert figure(store, "on drug", 30 + 364).percent == 0
    tick(store, number, "on drug at 52 weeks", 390)
    assert figure(store, "on drug", 400).percent == 100


def test_high_energy_fractures_are_left_out_and_gaps_in_the_data_show(store):
    begin(store, "a", low_energy=False)
    begin(store, "b")
    found = figure(store, "data complete", 10)
    assert (found.done, found.of) == (1, 3)
