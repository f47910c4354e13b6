"""The way in: straight needle paths through or beside the pedicle, with their clearance to every wall."""

from endplate.repair.access.access_walls import AccessWalls, find_access_walls
from endplate.repair.access.assess_path import assess_path
from endplate.repair.access.clearance import refusal, spare_mm, verdict
from endplate.repair.access.plan import plan_access
from endplate.repair.access.settings import PathSettings

__all__ = [
    "AccessWalls",
    "PathSettings",
    "assess_path",
    "find_access_walls",
    "plan_access",
    "refusal",
    "spare_mm",
    "verdict",
]
