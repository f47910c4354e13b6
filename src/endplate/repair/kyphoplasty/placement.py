"""Where the balloons lie: along the end of each needle path, thin when they go in, of their nominal shape when full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from endplate.cited import cited
from endplate.errors import OptionError
from endplate.image.volume import Grid
from endplate.numerics.mpm.balloon import Balloon as Membrane
from endplate.numerics.mpm.bent import bent_ellipsoid
from endplate.numerics.mpm.surface import Surface, ellipsoid, subdivisions_for
from endplate.repair.access.access_result import NeedlePath
from endplate.repair.device.arc import arc_to
from endplate.repair.device.balloon import Balloon, full_half_mm

EMPTY_RADIUS_MM = cited(
    2.1,
    "mm",
    "Outer radius of an 8 G access cannula (4.19 mm): the channel that the empty balloon lies in",
    "secondary",
    cite="needle_gauge_table",
)
MEMBRANE_N_PER_MM = cited(
    5.0, "N/mm", "Own trial: keeps the balloon near its nominal shape; no maker's figure was read", "design"
)
JACK_N_PER_MM = cited(
    100.0, "N/mm", "Own trial: keeps a jack near the width and length of its plates while it opens", "design"
)
MAX_EDGE_VOXELS = cited(
    0.65,
    "voxel",
    "Own measurement: bone slips between vertices of a bulge that lie a voxel apart when it begins (8 % of 1.2 mL), "
    "and two voxels apart anywhere (half of 4 mL); with this, into less than 0.2 % of the volume",
    "design",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BalloonSite:
    """One balloon in one channel: what it is, the middle (3,) and direction (3,) of its axis in LPS mm.

    `channel_mm` is the radius of the channel, the same on every grid. `inwards` (3,) points from the middle of a curved
    balloon to the centre of its arc, across its direction there; None for a straight one.
    """

    balloon: Balloon
    centre_mm: NDArray[np.float64]
    direction: NDArray[np.float64]
    channel_mm: float = EMPTY_RADIUS_MM
    inwards: NDArray[np.float64] | None = None


def sites_on(paths: Sequence[NeedlePath], balloons: Sequence[Balloon]) -> tuple[BalloonSite, ...]:
    """A balloon at the end of each path, reaching back from the target by its nominal length, if it is not curved."""
    found = []
    for path, balloon in zip(paths, balloons, strict=True):
        along = np.asarray(path.target_mm, float) - path.entry_mm
        tip, towards = (path.end_mm, path.bends_to) if balloon.bend_deg else (path.target_mm, None)
        found.append(site_at(balloon, tip, along, towards))
    return tuple(found)


def site_at(
    balloon: Balloon,
    tip_mm: NDArray[np.float64],
    direction: NDArray[np.float64],
    towards: NDArray[np.float64] | None = None,
) -> BalloonSite:
    """A balloon whose front end lies at a tip, along a direction (any length), LPS mm.

    Parameters
    ----------
    towards : (3,) a curved balloon leaves the needle along `direction` and bends to here (any length).

    Raises
    ------
    OptionError : a curved balloon without a side to bend to.
    """
    if balloon.bend_deg:
        if towards is None:
            raise OptionError(f"a place for {balloon.name}", "it is curved", "say to which side it bends")
        arc = arc_to(tip_mm, direction, towards, float(balloon.length_mm), float(balloon.bend_deg))
        return BalloonSite(balloon=balloon, centre_mm=arc.at(0.5), direction=arc.heading(0.5), inwards=arc.inwards(0.5))
    along = np.asarray(direction, float) / np.linalg.norm(direction)
    centre = np.asarray(tip_mm, float) - along * float(balloon.length_mm) / 2
    return BalloonSite(balloon=balloon, centre_mm=centre, direction=along)


def immersed(site: BalloonSite, grid: Grid) -> Membrane:
    """The balloon in its channel as a surface in the frame of the large-strain model on a grid of cubes."""
    edge_mm = float(grid.spacing_mm[0])
    centre = to_model_mm(grid, site.centre_mm)
    full_mm3 = 1000 * float(site.balloon.max_ml)
    when_empty, when_full = _semi_axes(site, full_mm3)
    finer = subdivisions_for(when_full, float(MAX_EDGE_VOXELS) * edge_mm)
    if site.inwards is None:
        axes = _axes(grid.affine[:3, :3].T @ site.direction / edge_mm)
        empty, full = (ellipsoid(centre, semi, axes, finer) for semi in (when_empty, when_full))
    else:
        turned = grid.affine[:3, :3].T / edge_mm
        along, inwards = turned @ site.direction, turned @ site.inwards
        axes, radius_mm = np.stack([along, inwards, np.cross(along, inwards)]), float(site.balloon.bend_radius_mm)
        empty, full = (bent_ellipsoid(centre, semi, axes, radius_mm, finer) for semi in (when_empty, when_full))
    return Membrane(
        empty,
        nominal=full,
        membrane_n_per_mm=MEMBRANE_N_PER_MM if site.balloon.plate_mm is None else JACK_N_PER_MM,
        max_mm3=full_mm3,
        max_mpa=site.balloon.max_mpa,
    )


def _semi_axes(site: BalloonSite, full_mm3: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Half lengths (3,) along the device and across it, the last towards the head: as it goes in, and expanded."""
    length, plate = float(site.balloon.length_mm) / 2, site.balloon.plate_mm
    if plate is not None:
        width, height = plate[0] / 2, plate[1] / 2
        return np.array([length, width, width]), np.array([length, width, height])
    half_mm, radius_mm = full_half_mm(site.balloon.length_mm, full_mm3 / 1000)
    return np.array([length, site.channel_mm, site.channel_mm]), np.array([half_mm, radius_mm, radius_mm])


def to_model_mm(grid: Grid, lps_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """LPS mm (..., 3) to mm along the axes of a grid of cubes, from the outer corner of its first voxel."""
    return (grid.to_index(lps_mm) + 0.5) * float(grid.spacing_mm[0])


def to_lps_mm(grid: Grid, model_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """The way back from `to_model_mm`."""
    return grid.to_mm(np.asarray(model_mm) / float(grid.spacing_mm[0]) - 0.5)


def _axes(along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows: the balloon's axis, and two across it of which the last leans to the head; mirrored by a mirrored axis."""
    first = along / np.linalg.norm(along)
    last = np.array([0.0, 0.0, 1.0]) - first[2] * first
    last /= np.linalg.norm(last)
    return np.stack([first, np.cross(last, first), last])


def clearance_mm(surface: Surface, wall_mm: NDArray[np.float64]) -> float:
    """Least distance from a surface's vertices to points (n, 3) of a wall."""
    return float(cKDTree(wall_mm).query(surface.vertices)[0].min())
