"""The fracture zone that the CT shows: compacted band, cleft, broken endplate, gap in the cortex; and its softening."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.endplate import MAD_TO_SD
from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.biomechanics.sampling import hu_on
from endplate.cited import cited
from endplate.fracture.node import BREACH_AREA_MM2, BREACH_DEPTH_MM, breach_area_mm2, fitted_depth_mm
from endplate.fracture.result import Fracture
from endplate.image.volume import Volume
from endplate.repair.site.bone import Bone, FractureZone, inside_body
from endplate.repair.site.cortex import find_shell
from endplate.repair.site.crush_law import bone_foam
from endplate.repair.site.foramen import foramen

GAS_HU = cited(-150.0, "[hnsf'U]", "own choice: a cleft on CT is gas below -150 HU", "design")
CLEFT_ML = cited(0.1, "mL", "own choice: a cleft on CT has at least 0.1 mL of contiguous gas", "design")
CORE_DEPTH_MM = cited(5.0, "mm", "Own choice: the core begins beyond shell, endplate and their blur", "design")
UNDER_PLATE_MM = cited(
    4.0, "mm", "Own choice: an endplate blurred by scanner and smoothing (sigma 1.5 mm) fades within this", "design"
)
BAND_REACH_MM = cited(15.0, "mm", "Own choice: half a body; a band deeper than this belongs to no endplate", "design")
CORE_PERCENTILE = cited(30.0, "%", "Own choice: a thick band in a flat body must not raise its own reference", "design")
DENSER = cited(
    1.8, "1", "Own choice: over the core's usual density; zones crushed by a half reach it through blur", "design"
)
ABOVE_SD = cited(2.0, "1", "Own choice: and above two robust SD of the core's own scatter", "design")
BAND_ML = cited(0.4, "mL", "Own choice: a band 3 mm thick and 12 mm across; smaller dense islands are common", "design")
LOSS_LOOKED_FOR = cited(0.10, "1", "Own choice: half of Genant's mild grade; below it no endplate came down", "design")
FLUID_SHARE = cited(0.35, "1", "Own choice: a third of the core's density is fluid or marrow without bone", "design")
GAP_MM2 = cited(25.0, "mm2", "Own choice: a hole in the wall as large as an endplate breach", "design")
WALL_MM = cited(2.0, "mm", "Own choice: a shell blurred to a 1 mm scan shows within this depth", "design")
WALL_SHARE = cited(0.8, "1", "Own choice: a wall no denser than this share of the core is missing", "design")
FROM_ARCH_MM = cited(
    4.0, "mm", "Own choice: where a pedicle joins there is no wall; it fades over as much as an endplate", "design"
)
WALL_INVOLVED = cited(0.20, "1", "OF 3: posterior wall involved beyond a fifth", "verified", cite="of_card")
SOFT_MODULUS = cited(
    0.40, "1", "own choice: the modulus of the zone falls to 30-50 % of the density law; not a measurement", "design"
)
SOUND = "no compacted band, cleft, gap in the endplates or cortex, or involved posterior wall was seen"
HEALED = "the body lost height, but the scan shows no band, cleft or gap"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneFound:
    """The bone with its zone softened, or as it was with `zone` None and the reason."""

    bone: Bone
    reason: str = ""


def find_zone(vertebra: Vertebra, volume: Volume, bone: Bone, fracture: Fracture | None) -> ZoneFound:
    """Look for a fracture zone and soften it.

    Parameters
    ----------
    bone : sound, from `repair_bone`. fracture : the reading of this level; None looks for gas and gaps only.

    Returns
    -------
    ZoneFound : `bone.zone` None without a sign, and why.

    Notes
    -----
    A band counts only below an endplate that came down, against the core of the same body. Where none is dense enough
    to be seen the zone has none: what the fracture did to every point is read from the shape
    (`endplate.repair.site.crushed_bone`).
    """
    zone = _Search(vertebra, volume, bone, fracture).zone()
    if zone is None:
        lost = fracture is not None and fracture.deformity == "yes"
        return ZoneFound(bone=bone, reason=HEALED if lost else SOUND)
    return ZoneFound(bone=soften(replace(bone, zone=zone)))


def soften(bone: Bone, modulus: float = float(SOFT_MODULUS)) -> Bone:
    """The bone with the modulus of what is broken at a share of the law; `bone_model` weakens it by the root."""
    softening = np.ones_like(bone.softening)
    if bone.crushed is not None:
        softening = (1 - (1 - modulus) * bone_foam().lost(bone.crushed.astype(float))).astype(np.float32)
    if bone.zone is not None:
        softening[bone.zone.band | bone.zone.gap | bone.zone.cleft] = modulus
    return replace(bone, softening=softening)


class _Search:
    """One body, its depths below both endplates, and its core."""

    def __init__(self, vertebra: Vertebra, volume: Volume, bone: Bone, fracture: Fracture | None) -> None:
        self.vertebra, self.volume, self.bone, self.fracture = vertebra, volume, bone, fracture
        self.edge_mm = float(bone.field.grid.spacing_mm[0])
        self.body = inside_body(bone.field) >= 0.5
        self.density = bone.field.density_mg_cm3
        self.inside_mm = ndimage.distance_transform_edt(np.pad(self.body, 1))[1:-1, 1:-1, 1:-1] * self.edge_mm
        below = np.cumsum(self.body[:, :, ::-1], axis=2)[:, :, ::-1]
        above = np.cumsum(self.body, axis=2)
        self.depth_mm = {"upper": (below - 0.5) * self.edge_mm, "lower": (above - 0.5) * self.edge_mm}
        core = self.density[self.inside_mm >= min(CORE_DEPTH_MM, self.inside_mm.max() - self.edge_mm)]
        self.core = float(np.percentile(core, CORE_PERCENTILE))
        self.core_sd = MAD_TO_SD * float(np.median(np.abs(core[core <= np.median(core)] - self.core)))

    def zone(self) -> FractureZone | None:
        """The zone, or None without any sign."""
        signs: list[str] = []
        gas, opening = self._gas(signs)
        gap = self._breaches(signs) | self._cortical_gap(signs)
        band = self._band(signs)
        fluid = self._fluid(band, signs)
        self._posterior_wall(signs)
        if not signs:
            return None
        return FractureZone(band=band, cleft=gas | fluid, gap=gap, signs=tuple(signs), opening_mm=opening)

    def _gas(self, signs: list[str]) -> tuple[NDArray[np.bool_], float | None]:
        """Gas inside the body that does not hang together with gas outside it, and how far it stands open."""
        grid = self.vertebra.grid
        gas, count = ndimage.label(hu_on(grid, self.volume) < GAS_HU)
        body = ndimage.binary_fill_holes(self.vertebra.body)
        outside = set(np.unique(gas[~ndimage.binary_dilation(body)]).tolist())
        sizes = np.bincount(gas.ravel(), minlength=count + 1) * grid.voxel_mm3 / 1000
        kept = [n for n in range(1, count + 1) if n not in outside and sizes[n] >= CLEFT_ML]
        found = np.isin(gas, kept) & body
        if not found.any():
            return np.zeros_like(self.body), None
        on_bone = self._on_bone_grid(found)
        opening = _opening_mm(on_bone, self.edge_mm)
        signs.append(f"gas cleft of {float(sizes[kept].sum()):.1f} mL, {opening:.1f} mm open")
        return on_bone, opening

    def _on_bone_grid(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A mask of the vertebra's crop on the grid of the bone, inside the body."""
        target, source = self.bone.field.grid, self.vertebra.grid
        matrix = np.linalg.inv(source.affine) @ target.affine
        values = ndimage.affine_transform(
            mask.astype(np.float32), matrix[:3, :3], matrix[:3, 3], target.shape, order=1, mode="constant"
        )
        return np.asarray((values >= 0.5) & ndimage.binary_dilation(self.body))

    def _breaches(self, signs: list[str]) -> NDArray[np.bool_]:
        """Voxels at the deep patches of broken endplates."""
        gap = np.zeros_like(self.body)
        if self.fracture is not None and self.fracture.fracture == "no":
            return gap  # a dent in an endplate that did not come down is a Schmorl node
        for name, plate, up in (("upper", self.vertebra.superior, 1), ("lower", self.vertebra.inferior, -1)):
            area = 0.0 if plate is None else breach_area_mm2(plate, up)
            if plate is None or area < BREACH_AREA_MM2:
                continue
            signs.append(f"{name} endplate dented or broken over {area:.0f} mm2")
            gap |= self._under(plate, up) & (self.depth_mm[name] <= 2 * self.edge_mm)
        return gap & self.body

    def _under(self, plate: Endplate, up: int) -> NDArray[np.bool_]:
        """(I, J, 1) columns of the bone's grid that lie at the deep patches of an endplate."""
        deep = plate.breach & (fitted_depth_mm(plate, up) >= BREACH_DEPTH_MM)
        i, j = np.nonzero(deep)
        local = np.stack([plate.right_mm[i], plate.anterior_mm[j], plate.superior_mm[i, j]], axis=-1)
        at = np.rint(self.bone.field.grid.to_index(self.vertebra.to_world_mm(local))).astype(int)
        columns = np.zeros(self.body.shape[:2], bool)
        columns[tuple(at[:, :2].T)] = True  # an endplate's map never reaches beyond the grid's margin
        return columns[:, :, None]

    def _cortical_gap(self, signs: list[str]) -> NDArray[np.bool_]:
        """Patches of the walls where no shell is seen, clear of the vein's foramen and of the pedicles."""
        reach = max(1, round(WALL_MM / self.edge_mm))
        best = ndimage.maximum_filter(np.where(self.body, self.density, -np.inf), size=2 * reach + 1)
        middle = np.minimum(self.depth_mm["upper"], self.depth_mm["lower"]) > UNDER_PLATE_MM
        wall = self.body & ~ndimage.binary_erosion(self.body) & middle
        bare = wall & (best < WALL_SHARE * self.core)
        gap = np.zeros_like(self.body)
        front = self._in_front()
        for name, where in (("front or side", front), ("posterior", ~front & ~self._passages(reach))):
            parts, count = ndimage.label(bare & where, np.ones((3, 3, 3)))
            sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:] * self.edge_mm**2
            kept = [n + 1 for n in range(count) if sizes[n] >= GAP_MM2]
            if kept:
                signs.append(f"gap in the {name} cortex over {float(sizes[np.array(kept) - 1].sum()):.0f} mm2")
                gap |= np.isin(parts, kept)
        return gap

    def _passages(self, reach: int) -> NDArray[np.bool_]:
        """Places where even a sound wall is open: the vein's foramen and where the pedicles join."""
        grid = self.bone.field.grid
        shell = find_shell(self.bone)
        window = shell.voxels[foramen(shell, self.vertebra.to_local_mm(grid.to_mm(shell.voxels)))]
        vein = np.zeros_like(self.body)
        vein[tuple(window.T)] = True
        arch = (self.bone.field.fill >= 0.5) & (self.bone.field.body < 0.5)
        around = max(1, round(FROM_ARCH_MM / self.edge_mm))
        cube = np.ones((3, 3, 3))
        return np.asarray(ndimage.binary_dilation(vein, cube, reach) | ndimage.binary_dilation(arch, cube, around))

    def _in_front(self) -> NDArray[np.bool_]:
        """(1, J, 1) rows in the front two thirds of the body."""
        j = np.nonzero(self.body.any(axis=(0, 2)))[0]
        rows = np.arange(self.body.shape[1])
        return np.asarray((rows <= j[0] + 2 * (j[-1] - j[0]) // 3)[None, :, None])

    def _band(self, signs: list[str]) -> NDArray[np.bool_]:
        """Compacted bone below an endplate that came down."""
        none = np.zeros_like(self.body)
        if not self._came_down():
            return none
        dense = self.body & (self.density >= max(DENSER * self.core, self.core + ABOVE_SD * self.core_sd))
        sides = ndimage.distance_transform_edt(np.pad(self.body, ((1, 1), (1, 1), (0, 0))), sampling=(1, 1, 1000))
        inner = sides[1:-1, 1:-1] * self.edge_mm >= CORE_DEPTH_MM
        nearest = np.minimum(self.depth_mm["upper"], self.depth_mm["lower"])
        dense &= inner & (nearest > UNDER_PLATE_MM) & (nearest <= BAND_REACH_MM)
        parts, count = ndimage.label(dense)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:] * self.edge_mm**3 / 1000
        kept = [n + 1 for n in range(count) if sizes[n] >= BAND_ML]
        if not kept:
            return none
        band = np.isin(parts, kept)
        factor = float(np.median(self.density[band])) / max(self.core, 1.0)
        signs.append(f"compacted band of {float(band.sum()) * self.edge_mm**3 / 1000:.1f} mL, {factor:.1f} x the core")
        return band

    def _came_down(self) -> bool:
        """Whether an endplate may have come down."""
        if self.fracture is None:
            return False
        loss = self.fracture.height_loss.value
        return self.fracture.fracture == "yes" or (loss is not None and loss >= LOSS_LOOKED_FOR)

    def _fluid(self, band: NDArray[np.bool_], signs: list[str]) -> NDArray[np.bool_]:
        """Nearly empty bone enclosed by the band above and below: a cleft filled with fluid."""
        if not band.any():
            return band
        above = np.cumsum(band[:, :, ::-1], axis=2)[:, :, ::-1] > 0
        below = np.cumsum(band, axis=2) > 0
        empty = self.body & above & below & ~band & (self.density < FLUID_SHARE * self.core)
        parts, count = ndimage.label(empty)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:] * self.edge_mm**3 / 1000
        kept = [n + 1 for n in range(count) if sizes[n] >= CLEFT_ML]
        if kept:
            signs.append(f"cleft without gas of {float(sizes[np.array(kept) - 1].sum()):.1f} mL inside the band")
        return np.isin(parts, kept)

    def _posterior_wall(self, signs: list[str]) -> None:
        """An involved posterior wall is a sign; a short back of a body that did not break is its shape."""
        if self.fracture is None or self.fracture.fracture == "no":
            return
        share = self.fracture.posterior_wall_fraction.value
        if share is not None and share > WALL_INVOLVED:
            signs.append(f"posterior wall involved over {share:.0%}")


def _opening_mm(cleft: NDArray[np.bool_], edge_mm: float) -> float:
    """Mean height of a cleft over its own columns, mm."""
    columns = cleft.sum(axis=2)
    return float(columns[columns > 0].mean()) * edge_mm if cleft.any() else 0.0
