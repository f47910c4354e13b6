"""What a repair changes for the neighbours: load, endplate strain and disc pressure as ratios after / before.

Ratios of loads in a model, under a named load case; never a risk of fracture. Bodies and discs stand in series, so
under the same load every neighbour carries all of it, before and after: `endplate_strain_ratio` and
`disc_pressure_ratio` are taken there. `load_ratio` is taken at the same motion of the segment (posture kept, as when
muscles hold it): what stiffening adds. Real life lies between. Facet joints, ligaments and muscles are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.caps import endplate_columns
from endplate.biomechanics.model import BODY, BoneModel
from endplate.biomechanics.strength import effective_strain
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.volume import Volume
from endplate.level import Level
from endplate.repair.augmented.segment_model import (
    ABOVE,
    ANNULUS_ABOVE,
    ANNULUS_BELOW,
    BELOW,
    DISC_MPA,
    NUCLEUS_ABOVE,
    NUCLEUS_BELOW,
    SEGMENT_VOXEL_MM,
    Segment,
    SegmentNeighbours,
    build_segment,
    coarser,
    with_discs,
)
from endplate.repair.augmented.segment_solve import NUCLEUS_POISSON, Dilatation, Response, bulk_modulus, respond


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A neighbour after the repair as a ratio to before, under one load case. Load ratios, never fracture risk."""

    level: Level
    load_case: Literal["standing", "flexed"]
    load_ratio: float
    endplate_strain_ratio: float
    disc_pressure_ratio: float


LoadCase = Literal["standing", "flexed"]
STANDING_N = cited(500.0, "N", "follower load of a standing lumbar spine", "knowledge", cite="rohlmann_2009a")
FLEXED_N = cited(1175.0, "N", "follower load bent forward 30 degrees", "knowledge", cite="rohlmann_2009b")
FLEXED_MOMENT_NMM = cited(7500.0, "N.mm", "7.5 N m beside that follower load", "knowledge", cite="rohlmann_2009b")
ENDPLATE_MM = cited(2.0, "mm", "Endplate strain is that of bone within 2 mm of the disc: a voxel or two", "design")
LOADS: dict[LoadCase, tuple[float, float]] = {
    "standing": (STANDING_N, 0.0),
    "flexed": (FLEXED_N, FLEXED_MOMENT_NMM / FLEXED_N),
}
"""Force in N and how far before the middle of the treated body it acts, mm."""
START = cited(
    0.27, "1", "What the fit of a disc comes to on lumbar segments; from here one step leaves less than 2 %", "design"
)
OMITTED = "facet joints, ligaments and muscles are left out: all load passes through bodies and discs"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChange:
    """What a repair changed in its segment.

    Attributes
    ----------
    neighbours : up to four: above and below, standing and flexed; empty with the reasons in `missing`.
    stiffness_ratio : of the whole segment, free to tip, after / before; None without neighbours.
    stiffness_n_per_mm : before.
    """

    neighbours: tuple[Neighbour, ...]
    stiffness_n_per_mm: float | None
    stiffness_ratio: float | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = (OMITTED,)


def find_neighbours(spine: Spine, level: Level, volume: Volume, calibration: Calibration) -> SegmentNeighbours:
    """The usable neighbours of a level, and why a side has none."""
    missing: list[str] = []

    def usable(found: Vertebra | None, side: str) -> Vertebra | None:
        if found is None:
            missing.append(f"no vertebra is labelled {side} {level}")
        elif found.cut_by_field:
            missing.append(f"the border of the scan cuts the body of {found.level}")
        elif found.level in spine.distrusted:
            missing.append(f"the label check does not trust {found.level}")
        else:
            return found
        return None

    above = next((v for v in spine.vertebrae if level.follows(v.level)), None)
    below = next((v for v in spine.vertebrae if v.level.follows(level)), None)
    return SegmentNeighbours(
        above=usable(above, "above"),
        below=usable(below, "below"),
        volume=volume,
        calibration=calibration,
        missing=tuple(missing),
    )


def segment_change(
    before: BoneModel,
    after: BoneModel,
    around: SegmentNeighbours,
    disc_mpa: float = DISC_MPA,
    voxel_mm: float = SEGMENT_VOXEL_MM,
) -> SegmentChange:
    """Load, endplate strain and disc pressure of the neighbours after a repair over before.

    Parameters
    ----------
    before, after : models of the treated vertebra on one grid. around : from `find_neighbours`.
    disc_mpa : effective modulus of the discs, `DISC_MPA` or `DEGENERATED_MPA`.
    voxel_mm : of the segment; a finer model is averaged to about this.

    Notes
    -----
    Where a repair raised an endplate, that neighbour moves along by the mean rise, and its disc keeps its height; the
    tilt that a corrected wedge gives it is not followed.

    Raises
    ------
    SolverError : a solve did not reach its tolerance.
    """
    if around.above is None and around.below is None:
        return SegmentChange(neighbours=(), stiffness_n_per_mm=None, stiffness_ratio=None, missing=around.missing)
    try:
        first, discs = _fitted(coarser(before, voxel_mm), around, disc_mpa)
        rise = rise_mm(before, after)
        second = first if after is before else _State.of(build_segment(coarser(after, voxel_mm), around, discs, rise))
    except LabelError as error:
        missing = (*around.missing, str(error))
        return SegmentChange(neighbours=(), stiffness_n_per_mm=None, stiffness_ratio=None, missing=missing)
    stiffness = [state.response.axial_n_per_mm for state in (first, second)]
    return SegmentChange(
        neighbours=tuple(_neighbours(first, second, around)),
        stiffness_n_per_mm=float(stiffness[0]),
        stiffness_ratio=float(stiffness[1] / stiffness[0]),
        missing=around.missing,
    )


