"""The shape before the fracture, estimated from intact neighbours: how much height, volume and endplate was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import contourpy
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.endplate import quadratic_at, robust_quadratic
from endplate.anatomy.vertebra import Endplate, Spine, Vertebra
from endplate.biomechanics.sampling import BoneField
from endplate.cited import cited
from endplate.fracture.height.extent import Extent, body_extent
from endplate.fracture.height.patch import PLACES
from endplate.fracture.normals import Triple
from endplate.fracture.result import Fracture
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.repair.site.bone import inside_body

CLEAR_MM = cited(
    0.3, "mm", "Own choice: endplates that lag less than the error of a height share a loss evenly", "design"
)
CLEAR_SHARE = cited(
    0.1, "1", "Own choice: an endplate that bears 60 % of the loss and more is the depressed one", "design"
)
NO_FRACTURE_STAGE = "the heights of this level were not read"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrefractureShape:
    """What a body was before it broke. Everything but `level` and `reason` is None where no reference exists.

    Attributes
    ----------
    heights_mm : expected (anterior, middle, posterior). lost_mm : how much of each is missing, never negative: the most
        that a reduction may regain. sd_mm : of one expected height. reference : where it comes from.
    upper_share : share of the anterior and middle loss that the superior endplate bears.
    ghost : (I, J, K) float32 share of each voxel inside the intact body, on `grid`. volume_ml : of it.
    lost_ml, lost_sd_ml : volume lost. outline_mm : closed lines (n, 3) LPS of the ghost in the mid planes, by plane.
    superior_mm, inferior_mm : expected surfaces on the maps of the own endplates (`Endplate.superior_mm`).
    reason : why it is unknown.
    """

    level: Level
    heights_mm: Triple | None = None
    lost_mm: Triple | None = None
    sd_mm: float | None = None
    reference: str = ""
    upper_share: tuple[float, float] | None = None
    grid: Grid | None = None
    ghost: NDArray[np.float32] | None = None
    volume_ml: float | None = None
    lost_ml: float | None = None
    lost_sd_ml: float | None = None
    outline_mm: dict[str, tuple[NDArray[np.float64], ...]] | None = None
    superior_mm: NDArray[np.float64] | None = None
    inferior_mm: NDArray[np.float64] | None = None
    reason: str = ""


def estimate_prefracture_shape(
    vertebra: Vertebra, spine: Spine, fractures: Sequence[Fracture], field: BoneField
) -> PrefractureShape:
    """The body as it was before the fracture.

    Parameters
    ----------
    spine, fractures : for the intact neighbours and the expected heights. field : the bone, for the ghost's grid.

    Notes
    -----
    Expected heights come from the fracture stage. Which endplate lost how much is told by how far each lags behind the
    endplates of the intact neighbours, front and middle against its own back; evenly where neither lags clearly.
    Between the endplates the bone is stretched back along the superior axis; width and depth are left as they are.
    """
    reading = next((one for one in fractures if one.level is vertebra.level), None)
    missing = _missing(vertebra, reading)
    extent = body_extent(vertebra)
    if missing or reading is None or reading.expected_mm is None or extent is None:
        return PrefractureShape(level=vertebra.level, reason=missing or "the body's middle is not in bone")
    heights = reading.heights
    measured = np.array([one.value or 0.0 for one in (heights.anterior, heights.middle, heights.posterior)])
    lost = np.maximum(np.array(reading.expected_mm) - measured, 0)
    share = _upper_share(vertebra, extent, _intact(spine, fractures, vertebra.level))
    stretch = _Stretch.of(vertebra, extent, lost, share)
    ghost = stretch.apply(vertebra, field)
    per_voxel = field.grid.voxel_mm3 / 1000
    own_ml, ghost_ml = (float(part.sum(dtype=np.float64)) * per_voxel for part in (inside_body(field), ghost))
    area_mm2 = float(inside_body(field).max(axis=2).sum()) * float(field.grid.spacing_mm[0]) ** 2
    sd = reading.expected_sd_mm
    return PrefractureShape(
        level=vertebra.level,
        heights_mm=reading.expected_mm,
        lost_mm=(float(lost[0]), float(lost[1]), float(lost[2])),
        sd_mm=sd,
        reference=reading.reference,
        upper_share=share,
        grid=field.grid,
        ghost=ghost,
        volume_ml=ghost_ml,
        lost_ml=ghost_ml - own_ml,
        lost_sd_ml=None if sd is None else sd * area_mm2 / 1000,
        outline_mm={plane: _outline(ghost, field.grid, vertebra, axis) for plane, axis in PLANES.items()},
        superior_mm=stretch.surface(vertebra.superior, upper=True),
        inferior_mm=stretch.surface(vertebra.inferior, upper=False),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """The columns (I, J) of a grid along a vertebra's own axes, local mm: right and anterior place, endplates now, how
    far each endplate was farther out before; z (K,) of the layers."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    top: NDArray[np.float64]
    bottom: NDArray[np.float64]
    up: NDArray[np.float64]
    down: NDArray[np.float64]
    z: NDArray[np.float64]


