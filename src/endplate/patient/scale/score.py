"""From answers to scores, by each instrument's own rule."""

from __future__ import annotations

from collections.abc import Sequence

from endplate.cited import cited
from endplate.patient.scale.change import Score

RMDQ_ITEMS = cited(24.0, "1", "24 items, unticked counts 0", "verified", cite="roland_1983")
RMDQ_SHORT_ITEMS = cited(
    23.0, "1", "both used 23 items; converted x 24/23 by own rule", "verified", cite=("invest_2009", "buchbinder_2009")
)
ODI_ITEMS = cited(10.0, "1", "10 sections of 0-5", "verified", cite="fairbank_2000")
ODI_MAX = cited(5.0, "1", "10 sections of 0-5", "verified", cite="fairbank_2000")
ODI_MIN_ANSWERED = cited(8.0, "1", "own choice: at least 8 of 10 answered, else unknown", "design")
QUALEFFO_ITEMS = cited(
    41.0, "1", "41 questions recoded to 1 best .. 5 worst, mean, then 0-100", "verified", cite="lips_1999"
)
QUALEFFO_MAX = cited(
    5.0, "1", "41 questions recoded to 1 best .. 5 worst, mean, then 0-100", "verified", cite="lips_1999"
)
QUALEFFO_MIN_ANSWERED = cited(21.0, "1", "Own choice: at least half of the 41 items, else unknown", "design")
HUNDRED = 100.0


def rmdq_score(ticked: int | None, items: Sequence[bool | None] | None, version: int) -> Score:
    """Roland-Morris on the 24-item scale. An unticked item counts 0; one left open (None) widens the band."""
    of = int(RMDQ_ITEMS) if version == RMDQ_ITEMS else int(RMDQ_SHORT_ITEMS)
    scale = RMDQ_ITEMS / of
    if items is not None:
        yes, unknown = sum(item is True for item in items), sum(item is None for item in items)
        value = yes * scale if not unknown else None
        reason = f"{unknown} items unanswered" if unknown else ""
        return Score(
            value=value,
            low=yes * scale,
            high=(yes + unknown) * scale,
            answered=of - unknown,
            of=of,
            reason=reason,
        )
    if ticked is None:
        return Score(value=None, of=of, reason="not asked")
    return Score(value=ticked * scale, low=ticked * scale, high=ticked * scale, answered=of, of=of)


def odi_score(percent: float | None, items: Sequence[int | None] | None) -> Score:
    """Oswestry in percent: sum over 5 x the number answered; at least 8 of 10 answered."""
    of, most = int(ODI_ITEMS), ODI_MAX
    if items is None:
        if percent is None:
            return Score(value=None, of=of, reason="not asked")
        return Score(value=percent, low=percent, high=percent, of=of)
    given = [item for item in items if item is not None]
    total, open_items = float(sum(given)), of - len(given)
    low, high = HUNDRED * total / (of * most), HUNDRED * (total + open_items * most) / (of * most)
    if len(given) < ODI_MIN_ANSWERED:
        reason = f"{len(given)} of {of} answered, at least {ODI_MIN_ANSWERED:g} needed"
        return Score(value=None, low=low, high=high, answered=len(given), of=of, reason=reason)
    return Score(value=HUNDRED * total / (most * len(given)), low=low, high=high, answered=len(given), of=of)


def qualeffo_score(total: float | None, items: Sequence[float | None] | None) -> Score:
    """QUALEFFO-41 from recoded items (1 best .. 5 worst): (mean - 1) / 4 x 100; 0 is best."""
    of, most = int(QUALEFFO_ITEMS), QUALEFFO_MAX
    if items is None:
        if total is None:
            return Score(value=None, of=of, reason="not asked")
        return Score(value=total, low=total, high=total, of=of)
    given = [item for item in items if item is not None]
    if len(given) < QUALEFFO_MIN_ANSWERED:
        reason = f"{len(given)} of {of} answered, at least {QUALEFFO_MIN_ANSWERED:g} needed"
        return Score(value=None, answered=len(given), of=of, reason=reason)
    span, count = most - 1, len(items)
    spread = [(sum(given) + fill * (count - len(given))) / count for fill in (1.0, most)]
    low, high = (HUNDRED * (mean - 1) / span for mean in spread)
    value = HUNDRED * (sum(given) / len(given) - 1) / span
    return Score(value=value, low=low, high=high, answered=len(given), of=of)
