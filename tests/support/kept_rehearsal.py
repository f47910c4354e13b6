"""Rehearsals of a measured case as a job keeps them, from the synthetic rehearsal: nothing is solved for minutes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.atomic import private_folder
from endplate.jobs.live import Live
from endplate.jobs.rehearsal_report import write_part
from endplate.jobs.variant import variant
from endplate.progress import Sight
from endplate.store.database import Store
from endplate.store.files import Files
from endplate.store.rehearsals import basis_of, keep_rehearsal


@cache
def _case(members: int) -> Any:
    return rehearsed_case(members)


def rehearsed(procedure: str, members: int = 0) -> Any:
    """The synthetic case with one procedure."""
    case = _case(members)
    (done,) = case.rehearsals
    only = tuple(one for one in done.nominal if one.procedure == procedure)
    bands = {name: of for name, of in done.bands.items() if name in ("none", procedure)}
    return replace(case, rehearsals=(replace(done, nominal=only, bands=bands),))


def plain_variant(procedure: str = "kyphoplasty", kind: str = "mine", members: int = 0) -> dict[str, Any]:
    """What a job keeps of such a rehearsal."""
    return variant(rehearsed(procedure, members).rehearsals[0], {"kind": kind}) | {"trouble": ""}


class _Quiet:
    """A job's context that writes nothing to a store."""

    def __init__(self, place: Any) -> None:
        self.place = place

    def folder(self) -> Any:
        return self.place

    def tell(self, stage: str, fraction: float, detail: str) -> None:
        pass

    def keep(self, words: str) -> None:
        pass


def put_kept(
    store: Store,
    files: Files,
    case_id: str,
    number: int,
    *,
    level: str = "L2",
    kind: str = "mine",
    procedure: str = "kyphoplasty",
    members: int = 0,
    change: dict[str, float] | None = None,
) -> str:
    """Keep a rehearsal with its part of a report and its course; `change` are factors on results by name."""
    rehearsal_id = f"{number:032x}"
    found = plain_variant(procedure, kind, members) | {"level": level}
    found["values"] = {of: dict(held) for of, held in found["values"].items()}
    for name, factor in (change or {}).items():
        band = found["values"][procedure][name]
        found["values"][procedure][name] = {
            key: value * factor if isinstance(value, float) else value for key, value in band.items()
        }
    asked = {"level": level, "procedure": procedure, "kind": kind, "cement_ml": 3.0, "lines": []}
    title = f"{'Mine' if kind == 'mine' else 'Best found'}: {procedure} of {level}, cement 3 mL"
    row = {"id": rehearsal_id, "level": level, "title": title, "asked": asked, "result": found, "who": "ada",
           "basis": basis_of(store, case_id, level), "version": "0"}  # fmt: skip
    keep_rehearsal(store, case_id, row)
    case = rehearsed(procedure, members)
    place = files.run(rehearsal_id)
    private_folder(place)
    write_part(case, place)
    fill = next(one.fill for one in case.rehearsals[0].nominal if one.fill is not None)
    live = Live(_Quiet(place))  # type: ignore[arg-type]
    live.read("cement", 1.0, 0.1)
    live("cement", 0.5, procedure)
    live.see("cement", lambda: Sight(kind="cement", share=fill.saturation, affine=fill.grid.affine))
    live.read("cement", 3.0, 0.2)
    live("cement", 1.0, procedure)
    return rehearsal_id
