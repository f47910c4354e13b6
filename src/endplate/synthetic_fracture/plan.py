"""What to crush and how far: the shape of a collapse as a share of its depth over the endplates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import OptionError
from endplate.fracture.height.patch import PLACES
from endplate.level import Level

Shape = Literal["wedge", "biconcave", "crush"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

MIN_LOSS = cited(0.05, "1", "below this the loss is smaller than the error of measuring it", "design")
MAX_LOSS = cited(
    0.6, "1", "beyond this the body is crushed to its posterior wall and no path to it was tried", "design"
)
HINGE = cited(
    0.95,
    "1",
    "depth from the front where a wedge hinges: 0.3 of 28 mm over 0.825 of 34 mm tilts by 17 degrees, as the grade 2 "
    "fractures of JOSR 2023 (16.9 degrees); at the wall itself it would lower the posterior height",
    "design",
)
NUCLEUS = cited(
    0.72,
    "1",
    "reach of a biconcave dent over the endplate's half axes: the rim, a fifth to a quarter of them, stands",
    "design",
)
UPPER_SHARE = cited(0.5, "1", "biconcave: either endplate gives half of the loss", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collapse:
    """What to make of an intact vertebra.

    Attributes
    ----------
    shape : `wedge` loses anterior height, `biconcave` middle height, `crush` all three alike.
    loss : fraction of that height to be lost, against the intact height of the same body, after unloading.
    """

    level: Level
    shape: Shape
    loss: float

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise OptionError(f"--shape {self.shape!r} is unknown", "", f"choose {', '.join(SHAPES)}")
        if not MIN_LOSS <= self.loss <= MAX_LOSS:
            raise OptionError(
                f"--loss {self.loss:g} is out of range",
                "it is the fraction of height that the body loses",
                f"give {MIN_LOSS:g} to {MAX_LOSS:g}",
            )

    @property
    def kinds(self) -> tuple[int, ...]:
        """Which of the anterior, middle and posterior height must lose `loss`: their places."""
        return {"wedge": (0,), "biconcave": (1,), "crush": (0, 1, 2)}[self.shape]


def lowering(
    shape: Shape, across: NDArray[np.float64], along: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the upper endplate comes down and the lower one comes up, as a share of height per unit of loss.

    Parameters
    ----------
    across : place from left (-1) to right (1) of the endplate. along : from the front (0) to the back (1).
    """
    nothing = np.zeros(np.broadcast(across, along).shape)
    if shape == "crush":
        return nothing + 1, nothing
    if shape == "wedge":
        front = PLACES["anterior"]
        ramp = (HINGE - along) / (HINGE - front)
        return nothing + np.maximum(ramp, 0), nothing
    reach = np.hypot(across, 2 * along - 1) / NUCLEUS
    dent = np.where(reach < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(reach, 1)), 0.0)
    flat = np.clip(2 * dent, 0, 1)  # a broad floor, as a nucleus presses it
    return UPPER_SHARE * flat, (1 - UPPER_SHARE) * flat
