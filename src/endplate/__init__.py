"""endplate: from a spine CT and a patient record to what is broken, what a repair would do, and what the rules say.

Research software, not a medical device.

    import endplate as ep

    case = ep.read_case("ct.nii.gz", labels="labels.nii.gz", record="patient.json")
    case = ep.assess(case)
    case["L1"].anterior_height
    case = ep.rehearse(case, "L1", procedure="kyphoplasty", cement_ml=4, balloon_ml=2)
    case.report().save("r.html")

`plan` does all of it; `weigh` asks the rules; `load_case` reads results back; `numerics` is usable alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from endplate.version import __version__

if TYPE_CHECKING:
    pass
    from endplate.api.case import Case
    from endplate.api.deprecated import RehearseSettings as RehearseSettings
    from endplate.api.level_view import LevelView
    from endplate.api.page import Report
    from endplate.api.quantity import Quantity
    from endplate.api.saved import SavedCase, load_case
    from endplate.api.verbs import assess, plan, read_case, rehearse, weigh
    from endplate.bone.settings import RodSettings
    from endplate.case.assess import AssessSettings
    from endplate.case.care import Care
    from endplate.case.plan import PlanSettings
    from endplate.errors import EndplateError, InputError
    from endplate.finding import Caution, Finding, Gap, catalogue
    from endplate.image.phantom import Deformity, PhantomSpec, Rods, make_phantom
    from endplate.image.volume import LabelMap, Volume
    from endplate.level import Level
    from endplate.patient import PatientRecord, read_record
    from endplate.progress import Progress
    from endplate.repair.device.balloon import Balloon
    from endplate.repair.device.cement import Cement
    from endplate.repair.device.needle import Needle
    from endplate.repair.rehearsal.rehearse import RehearsalSettings
    from endplate.report.write import write_report

__all__ = [
    "AssessSettings",
    "Balloon",
    "Care",
    "Case",
    "Caution",
    "Cement",
    "Deformity",
    "EndplateError",
    "Finding",
    "Gap",
    "InputError",
    "LabelMap",
    "Level",
    "LevelView",
    "Needle",
    "PatientRecord",
    "PhantomSpec",
    "PlanSettings",
    "Progress",
    "Quantity",
    "RehearsalSettings",
    "Report",
    "RodSettings",
    "Rods",
    "SavedCase",
    "Volume",
    "__version__",
    "assess",
    "catalogue",
    "load_case",
    "make_phantom",
    "numerics",
    "plan",
    "read_case",
    "read_record",
    "rehearse",
    "weigh",
    "write_report",
]

_HOMES = {
    "AssessSettings": "case.assess",
    "Balloon": "repair.device.balloon",
    "Care": "case.care",
    "Case": "api.case",
    "Caution": "finding",
    "Cement": "repair.device.cement",
    "Deformity": "image.phantom",
    "EndplateError": "errors",
    "Finding": "finding",
    "Gap": "finding",
    "InputError": "errors",
    "LabelMap": "image.volume",
    "Level": "level",
    "LevelView": "api.level_view",
    "Needle": "repair.device.needle",
    "PatientRecord": "patient",
    "PhantomSpec": "image.phantom",
    "PlanSettings": "case.plan",
    "Progress": "progress",
    "Quantity": "api.quantity",
    "RehearsalSettings": "repair.rehearsal.rehearse",
    "RehearseSettings": "api.deprecated",
    "Report": "api.page",
    "RodSettings": "bone.settings",
    "Rods": "image.phantom",
    "SavedCase": "api.saved",
    "Volume": "image.volume",
    "assess": "api.verbs",
    "catalogue": "finding",
    "load_case": "api.saved",
    "make_phantom": "image.phantom",
    "plan": "api.verbs",
    "read_case": "api.verbs",
    "read_record": "patient",
    "rehearse": "api.verbs",
    "weigh": "api.verbs",
    "write_report": "report.write",
}


def __getattr__(name: str) -> Any:
    """What is exported is imported at first use, so that `endplate --help` need not load a compiler."""
    if name == "numerics":
        return import_module("endplate.numerics")
    if name not in _HOMES:
        raise AttributeError(f"module 'endplate' has no attribute {name!r}")
    return getattr(import_module(f"endplate.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What a user may call."""
    return sorted(__all__)
