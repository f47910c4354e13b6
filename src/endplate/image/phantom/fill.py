"""How much of each voxel a vertebra fills: distances at sub-voxel points near its surface, inside and out elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited, cited_table
from endplate.image.phantom.arch import PARTS
from endplate.image.phantom.stack import Placed
from endplate.image.volume import Grid

SUBVOXEL_MM = cited(
    0.55, "mm", "half a millimetre resolves the shell; linear cover of each sub-voxel does the rest", "design"
)
_BAND = cited(1.2, "1", "voxels nearer to a surface than this many half-diagonals are subdivided", "design")
_VEIN = cited_table(
    "phantom.vein",
    "mm",
    "basivertebral vein: flat cleft at mid-height behind",
    "design",
    {"half_width": 3.0, "half_depth": 7.0, "half_height": 1.6},
)
# TPTBox sub-region numbers, as in its documentation: left and right are the patient's.
_SUBREGION = {"pedicle": 41, "lamina": 41, "spinous": 42}
_SIDED = {"transverse": (43, 44), "upper_facet": (45, 46), "lower_facet": (47, 48)}
_BODY = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Filled:
    """One vertebra on a crop of the grid: fraction of each voxel in bone, core and vein; body mask; sub-regions."""

    start: tuple[int, int, int]
    bone: NDArray[np.float32]
    core: NDArray[np.float32]
    vein: NDArray[np.float32]
    subregion: NDArray[np.uint8]

    @property
    def where(self) -> tuple[slice, slice, slice]:
        """Where the crop lies in the grid."""
        i, j, k = (slice(a, a + n) for a, n in zip(self.start, self.bone.shape, strict=True))
        return i, j, k


def crop_of(placed: Placed, grid: Grid) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """(start, stop) indices of the grid's part that holds the vertebra; empty where it lies outside."""
    low, high = placed.arch.reach_mm()
    corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
    at = grid.to_index(placed.to_world(corners))
    start = np.clip(np.floor(at.min(axis=0)), 0, grid.shape).astype(int)
    stop = np.clip(np.ceil(at.max(axis=0)) + 1, 0, grid.shape).astype(int)
    return tuple(start.tolist()), tuple(stop.tolist())


def _distances(placed: Placed, local: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    x, y, z = local[..., 0], local[..., 1], local[..., 2]
    return placed.body.distance(x, y, z), placed.arch.distance(x, y, z)


def _vein_distance(placed: Placed, local: NDArray[np.float32]) -> NDArray[Any]:
    scaled = (
        local[..., 0] / _VEIN["half_width"],
        (local[..., 1] - placed.body.back_mm) / _VEIN["half_depth"],
        local[..., 2] / _VEIN["half_height"],
    )
    return (np.sqrt(sum(one * one for one in scaled)) - 1) * _VEIN["half_height"]


def _subpoints(grid: Grid) -> tuple[NDArray[np.float32], float]:
    """World offsets (n, 3) of sub-voxel centres and their mean edge, mm."""
    counts = np.maximum(np.ceil(grid.spacing_mm / SUBVOXEL_MM), 2).astype(int)
    axes = [(np.arange(n) + 0.5) / n - 0.5 for n in counts]
    steps = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    edge = float((grid.voxel_mm3 / counts.prod()) ** (1 / 3))
    return (steps @ grid.affine[:3, :3].T).astype(np.float32), edge


def _cover(distance: NDArray[Any], edge_mm: float) -> NDArray[np.float32]:
    """Fraction of a sub-voxel on the inner side of a surface at a signed distance."""
    return np.clip(0.5 - distance / edge_mm, 0, 1).astype(np.float32)


def fill_vertebra(placed: Placed, grid: Grid, *, shell_mm: float, arch_shell_mm: float, vein: bool) -> Filled | None:
    """How a vertebra fills the grid's voxels; None where it lies outside the grid."""
    start, stop = crop_of(placed, grid)
    if any(b <= a for a, b in zip(start, stop, strict=True)):
        return None
    crop = grid.crop(start, stop)
    index = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in crop.shape), indexing="ij"), axis=-1)
    local = placed.to_local(crop.to_mm(index)).astype(np.float32)
    body, arch = _distances(placed, local)
    union = np.minimum(body, arch)
    core_depth = np.minimum(body + shell_mm, arch + arch_shell_mm)
    reach = _BAND * float(np.linalg.norm(grid.spacing_mm)) / 2
    bone, core = (union < 0).astype(np.float32), (core_depth < 0).astype(np.float32)
    near = (np.abs(union) < reach) | (np.abs(core_depth) < reach)
    offsets, edge = _subpoints(grid)
    points = (local[near][:, None, :] + (offsets @ placed.axes.T.astype(np.float32))).astype(np.float32)
    fine_body, fine_arch = _distances(placed, points)
    bone[near] = _cover(np.minimum(fine_body, fine_arch), edge).mean(axis=1)
    inner = np.minimum(fine_body + shell_mm, fine_arch + arch_shell_mm)
    core[near] = _cover(inner, edge).mean(axis=1)
    hollow = (
        _cover(_vein_distance(placed, local), float(grid.spacing_mm.mean())) * core if vein else np.zeros_like(core)
    )
    return Filled(start=start, bone=bone, core=core, vein=hollow, subregion=_subregions(placed, local, bone, body))


def _subregions(placed: Placed, local: NDArray[Any], bone: NDArray[Any], body: NDArray[Any]) -> NDArray[np.uint8]:
    """TPTBox sub-region of each bone voxel: body where the centre is in the body or nearest to it, else the part."""
    region = np.zeros(bone.shape, np.uint8)
    mask = bone >= 0.5
    points = local[mask]
    parts = np.stack(placed.arch.parts(points[:, 0], points[:, 1], points[:, 2]))
    left = (points[:, 0] < 0).astype(int)
    codes = np.stack([_codes(name, left) for name in PARTS])
    nearest = parts.argmin(axis=0)
    chosen = np.take_along_axis(codes, nearest[None], axis=0)[0]
    inside = body[mask]
    region[mask] = np.where((inside <= 0) | (inside < parts.min(axis=0)), _BODY, chosen)
    return region


def _codes(part: str, left: NDArray[Any]) -> NDArray[Any]:
    if part in _SUBREGION:
        return np.full(left.shape, _SUBREGION[part])
    on_left, on_right = _SIDED[part]
    return np.where(left == 1, on_left, on_right)
