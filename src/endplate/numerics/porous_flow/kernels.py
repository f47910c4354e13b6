"""Compiled loops over lists of cells of a padded, flat voxel box.

Everywhere: `cells` (n,) ascending flat places, `face` (3, N) conductance from a cell to the next along each axis,
`diagonal` (N,), vectors (N,) that are zero outside `cells`.
"""

from __future__ import annotations

from numba import njit


@njit(cache=True)
def multiply(cells, face, diagonal, s0, s1, x, y):  # type: ignore[no-untyped-def]
    """Y = A x on the cells; returns x . y."""
    total = 0.0
    for c in cells:
        value = diagonal[c] * x[c]
        value -= face[0, c] * x[c + s0] + face[0, c - s0] * x[c - s0]
        value -= face[1, c] * x[c + s1] + face[1, c - s1] * x[c - s1]
        value -= face[2, c] * x[c + 1] + face[2, c - 1] * x[c - 1]
        y[c] = value
        total += value * x[c]
    return total


@njit(cache=True)
def smooth_forward(cells, face, diagonal, s0, s1, b, x):  # type: ignore[no-untyped-def]
    """A Gauss-Seidel sweep in ascending order."""
    for c in cells:
        value = b[c]
        value += face[0, c] * x[c + s0] + face[0, c - s0] * x[c - s0]
        value += face[1, c] * x[c + s1] + face[1, c - s1] * x[c - s1]
        value += face[2, c] * x[c + 1] + face[2, c - 1] * x[c - 1]
        x[c] = value / diagonal[c]


@njit(cache=True)
def smooth_backward(cells, face, diagonal, s0, s1, b, x):  # type: ignore[no-untyped-def]
    """A Gauss-Seidel sweep in descending order."""
    for n in range(cells.size - 1, -1, -1):
        c = cells[n]
        value = b[c]
        value += face[0, c] * x[c + s0] + face[0, c - s0] * x[c - s0]
        value += face[1, c] * x[c + s1] + face[1, c - s1] * x[c - s1]
        value += face[2, c] * x[c + 1] + face[2, c - 1] * x[c - 1]
        x[c] = value / diagonal[c]


@njit(cache=True)
def restrict_residual(cells, parent, face, diagonal, s0, s1, b, x, coarse):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Add the residual b - A x of every cell to its parent."""
    for c in cells:
        value = b[c] - diagonal[c] * x[c]
        value += face[0, c] * x[c + s0] + face[0, c - s0] * x[c - s0]
        value += face[1, c] * x[c + s1] + face[1, c - s1] * x[c - s1]
        value += face[2, c] * x[c + 1] + face[2, c - 1] * x[c - 1]
        coarse[parent[c]] += value


@njit(cache=True)
def prolong(cells, parent, coarse, x):  # type: ignore[no-untyped-def]
    """Add the parent's value to every cell."""
    for c in cells:
        x[c] += coarse[parent[c]]


@njit(cache=True)
def set_parents(cells, s0, s1, coarse_s0, coarse_s1, parent, coarse_active):  # type: ignore[no-untyped-def]
    """The parent of every cell in a box of half the size, one padding layer kept; marks parents."""
    for c in cells:
        i = c // s0
        j = (c - i * s0) // s1
        k = c - i * s0 - j * s1
        p = ((i + 1) >> 1) * coarse_s0 + ((j + 1) >> 1) * coarse_s1 + ((k + 1) >> 1)
        parent[c] = p
        coarse_active[p] = True


@njit(cache=True)
def coarsen(cells, active, parent, face, diagonal, stride, coarse_face, coarse_diagonal):  # type: ignore[no-untyped-def]
    """Conductances between parents, halved for the doubled distance, and their diagonal.

    What a cell loses to the outside of the active set (`diagonal` less its faces to active cells) stays whole.
    """
    for c in cells:
        p = parent[c]
        lost = diagonal[c]
        for axis in range(3):
            s = stride[axis]
            if active[c + s]:
                g = face[axis, c]
                lost -= g
                if parent[c + s] != p:
                    coarse_face[axis, p] += 0.5 * g
                    coarse_diagonal[p] += 0.5 * g
                    coarse_diagonal[parent[c + s]] += 0.5 * g
            if active[c - s]:
                lost -= face[axis, c - s]
        coarse_diagonal[p] += lost


@njit(cache=True)
def advance(cells, x, r, p, q, alpha):  # type: ignore[no-untyped-def]
    """X += alpha p, r -= alpha q; the squared norm of the new residual."""
    total = 0.0
    for c in cells:
        x[c] += alpha * p[c]
        value = r[c] - alpha * q[c]
        r[c] = value
        total += value * value
    return total


@njit(cache=True)
def turn(cells, p, z, beta):  # type: ignore[no-untyped-def]
    """P = z + beta p."""
    for c in cells:
        p[c] = z[c] + beta * p[c]


@njit(cache=True)
def inner(cells, x, y):  # type: ignore[no-untyped-def]
    """X . y on the cells."""
    total = 0.0
    for c in cells:
        total += x[c] * y[c]
    return total


@njit(cache=True)
def clear(cells, x):  # type: ignore[no-untyped-def]
    """X = 0 on the cells."""
    for c in cells:
        x[c] = 0.0
