"""What every target shares: how long it goes on, how long one input may take, what a clean refusal is."""

from __future__ import annotations

import functools
import os
import resource
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from endplate.errors import InputError

SECONDS = float(os.environ.get("ENDPLATE_FUZZ_SECONDS", "0"))
LONGEST_S = 30.0
"""Processor time of one input; time on the clock says how busy the machine is."""
MOST_MEMORY_KB = 2 * 2**20
LONGEST_REFUSAL = 1900


def hunt(case: Callable[..., None], *strategies: st.SearchStrategy[Any], examples: int = 100) -> None:
    """Run a target on many inputs: once by default, else with new seeds until the time is over."""
    end, number = time.monotonic() + SECONDS, 4711
    while True:
        limits = settings(
            max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )  # fmt: skip
        seed(number)(limits(given(*strategies)(_soon(case))))()
        number += 1
        if time.monotonic() >= end:
            break
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST_MEMORY_KB


def _soon(case: Callable[..., None]) -> Callable[..., None]:
    """The case, failing where one input takes too long."""

    @functools.wraps(case)
    def timed(*given_: Any, **named: Any) -> None:
        begun = time.process_time()
        case(*given_, **named)
        assert time.process_time() - begun < LONGEST_S

    return timed


def clean(refusal: InputError) -> bool:
    """Whether a refusal is one short line that can be printed, with exit code 2."""
    said = str(refusal)
    assert refusal.exit_code == 2
    assert said and said.isprintable(), said[:200]
    assert len(said) < LONGEST_REFUSAL, len(said)
    return True


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]
