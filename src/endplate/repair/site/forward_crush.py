"""The fracture happens once more: the body pulled back to its shape before is crushed until it has its present shape.

What a column cannot say, its neighbours do: a layer that gives way hands its load on, so crushed layers hang together
and walls buckle where what is behind them does. What the points went through on the way is their state.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.biomechanics.caps import add_cap
from endplate.cited import cited
from endplate.errors import SolverError
from endplate.image.volume import Grid
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.foam import ELASTIC, FOAM
from endplate.numerics.mpm.particles import fill_cloud
from endplate.numerics.mpm.particles_to_voxels import particles_to_voxels
from endplate.numerics.voxel.connected_components import largest_piece
from endplate.repair.site.bone import Bone, inside_body
from endplate.repair.site.prefracture_shape import Columns
from endplate.synthetic_fracture.crush import CAP_MODULUS_MPA, MIN_DENSITY_G_CM3, intact_law
from endplate.synthetic_fracture.plate_press import MIN_STEP, PlatePress
from endplate.synthetic_fracture.platen import build_platens

OVER = cited(1.05, "1", "own trial: a crushed body springs back by about a twentieth of its loss", "design")
ENOUGH = cited(0.8, "1", "Own choice: a crush that ends before this share of the travel is no witness", "design")
LEAST_TRAVEL_MM = cited(0.5, "mm", "Own choice: below the error of a height there is nothing to crush", "design")
MIN_HEIGHT_MM = cited(4.0, "mm", "Own choice: a column lower than this is the rim, not the body", "design")
FILLED = cited(0.05, "1", "Own choice: less bone in a voxel has no state of its own", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForwardCrush:
    """The state after the crush.

    Attributes
    ----------
    strain : (I, J, K) equivalent plastic strain on the grid of the bone; carried on where there is no bone.
    reached : share of the travel that the plates went. peak_n : highest push.
    """

    strain: NDArray[np.float64]
    reached: float
    peak_n: float


def forward_crush(bone: Bone, columns: Columns, density_before: NDArray[np.float64]) -> ForwardCrush | None:
    """Crush the body from its shape before to its present one; None where nothing came down or it did not succeed.

    Parameters
    ----------
    bone : as it is now, on cubes. columns : what each column lost. density_before : (I, J, K) mg/cm3 at the present
    place of each point, before it was crushed.
    """
    grid = bone.field.grid
    edge_mm = float(grid.spacing_mm[0])
    if max(float(columns.up.max()), float(columns.down.max())) < float(LEAST_TRAVEL_MM):
        return None
    inside, density = _pulled_back(bone, columns, density_before)
    body, _ = largest_piece(inside >= 0.5)
    if not body.any():
        return None
    engine, foam = _engine(bone, body, inside, density)
    press = PlatePress(
        engine, build_platens(engine.node_mm, grid, body, lambda lps: _travel(grid, columns, lps)), edge_mm
    )
    reached = _press(press)
    if reached < float(ENOUGH):
        return None
    press.let_go(reached)
    only = copy.copy(engine)
    only.particles = engine.particles.keep(foam)
    found = particles_to_voxels(only)
    near = tuple(
        ndimage.distance_transform_edt(found.fill <= float(FILLED), return_distances=False, return_indices=True)
    )
    return ForwardCrush(strain=found.hardening[near], reached=reached, peak_n=press.peak_n)


def _pulled_back(
    bone: Bone, columns: Columns, density_before: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of each voxel inside the body before, and its density there, (I, J, K) on the grid of the bone."""
    shape, h = bone.field.grid.shape, float(bone.field.grid.spacing_mm[0])
    top, bottom, up, down = (part[..., None] for part in (columns.top, columns.bottom, columns.up, columns.down))
    z = columns.z[None, None, :]
    height = np.maximum(top - bottom, float(MIN_HEIGHT_MM))
    share = (z - bottom + down) / (height + up + down)
    inner = bottom + np.clip(share, 0, 1) * height
    source = np.where(share > 1, z - up, np.where(share < 0, z + down, inner))
    i, j, _ = (np.arange(n) for n in shape)
    index = np.broadcast_arrays(i[:, None, None], j[None, :, None], (source - float(columns.z[0])) / h)
    inside = ndimage.map_coordinates(inside_body(bone.field).astype(float), index, order=1, mode="constant")
    density = ndimage.map_coordinates(density_before, index, order=1, mode="nearest")
    return np.asarray(inside), np.asarray(density)


def _engine(
    bone: Bone, body: NDArray[np.bool_], inside: NDArray[np.float64], density_mg_cm3: NDArray[np.float64]
) -> tuple[Engine, NDArray[np.bool_]]:
    """Points of the body's foam and of an elastic cap on either endplate; which of them are bone."""
    edge_mm = float(bone.field.grid.spacing_mm[0])
    arch = (np.clip(bone.field.fill, 0, 1) >= 0.5) & (inside_body(bone.field) < 0.5) & ~body
    caps = add_cap(body, arch, edge_mm) | add_cap(body[:, :, ::-1], arch[:, :, ::-1], edge_mm)[:, :, ::-1]
    density = np.maximum(density_mg_cm3 / 1000, float(MIN_DENSITY_G_CM3))
    cloud = fill_cloud(
        np.where(body, density, 1.0),
        np.where(body, np.clip(inside, 0, 1), caps),
        edge_mm,
        kind=np.where(body, FOAM, ELASTIC),
        modulus_mpa=np.where(caps, float(CAP_MODULUS_MPA), 0.0),
    )
    return Engine(cloud, intact_law(), body.shape, edge_mm), np.asarray(cloud.kind == FOAM)


def _travel(
    grid: Grid, columns: Columns, lps_mm: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the plates go over columns at LPS mm (..., 3): what each endplate lost there."""
    at = np.moveaxis(grid.to_index(lps_mm)[..., :2], -1, 0)
    down, up = (
        np.asarray(ndimage.map_coordinates(part, at, order=1, mode="nearest")) for part in (columns.up, columns.down)
    )
    return down, up


def _press(press: PlatePress) -> float:
    """Press on to the end of the travel and a little beyond; returns the share that was reached."""
    at, full = 0.0, press.full_step
    step = full
    while at < float(OVER) - 1e-6:
        share = min(step, float(OVER) - at)
        try:
            press.press_by(at, share)
        except SolverError:
            step /= 2
            if step < MIN_STEP * full:
                return at
            continue
        at, step = at + share, min(full, 2 * step)
    return at
