"""The REST door to one case: what readers say of it, the clearances of a needle, and rehearsals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from endplate.jobs import queue
from endplate.jobs.record_levels import question_of
from endplate.store.readings import ReadingRow, readings_of
from endplate.store.rehearsals import RehearsalRow, rehearsals_of
from endplate.web.access import Editor, TheBench, TheCase
from endplate.web.candidacy import settle_levels
from endplate.web.case_view import LONGEST_REASON, keep_reading, take_back
from endplate.web.needle import Asked, clearance, start
from endplate.web.rehearsal import TASK, Plan, run


class Said(BaseModel):
    """What a reader says of a vertebra: `to` is its name, Genant grade 0 to 3, or "yes", "old" or "no"."""

    what: Literal["renumber", "set_aside", "grade", "fracture"]
    level: Annotated[str, Field(max_length=4)]
    to: Annotated[str, Field(max_length=8)] = ""
    scope: Literal["up", "down", "all", "one"] = "all"
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class Meant(BaseModel):
    """What the record means by its levels: "vertebra", whose names then move along, or "name", which stays."""

    means: Literal["vertebra", "name"]


def case_routes(api: FastAPI) -> None:
    """Add the requests about one case."""
    _readings(api)
    _record_levels(api)
    _needles(api)


def _readings(api: FastAPI) -> None:
    @api.get("/cases/{case_id}/readings")
    def readings(case: TheCase, bench: TheBench, withdrawn: bool = False) -> list[dict[str, Any]]:
        """What readers said of a case, in the order in which it was said; it outranks what was computed."""
        return [reading_json(one) for one in readings_of(bench.store, case.id, withdrawn=withdrawn)]

    @api.post("/cases/{case_id}/readings", status_code=201)
    def new_reading(case: TheCase, bench: TheBench, user: Editor, said: Said) -> dict[str, Any]:
        """Keep what a reader says of a vertebra; a job computes everything again."""
        number, job = keep_reading(bench, case, user, said.model_dump())
        return {"reading": number, "job": job}

    @api.post("/cases/{case_id}/readings/{number}/withdraw", status_code=202)
    def withdraw(case: TheCase, bench: TheBench, user: Editor, number: int) -> dict[str, Any]:
        """Withdraw a reading; it stays kept with who withdrew it, and a job computes everything again."""
        return {"job": take_back(bench, case, user, number)}


def _record_levels(api: FastAPI) -> None:
    @api.get("/cases/{case_id}/record-levels")
    def record_levels(case: TheCase, bench: TheBench) -> dict[str, Any]:
        """Levels of the record whose vertebrae are called otherwise since, with the present names; empty where none."""
        asked = question_of(bench.store, case)
        return {"moves": {} if asked is None else asked.moves}

    @api.post("/cases/{case_id}/record-levels", status_code=202)
    def say_levels(case: TheCase, bench: TheBench, user: Editor, meant: Meant) -> dict[str, Any]:
        """Say which vertebrae the record means; the verdicts are written again."""
        settle_levels(bench, case, user, meant.means, case.version)
        return {"ok": True}


def _needles(api: FastAPI) -> None:
    @api.get("/cases/{case_id}/needles")
    def needles(
        case: TheCase, bench: TheBench, level: str, procedure: str = "vertebroplasty", balloon: str = ""
    ) -> Response:
        """The best line of the search on each side of a level, entry and target in RAS mm."""
        return start(bench, case, level, procedure, balloon)

    @api.get("/cases/{case_id}/clearances")
    def clearances(case: TheCase, bench: TheBench, asked: Annotated[Asked, Query()]) -> Response:
        """Clearances of one needle to every wall in mm, with what is said of it; places are "x,y,z" in RAS mm."""
        return clearance(bench, case, asked)

    @api.get("/cases/{case_id}/rehearsals")
    def rehearsals(case: TheCase, bench: TheBench) -> list[dict[str, Any]]:
        """Rehearsals that are kept with the case."""
        return [rehearsal_json(one) for one in rehearsals_of(bench.store, case.id)]

    @api.post("/cases/{case_id}/rehearsals", status_code=202)
    def rehearse(case: TheCase, bench: TheBench, user: Editor, plan: Plan) -> dict[str, Any]:
        """Run a repair as a job; `more` is JSON text with volumes and lines, as the page sends it."""
        run(bench, case, user, plan)
        jobs = queue.jobs(bench.store, ("queued", "running"), case_id=case.id)
        return {"jobs": [job.id for job in jobs if job.task == TASK]}


def reading_json(one: ReadingRow) -> dict[str, Any]:
    """A reading for a program."""
    ended = None if one.withdrawn_at is None else one.withdrawn_at.isoformat()
    return {"id": one.id, **one.plain, "withdrawn_by": one.withdrawn_by, "withdrawn_at": ended}


def rehearsal_json(one: RehearsalRow) -> dict[str, Any]:
    """A rehearsal for a program."""
    return {
        "id": one.id, "level": one.level, "title": one.title, "asked": one.asked, "result": one.result, "who": one.who,
        "at": one.at.isoformat(), "version": one.version,
    }  # fmt: skip
