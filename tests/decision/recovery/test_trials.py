"""The trials: every result with its trust, the blinded ones not below the open ones."""

from __future__ import annotations

from typing import get_args

from endplate.cited import Trust
from endplate.decision.recovery.trials import trials


def test_blinded_trials_come_first_and_their_null_results_are_there():
    designs = [trial.design for trial in trials()]
    assert designs == sorted(designs, key=("blinded", "open", "one arm").index)
    null = [r.text for t in trials() if t.design == "blinded" for r in t.results if "no significant" in r.text]
    assert len(null) >= 2


def test_every_result_says_how_far_it_may_be_trusted():
    assert all(result.trust in get_args(Trust) and result.text for trial in trials() for result in trial.results)
