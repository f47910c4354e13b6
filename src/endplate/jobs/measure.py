"""Measure a case that was given, ask the rule sets where there is a record, and write its results."""

from __future__ import annotations

from typing import Any

from endplate.jobs.context import JobContext
from endplate.jobs.summary import summary_of
from endplate.jobs.view import put_view, read_case_of
from endplate.jobs.weigh import weigh_again
from endplate.store.audit import note
from endplate.store.cases import change_case, inputs_of


def measure(context: JobContext) -> dict[str, Any]:
    """Read, measure and weigh the case of the job; its results folder is exchanged in one step.

    Arguments of the job: `voxel_mm` and `nonlinear` as of `endplate.assess`, `mechanics`; `repairs` to rehearse the
    fractured levels too.
    """
    from endplate.api.choices import measuring_settings
    from endplate.case.assess import assess
    from endplate.case.plan import PlanSettings, plan
    from endplate.report.read_document import read_document
    from endplate.report.write import write_report

    row, tell, record = context.case(), context.tell, _record(context)
    case = read_case_of(context)
    wanted = {key: value for key, value in context.arguments.items() if key in ("voxel_mm", "nonlinear", "mechanics")}
    settings = measuring_settings(None, wanted)
    if case.record is None:
        case = assess(case, settings, tell)
    else:
        repairs = bool(context.arguments.get("repairs", False))
        case = plan(case, PlanSettings(assess=settings, repairs=repairs), tell)
    tell("report", 0.0, "")
    folder = context.files.results(row.id)
    write_report(case, folder)
    summary = summary_of(read_document(folder), folder)
    change_case(context.store, row.id, {"folder": str(folder), "summary": summary})
    note(context.store, context.job.asked_by, "measured", row)
    tell("report", 1.0, "")
    put_view(context, case)
    if _record(context) != record:  # it was saved while this was computed: the verdicts are to be of the last one
        weigh_again(context)
    return {"worst": summary["worst"], "fractured": summary["fractured"]}


def _record(context: JobContext) -> str:
    """By which hash the record of the case is known now."""
    found = inputs_of(context.store, context.job.case_id or "").get("record")
    return "" if found is None else found.sha256
