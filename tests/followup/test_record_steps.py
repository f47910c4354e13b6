"""What a record shows as done counts in the key figures: density, falls, a drug."""

from __future__ import annotations

from datetime import date

import pytest

from endplate.followup.record_steps import record_steps

START = date(2026, 6, 14)


def density(*items):
    return {"bone": {"tests": [dict(item) for item in items]}}


@pytest.mark.parametrize(
    ("record", "steps"),
    [
        (None, {}),
        ({}, {}),
        ([], {}),
        ({"bone": 3, "falls": None, "drugs": "x"}, {}),
        (density({"site": "spine", "on": "2026-06-01"}), {"density tested": START}),
        (density({"site": "total hip", "on": "2026-07-01"}), {"density tested": date(2026, 7, 1)}),
        (density({"site": "spine", "on": "2025-06-14"}), {"density tested": START}),
        (density({"site": "spine", "on": "2025-06-13"}), {}),
        (density({"site": "forearm", "on": "2026-06-01"}), {}),
        (density({"site": "spine"}, {"site": "spine", "on": "soon"}), {}),
        ({"falls": {"tug_s": 18}}, {"falls assessed": START}),
        ({"falls": {"tug_s": 18, "tested_on": "2026-06-20"}}, {"falls assessed": date(2026, 6, 20)}),
        ({"falls": {"past_year": 0, "unsteady": False, "worried": False}}, {"falls assessed": START}),
        ({"falls": {"past_year": 0, "unsteady": False}}, {}),
        ({"drugs": {"bone_drugs": [{"drug": "denosumab", "started_on": "2020-01-01"}]}}, {"drug started": START}),
        ({"drugs": {"bone_drugs": [{"drug": "zoledronate", "started_on": "2026-07-01"}]}},
         {"drug started": date(2026, 7, 1)}),
        ({"drugs": {"bone_drugs": [{"started_on": "2020-01-01", "stopped_on": "2024-01-01"}]}}, {}),
        ({"drugs": {"bone_drugs": [{"drug": "denosumab"}, 5]}}, {}),
    ],
)  # fmt: skip
def test_steps_of_a_record(record, steps):
    assert record_steps(record, START) == steps
