"""Implicit quasi-static steps of a cloud of points with immersed balloons."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.mpm import kernels
from endplate.numerics.mpm.balloon import Balloon
from endplate.numerics.mpm.domain import Domain
from endplate.numerics.mpm.energy_balance import EnergyBalance
from endplate.numerics.mpm.engine_state import Solution
from endplate.numerics.mpm.foam import MIN_DENSITY, FoamLaw
from endplate.numerics.mpm.load import Load, Settings
from endplate.numerics.mpm.newton import solve_step
from endplate.numerics.mpm.particles import Particles
from endplate.numerics.mpm.springs import SpringModes
from endplate.numerics.mpm.surface import Surface
from endplate.numerics.threads import run_chunks, thread_count

Double = NDArray[np.float64]

PAD = 6
"""Voxels of room about a body unless more is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """How a step went.

    Attributes
    ----------
    pressure_mpa, volume_mm3 : of each balloon after it. reaction_n : (3,) sum over what is held, as the force on the
    material. residual : relative. converged : within the tolerance (else within its loose multiple).
    """

    iterations: int
    residual: float
    converged: bool
    largest_move_mm: float
    pressure_mpa: tuple[float, ...]
    volume_mm3: tuple[float, ...]
    reaction_n: Double


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SavedState:
    """What `Engine.save` keeps."""

    particles: Particles
    surfaces: tuple[Surface, ...]
    pressures: tuple[float, ...]
    carried: dict[str, Double]
    energy_balance: EnergyBalance
    modulus: Double
    last: Solution | None
    greatest_force: float


