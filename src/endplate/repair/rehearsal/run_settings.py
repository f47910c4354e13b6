"""What is chosen of one run: procedures, needles, balloon, cement, grid."""

from __future__ import annotations

from dataclasses import dataclass, field

from endplate.biomechanics.model import VOXEL_MM, ModelSettings
from endplate.biomechanics.strength import StrengthSettings
from endplate.repair.access.access_result import Procedure
from endplate.repair.access.needle_choice import check_balloon
from endplate.repair.access.settings import PathSettings
from endplate.repair.cement.injection_plan import InjectionPlan
from endplate.repair.device.cement import Cement, choose_cement
from endplate.repair.kyphoplasty.posture import EXTENSION_DEG


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What is chosen, as against what is unknown.

    Attributes
    ----------
    procedures : in the order of the report. path : needles, sides, balloon. injection : cement plan.
    cement : name in the catalogue, or one of your own.
    balloon_ml : volume of all balloons together; None takes what is usual.
    extension_deg : of the neighbours on the table, 0 for as scanned. follow : go on beyond walls that give way.
    voxel_mm : edge of the cubes. model, strength : as in the assessment.
    """

    procedures: tuple[Procedure, ...] = ("vertebroplasty", "kyphoplasty")
    path: PathSettings = field(default_factory=PathSettings)
    injection: InjectionPlan = field(default_factory=InjectionPlan)
    cement: str | Cement = "standard PMMA"
    balloon_ml: float | None = None
    extension_deg: float = float(EXTENSION_DEG)
    follow: bool = True
    voxel_mm: float = float(VOXEL_MM)
    model: ModelSettings = field(default_factory=ModelSettings)
    strength: StrengthSettings = field(default_factory=StrengthSettings)

    def __post_init__(self) -> None:
        choose_cement(self.cement)
        if "kyphoplasty" in self.procedures:
            check_balloon(self.path)
