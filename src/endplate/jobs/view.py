"""What the viewer shows of a case: made by the job that measures it, or by one of its own where it is missing."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from endplate.errors import LabelError
from endplate.jobs.context import JobContext
from endplate.jobs.names import by_given_names
from endplate.store.audit import note
from endplate.store.cases import inputs_of
from endplate.store.readings import readings_of

if TYPE_CHECKING:
    from endplate.case import Case


def read_case_of(context: JobContext) -> Case:
    """The case of a job from its files, with what readers said of it.

    Raises
    ------
    LabelError : it has no labels. InputError : as `read_case`.
    """
    from dataclasses import replace

    from endplate.case.read import read_case
    from endplate.case.readings.reading import parse_readings

    row, paths = context.case(), context.inputs()
    names = inputs_of(context.store, row.id)
    if "labels" not in paths:
        raise LabelError(
            "no vertebra labels given", "endplate measures labelled vertebrae", "add a label map to this case"
        )
    context.tell("read", 0.0, row.name)
    said = parse_readings([one.plain for one in readings_of(context.store, row.id)], "the readings of this case")
    with by_given_names({path: names[role].name for role, path in paths.items()}):
        case = read_case(paths.get("ct"), paths["labels"], paths.get("record"), paths.get("scheme"), readings=said)
    given = {role: f"{role}: {one.name}" for role, one in names.items()}
    inputs = {given.get(key.partition(":")[0], key): value for key, value in case.provenance.inputs.items()}
    context.tell("read", 1.0, "")
    return replace(case, id=row.name, provenance=replace(case.provenance, inputs=inputs))


def put_view(context: JobContext, case: Case) -> None:
    """Make what the viewer shows of a measured case; the former one is replaced when the new one is whole."""
    from endplate.report.view.write import write_view

    context.tell("view", 0.0, "")
    place = context.files.view(context.case().id)
    fresh, former = (place.with_name(f"{place.name}.{word}-{context.job.id}") for word in ("new", "old"))
    for left in place.parent.glob(f"{place.name}.*"):  # of a worker that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        write_view(case, fresh)
        if place.exists():
            os.replace(place, former)
        os.replace(fresh, place)
    finally:
        for left in (fresh, former):
            shutil.rmtree(left, ignore_errors=True)
    context.tell("view", 1.0, "")


def view(context: JobContext) -> dict[str, Any]:
    """The task: measure shapes and density, without mechanics, and make what the viewer shows."""
    from endplate.case.assess import AssessSettings, assess

    case = assess(read_case_of(context), AssessSettings(mechanics=False), context.tell)
    put_view(context, case)
    note(context.store, context.job.asked_by, "prepared the viewer", context.case())
    return {}