def rise_mm(before: BoneModel, after: BoneModel) -> tuple[float, float]:
    """Mean rise of the upper and of the lower endplate, mm along the body's axis, positive to the head."""
    upper = _surface(after, 1) - _surface(before, 1)
    lower = _surface(after, -1) - _surface(before, -1)
    means = [
        float(np.nanmean(moved)) * before.voxel_mm if np.isfinite(moved).any() else 0.0 for moved in (upper, lower)
    ]
    return means[0], -means[1]


def _surface(model: BoneModel, side: int) -> NDArray[np.float64]:
    """(I, J) height in voxels of the endplate on a side, counted outwards; NaN outside it."""
    body = (model.material == BODY)[:, :, ::side]
    top = np.where(body.any(axis=2), body.shape[2] - 1 - np.argmax(body[:, :, ::-1], axis=2), -1)
    return np.where(endplate_columns(top, model.voxel_mm), top, np.nan)


def _fitted(treated: BoneModel, around: SegmentNeighbours, disc_mpa: float) -> tuple[_State, tuple[float, float]]:
    """The solved segment whose discs have this effective modulus, and the moduli that give it.

    Between endplates, a ring that holds an incompressible middle is several times stiffer than its materials, so their
    ratio is kept and their size fitted; annulus and nucleus come out at the few and the half MPa of the literature.
    """
    guess = START * disc_mpa
    segment = build_segment(treated, around, (guess, guess))
    response = respond(segment, tilt=False)
    got = [disc_modulus_mpa(segment, response, side) or disc_mpa for side in (1, -1)]
    discs = (guess * disc_mpa / got[0], guess * disc_mpa / got[1])
    return _State.of(with_discs(segment, discs)), discs


@dataclass(frozen=True, slots=True)
class _State:
    """A solved segment."""

    segment: Segment
    response: Response

    @classmethod
    def of(cls, segment: Segment) -> _State:
        return cls(segment, respond(segment))

    def read(self, force_n: float, forward_mm: float, side: int) -> tuple[float, float]:
        """Mean strain of a neighbour's endplate and mean pressure in MPa of its disc's nucleus under a load."""
        mesh = self.response.mesh
        u = self.response.displacement(self.response.under(force_n, forward_mm))
        part = self.segment.part[tuple(mesh.element_ijk.T)]
        nucleus = part == (NUCLEUS_ABOVE if side > 0 else NUCLEUS_BELOW)
        modulus = self.segment.modulus_mpa[tuple(mesh.element_ijk.T)][nucleus].astype(float)
        pressure = -bulk_modulus(modulus, NUCLEUS_POISSON) * Dilatation(mesh, nucleus).of(u.T)
        strain = effective_strain(mesh, u)[self._endplate(side)[tuple(mesh.element_ijk.T)]]
        return float(strain.mean()), float(pressure.mean())

    def _endplate(self, side: int) -> NDArray[np.bool_]:
        """Voxels of a neighbour next to its disc."""
        codes = (ANNULUS_ABOVE, NUCLEUS_ABOVE) if side > 0 else (ANNULUS_BELOW, NUCLEUS_BELOW)
        reach = max(1, round(ENDPLATE_MM / self.segment.voxel_mm))
        near = ndimage.binary_dilation(np.isin(self.segment.part, codes), ALONG, iterations=reach)
        return np.asarray(near & (self.segment.part == (ABOVE if side > 0 else BELOW)))


ALONG = np.zeros((3, 3, 3), np.bool_)
ALONG[1, 1, :] = True
"""A voxel with those directly above and below it."""


def _neighbours(first: _State, second: _State, around: SegmentNeighbours) -> Iterator[Neighbour]:
    """Every neighbour under every load case."""
    for case, (force, forward) in LOADS.items():
        held = second.response.stiffness @ first.response.under(force, forward)
        for side, vertebra in ((1, around.above), (-1, around.below)):
            if vertebra is not None:
                strains, pressures = zip(*(state.read(force, forward, side) for state in (first, second)), strict=True)
                yield Neighbour(
                    level=vertebra.level,
                    load_case=case,
                    load_ratio=float(held[0]) / force,
                    endplate_strain_ratio=strains[1] / strains[0],
                    disc_pressure_ratio=pressures[1] / pressures[0],
                )


def doubled(segment: Segment, part: int) -> Segment:
    """The segment with one vertebra twice as stiff."""
    factor = np.where(segment.part == part, np.float32(2), np.float32(1))
    return replace(segment, modulus_mpa=segment.modulus_mpa * factor)


def disc_modulus_mpa(segment: Segment, response: Response, side: int) -> float:
    """Effective modulus of a disc: force x height / (area x squeeze) under pure travel; 0 where there is none."""
    codes = (ANNULUS_ABOVE, NUCLEUS_ABOVE) if side > 0 else (ANNULUS_BELOW, NUCLEUS_BELOW)
    mesh = response.mesh
    disc = np.isin(segment.part, codes)
    chosen = disc[tuple(mesh.element_ijk.T)]
    if not chosen.any():
        return 0.0
    corner = response.motion[0][mesh.element_nodes[chosen], 2]
    top = np.array([c & 1 for c in range(8)], bool)
    squeeze = (corner[:, ~top].mean(axis=1) - corner[:, top].mean(axis=1)).sum()
    columns = int(disc.any(axis=2).sum())
    height = chosen.sum() / columns * mesh.spacing_mm
    area = columns * mesh.spacing_mm**2
    return float(response.stiffness[0, 0] * height / (area * squeeze / columns))
