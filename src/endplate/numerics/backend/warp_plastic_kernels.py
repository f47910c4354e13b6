"""Kernels of yielding voxels for Warp: one thread an element, then one thread a node, so that sums never vary.

The same return mapping as `plasticity.return_mapping`. Warp takes a bare number for single precision, hence the names.
"""

import math

import warp as wp

wp.set_module_options({"enable_backward": False, "max_unroll": 1})

vec6d = wp.types.vector(length=6, dtype=wp.float64)
vec6f = wp.types.vector(length=6, dtype=wp.float32)
mat83d = wp.types.matrix(shape=(8, 3), dtype=wp.float64)

ZERO, HALF, ONE = wp.constant(wp.float64(0.0)), wp.constant(wp.float64(0.5)), wp.constant(wp.float64(1.0))
TWO, THREE, FOUR = wp.constant(wp.float64(2.0)), wp.constant(wp.float64(3.0)), wp.constant(wp.float64(4.0))
TWELVE, QUARTER = wp.constant(wp.float64(12.0)), wp.constant(wp.float64(0.25))
ROOT_3 = wp.constant(wp.float64(math.sqrt(3.0)))
START = wp.constant(wp.float64(0.8660254037844386))
RISE, BEND = wp.constant(wp.float64(0.16622)), wp.constant(wp.float64(0.03225))


@wp.func
def second_invariant(s: vec6d):
    """J2 of a deviator."""
    return HALF * (s[0] * s[0] + s[1] * s[1] + s[2] * s[2]) + s[3] * s[3] + s[4] * s[4] + s[5] * s[5]


@wp.func
def third_of_angle(cosine: wp.float64):
    """cos(arccos(c) / 3) for c in [0, 1], by three Newton steps."""
    x = START + cosine * (RISE - cosine * BEND)
    for _ in range(3):
        x -= (x * (FOUR * x * x - THREE) - cosine) / (TWELVE * x * x - THREE)
    return wp.min(x, ONE)


@wp.func
def square_of(s: vec6d):
    """The tensor times itself."""
    return vec6d(
        s[0] * s[0] + s[5] * s[5] + s[4] * s[4],
        s[5] * s[5] + s[1] * s[1] + s[3] * s[3],
        s[4] * s[4] + s[3] * s[3] + s[2] * s[2],
        s[5] * s[4] + s[1] * s[3] + s[3] * s[2],
        s[0] * s[4] + s[5] * s[3] + s[4] * s[2],
        s[0] * s[5] + s[5] * s[1] + s[4] * s[3],
    )


@wp.func
def tresca(s: vec6d, j2: wp.float64, limit: wp.float64):
    """Closest point of the Tresca prism to a trial deviator that may lie beyond it."""
    j3 = s[0] * (s[1] * s[2] - s[3] * s[3]) - s[5] * (s[5] * s[2] - s[3] * s[4]) + s[4] * (s[5] * s[3] - s[1] * s[4])
    cosine = wp.min(ONE, THREE * HALF * ROOT_3 * wp.abs(j3) / (j2 * wp.sqrt(j2)))
    radius = TWO * wp.sqrt(j2 / THREE)
    x = third_of_angle(cosine)
    one = radius * x
    two = HALF * (radius * ROOT_3 * wp.sqrt(wp.max(ONE - x * x, ZERO)) - one)
    three = -one - two
    first, second = one, two
    if j3 < ZERO:  # the mirrored spectrum
        first, second = -three, -two
    third = -first - second
    gap = first - third
    half = HALF * (gap - limit)
    if half <= ZERO:
        return s
    wide_upper, wide_lower = first - second, second - third
    if wide_upper <= ZERO:
        wide_upper = gap
    if wide_lower <= ZERO:
        wide_lower = gap
    top, upper, lower = first - half, ONE - half / wide_upper, ONE - half / wide_lower
    if first - half < second:
        top, upper, lower = limit / THREE, ZERO, limit / wide_lower
    elif third + half > second:
        top, upper, lower = TWO * limit / THREE, limit / wide_upper, ZERO
    square = (upper - lower) / gap
    linear = upper - square * (first + second)
    constant = top - upper * first + square * first * second
    return linear * s + square * square_of(s) + constant * vec6d(ONE, ONE, ONE, ZERO, ZERO, ZERO)


@wp.func
def returned(s: vec6d, limit: wp.float64, criterion: wp.int32):
    """The deviator on or within the yield surface; criterion 0 is von Mises, 1 Tresca."""
    j2 = second_invariant(s)
    if criterion == 1:
        if j2 > QUARTER * limit * limit:
            return tresca(s, j2, limit)
        return s
    if j2 > limit * limit / THREE:
        return (limit / wp.sqrt(THREE * j2)) * s
    return s


@wp.kernel
def element_forces(  # noqa: PLR0913
    u: wp.array(dtype=wp.vec3d),
    nodes: wp.array2d(dtype=wp.int32),
    slopes: wp.array2d(dtype=wp.vec3d),
    mean_slope: wp.array(dtype=wp.vec3d),
    twice_shear: wp.array(dtype=wp.float64),
    bulk: wp.array(dtype=wp.float64),
    strength: wp.array(dtype=wp.float64),
    criterion: wp.int32,
    bbar: wp.int32,
    committing: wp.int32,
    weight: wp.float64,
    plastic: wp.array2d(dtype=vec6f),
    out: wp.array2d(dtype=wp.vec3d),
):
    """Forces (8, E) at the corners of each element; `slopes` (8, 8) are the gradients of the corners at the points."""
    e = wp.tid()
    mean = wp.float64(0.0)
    for c in range(8):
        mean += wp.dot(mean_slope[c], u[nodes[c, e]])
        out[c, e] = wp.vec3d(ZERO, ZERO, ZERO)
    g = twice_shear[e]
    for p in range(8):
        gradient = wp.mat33d(ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO)
        for c in range(8):
            gradient += wp.outer(u[nodes[c, e]], slopes[p, c])
        volume = gradient[0, 0] + gradient[1, 1] + gradient[2, 2]
        strain = vec6d(
            gradient[0, 0] - volume / THREE,
            gradient[1, 1] - volume / THREE,
            gradient[2, 2] - volume / THREE,
            HALF * (gradient[1, 2] + gradient[2, 1]),
            HALF * (gradient[0, 2] + gradient[2, 0]),
            HALF * (gradient[0, 1] + gradient[1, 0]),
        )
        trial = g * (strain - vec6d(plastic[p, e]))
        s = returned(trial, strength[e], criterion)
        if committing == 1:
            plastic[p, e] = plastic[p, e] + vec6f((trial - s) / g)
        pressure = bulk[e] * volume
        if bbar == 1:
            pressure = bulk[e] * mean
        stress = wp.mat33d(
            s[0] + pressure, s[5], s[4], s[5], s[1] + pressure, s[3], s[4], s[3], s[2] + pressure
        )  # fmt: skip
        for c in range(8):
            out[c, e] = out[c, e] + weight * (stress * slopes[p, c])


@wp.kernel
def sum_at_nodes(
    forces: wp.array2d(dtype=wp.vec3d), elements: wp.array2d(dtype=wp.int32), out: wp.array(dtype=wp.vec3d)
):
    """Nodal forces from those (8, E) of the elements that meet there."""
    n = wp.tid()
    total = wp.vec3d(ZERO, ZERO, ZERO)
    for c in range(8):
        e = elements[c, n]
        if e >= 0:
            total += forces[c, e]
    out[n] = total
