"""Internal forces of a voxel body that yields: strains, returns and nodal forces fused in one pass over the elements.

Strains at the eight Gauss points come from the eight tensor modes of the corner values (Walsh-Hadamard), so each is
two additions away from the mode coefficients. Elements in one layer along i share nodes only with the neighbouring
layers: even layers run in parallel, then odd ones, which keeps the sums the same for any number of threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from endplate.numerics.plasticity.return_mapping import (
    CODE,
    Criterion,
    elastic_limit,
    return_deviator,
    second_invariant,
)
from endplate.numerics.voxel.mesh import VoxelMesh

GAUSS = 1.0 / math.sqrt(3.0)
"""Gauss points of the 2 x 2 x 2 rule in the element's own coordinates."""


class PlasticBody:
    """Elastic-perfectly plastic voxels and their plastic strain so far.

    Parameters
    ----------
    mesh : VoxelMesh
        The voxels.
    modulus_mpa : array_like, shape (E,)
        Young's modulus of each element, MPa.
    yield_mpa : array_like, shape (E,)
        Yield stress of each element, MPa; infinite where an element never yields.
    poisson : float
        Poisson's ratio, the same everywhere.
    criterion : {"tresca", "von_mises"}, default "tresca"
        Yield criterion.
    element : {"bbar", "full"}, default "bbar"
        Mean dilatation, free of volumetric locking, or full integration; both have 2 x 2 x 2 points.

    Raises
    ------
    ValueError
        Moduli or yield stresses of the wrong shape.
    """

    def __init__(
        self,
        mesh: VoxelMesh,
        modulus_mpa: ArrayLike,
        yield_mpa: ArrayLike,
        poisson: float,
        criterion: Criterion = "tresca",
        element: str = "bbar",
    ) -> None:
        self.mesh = mesh
        self.modulus = np.ascontiguousarray(modulus_mpa, dtype=np.float64)
        self.yield_stress = np.ascontiguousarray(np.minimum(yield_mpa, 1e30), dtype=np.float64)
        if self.modulus.shape != (mesh.n_elements,) or self.yield_stress.shape != (mesh.n_elements,):
            raise ValueError(f"modulus and yield must be ({mesh.n_elements},)")
        self.poisson, self.criterion, self.bbar = float(poisson), CODE[criterion], element == "bbar"
        self.layers = _layers(mesh.element_ijk[:, 0])
        self.plastic = np.zeros((mesh.n_elements, 6, 8), dtype=np.float32)

    def internal_force(self, displacement_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Nodal forces that hold displacements, from the last committed state.

        Parameters
        ----------
        displacement_mm : ndarray of float64, shape (N, 3)
            Displacements from the unloaded shape, mm.

        Returns
        -------
        ndarray of float64, shape (N, 3)
            Forces, N.
        """
        return self._force(displacement_mm, np.zeros((0, 6, 8), dtype=np.float32))

    def commit(self, displacement_mm: NDArray[np.float64]) -> None:
        """Take the plastic strain of these displacements as the new state.

        Parameters
        ----------
        displacement_mm : ndarray of float64, shape (N, 3)
            Displacements from the unloaded shape, mm.
        """
        self._force(displacement_mm, self.plastic)

    def equivalent_plastic_strain(self) -> NDArray[np.float32]:
        """Mean over the Gauss points of sqrt(2/3 e:e) of the plastic strain e.

        Returns
        -------
        ndarray of float32, shape (E,)
            Strain of each element, a pure number.
        """
        square = (self.plastic[:, :3] ** 2).sum(axis=1) + 2 * (self.plastic[:, 3:] ** 2).sum(axis=1)
        return np.asarray(np.sqrt(2 / 3 * square).mean(axis=1))

    @property
    def nbytes(self) -> int:
        """Bytes of state and properties, without the mesh."""
        return self.plastic.nbytes + self.modulus.nbytes + self.yield_stress.nbytes + self.layers.nbytes

    def _force(self, displacement_mm: NDArray[np.float64], commit_to: NDArray[np.float32]) -> NDArray[np.float64]:
        u = np.ascontiguousarray(displacement_mm, dtype=np.float64)
        out = np.zeros_like(u)
        _all_layers(
            self.layers, self.mesh.element_nodes, u, self.plastic, commit_to, self.modulus, self.yield_stress,
            (self.poisson, self.mesh.spacing_mm, self.criterion, self.bbar), out,
        )  # fmt: skip
        return out


def _layers(first_index: NDArray[np.int32]) -> NDArray[np.int64]:
    """Bounds of the runs of elements (in C order) that share the index i, empty layers included."""
    return np.searchsorted(first_index, np.arange(first_index[0], first_index[-1] + 2)).astype(np.int64)


@njit(cache=True, parallel=True)
def _all_layers(layers, nodes, u, plastic, commit_to, modulus, strength, law, out):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    for parity in range(2):
        for half in prange((layers.size - parity) // 2):
            layer = 2 * half + parity
            _layer(layers[layer], layers[layer + 1], nodes, u, plastic, commit_to, modulus, strength, law, out)


@njit(cache=True)
def _layer(start, stop, nodes, u, plastic, commit_to, modulus, strength, law, out):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    poisson, spacing, criterion, bbar = law
    modes, gradient = np.empty((3, 8)), np.empty((9, 8))
    stress, work = np.empty((6, 8)), np.empty(8)
    for e in range(start, stop):
        _modes(nodes[e], u, 0.25 / spacing, modes, work)
        _gradients(modes, gradient)
        twice_shear, bulk = modulus[e] / (1.0 + poisson), modulus[e] / (3.0 - 6.0 * poisson)
        _stresses(e, gradient, plastic, commit_to, twice_shear, strength[e], criterion, stress)
        _pressures(modes, gradient, bulk, bbar, stress)
        _forces(nodes[e], stress, 0.03125 * spacing * spacing, work, out)


@njit(cache=True)
def _modes(corners, u, scale, modes, work):  # type: ignore[no-untyped-def]
    """Mode coefficients of the corner displacements, times 2 / h."""
    for d in range(3):
        for m in range(8):
            work[m] = u[corners[m], d]
        for stride in (4, 2, 1):
            for m in range(8):
                if m & stride == 0:
                    low, high = work[m], work[m + stride]
                    work[m], work[m + stride] = high + low, high - low
        for m in range(8):
            modes[d, m] = work[m] * scale


@njit(cache=True)
def _gradients(modes, gradient):  # type: ignore[no-untyped-def]
    """du_d / dx_axis at the Gauss points as rows 3 d + axis; a point's bits are its place along i, j, k."""
    for d in range(3):
        for axis in range(3):
            own = 4 >> axis
            b = 4 if axis != 0 else 2
            c = 1 if axis != 2 else 2
            p, q = modes[d, own] - GAUSS * modes[d, own + b], modes[d, own] + GAUSS * modes[d, own + b]
            r = GAUSS * modes[d, own + c] - GAUSS * GAUSS * modes[d, 7]
            s = GAUSS * modes[d, own + c] + GAUSS * GAUSS * modes[d, 7]
            row = 3 * d + axis
            for side in (0, own):
                gradient[row, side] = p - r
                gradient[row, side + c] = p + r
                gradient[row, side + b] = q - s
                gradient[row, side + b + c] = q + s


@njit(cache=True)
def _stresses(e, gradient, plastic, commit_to, twice_shear, strength, criterion, stress):  # type: ignore[no-untyped-def]
    """Deviatoric stress at the Gauss points after the return; commits the plastic strain when asked to."""
    limit = elastic_limit(strength, criterion)
    for p in range(8):
        mean = (gradient[0, p] + gradient[4, p] + gradient[8, p]) / 3.0
        xx = twice_shear * (gradient[0, p] - mean - plastic[e, 0, p])
        yy = twice_shear * (gradient[4, p] - mean - plastic[e, 1, p])
        zz = twice_shear * (gradient[8, p] - mean - plastic[e, 2, p])
        yz = twice_shear * (0.5 * (gradient[5, p] + gradient[7, p]) - plastic[e, 3, p])
        xz = twice_shear * (0.5 * (gradient[2, p] + gradient[6, p]) - plastic[e, 4, p])
        xy = twice_shear * (0.5 * (gradient[1, p] + gradient[3, p]) - plastic[e, 5, p])
        j2 = second_invariant(xx, yy, zz, yz, xz, xy)
        if j2 > limit:
            rxx, ryy, rzz, ryz, rxz, rxy = return_deviator(xx, yy, zz, yz, xz, xy, j2, strength, criterion)
            if commit_to.shape[0] > 0:
                commit_to[e, 0, p] += (xx - rxx) / twice_shear
                commit_to[e, 1, p] += (yy - ryy) / twice_shear
                commit_to[e, 2, p] += (zz - rzz) / twice_shear
                commit_to[e, 3, p] += (yz - ryz) / twice_shear
                commit_to[e, 4, p] += (xz - rxz) / twice_shear
                commit_to[e, 5, p] += (xy - rxy) / twice_shear
            xx, yy, zz, yz, xz, xy = rxx, ryy, rzz, ryz, rxz, rxy
        stress[0, p], stress[1, p], stress[2, p] = xx, yy, zz
        stress[3, p], stress[4, p], stress[5, p] = yz, xz, xy


@njit(cache=True)
def _pressures(modes, gradient, bulk, bbar, stress):  # type: ignore[no-untyped-def]
    """Add the elastic pressure: of the element's mean dilatation (B-bar) or of each point."""
    mean = modes[0, 4] + modes[1, 2] + modes[2, 1]
    for p in range(8):
        dilatation = mean if bbar else gradient[0, p] + gradient[4, p] + gradient[8, p]
        for d in range(3):
            stress[d, p] += bulk * dilatation


@njit(cache=True)
def _forces(corners, stress, scale, work, out):  # type: ignore[no-untyped-def]
    """Add the nodal forces of Gauss-point stresses: the transposes of `_gradients` and `_modes`."""
    for d in range(3):
        work[:] = 0.0
        for axis in range(3):
            own = 4 >> axis
            b = 4 if axis != 0 else 2
            c = 1 if axis != 2 else 2
            row = d if d == axis else 6 - d - axis
            v00, v01 = stress[row, 0] + stress[row, own], stress[row, c] + stress[row, c + own]
            v10, v11 = stress[row, b] + stress[row, b + own], stress[row, b + c] + stress[row, b + c + own]
            work[own] += v00 + v01 + v10 + v11
            work[own + b] += GAUSS * (v10 + v11 - v00 - v01)
            work[own + c] += GAUSS * (v01 + v11 - v00 - v10)
            work[7] += GAUSS * GAUSS * (v00 + v11 - v01 - v10)
        for stride in (4, 2, 1):
            for m in range(8):
                if m & stride == 0:
                    low, high = work[m], work[m + stride]
                    work[m], work[m + stride] = low - high, low + high
        for m in range(8):
            out[corners[m], d] += scale * work[m]
