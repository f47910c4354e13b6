"""Press two plates into a body of material points by shares of their travel, and let go of it again."""

from __future__ import annotations

import numpy as np

from endplate.cited import cited
from endplate.errors import SolverError
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.load import Load
from endplate.numerics.mpm.load_stepping import release
from endplate.synthetic_fracture.platen import Platens

STEP_VOXELS = cited(0.25, "voxel", "own algorithm, docs/theory.md, balloon mechanics: longest move in a step", "design")
RELEASE_STEPS = cited(7, "1", "own trial: seven equal steps let go of a crushed body without a jump", "design")
RELEASE_HALVINGS = cited(
    1, "1", "own choice: what does not hold still then is let go by drawing the plates back", "design"
)
BACK = cited(0.25, "1", "own choice: the recoil takes some of these parts of a step", "design")
BACK_STEPS = cited(16, "1", "own choice: four full steps, several times the recoil of bone", "design")
BACK_PUSH = cited(0.03, "1", "own choice: what a plate may still push, of its highest push, and count as off", "design")
MIN_STEP = cited(0.1, "1", "a step that fails even at a tenth of its size will not succeed", "design")


class PlatePress:
    """Two plates over the points of an engine.

    Parameters
    ----------
    engine : with the body. platens : which nodes they hold and how far they go. voxel_mm : of the engine.

    Attributes
    ----------
    peak_n : highest push of the upper plate. notes : what went otherwise.
    """

    def __init__(self, engine: Engine, platens: Platens, voxel_mm: float) -> None:
        self.engine, self.platens, self.voxel_mm = engine, platens, voxel_mm
        self.peak_n = 0.0
        self.notes: list[str] = []

    @property
    def full_step(self) -> float:
        """Share of the travel that one step goes."""
        return float(STEP_VOXELS * self.voxel_mm / self.platens.longest_mm)

    def press_by(self, at: float, share: float) -> None:
        """Move the plates on by a share of their travel.

        Raises
        ------
        SolverError : no equilibrium; the state is the one before.
        """
        self.peak_n = max(self.peak_n, abs(self._hold(at, share)))

    def _hold(self, at: float, share: float) -> float:
        """Move the plates on by a share of their travel; returns the push on the upper one, N, above zero in crush."""
        upper, lower = self.platens.holds(at)
        held = np.repeat((upper | lower)[..., None], 3, axis=-1)
        self.engine.step(Load(constrained=held, move=self.platens.move(upper, lower, share)))
        return -float(self.engine.reactions()[upper][:, 2].sum())

    def let_go(self, at: float) -> None:
        """Take the load off; the lower plate goes on holding the body in place."""
        upper, lower = (np.repeat(plate[..., None], 3, axis=-1) for plate in self.platens.holds(at))
        course = release(
            self.engine, upper, Load(constrained=lower), int(RELEASE_STEPS), halvings=int(RELEASE_HALVINGS)
        )
        if not course.converged and not self._draw_back(at):
            self.notes.append(f"unloading stopped early: {course.stop}")

    def _draw_back(self, at: float) -> bool:
        """Draw the plates back by small moves until they push no more: for what does not hold still when let go."""
        share = BACK * self.full_step
        for _ in range(int(BACK_STEPS)):
            at -= share
            try:
                push_n = self._hold(at, -share)
            except SolverError:
                return False
            if push_n <= BACK_PUSH * self.peak_n:
                self.notes.append("the plates were drawn back instead of let go")
                return True
        return False
