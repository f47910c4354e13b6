"""The made-up patients that the acceptance table shows, one by one."""

from __future__ import annotations

import pytest
from tests.support.care_kinds import KINDS, misses, patient

from endplate.decision.prevention.plan import prevent


@pytest.mark.parametrize(("name", "changes", "wanted", "unwanted"), KINDS, ids=[kind[0] for kind in KINDS])
def test_each_kind_of_patient_gets_the_right_next_step(name, changes, wanted, unwanted):
    said = prevent(patient(changes)).next_step
    assert misses(said, wanted, unwanted) == [], said
