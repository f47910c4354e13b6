"""Compiled loops over shadows of one vertebra: holes in a slab, likeness to a mirror image, what lies before a wall."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def _spread(open_cells: Any, marks: Any, stack: Any, start: int, mark: int) -> int:  # pragma: no cover - compiled
    """Mark all open cells that hang together with one by their sides; both (nx, ny) laid flat. Returns their number."""
    columns = open_cells.shape[1]
    cells, found = open_cells.ravel(), marks.ravel()
    stack[0], top, count = start, 1, 0
    found[start] = mark
    while top:
        top -= 1
        here = stack[top]
        count += 1
        y = here % columns
        for side in range(4):
            there = here + (1, -1, columns, -columns)[side]
            beyond = (side == 0 and y == columns - 1) or (side == 1 and y == 0) or there < 0 or there >= cells.size
            if not beyond and cells[there] and found[there] == 0:
                found[there] = mark
                stack[top] = there
                top += 1
    return count


@njit(cache=True, nogil=True)
def enclosed(shadow: Any) -> Any:  # pragma: no cover - compiled
    """Cells (nx, ny) of a shadow's holes: empty ones from which no way of empty cells leads to the border."""
    empty = ~shadow
    marks, stack = np.zeros(shadow.shape, np.int32), np.empty(shadow.size, np.int64)
    rows, columns = shadow.shape
    for x in range(rows):
        for y in range(columns):
            at_border = x == 0 or y == 0 or x == rows - 1 or y == columns - 1
            if at_border and empty[x, y] and marks[x, y] == 0:
                _spread(empty, marks, stack, x * columns + y, 1)
    return empty & (marks == 0)


@njit(cache=True, nogil=True)
def largest_part(cells: Any) -> Any:  # pragma: no cover - compiled
    """The largest part of a set of cells (nx, ny) that hangs together by sides, the first of equals."""
    marks, stack = np.zeros(cells.shape, np.int32), np.empty(cells.size, np.int64)
    best, most, mark = 0, 0, 0
    columns = cells.shape[1]
    for x in range(cells.shape[0]):
        for y in range(columns):
            if cells[x, y] and marks[x, y] == 0:
                mark += 1
                count = _spread(cells, marks, stack, x * columns + y, mark)
                if count > most:
                    best, most = mark, count
    return (marks == best) & cells


@njit(cache=True, nogil=True)
def widest_hole(
    slices: Any, open_columns: Any, starts: Any, depth: int, least: int, most: int
) -> Any:  # pragma: no cover - compiled
    """The hole of most cells in the shadow of any slab, and the slab's start; -1 where none has a size in between.

    `slices` (nz, nx, ny) lie one upon another, a slab is `depth` of them; `least` and `most` in cells.
    """
    best, found, place = 0, np.zeros(open_columns.shape, np.bool_), -1
    shadow = np.empty(open_columns.shape, np.bool_)
    for start in starts:
        shadow[:] = slices[start]
        for z in range(start + 1, min(start + depth, slices.shape[0])):
            shadow |= slices[z]
        hole = largest_part(enclosed(shadow) & open_columns)
        size = hole.sum()
        if least <= size <= most and size > best:
            best, found, place = size, hole, start
    return found, place


@njit(cache=True, nogil=True)
def _between(map_: Any, i: float, j: float) -> float:  # pragma: no cover - compiled
    """A map (nx, ny) between its points; 0 beyond them."""
    if i < 0 or j < 0 or i > map_.shape[0] - 1 or j > map_.shape[1] - 1:
        return 0.0
    i0, j0 = min(int(i), map_.shape[0] - 2), min(int(j), map_.shape[1] - 2)
    a, b = i - i0, j - j0
    low = map_[i0, j0] * (1 - b) + map_[i0, j0 + 1] * b
    return float(low * (1 - a) + (map_[i0 + 1, j0] * (1 - b) + map_[i0 + 1, j0 + 1] * b) * a)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def before_wall(
    mask: Any, to_frame: Any, offset: Any, wall: Any, first: Any, step: float, footprint: Any
) -> Any:  # pragma: no cover - compiled
    """Voxels (I, J, K) of a mask on the body's side of its posterior wall.

    `to_frame` (3, 3) and `offset` (3,) bring an index into the frame; `wall` : offset and slope of its line, and of the
    canal the right and anterior coordinate and the half width, mm; `first` : coordinates of the footprint's first cell.
    """
    front = np.zeros(mask.shape, np.bool_)
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
                    row = min(max(int(np.rint((x - first[0]) / step)), 0), rows - 1)
                    column = min(max(int(np.rint((y - first[1]) / step)), 0), columns - 1)
                    front[i, j, k] = footprint[row, column]
    return front
