"""Ask the rule sets again for a case whose record changed; what was measured stays."""

from __future__ import annotations

import json
from typing import Any

from endplate.errors import RecordError
from endplate.jobs.context import JobContext
from endplate.jobs.summary import summary_of
from endplate.store.audit import note
from endplate.store.cases import change_case


def weigh_again(context: JobContext) -> dict[str, Any]:
    """Write the verdicts, the bundle and the pages of the record into the results of the case."""
    from endplate.case.care import weigh
    from endplate.patient import parse_record
    from endplate.report.care.write import write_care
    from endplate.report.read_document import findings_of, read_document

    row = context.case()
    while True:
        if row.record is None or row.folder is None:
            raise RecordError("this case has no record or no results yet", "", "measure it first")
        context.tell("decide", 0.0, row.name)
        findings = findings_of(read_document(row.folder, row.patient_id))
        care = weigh(parse_record(json.dumps(row.record), "the record"), findings)
        context.tell("report", 0.5, "")
        write_care(care, findings, row.folder, row.folder)
        weighed, folder, row = row.record, row.folder, context.case()
        if row.record == weighed:  # else it was saved while this was written: the verdicts are to be of the last one
            break
    summary = summary_of(read_document(folder), folder)
    change_case(context.store, row.id, {"summary": summary})
    note(context.store, context.job.asked_by, "asked the rule sets again", row)
    context.tell("report", 1.0, "")
    return {"levels": [level.level for level in care.decision.levels]}
