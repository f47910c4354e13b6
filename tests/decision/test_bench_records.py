"""The records that the benchmark decides on can be read."""

from __future__ import annotations

from benchmarks.decide import lines

from endplate.patient import parse_record


def test_made_up_records_are_valid() -> None:
    assert len({parse_record(line).id for line in lines(300)}) == 300
