"""
The rate at which voxels converge
=================================

A displacement is chosen, the forces that it needs are derived on paper, and the solver must find the displacement back.
Trilinear elements do so with an error that falls with the square of the voxel's edge: a figure is believed once its
rate is right.
"""

import matplotlib.pyplot as plt
import numpy as np

import endplate as ep

MODULUS, POISSON = 100.0, 0.3
LAMBDA, MU = MODULUS * POISSON / ((1 + POISSON) * (1 - 2 * POISSON)), MODULUS / (2 * (1 + POISSON))


def error_of(cells: int) -> float:
    """Largest error at any node of a unit cube, over the largest displacement, for u = (sin sin sin, 0, 0)."""
    h = 1.0 / cells
    mesh = ep.numerics.VoxelMesh.from_active(np.ones((cells,) * 3, bool), h)
    x, y, z = (np.pi * mesh.node_ijk * h).T
    wave = np.sin(x) * np.sin(y) * np.sin(z)
    along = np.pi**2 * (LAMBDA + 4 * MU) * wave
    across = -(np.pi**2) * (LAMBDA + MU) * np.cos(x)
    body_force = [along, across * np.cos(y) * np.sin(z), across * np.sin(y) * np.cos(z)]
    force = h**3 * np.stack(body_force, axis=1)
    outside = ((mesh.node_ijk == 0) | (mesh.node_ijk == cells)).any(axis=1)
    fixed = np.repeat(outside[:, None], 3, axis=1)
    u, _ = ep.numerics.ElasticSolver(mesh, MODULUS, POISSON, fixed).solve(force, tolerance=1e-9)
    return float(np.abs(u - np.stack([wave, 0 * wave, 0 * wave], axis=1)).max())


# %%
# Four meshes, from 4 to 32 voxels along the edge.

cells = np.array([4, 8, 16, 32])
error = np.array([error_of(int(n)) for n in cells])
rate = float(np.log2(error[-2] / error[-1]))

# %%
# The slope in this picture is the rate.

figure, axes = plt.subplots(figsize=(5, 4))
axes.loglog(1 / cells, error, "o-", label=f"measured, last rate {rate:.2f}")
axes.loglog(1 / cells, error[-1] * (cells[-1] / cells) ** 2, "k--", lw=0.8, label="rate 2")
axes.set(xlabel="voxel edge", ylabel="largest error over largest displacement", title="A chosen solution, found back")
axes.legend()

pinned = rate
print(f"errors {', '.join(f'{e:.1e}' for e in error)}; last rate {rate:.3f}")
