"""CT and labels moved by a displacement field, with the mass of the crushed bone conserved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.surface import HALF_LEVEL
from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.model import SMOOTHING_MM
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.image.volume import LabelMap, Volume
from endplate.level import Level
from endplate.synthetic_fracture.inverse_map import Field, origins
from endplate.synthetic_fracture.trilinear import scalar

PADDING_HU = cited(
    -1024.0, "[hnsf'U]", "scanners pad what was not measured at -1024 or below", "knowledge", cite="kalender_2011"
)
MAX_HU = cited(3071.0, "[hnsf'U]", "12-bit CT scale, upper end", "knowledge", cite="kalender_2011")
MIN_RATIO = cited(0.1, "1", "bone cannot be denser than 1.3 g/cm3: a volume ratio below this is an error", "design")
KEYS = cited(-0.5, "1", "exact for quadratics", "knowledge", cite="keys_1981")
PLANES = int(cited(16, "1", "planes of the scan that are worked on at once: bounds the memory", "design"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warped:
    """The new CT and labels on the old grid, and what happened to them.

    Attributes
    ----------
    unseen : (I, J, K) bool, voxels whose content came from outside of the scan and is not known.
    folded : voxels whose origin could not be told. shared : voxels that two bones claim; one of them lost there.
    density_factor : by which the bone of the crushed vertebra was multiplied to keep its mass.
    mass_mg : K2HPO4-equivalent mass of the labelled vertebra before, after without that factor, and after.
    """

    volume: Volume
    labels: LabelMap
    unseen: NDArray[np.bool_]
    folded: int
    shared: int
    density_factor: float
    mass_mg: tuple[float, float, float]


def warp(volume: Volume, labels: LabelMap, target: Vertebra, calibration: Calibration, field: Field) -> Warped:
    """Move CT and labels; bone of the target becomes denser as its volume shrinks.

    The CT is carried with its noise; only the smoothed bone density is divided by the volume ratio, and marrow (no
    density above water) is let out: HU' = HU + fill * max(density, 0) * (1 / ratio - 1) / slope. What borders of
    labels, marrow and resampling take from the mass of the labelled vertebra goes back to its bone by one factor.
    """
    grid = volume.grid
    content = _bone_hu(volume, target, calibration)
    hu = np.ascontiguousarray(volume.hu, np.float32)
    padding = float(min(PADDING_HU, hu.min()))
    moved, unseen = np.empty(grid.shape, np.float32), np.zeros(grid.shape, bool)
    voting, own = _Votes(labels), _OwnBone()
    folded = shared = 0
    for first in range(0, grid.shape[2], PLANES):
        planes = min(PLANES, grid.shape[2] - first)
        here = origins(field, grid, first, planes)
        slab = (slice(None), slice(None), slice(first, first + planes))
        bone = np.zeros(here.ratio.shape, np.float32)
        _carry(
            hu,
            content.hu,
            content.start,
            here.index,
            here.ratio,
            MIN_RATIO,
            padding,
            moved[slab],
            unseen[slab],
            bone,
        )
        voting.count(here.index, slab)
        own.note(bone, (voting.labels[slab] == target.level.verse_id) & ~unseen[slab], first)
        folded, shared = folded + here.folded, shared + here.shared
    voting.labels[unseen] = 0
    new = LabelMap(grid=grid, labels=voting.labels, scheme="verse", axes=volume.axes)
    before = mass_mg(volume.hu, labels, target.level, calibration)
    carried = mass_mg(moved, new, target.level, calibration)
    factor = own.fill_up(moved, (before - carried) / (calibration.slope_mg_cm3_per_hu * grid.voxel_mm3 / 1000))
    stored = _stored(moved, volume.hu, padding)
    return Warped(
        volume=Volume(grid=grid, hu=stored, series=None, axes=volume.axes),
        labels=new,
        unseen=unseen,
        folded=folded,
        shared=shared,
        density_factor=factor,
        mass_mg=(before, carried, mass_mg(stored, new, target.level, calibration)),
    )


def mass_mg(hu: NDArray[Any], labels: LabelMap, level: Level, calibration: Calibration) -> float:
    """K2HPO4-equivalent mass of a labelled vertebra, mg; HU on the grid of the labels."""
    density = calibration.to_mg_cm3(np.asarray(hu[labels.labels == level.verse_id], np.float32))
    return float(density.sum(dtype=np.float64)) * labels.grid.voxel_mm3 / 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Content:
    """HU that bone adds (I, J, K) on the target's crop, and where that starts in the scan."""

    hu: NDArray[np.float32]
    start: NDArray[np.int64]


def _bone_hu(volume: Volume, target: Vertebra, calibration: Calibration) -> _Content:
    """Smoothed bone density of the vertebra, times its fill, in HU."""
    start = np.rint(volume.grid.to_index(target.grid.affine[:3, 3])).astype(np.int64)
    box = tuple(slice(int(a), int(a) + n) for a, n in zip(start, target.grid.shape, strict=True))
    hu = np.asarray(volume.hu[box], np.float32)
    weight = target.fill.astype(np.float32)
    sigma = SMOOTHING_MM / target.grid.spacing_mm
    smooth = ndimage.gaussian_filter(weight * hu, sigma) / np.maximum(ndimage.gaussian_filter(weight, sigma), 1e-3)
    density = np.maximum(calibration.to_mg_cm3(smooth), 0)
    return _Content(hu=(weight * density / calibration.slope_mg_cm3_per_hu).astype(np.float32), start=start)


