"""Whether a page that is open in some tab is still of the case as it is: files and readings may have changed since."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from endplate.report.read_document import read_document
from endplate.store.cases import CaseRow
from endplate.store.readings import readings_of
from endplate.store.rehearsals import basis_of
from endplate.web.access import RefusedError
from endplate.web.bench import Bench

CHANGED = "this case was corrected or given other files since this page was opened"


def seen_mark(basis: dict[str, Any]) -> str:
    """A short mark of the state that a page was made from."""
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:16]


def refuse_changed(bench: Bench, case: CaseRow, level: str, seen: str) -> None:
    """Refuse what a page asks that was made from another state of the case.

    Parameters
    ----------
    seen : mark of the state that the page is of; empty where it states none.
    """
    if seen and seen != seen_mark(basis_of(bench.store, case.id, level)):
        why = "a needle placed on the former pictures might lie in another vertebra"
        raise RefusedError(409, CHANGED, why, "load the page again; what you placed is kept in this tab")


def being_measured(bench: Bench, case: CaseRow) -> bool:
    """Whether readings were made or withdrawn that the results do not know yet, so that names of levels may be old."""
    if case.folder is None:
        return False
    held = [one.plain for one in readings_of(bench.store, case.id)]
    known = read_document(case.folder)["provenance"].get("parameters", {}).get("readings", [])
    return bool(held != known)
