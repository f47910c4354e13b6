"""
Elasticity in 20 lines, against the exact solution
==================================================

`endplate.numerics` needs no patient: a mask becomes a mesh, the mesh a solver. Here a column hangs under its own
weight, where the exact displacement is a parabola.
"""

import matplotlib.pyplot as plt
import numpy as np

import endplate as ep

# %%
# The whole problem: mesh, supports, forces, solution.

modulus, weight, spacing = 10.0, 2e-3, 0.5  # MPa, N/mm3, mm
mesh = ep.numerics.VoxelMesh.from_active(np.ones((6, 8, 40), bool), spacing)
top = mesh.nodes_on_plane(axis=2, index=40)
fixed = np.zeros((mesh.n_nodes, 3), bool)
fixed[top] = True
force = np.zeros((mesh.n_nodes, 3))
np.add.at(force[:, 2], mesh.element_nodes.ravel(), -weight * spacing**3 / 8)
solver = ep.numerics.ElasticSolver(mesh, modulus, poisson=0.0, fixed=fixed)
history = []
u, report = solver.solve(force, tolerance=1e-10, callback=lambda number, residual: history.append(residual))
length = 40 * spacing
z = mesh.node_ijk[:, 2] * spacing
exact = -weight / (2 * modulus) * (length**2 - z**2)
print(solver)
print(f"{report.iterations} iterations, largest error {np.abs(u[:, 2] - exact).max():.1e} mm")

# %%
# Displacement along the column, and how the residual fell.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
order = np.argsort(z)
left.plot(1000 * u[order, 2], z[order], ".", ms=2, label="voxels")
left.plot(1000 * exact[order], z[order], "k-", lw=1, label="exact")
left.set(xlabel="displacement, µm", ylabel="height, mm", title="A column under its own weight")
left.legend()
right.semilogy(range(1, len(history) + 1), history, "o-")
right.set(xlabel="iteration", ylabel="relative residual", title="Conjugate gradients with multigrid")

# %%
# At Poisson's ratio 0 trilinear elements meet the parabola at every node.

pinned = float(np.abs(u[:, 2] - exact).max() / np.abs(exact).max())
print(f"relative error: {pinned:.1e}")
