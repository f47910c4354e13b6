"""The fracture liaison service as a whole: who is due, and its key figures."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from endplate.followup.key_figures import key_figures
from endplate.followup.read import due_list
from endplate.followup.row import Damage
from endplate.report.page import figure_style
from endplate.store.cases import case_rows
from endplate.web.access import Reader, TheBench
from endplate.web.pages import page

router = APIRouter(include_in_schema=False)


@router.get("/service")
def service(request: Request, bench: TheBench, user: Reader) -> Response:
    """The page."""
    today = date.today()
    damage: list[Damage] = []
    due, total = due_list(bench.store, today, limit=200, damage=damage)
    by_patient = {case.patient_id: case for case in reversed(case_rows(bench.store)) if case.patient_id}
    return page(
        request, "service.html.j2", due=due, total=total, cases=by_patient, figures=key_figures(bench.store, today),
        damage=damage, today=today,
    )  # fmt: skip


@router.get("/style/figures.css")
def figures_css(user: Reader) -> Response:
    """The style of the figures that pages share with the report."""
    return Response(figure_style(), media_type="text/css", headers={"Cache-Control": "private, max-age=300"})
