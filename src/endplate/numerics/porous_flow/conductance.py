"""From flux to speed at every face, and from speed to the conductance of a shear-thinning fluid."""

from __future__ import annotations

from numba import njit


@njit(cache=True)
def _component(flux, area, axis, c, s, full):  # type: ignore[no-untyped-def]
    """Speed of a cell along an axis: the mean of its two faces; at the front, where one face is dry, the other."""
    before = flux[axis, c - s] / area[axis, c - s] if area[axis, c - s] > 0 else 0.0
    after = flux[axis, c] / area[axis, c] if area[axis, c] > 0 else 0.0
    if full:
        return 0.5 * (before + after)
    return before if abs(before) > abs(after) else after


@njit(cache=True)
def _face_speed(flux, area, full, stride, axis, c):  # type: ignore[no-untyped-def]
    """Speed at the face from c to its next: its own flux across, the mean of the wet neighbours along."""
    d = c + stride[axis]
    square, wet = 0.0, (1.0 if full[c] else 0.0) + (1.0 if full[d] else 0.0)
    for other in range(3):
        if other == axis:
            speed = flux[axis, c] / area[axis, c]
            if speed == 0.0:  # a face that was dry so far
                for cell in (c, d):
                    if full[cell]:
                        speed += _component(flux, area, axis, cell, stride[axis], False) / wet
        else:
            speed = 0.0
            for cell in (c, d):
                if full[cell]:
                    speed += _component(flux, area, other, cell, stride[other], True) / wet
        square += speed * speed
    return square**0.5


@njit(cache=True)
def set_conductance(  # type: ignore[no-untyped-def]  # noqa: PLR0913
    cells, full, stride, factor, area, flux, consistency, thinning, min_speed, out
):
    """Conductance, factor * |u|^(1 - n) / K, of every face of a full cell that has none yet (zero).

    `flux` (3, N) in mm3/s from the last estimate; `consistency` (N,) K of full cells; `thinning` is 1 - n.
    """
    for c in cells:
        for axis in range(3):
            s = stride[axis]
            for e in (c, c - s):
                if area[axis, e] == 0.0 or out[axis, e] > 0.0:
                    continue
                d = e + s
                k = consistency[c]
                if full[e] and full[d]:
                    k = 0.5 * (consistency[e] + consistency[d])
                value = factor[axis, e] / k
                if thinning > 0:
                    speed = _face_speed(flux, area, full, stride, axis, e)
                    value *= max(speed, min_speed) ** thinning
                out[axis, e] = value


@njit(cache=True)
def set_outlet(  # type: ignore[no-untyped-def]  # noqa: PLR0913
    cells, stride, factor, area, flux, leaving, open_area, consistency, thinning, min_speed, out
):
    """Conductance of full cells towards the outside, where none is set; at the larger of leaving and passing speed."""
    for c in cells:
        if factor[c] == 0.0 or out[c] > 0.0:
            continue
        square = 0.0
        for axis in range(3):
            along = _component(flux, area, axis, c, stride[axis], True)
            square += along * along
        speed = max(square**0.5, leaving[c] / open_area[c], min_speed)
        out[c] = factor[c] / consistency[c] * speed**thinning


@njit(cache=True)
def set_diagonal(cells, stride, face, outlet, out):  # type: ignore[no-untyped-def]
    """Sum of a cell's conductances."""
    for c in cells:
        total = outlet[c]
        for axis in range(3):
            total += face[axis, c] + face[axis, c - stride[axis]]
        out[c] = total


@njit(cache=True)
def set_flux(cells, stride, face, outlet, pressure, flux, leaving):  # type: ignore[no-untyped-def]
    """Flux of every face of the cells, and what leaves each through its opening."""
    for c in cells:
        for axis in range(3):
            s = stride[axis]
            flux[axis, c] = face[axis, c] * (pressure[c] - pressure[c + s])
            flux[axis, c - s] = face[axis, c - s] * (pressure[c - s] - pressure[c])
        leaving[c] = outlet[c] * pressure[c]


@njit(cache=True)
def flux_change(new, old):  # type: ignore[no-untyped-def]
    """Relative change of the flux, root of squares over all faces; a loop, since BLAS would wake all its threads."""
    change, total = 0.0, 0.0
    for axis in range(3):
        for c in range(new.shape[1]):
            change += (new[axis, c] - old[axis, c]) ** 2
            total += new[axis, c] ** 2
    return (change / total) ** 0.5 if total > 0 else 0.0


@njit(cache=True)
def gather_inflow(cells, full, stride, flux, gain):  # type: ignore[no-untyped-def]
    """What each cell that is not full receives from full ones."""
    for c in cells:
        for axis in range(3):
            s = stride[axis]
            if not full[c + s]:
                gain[c + s] += flux[axis, c]
            if not full[c - s]:
                gain[c - s] -= flux[axis, c - s]


@njit(cache=True)
def carry(order, stride, flux, held, added, entered, now, out):  # type: ignore[no-untyped-def]
    """Carry the time of entry with the flow: cells in order of falling pressure, each mixed with what flows in.

    `held` (N,) volume before the step, `added` (N,) what the needle put in at time `now`, `flux` the step's volumes.
    """
    for c in order:
        volume = held[c] + added[c]
        moment = (held[c] * entered[c] if held[c] > 0 else 0.0) + added[c] * now
        for axis in range(3):
            s = stride[axis]
            if flux[axis, c - s] > 0:
                volume += flux[axis, c - s]
                moment += flux[axis, c - s] * out[c - s]
            if flux[axis, c] < 0:
                volume -= flux[axis, c]
                moment -= flux[axis, c] * out[c + s]
        if volume > 0:
            out[c] = moment / volume
