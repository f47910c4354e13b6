"""The treated vertebra between its neighbours and discs, as voxels on one grid along the treated vertebra's axes.

Bodies and discs only: facet joints, ligaments and muscles are left out, so all load passes through the bodies. That is
right for upright and bent-forward loads on sound discs; a collapsed disc or extension sends 40-90 % through the arch,
which this model cannot show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.caps import CAP_MM, add_cap, endplate_columns
from endplate.biomechanics.model import (
    BODY,
    LOWER,
    MIN_FILL,
    NONE,
    PMMA_MODULUS_MPA,
    SMOOTHING_MM,
    UPPER,
    BoneModel,
    properties,
)
from endplate.biomechanics.sampling import sample_bone
from endplate.bone.material import density_law
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.volume import Grid, Volume
from endplate.numerics.voxel.connected_components import largest_piece

DISC_MPA = cited(
    10.0,
    "MPa",
    "effective modulus of a healthy disc, inside the 5.8-42.7 MPa measured (abstract)",
    "verified",
    cite="yang_2016",
)
DEGENERATED_MPA = cited(
    20.0, "MPa", "degenerated disc, inside the 5.8-42.7 MPa measured (abstract)", "verified", cite="yang_2016"
)
NUCLEUS_AREA = cited(0.45, "1", "own choice: the nucleus is the central 40-50 % of the disc's area", "design")
NUCLEUS_SHARE = cited(0.2, "1", "Modulus of the nucleus over that of the disc, minimal disc law", "design")
ANNULUS_SHARE = cited(2.0, "1", "Modulus of the annulus over that of the disc, minimal disc law", "design")
MIN_DISC_MM2 = cited(100.0, "mm2", "A tenth of a lumbar endplate: with less in common nothing is a disc", "design")
SEGMENT_VOXEL_MM = cited(
    2.0, "mm", "2 mm judged enough; three bodies then solve in seconds", "verified", cite="imai_2015"
)

NOTHING, TREATED, ABOVE, BELOW, ANNULUS_ABOVE, NUCLEUS_ABOVE, ANNULUS_BELOW, NUCLEUS_BELOW, TOP, BOTTOM = range(10)
"""Codes of the parts of a segment."""

CUBE = np.ones((3, 3, 3), np.bool_)
"""A voxel and all that share a corner with it."""

CODES = {1: (ABOVE, ANNULUS_ABOVE, NUCLEUS_ABOVE, TOP), -1: (BELOW, ANNULUS_BELOW, NUCLEUS_BELOW, BOTTOM)}
"""Neighbour, annulus, nucleus and outer layer on the head side (1) and the foot side (-1)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentNeighbours:
    """What lies beside the treated vertebra: whole neighbours (None where there is none) and the scan that shows them.

    Attributes
    ----------
    missing : why a side has no neighbour, in words.
    """

    above: Vertebra | None
    below: Vertebra | None
    volume: Volume
    calibration: Calibration
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """A voxel model of bodies and discs: part codes (I, J, K) and Young's moduli (I, J, K) in MPa."""

    grid: Grid
    voxel_mm: float
    part: NDArray[np.uint8]
    modulus_mpa: NDArray[np.float32]


def coarser(model: BoneModel, voxel_mm: float = SEGMENT_VOXEL_MM) -> BoneModel:
    """The model in voxels of about `voxel_mm`, a whole multiple of its own.

    A block at least half full takes its most common material, and the modulus of that spread over the block.
    """
    step = max(1, round(voxel_mm / model.voxel_mm))
    if step == 1:
        return model
    parts = [model.material == code for code in range(BODY, UPPER + 1)]
    shares = np.array([_blocks(part.astype(np.float32), step) for part in parts])
    full, winner = shares.sum(axis=0) >= 0.5, np.argmax(shares, axis=0)
    modulus, strength = (
        np.where(full, np.choose(winner, [_blocks(np.where(part, field, 0), step) for part in parts]), 0)
        for field in (model.modulus_mpa, np.minimum(model.yield_mpa, 1000))
    )
    material = np.where(full, winner + BODY, NONE).astype(np.uint8)
    affine = model.grid.affine.copy()
    affine[:3, 3] = model.grid.to_mm(np.full(3, 0.5 * (step - 1)))
    affine[:3, :3] *= step
    i, j, k = material.shape
    return replace(
        model,
        grid=Grid(shape=(i, j, k), affine=affine),
        voxel_mm=model.voxel_mm * step,
        material=material,
        modulus_mpa=modulus.astype(np.float32),
        yield_mpa=strength.astype(np.float32),
    )