def columns_of(vertebra: Vertebra, field: BoneField, intact: PrefractureShape) -> Columns | None:
    """The columns of a body with what each lost; None where the shape before is not known."""
    extent = body_extent(vertebra)
    if intact.lost_mm is None or intact.upper_share is None or extent is None:
        return None
    return _Stretch.of(vertebra, extent, np.array(intact.lost_mm), intact.upper_share).columns(vertebra, field)


def depressed_endplate(
    vertebra: Vertebra, spine: Spine, fractures: Sequence[Fracture]
) -> Literal["upper", "lower"] | None:
    """The endplate that came down more than the other; None where neither clearly did."""
    extent = body_extent(vertebra)
    intact = _intact(spine, fractures, vertebra.level)
    if extent is None or not intact or vertebra.superior is None or vertebra.inferior is None:
        return None
    share = float(np.mean(_upper_share(vertebra, extent, intact)))
    if abs(share - 0.5) < float(CLEAR_SHARE):
        return None
    return "upper" if share > 0.5 else "lower"


def intact_beside(spine: Spine, fractures: Sequence[Fracture], level: Level, count: int = 2) -> list[Vertebra]:
    """The nearest vertebrae that are neither deformed nor broken, at most `count` of them."""
    return sorted(_intact(spine, fractures, level), key=lambda other: abs(other.level.order - level.order))[:count]


PLANES = {"sagittal": 0, "coronal": 1}


def _missing(vertebra: Vertebra, reading: Fracture | None) -> str:
    """Why there is no estimate, or nothing."""
    if reading is None:
        return NO_FRACTURE_STAGE
    if vertebra.superior is None or vertebra.inferior is None:
        return "an endplate could not be found"
    if reading.expected_mm is None:
        return reading.reason or "no expected heights"
    if reading.basis == "own posterior":
        return "no intact neighbour: the own posterior height cannot tell what was lost behind"
    return ""


def _intact(spine: Spine, fractures: Sequence[Fracture], level: Level) -> list[Vertebra]:
    """Neighbours that are neither deformed nor broken."""
    sound = {one.level for one in fractures if one.deformity == "no" and one.fracture == "no"}
    return [v for v in spine.vertebrae if v.level in sound and v.level is not level and v.superior and v.inferior]


def _upper_share(vertebra: Vertebra, extent: Extent, intact: Sequence[Vertebra]) -> tuple[float, float]:
    """Share of the anterior and of the middle loss that lies at the superior endplate, 0..1."""
    own = _lag(vertebra, extent)
    others = [_lag(other, reach) for other in intact if (reach := body_extent(other)) is not None]
    if not others:
        return 0.5, 0.5
    behind = np.maximum(np.median(np.array(others), axis=0) - own, 0)
    front, middle = (
        float(up / (up + low)) if up + low > CLEAR_MM else 0.5 for up, low in zip(behind[0], behind[1], strict=True)
    )
    return front, middle


def _lag(vertebra: Vertebra, extent: Extent) -> NDArray[np.float64]:
    """(2, 2) upper and lower endplate: how far front and middle stand out of the body beyond the back, mm."""
    places = _places_mm(extent)
    rows = []
    for plate, sign in ((vertebra.superior, 1), (vertebra.inferior, -1)):
        front, middle, back = sign * fit_at(plate, np.full(3, extent.middle_mm), places)
        rows.append([front - back, middle - back])
    return np.array(rows)


