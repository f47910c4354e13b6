"""What the fracture did to every point of a body, read from its shape before and now, its neighbours and its density.

Each column between the endplates was shortened by a known amount. Along it the weakest bone is crushed first: all that
was crushed carries the same stress in the end, and what was stronger than that is left whole. Strength before is that
of the density before, for which there are two witnesses: the neighbours at the same relative place, and the own
density thinned out again by the column's shortening, so that mass is conserved. Their geometric mean is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.fracture.height.extent import body_extent
from endplate.image.volume import Grid
from endplate.repair.site.bone import Bone, inside_body
from endplate.repair.site.crush_law import BROKEN_STRAIN
from endplate.repair.site.forward_crush import forward_crush
from endplate.repair.site.prefracture_shape import Columns, PrefractureShape, columns_of, fit_at

EVEN_MM = cited(
    2.0, "mm", "Own measurement: noise of single voxels is averaged out; 1 to 4 mm give the same overlap", "design"
)
MIN_HEIGHT_MM = cited(4.0, "mm", "Own choice: a column lower than this is the rim, not the body", "design")
MIN_DENSITY_MG_CM3 = cited(5.0, "mg/cm3", "Own choice: keeps the logarithm finite in marrow", "design")
STATE_MM = cited(
    2.0,
    "mm",
    "Own measurement, a made L2: read on 2, 2.5 and 3 mm it gives 0.91, 0.65 and 0.55 of the true gain; one grid "
    "for all runs, so that a state does not hang on the grid of the rehearsal",
    "design",
)
LOOSE_STRAIN = cited(
    0.1, "1", "Own choice: two and a half times the strain over which cohesion goes: 8 % of it is left", "design"
)
HALVINGS = int(cited(40, "1", "Of the bracket of a column's stress: far below rounding of the density", "design"))
NO_BONE = cited(20.0, "1", "Logarithm of a density beyond any bone, in mg/cm3: where the search begins", "design")
WIDEST = cited(6.0, "1", "Logarithmic strain beyond any collapse: 1/400 of the height is left", "design")
LARGEST_STRAIN = cited(5.0, "1", "Logarithmic strain: nothing changes beyond; the exponential stays finite", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BrokenState:
    """What is known of the crushed bone.

    Attributes
    ----------
    strain : (I, J, K) equivalent plastic strain on `grid`, 0 where whole; None where nothing is known.
    loose_share : of the body that has lost its cohesion. basis : what it was read from, in words.
    """

    strain: NDArray[np.float32] | None
    loose_share: float | None
    basis: str
    grid: Grid | None = None


def broken_state(
    vertebra: Vertebra,
    bone: Bone,
    intact: PrefractureShape,
    neighbours: Sequence[tuple[Vertebra, Bone]],
    *,
    crush: bool = True,
) -> BrokenState:
    """The plastic strain that the fracture left at every point.

    Parameters
    ----------
    bone : with its zone, where one was seen. intact : the shape before. neighbours : intact ones with their bone.
    crush : repeat the crush of the whole body; else what its columns tell alone.
    """
    found = columns_of(vertebra, bone.field, intact)
    if found is None:
        return _with_seen(bone, None, f"nothing is known: {intact.reason or 'no loss'}")
    found = _within_error(found, intact.sd_mm or 0.0)
    columns = _shortened(found)
    before = _density_before(vertebra, bone, columns, neighbours)
    beside = "density of " + " and ".join(str(other.level) for other, _ in neighbours) if neighbours else "own density"
    again = forward_crush(bone, found, before) if crush else None
    if again is None:
        return _with_seen(
            bone, _crushed(before, inside_body(bone.field), columns), f"height lost by each column, {beside}"
        )
    return _with_seen(bone, again.strain, f"the crush repeated from the shape before, {beside}")


def laid_on(state: BrokenState, bone: Bone) -> BrokenState:
    """A state on the grid of another bone of the same body, with what that one shows as broken."""
    if state.strain is None or state.grid is None:
        return _with_seen(bone, None, state.basis)
    source, target = state.grid, bone.field.grid
    matrix = np.linalg.inv(source.affine) @ target.affine
    strain = ndimage.affine_transform(
        state.strain.astype(float), matrix[:3, :3], matrix[:3, 3], target.shape, order=1, mode="nearest"
    )
    return _with_seen(bone, strain, state.basis)


def _with_seen(bone: Bone, strain: NDArray[np.float64] | None, basis: str) -> BrokenState:
    """The state with what the scan itself shows as broken, no less than that."""
    seen, inside = _seen(bone), inside_body(bone.field)
    grid = bone.field.grid
    if seen.any():
        known = np.zeros(grid.shape) if strain is None else strain
        strain = np.where(seen, np.maximum(known, float(BROKEN_STRAIN)), known)
        basis = f"{basis}, band, cleft and gaps that the scan shows"
    if strain is None:
        return BrokenState(strain=None, loose_share=None, basis=basis, grid=grid)
    strain = np.where(inside > 0, strain, 0)
    loose = float((strain[inside >= 0.5] > float(LOOSE_STRAIN)).mean())
    return BrokenState(strain=strain.astype(np.float32), loose_share=loose, basis=basis, grid=grid)


def _seen(bone: Bone) -> NDArray[np.bool_]:
    """(I, J, K) what the scan itself shows as broken."""
    if bone.zone is None:
        return np.zeros(bone.field.grid.shape, bool)
    return np.asarray(bone.zone.band | bone.zone.cleft | bone.zone.gap)


@dataclass(frozen=True, slots=True, eq=False)
class _Shortened:
    """Columns (I, J): local right and anterior mm, endplates now, height before over height now."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    top: NDArray[np.float64]
    bottom: NDArray[np.float64]
    ratio: NDArray[np.float64]
    z: NDArray[np.float64]

    @property
    def relative(self) -> NDArray[np.float64]:
        """(I, J, K) place between the lower (0) and the upper (1) endplate."""
        height = np.maximum(self.top - self.bottom, float(MIN_HEIGHT_MM))
        return (self.z[None, None, :] - self.bottom[..., None]) / height[..., None]


