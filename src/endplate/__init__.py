"""endplate: from a spine CT and a patient record to what is broken, what a repair would do, and what the rules say.

Research software, not a medical device.

    case = endplate.read_case("ct.nii.gz", labels="labels.nii.gz", record="patient.json")
    case = endplate.plan(case)
    endplate.write_report(case, "out/")

`assess` measures alone; `rehearse` adds the repair of one level; `weigh` asks the rules.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from endplate.version import __version__

if TYPE_CHECKING:
    from endplate.case.assess import AssessSettings, assess
    from endplate.case.care import Care, weigh
    from endplate.case.plan import PlanSettings, plan
    from endplate.case.read import read_case
    from endplate.case.rehearse import rehearse
    from endplate.patient import read_record
    from endplate.report.write import write_report

__all__ = [
    "AssessSettings",
    "Care",
    "PlanSettings",
    "RehearseSettings",
    "__version__",
    "assess",
    "plan",
    "read_case",
    "read_record",
    "rehearse",
    "weigh",
    "write_report",
]

_ROOMS = frozenset({"numerics"})
_HOMES = {
    "AssessSettings": "endplate.case.assess",
    "assess": "endplate.case.assess",
    "Care": "endplate.case.care",
    "weigh": "endplate.case.care",
    "PlanSettings": "endplate.case.plan",
    "plan": "endplate.case.plan",
    "read_record": "endplate.patient",
    "read_case": "endplate.case.read",
    "rehearse": "endplate.case.rehearse",
    "RehearseSettings": "endplate.case.rehearse",
    "write_report": "endplate.report.write",
}


def __getattr__(name: str) -> Any:
    """The verbs are imported at first use, so that `endplate --help` need not load a compiler."""
    if name in _ROOMS:
        return import_module(f"endplate.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'endplate' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """What a user may call."""
    return sorted(__all__)
