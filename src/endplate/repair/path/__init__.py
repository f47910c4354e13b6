"""The way in: straight needle paths through or beside the pedicle, with their clearance to every wall."""

from endplate.repair.path.access import plan_access
from endplate.repair.path.assess import assess_path
from endplate.repair.path.margin import refusal, spare_mm, verdict
from endplate.repair.path.settings import PathSettings
from endplate.repair.path.walls import Walls, find_walls

__all__ = ["PathSettings", "Walls", "assess_path", "find_walls", "plan_access", "refusal", "spare_mm", "verdict"]