class _OwnBone:
    """The voxels labelled as the crushed vertebra, and the HU of bone in each."""

    def __init__(self) -> None:
        self._voxels: list[NDArray[np.int64]] = []
        self._bone: list[NDArray[np.float32]] = []

    def note(self, bone: NDArray[np.float32], own: NDArray[np.bool_], first_plane: int) -> None:
        """Remember those of some planes."""
        self._voxels.append(np.argwhere(own) + np.array([0, 0, first_plane]))
        self._bone.append(bone[own])

    def fill_up(self, hu: NDArray[np.float32], missing_hu: float) -> float:
        """Multiply the bone in them so that the sum of HU grows by what is missing; returns the factor."""
        bone = np.concatenate(self._bone)
        total = float(bone.sum(dtype=np.float64))
        if total <= 0:
            return 1.0
        share = missing_hu / total
        hu[tuple(np.concatenate(self._voxels).T)] += share * bone
        return 1 + share


class _Votes:
    """Labels at moved places: the one that has most of the voxels about the origin, and more than half.

    The masks are taken as they are: smoothed before, thin processes would shrink with every move.
    """

    def __init__(self, labels: LabelMap) -> None:
        self.labels = np.zeros(labels.grid.shape, np.uint16)
        self._boxes = []
        numbers = labels.labels
        for number, box in enumerate(ndimage.find_objects(numbers.astype(np.int32)), start=1):
            if box is None:
                continue
            start = np.array([max(0, s.start - 1) for s in box])
            wide = tuple(slice(int(a), s.stop + 1) for a, s in zip(start, box, strict=True))
            self._boxes.append((number, (numbers[wide] == number).astype(np.float32), start.astype(np.float64)))

    def count(self, index: NDArray[np.float32], slab: tuple[slice, ...]) -> None:
        """Set the labels of some planes from the origins of their voxels."""
        best = np.full(index.shape[:-1], HALF_LEVEL, np.float32)
        for number, field, start in self._boxes:
            _vote(np.ascontiguousarray(field), start, index, number, best, self.labels[slab])


@njit(cache=True)
def _cubic_weights(t: float, out: Any) -> None:  # pragma: no cover - compiled
    """Cubic convolution (Keys 1981): passes through the samples, so noise keeps its size."""
    a = KEYS
    out[0] = ((a * t - 2 * a) * t + a) * t
    out[1] = ((a + 2) * t - (a + 3)) * t * t + 1.0
    out[2] = ((-(a + 2) * t + 2 * a + 3) * t - a) * t
    out[3] = (a - a * t) * t * t


@njit(cache=True)
def _cubic(field: Any, p: float, q: float, r: float, weights: Any) -> float:  # pragma: no cover - compiled
    i, j, k = int(np.floor(p)), int(np.floor(q)), int(np.floor(r))
    _cubic_weights(p - i, weights[0])
    _cubic_weights(q - j, weights[1])
    _cubic_weights(r - k, weights[2])
    n0, n1, n2 = field.shape
    total = 0.0
    for di in range(4):
        ii = min(max(i + di - 1, 0), n0 - 1)
        for dj in range(4):
            jj = min(max(j + dj - 1, 0), n1 - 1)
            wij = weights[0, di] * weights[1, dj]
            if wij == 0.0:
                continue
            row = 0.0
            for dk in range(4):
                row += weights[2, dk] * field[ii, jj, min(max(k + dk - 1, 0), n2 - 1)]
            total += wij * row
    return total


@njit(cache=True, parallel=True)
def _carry(  # noqa: PLR0913
    hu: Any,
    content: Any,
    start: Any,
    index: Any,
    ratio: Any,
    least: float,
    padding: float,
    out: Any,
    unseen: Any,
    dense: Any,
) -> None:  # pragma: no cover - compiled
    """HU at the origins, with what compaction adds; `dense` gets the HU of compacted bone alone."""
    n0, n1, n2 = hu.shape
    for i in prange(index.shape[0]):
        weights = np.empty((3, 4))
        for j in range(index.shape[1]):
            for k in range(index.shape[2]):
                p, q, r = index[i, j, k, 0], index[i, j, k, 1], index[i, j, k, 2]
                if p < -0.5 or q < -0.5 or r < -0.5 or p > n0 - 0.5 or q > n1 - 0.5 or r > n2 - 0.5:
                    unseen[i, j, k] = True
                    out[i, j, k] = padding
                    continue
                value = _cubic(hu, p, q, r, weights)
                j_ratio = max(ratio[i, j, k], least)
                bone = scalar(content, p - start[0], q - start[1], r - start[2], 0.0)
                dense[i, j, k] = bone / j_ratio
                if j_ratio != 1.0:
                    value += bone * (1.0 / j_ratio - 1.0)
                out[i, j, k] = value


@njit(cache=True, parallel=True)
def _vote(field: Any, start: Any, index: Any, number: int, best: Any, out: Any) -> None:  # pragma: no cover - compiled
    for i in prange(index.shape[0]):
        for j in range(index.shape[1]):
            for k in range(index.shape[2]):
                p, q, r = index[i, j, k, 0] - start[0], index[i, j, k, 1] - start[1], index[i, j, k, 2] - start[2]
                value = scalar(field, p, q, r, 0.0)
                if value > best[i, j, k]:
                    best[i, j, k] = value
                    out[i, j, k] = number


def _stored(hu: NDArray[np.float32], before: NDArray[Any], padding: float) -> NDArray[Any]:
    """Rounded to the type of the scan before, within its range or the CT scale's."""
    highest = max(MAX_HU, float(before.max()))
    kept = np.clip(hu, padding, highest)
    return np.rint(kept).astype(np.int16) if before.dtype == np.int16 else kept
