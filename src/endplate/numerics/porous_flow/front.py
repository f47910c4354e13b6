"""One step of a front: which voxels are full afterwards, and how full those at the front.

Behind the front pores are full and the fluid is in balance; ahead there is marrow at zero pressure. Written for the
pressure impulse w (pressure integrated over the step) this is an obstacle problem,

    w >= 0, s <= 1, w (1 - s) = 0,   A w + capacity (s - s_before) = injected - leaked,

which for a Newtonian fluid is exact for steps of any length (Baiocchi; Elliott and Janovsky 1981): steps need only be
as short as viscosity changes. Volume is conserved by construction. Solved by exchanging the set of full voxels until it
fits (primal-dual active set), the shear-thinning conductance being renewed from the speeds found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.errors import SolverError
from endplate.numerics.porous_flow import conductance as speeds
from endplate.numerics.porous_flow.body import Field, PorousBody
from endplate.numerics.porous_flow.poisson import Cells, Poisson

# Residual of the pressure: the volume error of a step is of this order, far below any limit asked of it.
TOLERANCE = 1e-7
# Speeds settle to this; conductance goes with their root, and pressure with the conductance.
SPEED_TOLERANCE = 5e-3
MAX_RENEWALS = 12
MAX_EXCHANGES = 60
# The end of a step differs little from its middle: one renewal brings its pressure within a per cent.
PRESSURE_RENEWALS = 1
# Slower than this share of the flow through one voxel face, a fluid counts as moving at that speed (no standstill).
STANDSTILL = 1e-6


@dataclass(slots=True, eq=False)
class Flow:
    """What the steps carry on: saturation, entry time, and the last estimate of flux.

    Attributes
    ----------
    saturation : (N,) 0..1 of the capacity. entered_s : (N,) time at which the fluid in a voxel left the needle.
    flux : (3, N) mm3/s towards the next voxel. leaving : (N,) mm3/s through openings. leaked_mm3 : (N,) so far.
    pressure : (N,) MPa at the end of the last step.
    """

    saturation: Field
    entered_s: Field
    flux: Field
    leaving: Field
    leaked_mm3: Field
    pressure: Field

    @staticmethod
    def empty(body: PorousBody) -> Flow:
        """Nothing injected."""
        n = body.capacity_mm3.size
        return Flow(np.zeros(n), np.zeros(n), np.zeros((3, n)), np.zeros(n), np.zeros(n), np.zeros(n))

    def copy(self) -> Flow:
        """An independent copy."""
        return Flow(*(getattr(self, name).copy() for name in Flow.__dataclass_fields__))

    @property
    def full(self) -> NDArray[np.bool_]:
        """(N,) voxels without marrow left to displace."""
        return self.saturation >= 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """What the needles do during a step: flow (n,) mm3/s at cells (n,) from `time_s` for `duration_s`."""

    cells: Cells
    flow_mm3_s: Field
    time_s: float
    duration_s: float

    @property
    def total_mm3_s(self) -> float:
        """Flow of all needles."""
        return float(self.flow_mm3_s.sum())


class FrontSolver:
    """The steps of one body; keeps its work arrays."""

    def __init__(self, body: PorousBody) -> None:
        self.body, self.stride = body, body.stride
        n = body.capacity_mm3.size
        self._face, self._outlet, self._diagonal = np.zeros((3, n)), np.zeros(n), np.zeros(n)
        self._open_area = np.where(body.outlet > 0, body.outlet * body.spacing_mm / (2 * body.mobility + 1e-300), 0)
        self.solves = self.iterations = 0

    def step(self, flow: Flow, source: Source, consistency_mpa_s: Field) -> Flow:
        """The flow after a step; `flow` is left as it is.

        Parameters
        ----------
        consistency_mpa_s : (N,) K of the fluid in each voxel; the fresh fluid's where there is none.

        Raises
        ------
        SolverError : pressure or front do not settle; or the fluid has nowhere to go.
        """
        after = flow.copy()
        given = np.zeros_like(flow.saturation)
        np.add.at(given, source.cells, source.flow_mm3_s * source.duration_s)
        room = self.body.capacity_mm3 * (1 - flow.saturation)
        full, impulse = flow.full.copy(), flow.pressure * source.duration_s
        for renewal in range(MAX_RENEWALS):
            before = after.flux.copy()
            full, impulse, gain = self._settle(after, full, impulse, given, room, source, consistency_mpa_s)
            if self.body.exponent == 1.0 or (renewal and speeds.flux_change(after.flux, before) < SPEED_TOLERANCE):
                break
        self._move(flow, after, full, impulse, given, gain, source)
        after.pressure = self._pressure(after, full, impulse / source.duration_s, source, consistency_mpa_s)
        return after

    def _settle(
        self,
        after: Flow,
        full: NDArray[Any],
        impulse: Field,
        given: Field,
        room: Field,
        source: Source,
        consistency: Field,
    ) -> tuple[NDArray[np.bool_], Field, Field]:
        """Exchange full voxels until pressure and saturation fit; renews the flux from the speeds found.

        Conductances stay as they are first set here: with them fixed the exchange ends.
        """
        self._face[:] = 0
        self._outlet[:] = 0
        takes = self.body.capacity_mm3 > 0
        for _ in range(MAX_EXCHANGES):
            cells = np.flatnonzero(full)
            self._conduct(after, cells, full, source, consistency)
            impulse = self._solve(cells, np.where(full, given - room, 0.0), np.where(full, impulse, 0.0))
            gain = given.copy()
            volume, out = np.zeros_like(self._face), np.zeros_like(impulse)
            speeds.set_flux(cells, self.stride, self._face, self._outlet, impulse, volume, out)
            speeds.gather_inflow(cells, full, self.stride, volume, gain)
            after.flux, after.leaving = volume / source.duration_s, out / source.duration_s
            joins = takes & ~full & (gain > room * (1 + 1e-9))
            leaves = full & (room > 0) & (impulse < 0)
            if not joins.any() and not leaves.any():
                return full, impulse, gain
            full = (full | joins) & ~leaves
        raise SolverError("the cement front did not settle", "its step is too long", "inject in smaller portions")

    def _conduct(self, after: Flow, cells: Cells, full: NDArray[Any], source: Source, consistency: Field) -> None:
        """Conductances of the faces of the full cells from the last flux."""
        body, thinning = self.body, 1 - self.body.exponent
        least = STANDSTILL * source.total_mm3_s / body.spacing_mm**2
        speeds.set_conductance(
            cells, full, self.stride, body.face, body.area_mm2, after.flux, consistency, thinning, least, self._face
        )
        speeds.set_outlet(
            cells,
            self.stride,
            body.outlet,
            body.area_mm2,
            after.flux,
            after.leaving,
            self._open_area,
            consistency,
            thinning,
            least,
            self._outlet,
        )
        speeds.set_diagonal(cells, self.stride, self._face, self._outlet, self._diagonal)

    def _solve(self, cells: Cells, right: Field, start: Field) -> Field:
        """A w = right on the cells."""
        if not cells.size:
            return np.zeros_like(right)
        system = Poisson(self.body.shape, cells, self._face, self._diagonal)
        system.solve(right, start, TOLERANCE)
        self.solves += 1
        self.iterations += system.iterations
        return start

    def _move(
        self, before: Flow, after: Flow, full: NDArray[Any], impulse: Field, given: Field, gain: Field, source: Source
    ) -> None:
        """Saturation, leaks and entry times after the step."""
        capacity = self.body.capacity_mm3
        taken = np.divide(gain, capacity, out=np.zeros_like(gain), where=capacity > 0)
        after.saturation = np.where(full, 1.0, np.minimum(before.saturation + taken, 1.0))
        after.leaked_mm3 = before.leaked_mm3 + after.leaving * source.duration_s
        wet = np.flatnonzero(after.saturation > 0)
        order = wet[np.argsort(-impulse[wet], kind="stable")]
        now = source.time_s + source.duration_s / 2
        held = before.saturation * capacity
        speeds.carry(
            order, self.stride, after.flux * source.duration_s, held, given, before.entered_s, now, after.entered_s
        )

    def _pressure(
        self, after: Flow, full: NDArray[np.bool_], start: Field, source: Source, consistency: Field
    ) -> Field:
        """Pressure at the end of the step, with the front where it now lies and the speeds of now."""
        rate = np.zeros_like(start)
        np.add.at(rate, source.cells, source.flow_mm3_s)
        cells, right, pressure = np.flatnonzero(full), np.where(full, rate, 0.0), np.where(full, start, 0.0)
        if self.body.exponent == 1.0 or not cells.size:
            return self._solve(cells, right, pressure)
        now = after.copy()
        for _ in range(PRESSURE_RENEWALS):
            pressure = self._solve(cells, right, pressure)
            now.flux[:] = 0
            speeds.set_flux(cells, self.stride, self._face, self._outlet, pressure, now.flux, now.leaving)
            self._face[:] = 0
            self._outlet[:] = 0
            self._conduct(now, cells, full, source, consistency)
        return self._solve(cells, right, pressure)
