"""Speed of the decision: one level over all rule sets with every reason, and many records as verdicts only.

`python -m benchmarks.decide [records]`: the records are JSON lines, read, checked and decided over two processes.
No peer: no public package decides these rules. The check beside each time is that fast and full verdicts agree.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

from endplate.decision import batch
from endplate.decision.facts.case_facts import case_facts
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.verdict.decide import decide_level, outcomes
from endplate.patient import parse_record

RECORDS, PROCESSES, REPEATS, SEED = 100_000, 2, 40, 4711


def lines(count: int) -> Iterator[str]:
    """Made-up records, each with one or two levels; about a tenth of the answers are missing."""
    chance = random.Random(SEED)
    for number in range(count):
        yield json.dumps(_record(number, chance))


def _record(number: int, chance: random.Random) -> dict[str, Any]:
    def some(value: Any) -> Any:
        return None if chance.random() < 0.1 else value

    def yes(share: float = 0.5) -> bool | None:
        return some(chance.random() < share)

    level = {
        "concordant": yes(0.9), "oedema": yes(0.8), "progression": yes(0.3), "kyphotic_deformity": yes(0.3),
        "loss_percent": some(round(chance.uniform(5, 70))), "of_class": some(chance.randint(1, 5)), "fracture": True,
        "canal_percent": some(chance.choice((0, 5, 15, 40))), "tension_band_failed": yes(0.05), "lesion": some("none"),
        "unstable": yes(0.05), "alignment": some("normal"), "cleft": yes(0.1), "discitis": yes(0.02),
        "osteomyelitis": yes(0.02),
    }  # fmt: skip
    names = chance.sample(("T8", "T11", "T12", "L1", "L2", "L3"), chance.choice((1, 1, 2)))
    return {
        "id": f"made-up-{number}", "age_yr": chance.randint(40, 95), "sex": chance.choice(("female", "male")),
        "recorded_on": "2026-03-15",
        "episode": {"onset_days": some(chance.randint(6, 300)), "hospitalised": yes(0.3),
            "mechanism": some("fall from standing")},
        "pain": {"under_analgesia": some(chance.randint(0, 10)),
            "trend": some(chance.choice(("worse", "stable", "better")))},
        "questionnaires": {"rmdq": {"ticked": chance.randint(0, 24)}},
        "neurology": {"state": some(chance.choice(("none", "none", "radicular", "deficit"))), "myelopathy": yes(0.02)},
        "mobility": {"can_mobilise": yes()}, "studies": {"mri_on": "2026-03-10"},
        "care": {"optimised": yes(0.7), "bone_referral": yes(0.8), "education_given": yes(0.8)},
        "laboratory": {"inr": some(round(chance.uniform(0.9, 3), 1)), "platelets_g_l": some(chance.randint(30, 400))},
        "infection": {"systemic": yes(0.03), "surgical_site": yes(0.02), "spine": yes(0.02)},
        "allergies": {"cement": yes(0.02), "contrast": yes(0.02)}, "cancer": {"known": yes(0.1)},
        "fitness": {"asa": some(chance.randint(1, 5)), "mfi5": some(chance.randint(0, 5))},
        "levels": {name: level for name in names},
    }  # fmt: skip


def one() -> dict[str, Any]:
    """One level over all rule sets, with reasons, conflicts and the answers that would change each verdict."""
    given = [case_facts(parse_record(line))[0] for line in lines(REPEATS)]
    seconds, agree = [], True
    for facts in [given[0], *given]:
        start = time.perf_counter()
        decision = decide_level(facts)
        for verdict in decision.verdicts:
            _ = verdict.would_change
        seconds.append(time.perf_counter() - start)
        fast = outcomes(facts.values)
        agree &= all(fast[verdict.ruleset].status == verdict.status for verdict in decision.verdicts)
    return _row("one level, every reason", statistics.median(seconds[1:]), agree, f"slowest {max(seconds[1:]):.3f} s")


def bare() -> dict[str, Any]:
    """The same for a record that holds age and sex only: the most answers to seek."""
    facts = LevelFacts(values={"age_yr": 76, "sex": "female", "level": "L1"})
    start = time.perf_counter()
    decision = decide_level(facts)
    told = time.perf_counter() - start
    changes = sum(len(verdict.would_change) for verdict in decision.verdicts)
    seconds = time.perf_counter() - start
    return _row(
        "age and sex only, every reason", seconds, True, f"verdicts after {told:.3f} s, {changes} changes sought"
    )


def many(count: int) -> dict[str, Any]:
    """Records a second through reading, checking and deciding."""
    text = list(lines(count))
    start = time.perf_counter()
    bad = sum("error" in row for row in batch.rows(text, PROCESSES))
    seconds = time.perf_counter() - start
    return _row(f"{count} records, {PROCESSES} processes", seconds, bad == 0, f"{count / seconds:.0f} records/s")


def _row(case: str, seconds: float, right: bool, note: str) -> dict[str, Any]:
    check = f"{'agrees' if right else 'DISAGREES'}; {note}"
    return {"case": case, "peer": "none", "ours_s": seconds, "peer_s": None, "ratio": None, "check": check}


def rows(count: int = RECORDS) -> list[dict[str, Any]]:
    """All rows with a number of records."""
    return [one(), bare(), many(count)]


if __name__ == "__main__":
    for shown in rows(int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS):
        print(f"{shown['case']}: {shown['ours_s']:.4f} s ({shown['check']})")
