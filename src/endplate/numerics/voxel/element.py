"""The trilinear hexahedron: its stiffness written in the eight tensor modes of the corner values.

Corner c = 4a + 2b + d sits at the low (0) or high (1) end of axes i (a), j (b), k (d). Mode m uses the same bits: mode
4 is linear along i, 6 is bilinear in i and j, 7 is trilinear, 0 is constant. The Walsh-Hadamard transform
`c_m = sum_c sign(m, c) u_c / 8` turns corner values into mode amplitudes, and parity leaves 45 non-zeros in the
24 x 24 stiffness. Degrees of freedom of one element are ordered 3 * corner + component.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

ElementKind = Literal["full", "bbar"]

CORNERS = np.array([(a, b, d) for a in (0, 1) for b in (0, 1) for d in (0, 1)], dtype=np.int64)
"""(8, 3) corner offsets in (i, j, k)."""

SIGNS = np.array([[np.prod([1 if c[x] or not (m >> (2 - x)) & 1 else -1 for x in range(3)]) for c in CORNERS]
                  for m in range(8)], dtype=np.float64)  # fmt: skip
"""(8, 8) Walsh-Hadamard signs: mode, corner."""


class ModalStiffness(NamedTuple):
    """The distinct entries of the modal stiffness of a unit-edge, unit-modulus cube.

    Scaled so that corner force = E * edge * H^T (entries) H u with H the unscaled +-1 transform.

    Attributes
    ----------
    axial, lateral : linear modes, diagonal and coupling of normal strains.
    shear : linear modes, shear.
    bend, bend_coupling : bilinear modes that stretch.
    twist, twist_coupling : bilinear modes that only shear.
    hourglass : trilinear modes.
    """

    axial: float
    lateral: float
    shear: float
    bend: float
    bend_coupling: float
    twist: float
    twist_coupling: float
    hourglass: float


def lame(poisson: float) -> tuple[float, float]:
    """Lame constants (lambda, mu) of unit Young's modulus."""
    return poisson / ((1 + poisson) * (1 - 2 * poisson)), 1 / (2 * (1 + poisson))


def modal_stiffness(poisson: float, element: ElementKind = "full") -> ModalStiffness:
    """Modal stiffness of the fully integrated ("full") or mean-dilatation ("bbar") cube.

    In the bilinear and trilinear modes B-bar keeps only the deviatoric part, that is lambda = -2/3 mu there: their
    dilatation has zero mean. Both kinds pass the patch test; "bbar" does not lock at large plastic strain.

    Raises
    ------
    ValueError : Poisson's ratio outside (-1, 0.5), or an unknown element.
    """
    if not -1 < poisson < 0.5:
        raise ValueError(f"Poisson's ratio {poisson} is outside (-1, 0.5)")
    if element not in ("full", "bbar"):
        raise ValueError(f"unknown element {element!r}; known: full, bbar")
    lam, mu = lame(poisson)
    high = lam if element == "full" else -2 * mu / 3
    unit = 4 / 64  # gradient scale 2 / edge squared, over the transform's 8 * 8
    return ModalStiffness(
        axial=unit * (lam + 2 * mu),
        lateral=unit * lam,
        shear=unit * mu,
        bend=unit * (high + 3 * mu) / 3,
        bend_coupling=unit * high / 3,
        twist=unit * 2 * mu / 3,
        twist_coupling=unit * mu / 3,
        hourglass=unit * (high + 4 * mu) / 9,
    )


def modal_matrix(poisson: float, element: ElementKind = "full") -> NDArray[np.float64]:
    """(24, 24) stiffness in modes, 3 * mode + component, for unit edge and modulus."""
    s = modal_stiffness(poisson, element)
    K = np.zeros((8, 3, 8, 3))
    bit = (4, 2, 1)
    for x in range(3):
        y, z = (x + 1) % 3, (x + 2) % 3
        K[bit[x], x, bit[x], x] = s.axial
        K[7, x, 7, x] = s.hourglass
        twist = bit[y] + bit[z]
        for other in (y, z):
            third = 3 - x - other
            K[bit[x], x, bit[other], other] = s.lateral
            K[bit[other], x, bit[other], x] = K[bit[other], x, bit[x], other] = s.shear
            K[bit[x] + bit[third], x, bit[x] + bit[third], x] = s.bend
            K[bit[x] + bit[third], x, bit[other] + bit[third], other] = s.bend_coupling
            K[twist, x, bit[x] + bit[third], other] = s.twist_coupling
        K[twist, x, twist, x] = s.twist
    return K.reshape(24, 24)


def transform() -> NDArray[np.float64]:
    """(24, 24) unscaled Walsh-Hadamard transform from corner to mode degrees of freedom."""
    return np.asarray(np.kron(SIGNS, np.eye(3)), dtype=np.float64)


def element_matrix(poisson: float, element: ElementKind = "full") -> NDArray[np.float64]:
    """(24, 24) stiffness in corner degrees of freedom, for unit edge and modulus; times E * edge for a real element."""
    H = transform()
    return np.asarray(H.T @ modal_matrix(poisson, element) @ H)


@cache
def child_interpolation() -> NDArray[np.float64]:
    """(8, 24, 24) corner values of each of the eight children from those of the parent: trilinear interpolation."""
    P = np.empty((8, 8, 8), dtype=np.float64)
    for child, (a, b, d) in enumerate(CORNERS):
        for corner, (e, f, g) in enumerate(CORNERS):
            position = np.array([a + e, b + f, d + g]) / 2
            P[child, corner] = np.prod(np.where(CORNERS == 1, position, 1 - position), axis=1)
    out = np.asarray(np.stack([np.kron(p, np.eye(3)) for p in P]), dtype=np.float64)
    out.flags.writeable = False
    return out