def _blocks(field: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Means over blocks of `step` voxels along every axis."""
    padded = np.pad(field, [(0, -n % step) for n in field.shape])
    i, j, k = (n // step for n in padded.shape)
    return np.asarray(padded.reshape(i, step, j, step, k, step).mean(axis=(1, 3, 5)))


def build_segment(
    treated: BoneModel,
    beside: SegmentNeighbours,
    disc_mpa: tuple[float, float] = (DISC_MPA, DISC_MPA),
    rise_mm: tuple[float, float] = (0.0, 0.0),
) -> Segment:
    """Bodies, discs and outer layers on the lattice of the treated vertebra's model.

    Parameters
    ----------
    disc_mpa : modulus of the discs above and below, of which annulus and nucleus take their shares.
    rise_mm : how far the neighbours above and below are moved along the treated vertebra's axis (positive to the
    head), where a repair raised its endplates: discs keep their height.

    Raises
    ------
    LabelError : no neighbour, or none whose endplate faces the treated one.
    """
    if beside.above is None and beside.below is None:
        raise LabelError("no neighbour to load", "; ".join(beside.missing), "use labels and a field that hold one")
    grid, start = _wide_grid(treated, beside)
    inner = tuple(slice(a, a + n) for a, n in zip(start, treated.material.shape, strict=True))
    draft = _Draft(np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, np.float32), treated.voxel_mm)
    draft.part[inner] = np.where(treated.material == BODY, TREATED, NOTHING)
    draft.modulus[inner] = np.where(treated.material == BODY, treated.modulus_mpa, 0)
    for side, neighbour, rise in ((1, beside.above, rise_mm[0]), (-1, beside.below, rise_mm[1])):
        if neighbour is None:
            own_layer = treated.material == (UPPER if side > 0 else LOWER)
            draft.part[inner][own_layer] = TOP if side > 0 else BOTTOM
        else:
            draft.add(_sampled(neighbour, beside, _moved(grid, rise)), str(neighbour.level), side)
    whole, _ = largest_piece(draft.part > NOTHING)
    draft.part[~whole] = NOTHING
    modulus = np.where(draft.part == NOTHING, np.float32(0), draft.modulus)
    modulus[(draft.part == TOP) | (draft.part == BOTTOM)] = PMMA_MODULUS_MPA
    plain = Segment(grid=grid, voxel_mm=treated.voxel_mm, part=draft.part, modulus_mpa=modulus)
    return with_discs(plain, disc_mpa)


def with_discs(segment: Segment, disc_mpa: tuple[float, float]) -> Segment:
    """The segment with discs of these moduli, above and below."""
    modulus = segment.modulus_mpa.copy()
    for side, value in zip((1, -1), disc_mpa, strict=True):
        _, annulus, nucleus, _ = CODES[side]
        modulus[segment.part == annulus] = ANNULUS_SHARE * value
        modulus[segment.part == nucleus] = NUCLEUS_SHARE * value
    return replace(segment, modulus_mpa=modulus)


def _wide_grid(treated: BoneModel, beside: SegmentNeighbours) -> tuple[Grid, NDArray[np.int64]]:
    """The treated grid extended over its neighbours and their layers, and where the treated one begins in it."""
    low, high = np.zeros(3), np.array(treated.grid.shape, float)
    for neighbour in (beside.above, beside.below):
        if neighbour is not None:
            place = treated.grid.to_index(neighbour.grid.to_mm(np.argwhere(neighbour.body)))
            low, high = np.minimum(low, place.min(axis=0)), np.maximum(high, place.max(axis=0) + 1)
    pad = np.array([2, 2, 2 + np.ceil(2 * CAP_MM / treated.voxel_mm)])
    start = np.floor(low - pad).astype(np.int64)
    return treated.grid.crop(start, np.ceil(high + pad).astype(np.int64)), -start


def _moved(grid: Grid, rise_mm: float) -> Grid:
    """The grid on which a vertebra moved up by `rise_mm` is found where it was."""
    affine = grid.affine.copy()
    affine[:3, 3] -= rise_mm * affine[:3, 2] / np.linalg.norm(affine[:3, 2])
    return replace(grid, affine=affine)


@dataclass(frozen=True, slots=True)
class _Body:
    """A neighbour's body and its moduli on the grid of the segment."""

    inside: NDArray[np.bool_]
    modulus: NDArray[np.float32]


