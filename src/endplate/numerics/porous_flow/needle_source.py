"""The needle's tip: flow spread on the voxels about it, and the pressure at it that no voxel resolves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.porous_flow.body import Field, PorousBody
from endplate.numerics.porous_flow.rheology import radial_drop_mpa, radial_profile_mpa

# Shell in which the voxels' pressure is trusted: nearer the point source is smeared, farther the bone may differ.
SHELL_VOXELS = 2.0
HALF_SHELL_VOXELS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tip:
    """A needle's tip: (3,) place in voxels, radius of its opening, and the voxels with their shares of its flow."""

    index: NDArray[np.float64]
    radius_mm: float
    cells: NDArray[np.int64]
    share: Field


def place_tip(body: PorousBody, index: NDArray[np.float64], radius_mm: float) -> Tip | None:
    """A tip at a fractional voxel index (3,); None where there is no pore about it.

    The flow goes to the eight voxels about the tip by their nearness, so that what spreads is centred on the tip.
    """
    corner = np.floor(index).astype(np.int64)
    offsets = np.argwhere(np.ones((2, 2, 2)))
    ijk = corner + offsets
    near = 1 - np.abs(ijk - index)
    cells, share = body.flat_index(ijk), near.prod(axis=1)[body.holds(ijk)]
    share = np.where(body.capacity_mm3[cells] > 0, share, 0.0)
    if share.sum() < 1e-6:
        return None
    used = share > 0
    return Tip(index=np.asarray(index, float), radius_mm=radius_mm, cells=cells[used], share=share[used] / share.sum())


def tip_pressure_mpa(
    body: PorousBody, tip: Tip, pressure: Field, full: NDArray[np.bool_], flow_mm3_s: float, consistency_mpa_s: float
) -> float:
    """Pressure at the tip's rim: the voxels' pressure on a shell about it, and radial flow from the rim to there.

    Before the front has passed the shell, radial flow alone out to the front, a ball of the same volume.
    """
    h = body.spacing_mm
    shell = max(SHELL_VOXELS * h, tip.radius_mm)
    box = _around(body, tip, shell + HALF_SHELL_VOXELS * h)
    radius = np.linalg.norm(body.place(box) - tip.index, axis=1) * h
    near = box[(body.mobility[box] > 0) & (radius <= shell)]
    resistance = consistency_mpa_s / float(np.exp(np.log(body.mobility[near]).mean()))
    ring = np.abs(radius - shell) <= HALF_SHELL_VOXELS * h
    wet = ring & full[box]
    if 2 * wet.sum() < (ring & (body.mobility[box] > 0)).sum():
        bone = float(body.capacity_mm3[near].mean()) / h**3
        volume = float((body.capacity_mm3[box] * full[box]).sum()) / max(bone, 1e-12)
        reach = max((3 * volume / (4 * np.pi)) ** (1 / 3), tip.radius_mm)
        return radial_drop_mpa(resistance, flow_mm3_s, body.exponent, tip.radius_mm, reach)
    drop = radial_profile_mpa(resistance, flow_mm3_s, body.exponent, tip.radius_mm, radius[wet])
    return float((pressure[box[wet]] + drop).mean())


def _around(body: PorousBody, tip: Tip, reach_mm: float) -> NDArray[np.int64]:
    """Flat places of the voxels within a cube about the tip."""
    reach = reach_mm / body.spacing_mm
    axes = [np.arange(int(np.floor(x - reach)), int(np.ceil(x + reach)) + 1) for x in tip.index]
    return body.flat_index(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3))