def _within_error(found: Columns, sd_mm: float) -> Columns:
    """The columns with a loss within the error of the expected height shrunk towards none."""
    lost = found.up + found.down
    keep = lost**2 / np.maximum(lost**2 + sd_mm**2, 1e-9)
    return replace(found, up=found.up * keep, down=found.down * keep)


def _shortened(found: Columns) -> _Shortened:
    """How much each column lost."""
    height = np.maximum(found.top - found.bottom, float(MIN_HEIGHT_MM))
    return _Shortened(found.x, found.y, found.top, found.bottom, 1 + (found.up + found.down) / height, found.z)


def _density_before(
    vertebra: Vertebra, bone: Bone, columns: _Shortened, neighbours: Sequence[tuple[Vertebra, Bone]]
) -> NDArray[np.float64]:
    """(I, J, K) mg/cm3 at the present place of each point, before it was crushed."""
    share, edge_mm = inside_body(bone.field), float(bone.field.grid.spacing_mm[0])
    own = _even(bone.field.density_mg_cm3 / columns.ratio[..., None], share, edge_mm)
    others = [_of_neighbour(vertebra, columns, *one) for one in neighbours]
    if not others:
        return own
    beside = _even(np.mean(others, axis=0), share, edge_mm)
    least = float(MIN_DENSITY_MG_CM3)
    return np.asarray(np.sqrt(np.maximum(own, least) * np.maximum(beside, least)))


def _even(values: NDArray[np.float64], share: NDArray[np.float32], edge_mm: float) -> NDArray[np.float64]:
    """Values evened out inside the body."""
    sigma = float(EVEN_MM) / edge_mm
    weight = ndimage.gaussian_filter(share.astype(float), sigma)
    return np.asarray(ndimage.gaussian_filter(values * share, sigma) / np.maximum(weight, 1e-3))


def _of_neighbour(vertebra: Vertebra, columns: _Shortened, other: Vertebra, bone: Bone) -> NDArray[np.float64]:
    """Density of a neighbour at the same relative places."""
    own, its = body_extent(vertebra), body_extent(other)
    if own is None or its is None or other.superior is None or other.inferior is None:
        raise ValueError(f"{vertebra.level} or {other.level} has no extent")
    x = its.middle_mm + (columns.x - own.middle_mm) * its.width_mm / own.width_mm
    y = its.front_mm - (own.front_mm - columns.y) * its.depth_mm / own.depth_mm
    top, bottom = (fit_at(plate, x, y)[..., None] for plate in (other.superior, other.inferior))
    z = bottom + columns.relative * (top - bottom)
    local = np.stack(np.broadcast_arrays(x[..., None], y[..., None], z), axis=-1)
    index = np.moveaxis(bone.field.grid.to_index(other.to_world_mm(local)), -1, 0)
    return np.asarray(ndimage.map_coordinates(bone.field.density_mg_cm3, index, order=1, mode="nearest"), float)


def _crushed(before: NDArray[np.float64], share: NDArray[np.float32], columns: _Shortened) -> NDArray[np.float64]:
    """Strain at which every crushed point of a column carries one stress, and the column has lost its height.

    Strength follows density to one power in all points, so the power falls out: crushed bone ends at one density.
    """
    known = np.log(np.maximum(before, float(MIN_DENSITY_MG_CM3)))
    held = share > 0
    low = np.min(known, axis=2, where=held, initial=NO_BONE)
    high = low + WIDEST
    weight = np.maximum(share.sum(axis=2), 1e-6)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        strain = np.maximum(middle[..., None] - known, 0)
        mean = (share * np.exp(np.minimum(strain, LARGEST_STRAIN))).sum(axis=2) / weight
        above = mean > columns.ratio
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return np.asarray(np.maximum(((low + high) / 2)[..., None] - known, 0))
