"""The bone made ready for cement: pores, openings and tips on the voxels of the flow solver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.errors import OptionError
from endplate.numerics.porous_flow.body import PorousBody, porous_body
from endplate.numerics.porous_flow.needle_source import Tip, place_tip
from endplate.repair.access.needle_tip import NeedleTip
from endplate.repair.cement.permeability import ACROSS_PER_ALONG, Pores, pores
from endplate.repair.device.cement import Cement
from endplate.repair.site.bone import Bone
from endplate.repair.site.leak_route import LeakRoute


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """Where cement will flow.

    Attributes
    ----------
    pores, body : the same voxels as the bone sees them and as the solver does. needles, tips : alike, in order.
    openings, opening_cells : alike, in order; flat places in `body`.
    reachable_ml : what the pores connected with every tip take; the least over the tips.
    """

    pores: Pores
    body: PorousBody
    needles: tuple[NeedleTip, ...]
    tips: tuple[Tip, ...]
    openings: tuple[LeakRoute, ...]
    opening_cells: tuple[NDArray[np.int64], ...]
    reachable_ml: float


def prepare_site(
    bone: Bone, needles: Sequence[NeedleTip], cement: Cement, openings: Sequence[LeakRoute], factor: float
) -> Site:
    """Lay out the bone for the solver.

    Raises
    ------
    OptionError : a tip where the body has no pores.
    """
    grid = bone.field.grid
    opened = np.zeros(grid.shape, bool)
    for opening in openings:
        if opening.route != "cleft":
            opened[tuple(opening.voxels.T)] = True
    space = pores(bone, opened, factor)
    edge = float(grid.spacing_mm[0])
    across = ACROSS_PER_ALONG
    body = porous_body(
        spacing_mm=edge,
        exponent=cement.shear_exponent,
        filled=space.inside,
        porosity=space.porosity,
        uptake=space.uptake,
        permeability_mm2=space.permeability_mm2,
        anisotropy=(across, across, 1.0),
        opened_mm2=np.where(opened, edge**2, 0.0),
    )
    tips = tuple(_placed(body, needle, grid.to_index(needle.at_mm)) for needle in needles)
    return Site(
        pores=space,
        body=body,
        needles=tuple(needles),
        tips=tips,
        openings=tuple(openings),
        opening_cells=tuple(body.flat_index(opening.voxels) for opening in openings),
        reachable_ml=_reachable_ml(body, tips),
    )


def _placed(body: PorousBody, needle: NeedleTip, index: NDArray[np.float64]) -> Tip:
    tip = place_tip(body, index, needle.needle.inner_mm / 2)
    if tip is None:
        at = ", ".join(f"{x:.1f}" for x in needle.at_mm)
        raise OptionError(f"a needle's tip at {at} mm", "it does not lie inside the body", "plan another target")
    return tip


def _reachable_ml(body: PorousBody, tips: tuple[Tip, ...]) -> float:
    """Capacity of the connected pores about the tips, mL; where they are apart, of the smallest part per needle."""
    capacity = body.capacity_mm3.reshape(body.shape)
    pieces, _ = ndimage.label(capacity > 0)
    own = [int(pieces.ravel()[tip.cells[np.argmax(tip.share)]]) for tip in tips]
    sizes = np.bincount(pieces.ravel(), weights=capacity.ravel())
    return min(float(sizes[piece]) * len(own) / own.count(piece) for piece in own) / 1000
