"""Kernels of the linear solve for Warp, one thread a node; no two threads write one place, so sums never vary.

Vectors are (N,) of three numbers. Annotations are values that Warp reads, hence no postponed evaluation here.
"""

from typing import Any

import warp as wp

wp.set_module_options({"enable_backward": False, "max_unroll": 1})


@wp.kernel
def add_product(
    u: wp.array(dtype=Any),
    out: wp.array(dtype=Any),
    sign: Any,
    elements: wp.array2d(dtype=wp.int32),
    neighbours: wp.array2d(dtype=wp.int32),
    modulus: wp.array(dtype=Any),
    blocks: wp.array(dtype=Any),
):
    """out += sign * K u, gathered at each node from the elements (8, N) that meet there, -1 where there is none."""
    n = wp.tid()
    zero = sign - sign
    total = wp.vector(zero, zero, zero)
    for c in range(8):
        e = elements[c, n]
        if e >= 0:
            part = wp.vector(zero, zero, zero)
            for d in range(8):
                i = (d >> 2) - (c >> 2) + 1
                j = ((d >> 1) & 1) - ((c >> 1) & 1) + 1
                k = (d & 1) - (c & 1) + 1
                part += blocks[8 * c + d] * u[neighbours[9 * i + 3 * j + k, n]]
            total += modulus[e] * part
    out[n] = out[n] + sign * total


@wp.kernel
def subtract_blocks(
    d: wp.array(dtype=wp.vec3f),
    r: wp.array(dtype=wp.vec3f),
    count: wp.array(dtype=wp.int32),
    column: wp.array2d(dtype=wp.int32),
    block: wp.array2d(dtype=wp.mat33f),
):
    """R -= K d with stored 3 x 3 blocks (W, N), of which each node uses the first `count`."""
    n = wp.tid()
    total = r[n]
    for s in range(count[n]):
        total -= block[s, n] * d[column[s, n]]
    r[n] = total


@wp.kernel
def smooth_scalar(
    x: wp.array(dtype=wp.vec3f),
    r: wp.array(dtype=wp.vec3f),
    d: wp.array(dtype=wp.vec3f),
    inverse: wp.array(dtype=wp.vec3f),
    keep: wp.float32,
    gain: wp.float32,
    carry: wp.float32,
):
    """D = keep d + gain D^-1 r; x += d + carry times the d before, a scalar per degree of freedom."""
    n = wp.tid()
    before = d[n]
    value = keep * before + gain * wp.cw_mul(inverse[n], r[n])
    d[n] = value
    x[n] = x[n] + value + carry * before


@wp.kernel
def smooth_block(
    x: wp.array(dtype=wp.vec3f),
    r: wp.array(dtype=wp.vec3f),
    d: wp.array(dtype=wp.vec3f),
    inverse: wp.array(dtype=wp.mat33f),
    keep: wp.float32,
    gain: wp.float32,
    carry: wp.float32,
):
    """D = keep d + gain D^-1 r; x += d + carry times the d before, with 3 x 3 blocks."""
    n = wp.tid()
    before = d[n]
    value = keep * before + gain * (inverse[n] * r[n])
    d[n] = value
    x[n] = x[n] + value + carry * before


