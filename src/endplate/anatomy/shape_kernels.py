"""Compiled loops over shadows of one vertebra: holes in a slab, likeness to a mirror image, what lies before a wall."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def _spread(free: Any, stack: Any, start: int, across: int, mark: int) -> int:  # pragma: no cover - compiled
    """Mark all free cells (1) that hang together with one by their sides; `free` (nx + 2, ny + 2) laid flat.

    A frame of cells that are not free spares the checks for the border. Returns how many were marked.
    """
    stack[0], top, count = start, 1, 0
    free[start] = mark
    while top:
        top -= 1
        here = stack[top]
        count += 1
        for there in (here + 1, here - 1, here + across, here - across):
            if free[there] == 1:
                free[there] = mark
                stack[top] = there
                top += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _enclose(shadow: Any, framed: Any, stack: Any) -> None:  # pragma: no cover - compiled
    """Set a frame's cells (nx + 2, ny + 2) to 1 where a shadow has a hole, else to 0 or 2."""
    rows, columns = shadow.shape
    flat, across = framed.ravel(), columns + 2
    for x in range(rows + 2):
        for y in range(across):
            at_rim = x == 0 or y == 0 or x > rows or y > columns
            framed[x, y] = 0 if at_rim or shadow[x - 1, y - 1] else 1
    for x in range(1, rows + 1):
        for y in range(1, columns + 1, 1 if x in (1, rows) else max(columns - 1, 1)):
            if framed[x, y] == 1:
                _spread(flat, stack, x * across + y, across, 2)


@njit(cache=True, nogil=True, error_model="numpy")
def enclosed(shadow: Any) -> Any:  # pragma: no cover - compiled
    """Cells (nx, ny) of a shadow's holes: empty ones from which no way of empty cells leads to the border."""
    rows, columns = shadow.shape
    framed, holes = np.empty((rows + 2, columns + 2), np.int32), np.empty(shadow.shape, np.bool_)
    _enclose(shadow, framed, np.empty(shadow.size, np.int64))
    for x in range(rows):
        for y in range(columns):
            holes[x, y] = framed[x + 1, y + 1] == 1
    return holes


@njit(cache=True, nogil=True, error_model="numpy")
def _mark_parts(framed: Any, stack: Any) -> tuple[int, int]:  # pragma: no cover - compiled
    """Mark parts of cells that are 1 with numbers from 3 on; mark and size of the largest, the first of equals."""
    flat, best, most, mark = framed.ravel(), -1, 0, 2
    for start in range(flat.size):
        if flat[start] == 1:
            mark += 1
            count = _spread(flat, stack, start, framed.shape[1], mark)
            if count > most:
                best, most = mark, count
    return best, most


@njit(cache=True, nogil=True, error_model="numpy")
def largest_part(cells: Any) -> Any:  # pragma: no cover - compiled
    """The largest part of a set of cells (nx, ny) that hangs together by sides, the first of equals."""
    rows, columns = cells.shape
    framed, part = np.empty((rows + 2, columns + 2), np.int32), np.empty(cells.shape, np.bool_)
    for x in range(rows + 2):
        for y in range(columns + 2):
            at_rim = x == 0 or y == 0 or x > rows or y > columns
            framed[x, y] = 0 if at_rim else cells[x - 1, y - 1]
    best, _ = _mark_parts(framed, np.empty(cells.size, np.int64))
    for x in range(rows):
        for y in range(columns):
            part[x, y] = framed[x + 1, y + 1] == best
    return part


@njit(cache=True, nogil=True, error_model="numpy")
def widest_hole(
    slices: Any, open_columns: Any, starts: Any, depth: int, least: int, most: int
) -> Any:  # pragma: no cover - compiled
    """The hole of most cells in the shadow of any slab, and the slab's start; -1 where none has a size in between.

    `slices` (nz, nx, ny) lie one upon another, a slab is `depth` of them; `least` and `most` in cells.
    """
    rows, columns = open_columns.shape
    best, place = 0, -1
    found, shadow = np.empty(open_columns.shape, np.bool_), np.empty(open_columns.shape, np.bool_)
    framed, stack = np.empty((rows + 2, columns + 2), np.int32), np.empty(shadow.size, np.int64)
    for start in starts:
        _shade(slices, start, min(start + depth, slices.shape[0]), shadow)
        _enclose(shadow, framed, stack)
        holes = 0
        for x in range(rows):
            for y in range(columns):
                if framed[x + 1, y + 1] == 1:
                    framed[x + 1, y + 1] = 1 if open_columns[x, y] else 2
                    holes += open_columns[x, y]
        if holes < max(least, best + 1):
            continue
        mark, size = _mark_parts(framed, stack)
        if least <= size <= most and size > best:
            best, place = size, start
            for x in range(rows):
                for y in range(columns):
                    found[x, y] = framed[x + 1, y + 1] == mark
    return found, place