def _places_mm(extent: Extent) -> NDArray[np.float64]:
    """Anterior coordinates (3,) of the anterior, middle and posterior height."""
    return extent.front_mm - np.array([float(place) for place in PLACES.values()]) * extent.depth_mm


def fit_at(plate: Endplate | None, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height of an endplate's robust fit at points, held at the border of what was seen."""
    if plate is None:
        return np.full(np.shape(x), np.nan)
    xx, yy = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    seen = np.isfinite(plate.superior_mm)
    fit = robust_quadratic(xx[seen], yy[seen], plate.superior_mm[seen])
    inside = [np.clip(c, axis[seen].min(), axis[seen].max()) for c, axis in ((x, xx), (y, yy))]
    return quadratic_at(fit, inside[0], inside[1])


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """How far each endplate is lifted out of the body, as a parabola from front to back."""

    places_mm: NDArray[np.float64]
    upper_mm: NDArray[np.float64]
    lower_mm: NDArray[np.float64]

    @classmethod
    def of(cls, vertebra: Vertebra, extent: Extent, lost: NDArray[np.float64], share: tuple[float, float]) -> _Stretch:
        parts = np.array([share[0], share[1], share[0]])
        return cls(_places_mm(extent), lost * parts, lost * (1 - parts))

    def lift(self, y_mm: NDArray[np.float64], *, upper: bool) -> NDArray[np.float64]:
        """Lift of an endplate at anterior coordinates, mm, never inwards."""
        values = self.upper_mm if upper else self.lower_mm
        return np.asarray(np.maximum(np.polyval(np.polyfit(self.places_mm, values, 2), y_mm), 0))

    def surface(self, plate: Endplate | None, *, upper: bool) -> NDArray[np.float64] | None:
        """Expected surface on an endplate's own map: lifted, and smooth where it was broken."""
        if plate is None:
            return None
        x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
        whole = np.where(plate.breach, fit_at(plate, x, y), plate.superior_mm)
        return whole + self.lift(y, upper=upper) * (1 if upper else -1)

    def columns(self, vertebra: Vertebra, field: BoneField) -> Columns:
        """The columns of the grid of a bone."""
        i, j, k = (np.arange(n) for n in field.grid.shape)
        corner, h = vertebra.to_local_mm(field.grid.affine[:3, 3]), float(field.grid.spacing_mm[0])
        x, y = np.meshgrid(corner[0] - i * h, corner[1] - j * h, indexing="ij")
        top, bottom = (fit_at(plate, x, y) for plate in (vertebra.superior, vertebra.inferior))
        up, down = (self.lift(y, upper=upper) for upper in (True, False))
        return Columns(x=x, y=y, top=top, bottom=bottom, up=up, down=down, z=corner[2] + k * h)

    def apply(self, vertebra: Vertebra, field: BoneField) -> NDArray[np.float32]:
        """The body stretched, on the grid of its bone (left, posterior, superior)."""
        i, j, _ = (np.arange(n) for n in field.grid.shape)
        h, at = float(field.grid.spacing_mm[0]), self.columns(vertebra, field)
        z, lowest = at.z[None, None, :], float(at.z[0])
        top, bottom, up, down = (part[..., None] for part in (at.top, at.bottom, at.up, at.down))
        share = (z - bottom + down) / (top - bottom + up + down)
        inside = bottom + np.clip(share, 0, 1) * (top - bottom)
        source = np.where(share > 1, z - up, np.where(share < 0, z + down, inside))
        index = np.broadcast_arrays(i[:, None, None], j[None, :, None], (source - lowest) / h)
        return np.asarray(
            ndimage.map_coordinates(inside_body(field), index, order=1, mode="constant").astype(np.float32)
        )


def _outline(inside: NDArray[np.float32], grid: Grid, vertebra: Vertebra, axis: int) -> tuple[NDArray[np.float64], ...]:
    """Lines (n, 3) LPS mm where the plane through the centroid, across an axis of the grid, leaves the ghost."""
    at = round(float(grid.to_index(vertebra.centroid_mm)[axis]))
    lines = contourpy.contour_generator(z=np.pad(np.take(inside, at, axis=axis), 1)).lines(0.5)
    found = []
    for line in lines:
        across = np.asarray(line, float)[:, ::-1] - 1
        found.append(grid.to_mm(np.insert(across, axis, at, axis=1)))
    return tuple(found)
