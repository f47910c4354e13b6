"""Load cases: how the outer faces of the layers move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.model import LOWER, UPPER, BoneModel
from endplate.cited import cited
from endplate.numerics.voxel.mesh import VoxelMesh

LoadCase = Literal["axial", "flexed"]
FLEXION_SHARE = cited(
    0.5,
    "1",
    "Forward-flexed case: the front edge of the upper face moves 1.5 and the back edge 0.5 times the middle, so that "
    "the endplates wedge forward as they approach",
    "design",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boundary:
    """Supports and the driven displacement.

    Attributes
    ----------
    fixed : (N, 3) prescribed degrees of freedom: the vertical ones of both outer faces. Sideways the faces are free,
    but for two nodes of the lower one that stop rigid motion and carry no force.
    prescribed : (N, 3) displacement in mm per mm of travel of the upper face's middle towards the lower.
    upper : (M,) nodes of the upper outer face.
    """

    fixed: NDArray[np.bool_]
    prescribed: NDArray[np.float64]
    upper: NDArray[np.int64]


def boundary(model: BoneModel, mesh: VoxelMesh, load_case: LoadCase = "axial") -> Boundary:
    """Supports of a model under a load case."""
    material = model.material[tuple(mesh.element_ijk.T)]
    upper = _outer_nodes(mesh, material == UPPER, top=True)
    lower = _outer_nodes(mesh, material == LOWER, top=False)
    fixed = np.zeros((mesh.n_nodes, 3), np.bool_)
    fixed[upper, 2] = fixed[lower, 2] = True
    middle, beside = _pins(mesh, lower)
    fixed[middle, :2] = fixed[beside, 1] = True
    prescribed = np.zeros((mesh.n_nodes, 3))
    prescribed[upper, 2] = -1.0
    if load_case == "flexed":
        j = mesh.node_ijk[upper, 1].astype(float)  # j runs backwards, so the front has the smallest j
        forward = (0.5 * (j.min() + j.max()) - j) / max(0.5 * (j.max() - j.min()), 1)
        prescribed[upper, 2] -= FLEXION_SHARE * forward
    return Boundary(fixed=fixed, prescribed=prescribed, upper=upper)


def _pins(mesh: VoxelMesh, face: NDArray[np.int64]) -> tuple[int, int]:
    """The node of a face nearest its middle, and the one farthest from that along i."""
    place = mesh.node_ijk[face].astype(float)
    middle = int(np.argmin(((place - place.mean(axis=0)) ** 2).sum(axis=1)))
    return int(face[middle]), int(face[np.argmax(np.abs(place[:, 0] - place[middle, 0]))])


def _outer_nodes(mesh: VoxelMesh, layer: NDArray[np.bool_], top: bool) -> NDArray[np.int64]:
    """Nodes of a layer's outer face."""
    nodes = np.unique(mesh.element_nodes[layer])
    height = mesh.node_ijk[nodes, 2]
    return np.asarray(nodes[height == (height.max() if top else height.min())].astype(np.int64))