class Engine:
    """A cloud, its law and its balloons on a padded box of voxels.

    Parameters
    ----------
    cloud : the points; they move. law : of the foam. shape, spacing_mm : the caller's voxels. balloons : immersed.
    pad : voxels of room on every side, at least 3. settings : how steps are solved.

    Attributes
    ----------
    carried : passive markers by name, (m, 3) mm. ledger : the balances. move : (N, 3) mm of the last step.
    """

    def __init__(
        self,
        cloud: Particles,
        law: FoamLaw,
        shape: tuple[int, int, int],
        spacing_mm: float,
        *,
        balloons: Sequence[Balloon] = (),
        pad: int = PAD,
        settings: Settings | None = None,
    ) -> None:
        self.particles, self.law, self.balloons = cloud, law, tuple(balloons)
        self.shape, self.spacing_mm, self.pad = shape, float(spacing_mm), pad
        self.settings = settings or Settings()
        self.domain = Domain(shape, spacing_mm, max(pad, 3), self.settings.void_mpa)
        self.pad = self.domain.pad
        self.carried: dict[str, Double] = {}
        self.energy_balance = EnergyBalance(mass_mg=float(cloud.mass.sum()))
        self.secant = np.ones(cloud.size)
        self.modulus = cloud.modulus(law)
        self.last: Solution | None = None
        self.spring_modes: SpringModes | None = None
        self.greatest_force = 0.0
        self._packed = law.packed()
        self._order = np.zeros(cloud.size, dtype=np.int32)
        planes = self.domain.grid.dims[0]
        self._slabs = np.zeros((planes - 3) // kernels.SLAB + 2, dtype=np.int64)

    @property
    def node_mm(self) -> Double:
        """(nx, ny, nz, 3) mm positions of the nodes of the padded box."""
        index = np.moveaxis(np.indices(self.domain.grid.dims), 0, -1)
        return np.asarray((index - self.pad) * self.spacing_mm, dtype=np.float64)

    def carry(self, name: str, points_mm: NDArray[np.floating]) -> None:
        """Carry passive markers (m, 3) along from now on."""
        self.carried[name] = np.array(points_mm, dtype=np.float64)

    def follow(self, law: FoamLaw) -> None:
        """Let another law of the foam hold from the next step on; the points keep what they went through."""
        self.law, self._packed = law, law.packed()

    def take_domain(self, domain: Domain) -> None:
        """Work on another domain of the same box from the next step on."""
        self.domain, self.spring_modes = domain, None

    def damp(self, void_mpa: float | None = None) -> None:
        """Let the void resist every step with another stiffness, as a viscous fluid would; None for the settings' own.

        The void remembers nothing, so that it slows what moves and holds nothing that is at rest.
        """
        self.domain.resist(self.settings.void_mpa if void_mpa is None else void_mpa)
        self.spring_modes = None

    def step(self, load: Load) -> Step:
        """One implicit step. The state advances only if it converges.

        Raises
        ------
        SolverError : no equilibrium was found, or material left the box; the state is the one before the step.
        """
        self.prepare()
        solution = solve_step(self, load)
        self._take(solution, load)
        return Step(
            iterations=solution.iterations,
            residual=solution.residual,
            converged=solution.residual <= self.settings.tolerance,
            largest_move_mm=solution.largest_mm,
            pressure_mpa=tuple(b.pressure_mpa for b in self.balloons),
            volume_mm3=tuple(b.volume() for b in self.balloons),
            reaction_n=solution.reaction[solution.constrained.any(axis=1)].sum(axis=0),
        )

    def reactions(self) -> Double:
        """(nx, ny, nz, 3) N with which what was held in the last step holds the material."""
        out = np.zeros((self.domain.grid.count, 3))
        if self.last is not None:
            out[self.domain.nodes] = self.last.reaction
        return out.reshape(*self.domain.grid.dims, 3)

    def force_on(self, held: NDArray[np.bool_]) -> Double:
        """(3,) N sum of the reactions of the last step over the held components (nx, ny, nz, 3)."""
        return np.asarray((self.reactions() * held).sum(axis=(0, 1, 2)))

    def prepare(self) -> None:
        """See to the mesh, the order of the points and their properties at the start of a step."""
        cloud = self.particles
        self.domain.cover(cloud.position, *(b.surface.vertices for b in self.balloons))
        inverse, first = 1 / self.spacing_mm, -float(self.pad)
        kernels.sort_slabs(cloud.position, inverse, first, self.domain.grid.dims[0], self._slabs, self._order)
        before = cloud.stored(self.law, self.modulus)
        self.modulus = cloud.modulus(self.law)
        self.energy_balance.softened += before - cloud.stored(self.law, self.modulus)
        room = self.law.density_cap / np.maximum(cloud.density(), MIN_DENSITY)
        self._fresh = (
            cloud.strength(self.law),
            np.maximum(room, 1e-6),
            self.law.cohesion_left(cloud.hardening),
            self.modulus,
            cloud.density() / np.maximum(cloud.start_density(), MIN_DENSITY),
            cloud.opened,
        )
        self._points = (cloud.position, cloud.volume, cloud.stress, cloud.kind)
        self._grid = (np.array(self.domain.grid.dims), inverse, first, self.domain.number)

    def internal_force(self, move: Double) -> Double:
        """(N, 3) N that the points exert on the mesh's nodes when these move by (N, 3) mm."""
        out = np.zeros_like(move)
        slabs = (self._slabs, self._order)
        fixed = (slabs, self._points, self._fresh, self._grid, self._packed, move, out, self.secant)
        for parity in (0, 1):
            self._share(lambda a, b, parity=parity: kernels.forces(a, b, parity, *fixed))  # type: ignore[misc]
        return out

    def _share(self, task: Callable[[int, int], None]) -> None:
        """Run a task over ranges of slabs with about equally many points, one range per thread."""
        threads, slabs = thread_count(), self._slabs.size - 1
        shares = [int(np.searchsorted(self._slabs, self.particles.size * t / threads)) for t in range(1, threads)]
        cuts = [0, *shares, slabs]
        # run_chunks takes every second range side by side: the ranges between are empty
        run_chunks(task, np.repeat(cuts, 2)[1:-1])

    def _take(self, solution: Solution, load: Load) -> None:
        """Advance the state by a solution and keep the books."""
        cloud, grid = self.particles, self.domain.grid
        before = cloud.stored(self.law, self.modulus) + self._elsewhere(load)
        box = self.domain.boxed(solution.move)
        work = np.zeros((cloud.size, 2))
        args = (self._points, self._fresh, self._grid, self._packed, solution.move, cloud.hardening, cloud.extent, work)
        self._share_points(lambda a, b: kernels.advance(a, b, *args))
        cloud.extent *= np.cbrt(cloud.volume / cloud.extent.prod(axis=1))[:, None]
        for name, points in self.carried.items():
            self.carried[name] = points + grid.at(points, box)
        ledger = self.energy_balance
        for balloon, pressure in zip(self.balloons, solution.pressure, strict=True):
            volume = balloon.volume()
            by = grid.at(balloon.surface.vertices, box)
            balloon.move(by, self.settings.smoothing)
            change = balloon.volume() - volume
            ledger.external += 0.5 * (balloon.pressure_mpa + pressure) * change
            ledger.injected_mm3 += change
            balloon.pressure_mpa = float(pressure)
        ledger.external += solution.work
        ledger.stored += cloud.stored(self.law, self.modulus) + self._elsewhere(load) - before
        ledger.dissipated += float(work[:, 1].sum())
        # as the pressure's work: from the mean of the forces at both ends of the step
        last = self.last.void if self.last is not None else np.zeros_like(solution.void)
        before_void = last if last.shape == solution.void.shape else solution.void
        ledger.void -= 0.5 * float(np.vdot(solution.void + before_void, solution.move))
        ledger.steps += 1
        ledger.iterations += solution.iterations
        ledger.loose_steps += solution.residual > self.settings.tolerance
        self.greatest_force = max(self.greatest_force, solution.scale)
        self.last = solution

    def _share_points(self, task: Callable[[int, int], None]) -> None:
        threads = thread_count()
        cuts = [self.particles.size * t // threads for t in range(threads + 1)]
        run_chunks(task, np.repeat(cuts, 2)[1:-1])

    def _elsewhere(self, load: Load) -> float:
        """Energy of membranes and springs, N mm."""
        out = sum(b.stored() for b in self.balloons)
        for spring in load.springs:
            stretch = self.particles.position[spring.points] - spring.anchors(self.particles.start)
            each = np.asarray(spring.stiffness_n_per_mm) / spring.points.size
            out += 0.5 * float(np.sum(each * stretch**2))
        return out

    def save(self) -> SavedState:
        """All that steps change, to come back to."""
        return SavedState(
            particles=self.particles.copy(),
            surfaces=tuple(b.surface.copy() for b in self.balloons),
            pressures=tuple(b.pressure_mpa for b in self.balloons),
            carried={name: points.copy() for name, points in self.carried.items()},
            energy_balance=copy.copy(self.energy_balance),
            modulus=self.modulus.copy(),
            last=self.last,
            greatest_force=self.greatest_force,
        )

    def restore(self, saved: SavedState) -> None:
        """Go back to a saved state; its arrays are taken, not copied."""
        self.particles, self.carried, self.energy_balance = saved.particles, saved.carried, saved.energy_balance
        self.modulus, self.last, self.greatest_force = saved.modulus, saved.last, saved.greatest_force
        self.spring_modes = None
        for balloon, surface, pressure in zip(self.balloons, saved.surfaces, saved.pressures, strict=True):
            balloon.surface, balloon.pressure_mpa = surface, pressure

    @property
    def nbytes(self) -> int:
        """Bytes of points, mesh and solver."""
        own = self.secant.nbytes + self._order.nbytes
        return own + self.particles.nbytes + self.domain.nbytes
