"""
Multigrid as a preconditioner of SciPy's solvers
================================================

The hierarchy of the voxel solver is an operator that any Krylov method of SciPy can use. Bone has moduli that differ by
thousands: without it conjugate gradients crawl.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.sparse.linalg import cg

import endplate as ep

# %%
# A porous block whose moduli spread over three decades, held below, pressed from above.

rng = np.random.default_rng(4711)
active = rng.random((20, 20, 20)) < 0.8
active[:, :, [0, 1, -2, -1]] = True
mesh = ep.numerics.VoxelMesh.from_active(active, 1.0)
modulus = 10 ** rng.uniform(1, 4, mesh.n_elements)
fixed, pushed = np.zeros((2, mesh.n_nodes, 3))
fixed[mesh.nodes_on_plane(2, 0)] = fixed[mesh.nodes_on_plane(2, 20)] = 1
pushed[mesh.nodes_on_plane(2, 20), 2] = -0.1
solver = ep.numerics.ElasticSolver(mesh, modulus, 0.3, fixed.astype(bool))
print(solver)

# %%
# The stiffness and one multigrid cycle as operators, and three ways to solve.

A, b = solver.aslinearoperator(), solver.right_side(prescribed=pushed)
diagonal = np.where(solver.free.T, solver.operator.diagonal(), 1.0).ravel()


def history(**options):
    """Residual norms of SciPy's conjugate gradients."""
    norms = []
    cg(A, b, rtol=1e-8, maxiter=400, callback=lambda x: norms.append(np.linalg.norm(b - A @ x)), **options)
    return np.array(norms) / np.linalg.norm(b)


from scipy.sparse.linalg import LinearOperator

jacobi = LinearOperator(A.shape, matvec=lambda r: r / diagonal)
ways = {"multigrid": history(M=solver.aspreconditioner()), "diagonal": history(M=jacobi), "none": history()}

# %%
# Iterations by preconditioner.

figure, axes = plt.subplots(figsize=(6, 4))
for name, norms in ways.items():
    axes.semilogy(range(1, len(norms) + 1), norms, label=f"{name}: {len(norms)}")
axes.set(xlabel="iteration", ylabel="relative residual", title="scipy.sparse.linalg.cg on a porous block", xscale="log")
axes.legend(title="iterations")

pinned = len(ways["multigrid"])
print(", ".join(f"{name} {len(norms)}" for name, norms in ways.items()))