@wp.kernel
def prolong(
    coarse: wp.array(dtype=wp.vec3f),
    fine: wp.array(dtype=wp.vec3f),
    place: wp.array(dtype=wp.int32),
    nodes: wp.array2d(dtype=wp.int32),
    free: wp.array(dtype=wp.vec3f),
):
    """fine = P coarse, zero where fixed; `place` is 27 * coarse element + position, as in the coarsening."""
    n = wp.tid()
    e = place[n] // 27
    position = place[n] - 27 * e
    p = position // 9
    q = (position // 3) % 3
    s = position % 3
    value = wp.vec3f(0.0, 0.0, 0.0)
    for c in range(8):
        a = 2 * (c >> 2) - p
        b = 2 * ((c >> 1) & 1) - q
        k = 2 * (c & 1) - s
        # the corner's weight: 1 where it is, 1/2 a step away along an axis, 0 two steps away
        weight = (1.0 - 0.5 * float(a * a)) * (1.0 - 0.5 * float(b * b)) * (1.0 - 0.5 * float(k * k))
        if a * a < 2 and b * b < 2 and k * k < 2:
            value += weight * coarse[nodes[e, c]]
    fine[n] = wp.cw_mul(value, free[n])


@wp.kernel
def restrict(
    fine: wp.array(dtype=wp.vec3f),
    coarse: wp.array(dtype=wp.vec3f),
    start: wp.array(dtype=wp.int32),
    node: wp.array(dtype=wp.int32),
    weight: wp.array(dtype=wp.float32),
    free: wp.array(dtype=wp.vec3f),
):
    """coarse = P^T fine, gathered from the fine nodes that take a share of each coarse one."""
    m = wp.tid()
    value = wp.vec3f(0.0, 0.0, 0.0)
    for s in range(start[m], start[m + 1]):
        n = node[s]
        value += weight[s] * wp.cw_mul(fine[n], free[n])
    coarse[m] = value


@wp.kernel
def solve_directly(
    inverse: wp.array2d(dtype=wp.float32),
    dof: wp.array(dtype=wp.int32),
    b: wp.array(dtype=wp.float32),
    x: wp.array(dtype=wp.float32),
):
    """X = K^-1 b on the free degrees of freedom; `inverse` is symmetric."""
    i = wp.tid()
    total = wp.float32(0.0)
    for j in range(dof.shape[0]):
        total += inverse[j, i] * b[dof[j]]
    x[dof[i]] = total


@wp.kernel
def to_single(source: wp.array(dtype=wp.vec3d), target: wp.array(dtype=wp.vec3f)):
    """The same in single precision."""
    n = wp.tid()
    target[n] = wp.vec3f(source[n])


@wp.kernel
def join(target: wp.array(dtype=wp.vec3f), source: wp.array(dtype=wp.vec3f)):
    """Target += source."""
    n = wp.tid()
    target[n] = target[n] + source[n]


@wp.kernel
def mask(r: wp.array(dtype=wp.vec3d), free: wp.array(dtype=wp.vec3f)):
    """Zero where not free."""
    n = wp.tid()
    r[n] = wp.cw_mul(r[n], wp.vec3d(free[n]))


@wp.kernel
def turn(p: wp.array(dtype=wp.vec3d), z: wp.array(dtype=wp.vec3f), beta: wp.float64):
    """P = z + beta p."""
    n = wp.tid()
    p[n] = wp.vec3d(z[n]) + beta * p[n]


@wp.kernel
def advance(
    x: wp.array(dtype=wp.vec3d),
    r: wp.array(dtype=wp.vec3d),
    p: wp.array(dtype=wp.vec3d),
    q: wp.array(dtype=wp.vec3d),
    free: wp.array(dtype=wp.vec3f),
    alpha: wp.float64,
):
    """X += alpha p and r -= alpha q where free."""
    n = wp.tid()
    x[n] = x[n] + alpha * p[n]
    r[n] = wp.cw_mul(r[n] - alpha * q[n], wp.vec3d(free[n]))


@wp.kernel
def dot_parts(a: wp.array(dtype=wp.vec3d), b: wp.array(dtype=Any), stride: wp.int32, out: wp.array(dtype=wp.float64)):
    """Shares of the inner product: each thread sums every `stride`-th node."""
    t = wp.tid()
    total = wp.float64(0.0)
    i = t
    while i < a.shape[0]:
        total += wp.dot(a[i], wp.vec3d(b[i]))
        i += stride
    out[t] = total


@wp.kernel
def sum_parts(parts: wp.array(dtype=wp.float64), stride: wp.int32, out: wp.array(dtype=wp.float64)):
    """Shares of shares."""
    t = wp.tid()
    total = wp.float64(0.0)
    i = t
    while i < parts.shape[0]:
        total += parts[i]
        i += stride
    out[t] = total


# The two precisions in which generic kernels run, named here so that the module compiles once.
for _vector, _number, _matrix in ((wp.vec3f, wp.float32, wp.mat33f), (wp.vec3d, wp.float64, wp.mat33d)):
    wp.overload(
        add_product,
        {
            "u": wp.array(dtype=_vector),
            "out": wp.array(dtype=_vector),
            "sign": _number,
            "modulus": wp.array(dtype=_number),
            "blocks": wp.array(dtype=_matrix),
        },
    )
    wp.overload(dot_parts, {"b": wp.array(dtype=_vector)})
