"""Voxel elasticity and plasticity: arrays in, arrays out; knows no anatomy and no files.

Usable alone: `VoxelMesh.from_active` makes a mesh of a mask, `ElasticSolver` solves K u = f on it, its
`aspreconditioner` and `aslinearoperator` serve SciPy's solvers, `PlasticBody` and `follow_path` follow a load path.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from endplate.numerics.multigrid.cycle import Multigrid
    from endplate.numerics.plasticity.body import PlasticBody
    from endplate.numerics.plasticity.load_path import LoadPath, PathSettings, follow_path
    from endplate.numerics.solver import ElasticSolver, SolveReport
    from endplate.numerics.voxel.mesh import VoxelMesh
    from endplate.numerics.voxel.operator import ElasticOperator

__all__ = [
    "ElasticOperator",
    "ElasticSolver",
    "LoadPath",
    "Multigrid",
    "PathSettings",
    "PlasticBody",
    "SolveReport",
    "VoxelMesh",
    "follow_path",
]

_HOMES = {
    "ElasticOperator": "voxel.operator",
    "ElasticSolver": "solver",
    "LoadPath": "plasticity.load_path",
    "Multigrid": "multigrid.cycle",
    "PathSettings": "plasticity.load_path",
    "PlasticBody": "plasticity.body",
    "SolveReport": "solver",
    "VoxelMesh": "voxel.mesh",
    "follow_path": "plasticity.load_path",
}


def __getattr__(name: str) -> Any:
    """Loaded at first use: importing one part must not load all compilers."""
    if name not in _HOMES:
        raise AttributeError(f"module 'endplate.numerics' has no attribute {name!r}")
    return getattr(import_module(f"endplate.numerics.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """What may be imported from here."""
    return sorted(__all__)
