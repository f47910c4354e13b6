"""Rows N1-N4 of the acceptance table: prevention, drugs by name, and numbers that smell of another unit."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.care_kinds import KINDS, misses, patient

from endplate.decision.prevention.plan import prevent, prevention_books
from endplate.decision.rules.derive import derive
from endplate.patient.doubt import doubt_of, quantities
from endplate.patient.drug_table import by_name, known_drugs
from endplate.patient.named_drug import read_list
from verification.check import Check


def checks() -> Iterator[Check]:
    """All rows."""
    yield _cases()
    yield _patients()
    yield _names()
    yield _numbers()


def _row(number: str, title: str, expected: str, failed: list[str], total: int, source: str, rung: str) -> Check:
    got = f"{total - len(failed)} of {total}" + ("; misses: " + ", ".join(failed[:9]) if failed else "")
    passed = not failed and total > 0
    return Check(number=number, title=title, expected=expected, got=got, source=source, rung=rung, passed=passed)


def _cases() -> Check:
    """Expert cases of the rule files of prevention."""
    sets = {rules.id: rules for book in prevention_books() for rules in book.rulesets}
    failed, total = list[str](), 0
    for book in prevention_books():
        for case in book.cases:
            filled = derive(case.facts)
            for name, wanted in case.expect.items():
                outcome = sets[name].outcome(filled)
                got = f"{outcome.status}: {outcome.answer}" if ": " in wanted else outcome.status
                total += 1
                failed += [] if got == wanted else [f"{case.name}: {name} {got}"]
    source = "Guidelines and labels named in the rule files"
    return _row("N1", "expert cases of the prevention rule files", "all", failed, total, source, "published")


def _patients() -> Check:
    """Made-up patients of every kind that an audit found wrong."""
    failed = []
    for name, changes, wanted, unwanted in KINDS:
        said = prevent(patient(changes)).next_step
        failed += [f"{name}: {lack}" for lack in misses(said, wanted, unwanted)]
    source = "Made-up patients; right answers by the guidelines and labels of the rule files"
    return _row("N2", "next step for made-up patients, kind by kind", "all", failed, len(KINDS), source, "published")


def _names() -> Check:
    """Every name of the table is read as its drug, with a dose behind it and in capitals."""
    failed = []
    for drug in known_drugs():
        for name in drug.names:
            found = read_list([f"{name.upper()} 10 mg"])
            failed += [] if any(one.drug == drug for one in found.drugs) else [name]
    source = "WHO ATC index; trade names"
    return _row(
        "N3", "generic and trade names read as their drug", "all", failed, len(by_name()), source, "by construction"
    )


def _numbers() -> Check:
    """Each quantity passes in its usual range, and each slip of a unit is asked about with the value in our unit."""
    failed, total = [], 0
    for path, known in quantities().items():
        middle = (known.usual_low + known.usual_high) / 2
        total += 1
        failed += [path] if list(doubt_of(path, middle)) else []
        for slip in known.slips:
            read = max(min((slip.low + slip.high) / 2, slip.high), slip.low)
            if known.usual_low <= read <= known.usual_high:
                read = slip.low if slip.low < known.usual_low else slip.high
            total += 1
            failed += [] if any(slip.unit in one.words for one in doubt_of(path, read)) else [f"{path} {slip.unit}"]
    source = "Molar masses; ranges are our own choice"
    return _row("N4", "numbers in another unit are asked about", "all", failed, total, source, "exact")