def _sampled(neighbour: Vertebra, beside: SegmentNeighbours, grid: Grid) -> _Body:
    field = sample_bone(neighbour, beside.volume, beside.calibration, grid, SMOOTHING_MM)
    inside = (field.fill >= MIN_FILL) & (field.body >= 0.5)
    if not inside.any():
        raise LabelError(f"the mask of {neighbour.level} holds no body", "it cannot be loaded", "check its labels")
    inside, _ = largest_piece(inside)
    material = np.where(inside, BODY, NONE).astype(np.uint8)
    law = density_law("kopperdahl")
    return _Body(inside, properties(material, field.density_mg_cm3, field.fill, law, "pmma")[0])


@dataclass(frozen=True, slots=True)
class _Draft:
    """Part codes and moduli while they are put together."""

    part: NDArray[np.uint8]
    modulus: NDArray[np.float32]
    voxel_mm: float

    def add(self, neighbour: _Body, name: str, side: int) -> None:
        """Put in a neighbour, its disc and its outer layer; `side` is 1 above and -1 below."""
        part, up = self.part, slice(None, None, side)
        treated = part == TREATED
        # Not even a shared corner: bone that meets in the voxels is not grown together.
        own, other = treated[:, :, up], (neighbour.inside & ~ndimage.binary_dilation(treated, CUBE))[:, :, up]
        disc = self._between(own, other)
        columns = np.asarray(disc.any(axis=2))
        if columns.sum() * self.voxel_mm**2 < MIN_DISC_MM2:
            raise LabelError(f"the endplates of {name} and the treated vertebra do not face each other",
                             "there is no disc to load", "check the labels of both levels")  # fmt: skip
        bone, annulus, nucleus, outer = CODES[side]
        view = part[:, :, up]
        view[other] = bone
        view[disc] = annulus
        view[disc & _central(columns)[:, :, None]] = nucleus
        view[add_cap(other, np.zeros_like(other), self.voxel_mm) & (view == NOTHING)] = outer
        self.modulus[:, :, up][other] = neighbour.modulus[:, :, up][other]

    def _between(self, lower: NDArray[np.bool_], upper: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Voxels between the endplates that face each other; the lower body is towards small k."""
        last = lower.shape[2] - 1
        top = np.where(lower.any(axis=2), last - np.argmax(lower[:, :, ::-1], axis=2), -1)
        bottom = np.where(upper.any(axis=2), np.argmax(upper, axis=2), last + 1)
        facing = endplate_columns(top, self.voxel_mm) & endplate_columns(last - bottom, self.voxel_mm)
        k = np.arange(lower.shape[2])
        return np.asarray(facing[:, :, None] & (k > top[:, :, None]) & (k < bottom[:, :, None]))


def _central(columns: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The columns (I, J) of the nucleus: the part of the disc's area farthest from its rim."""
    depth = ndimage.distance_transform_edt(columns)
    return np.asarray(depth > np.quantile(depth[columns], 1 - NUCLEUS_AREA))
