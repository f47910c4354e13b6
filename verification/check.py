"""One row of the acceptance table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A promise, what was expected, what was got, and on which rung of the verification ladder it stands.

    `passed` None means skipped, with the reason in `got`. `rung`: exact, convergence, independent, published, pinned.
    """

    number: str
    title: str
    expected: str
    got: str
    source: str
    rung: str
    passed: bool | None
