"""A segment pressed and bent: its answer to a unit of travel and a unit of forward tilt of the upper outer face.

The voxel operator knows one Poisson's ratio (0.3). The nucleus of a disc is nearly incompressible (0.49), so its voxels
take the shear modulus from the operator and what is missing of the bulk modulus from a term on the mean dilatation of
each voxel, exact in the B-bar element; the multigrid of a plain operator stays the preconditioner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.bone.material import POISSON
from endplate.cited import cited
from endplate.errors import SolverError
from endplate.numerics.krylov import HostSystem, conjugate_gradients, masked_norm
from endplate.numerics.solver import ElasticSolver
from endplate.numerics.voxel.element import CORNERS
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator
from endplate.repair.augmented.segment_model import BOTTOM, NUCLEUS_ABOVE, NUCLEUS_BELOW, TOP, TREATED, Segment

NUCLEUS_POISSON = cited(
    0.49, "1", "own choice: nucleus of the disc in a minimal disc law; 0.495-0.499 in disc models", "design"
)
TOLERANCE = cited(1e-6, "1", "Relative residual; ratios then stand to about 1e-5", "design")
STAND_IN = cited(
    4.0, "1", "Modulus of the nucleus in the preconditioner over its own: between what shear and bulk ask for", "design"
)
MAX_ITERATIONS = cited(500, "1", "Four times what segments of three lumbar bodies take", "design")

Rows = NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """What a segment answers to unit motions of its upper face.

    Attributes
    ----------
    mesh : its voxels. motion : (2, N, 3) displacements in mm per mm of travel (down) and per radian of forward tilt,
    about a left-right axis through the middle of the treated body. stiffness : (2, 2) force in N and moment in N mm
    on the upper face of the two. iterations : of both solves.
    """

    mesh: VoxelMesh
    motion: NDArray[np.float64]
    stiffness: NDArray[np.float64]
    iterations: tuple[int, ...]

    @property
    def axial_n_per_mm(self) -> float:
        """Force over travel when the force acts over the middle of the treated body and the upper face may tip."""
        return 1.0 / float(self.under(1.0, 0.0)[0])

    def under(self, force_n: float, forward_mm: float) -> NDArray[np.float64]:
        """(2,) travel in mm and tilt in rad under a force that acts `forward_mm` before the treated body's middle."""
        return np.linalg.solve(self.stiffness, np.array([force_n, force_n * forward_mm]))

    def displacement(self, motion: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 3) displacements in mm of a travel and tilt."""
        return np.tensordot(motion, self.motion, axes=1)


def respond(segment: Segment, tilt: bool = True) -> Response:
    """Solve a segment for travel and for tilt of its upper outer face; the lower one rests on the ground.

    Both faces slide freely. The upper one does not lean sideways. Without `tilt` only travel is solved, and `motion`
    and `stiffness` have one row.

    Raises
    ------
    SolverError : the solve did not reach its tolerance.
    """
    mesh = VoxelMesh.from_active(segment.modulus_mpa > 0, segment.voxel_mm)
    part = segment.part[tuple(mesh.element_ijk.T)]
    upper, lower = _face(mesh, part == TOP, 1), _face(mesh, part == BOTTOM, -1)
    fixed = np.zeros((mesh.n_nodes, 3), np.bool_)
    fixed[upper, 2] = fixed[lower, 2] = True
    middle, beside = _pins(mesh, lower)
    fixed[middle, :2] = fixed[beside, 1] = True
    # j runs to the back, so forward is towards small j.
    centre = mesh.element_ijk[part == TREATED, 1].mean() + 0.5
    forward_mm = (centre - mesh.node_ijk[upper, 1]) * segment.voxel_mm
    system = _System(mesh, segment.modulus_mpa[tuple(mesh.element_ijk.T)], np.isin(part, NUCLEI), fixed)
    motions, counts = [], []
    for down in (np.ones(len(upper)), forward_mm)[: 1 + tilt]:
        prescribed = np.zeros((mesh.n_nodes, 3))
        prescribed[upper, 2] = -down
        solved, count = system.solve(prescribed)
        motions.append(solved)
        counts.append(count)
    reaction = np.array([-system.force(u)[upper, 2] for u in motions])
    stiffness = np.array([[row.sum(), (row * forward_mm).sum()][: 1 + tilt] for row in reaction])
    return Response(
        mesh=mesh,
        motion=np.array(motions),
        stiffness=0.5 * (stiffness + stiffness.T),
        iterations=tuple(counts),
    )


NUCLEI = (NUCLEUS_ABOVE, NUCLEUS_BELOW)


class _System:
    """Stiffness of a segment, nearly incompressible nuclei included, and its preconditioner."""

    def __init__(
        self, mesh: VoxelMesh, modulus: NDArray[np.float32], nucleus: NDArray[np.bool_], fixed: NDArray[np.bool_]
    ) -> None:
        own = np.asarray(modulus, np.float64)
        self.solver = ElasticSolver(mesh, np.where(nucleus, STAND_IN * own, own), POISSON, fixed, element="bbar")
        same_shear = (1 + POISSON) / (1 + NUCLEUS_POISSON)
        self.operator = ElasticOperator(
            mesh, np.where(nucleus, same_shear * own, own), POISSON, "bbar", lanes=self.solver.operator.lanes
        )
        soft = own[nucleus]
        missing = bulk_modulus(soft, NUCLEUS_POISSON) - bulk_modulus(same_shear * soft, POISSON)
        self.dilatation = Dilatation(mesh, nucleus)
        self.missing_mpa = missing

    def add(self, u: Rows, out: Rows, sign: float = 1.0) -> None:
        """out += sign * K u for (3, N)."""
        self.operator.add(u, out, sign)
        self.dilatation.add_pressure(u, sign * self.missing_mpa, out)

    def force(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 3) nodal forces in N."""
        out = np.zeros((3, len(u)))
        self.add(np.ascontiguousarray(u.T), out)
        return out.T

    def solve(self, prescribed: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
        """Displacements (N, 3) in mm and iterations."""
        free = self.solver.free
        x = np.ascontiguousarray(prescribed.T) * ~free
        residual = np.zeros_like(x)
        self.add(x, residual, -1.0)
        scale = masked_norm(residual, free)
        target = TOLERANCE * scale
        system = HostSystem(self.add, self.solver.multigrid.cycle, free)
        done = conjugate_gradients(system, x, residual, scale, target, int(MAX_ITERATIONS))
        if done.residual > target:
            raise SolverError(
                f"The segment's solver stopped at a relative residual of {done.residual / scale:.1e}",
                f"it took {done.count} iterations",
                "check that every body rests on a disc",
            )
        return np.ascontiguousarray(x.T), done.count


class Dilatation:
    """Mean change of volume of chosen voxels, and the nodal forces that resist it."""

    def __init__(self, mesh: VoxelMesh, chosen: NDArray[np.bool_]) -> None:
        self.nodes = mesh.element_nodes[chosen]
        self.slope = (2.0 * CORNERS - 1.0) / (4 * mesh.spacing_mm)
        self.volume_mm3 = mesh.spacing_mm**3

    def of(self, u: Rows) -> NDArray[np.float64]:
        """(M,) mean dilatation of the chosen voxels under (3, N) displacements in mm."""
        return np.asarray(sum(u[axis][self.nodes] @ self.slope[:, axis] for axis in range(3)))

    def add_pressure(self, u: Rows, bulk_mpa: NDArray[np.float64], out: Rows) -> None:
        """Add to (3, N) the forces in N of bulk modulus (M,) times mean dilatation."""
        push = bulk_mpa * self.of(u) * self.volume_mm3
        for axis in range(3):
            weights = (push[:, None] * self.slope[:, axis]).ravel()
            out[axis] += np.bincount(self.nodes.ravel(), weights, out.shape[1])


def bulk_modulus(modulus_mpa: NDArray[np.float64], poisson: float) -> NDArray[np.float64]:
    """MPa, of Young's modulus in MPa."""
    return modulus_mpa / (3 * (1 - 2 * poisson))


def _face(mesh: VoxelMesh, layer: NDArray[np.bool_], side: int) -> NDArray[np.int64]:
    """Nodes of a layer's outer face."""
    nodes = np.unique(mesh.element_nodes[layer])
    height = side * mesh.node_ijk[nodes, 2]
    return np.asarray(nodes[height == height.max()].astype(np.int64))


def _pins(mesh: VoxelMesh, face: NDArray[np.int64]) -> tuple[int, int]:
    """The node of a face nearest its middle, and the one farthest from that along i: they stop rigid motion."""
    place = mesh.node_ijk[face].astype(float)
    middle = int(np.argmin(((place - place.mean(axis=0)) ** 2).sum(axis=1)))
    return int(face[middle]), int(face[np.argmax(np.abs(place[:, 0] - place[middle, 0]))])