@njit(cache=True, nogil=True, error_model="numpy")
def _shade(slices: Any, first: int, stop: int, shadow: Any) -> None:  # pragma: no cover - compiled
    """The shadow (nx, ny) of some slices."""
    for x in range(shadow.shape[0]):
        for y in range(shadow.shape[1]):
            shadow[x, y] = slices[first, x, y]
        for z in range(first + 1, stop):
            for y in range(shadow.shape[1]):
                shadow[x, y] |= slices[z, x, y]


@njit(cache=True, nogil=True, error_model="numpy")
def _between(map_: Any, i: float, j: float) -> float:  # pragma: no cover - compiled
    """A map (nx, ny) between its points; 0 beyond them."""
    if i < 0 or j < 0 or i > map_.shape[0] - 1 or j > map_.shape[1] - 1:
        return 0.0
    low_i, low_j = min(int(i), map_.shape[0] - 2), min(int(j), map_.shape[1] - 2)
    a, b = i - low_i, j - low_j
    i0, j0, i1, j1 = np.uint64(low_i), np.uint64(low_j), np.uint64(low_i + 1), np.uint64(low_j + 1)
    return float(
        (map_[i0, j0] * (1 - b) + map_[i0, j1] * b) * (1 - a) + (map_[i1, j0] * (1 - b) + map_[i1, j1] * b) * a
    )


@njit(cache=True, nogil=True, error_model="numpy")
def likeness(
    thickness: Any, first: Any, step: float, places: Any, turns: Any, moves: Any
) -> Any:  # pragma: no cover - compiled
    """Correlations (turns, moves) of a map with its image in mirror lines.

    `first` : coordinates of the map's first point, mm. `places` : (n, 2) distance from the line and along it.
    `turns` in radians, `moves` in mm.
    """
    found = np.empty((turns.size, moves.size))
    for t in range(turns.size):
        c, s = np.cos(turns[t]), np.sin(turns[t])
        for m in range(moves.size):
            one = two = squares = others = products = 0.0
            for n in range(places.shape[0]):
                u, v = places[n, 0], places[n, 1]
                x, y = moves[m] * c - v * s - first[0], moves[m] * s + v * c - first[1]
                p = _between(thickness, (x + u * c) / step, (y + u * s) / step)
                q = _between(thickness, (x - u * c) / step, (y - u * s) / step)
                one, two = one + p, two + q
                squares, others, products = squares + p * p, others + q * q, products + p * q
            count = places.shape[0]
            one, two = one / count, two / count
            spread = np.sqrt(max(squares / count - one * one, 0.0))
            other = np.sqrt(max(others / count - two * two, 0.0))
            found[t, m] = (products / count - one * two) / (max(spread, 1e-6) * max(other, 1e-6))
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def before_wall(
    mask: Any, to_frame: Any, offset: Any, wall: Any, footprint: Any, front: Any
) -> None:  # pragma: no cover - compiled
    """Voxels (I, J, K) of a mask on the body's side of its posterior wall, set in `front`.

    `to_frame` (3, 3) and `offset` (3,) bring an index into the frame; `wall` : offset and slope of its line, and of the
    canal the right and anterior coordinate and the half width; then of the footprint the coordinates of its first cell
    and its step, mm.
    """
    rows, columns = footprint.shape
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            for k in range(mask.shape[2]):
                if not mask[i, j, k]:
                    continue
                x = to_frame[0, 0] * i + to_frame[0, 1] * j + to_frame[0, 2] * k + offset[0]
                y = to_frame[1, 0] * i + to_frame[1, 1] * j + to_frame[1, 2] * k + offset[1]
                z = to_frame[2, 0] * i + to_frame[2, 1] * j + to_frame[2, 2] * k + offset[2]
                if y > wall[0] + wall[1] * z or (abs(x - wall[2]) < wall[4] and y > wall[3]):
                    row = min(max(int(np.rint((x - wall[5]) / wall[7])), 0), rows - 1)
                    column = min(max(int(np.rint((y - wall[6]) / wall[7])), 0), columns - 1)
                    front[i, j, k] = footprint[row, column]
