"""Ways out of the body that this bone shows: vein foramina, gaps in cortex and endplates, clefts, needle tracks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.repair.access.needle_tip import NeedleTip
from endplate.repair.site.bone import Bone
from endplate.repair.site.cortex import Shell, find_shell
from endplate.repair.site.foramen import foramen
from endplate.repair.site.leak_route import LeakRoute, LeakRouteClass

GAP_MG_CM3_MM = cited(
    50.0,
    "mg/cm3.mm",
    "Own choice on four lumbar bodies, where walls have medians of 210-570: a shell of 0.05 mm of solid bone",
    "design",
)
SMALLEST_GAP_MM2 = cited(4.0, "mm2", "A hole of 2 mm: smaller ones drown in the CT's blur", "design")
MIN_VOXELS = cited(2, "voxel", "Own choice: a single voxel of a coarse grid is no hole", "design")
VEIN_SHARE = cited(0.25, "1", "Veins leave walls near mid-height: within this share of the height from it", "design")
LARGEST_VEIN_MM2 = cited(30.0, "mm2", "A hole of 6 mm; a larger one in a wall is a gap", "design")
TRACK_MM = cited(1.0, "mm", "The track's wall lies within a voxel of the needle", "design")

POSTERIOR = "posterior wall"


def find_leak_routes(bone: Bone, vertebra: Vertebra, tips: Sequence[NeedleTip] = ()) -> tuple[LeakRoute, ...]:
    """Every opening of a body, each with class, name and place.

    Parameters
    ----------
    tips : needles in place; where one enters the body, its track is an opening.

    Returns
    -------
    The basivertebral foramen always; gaps of the fracture where `bone.zone` has them; thin places of the shell; the
    cleft; the tracks. No voxel belongs to two openings.
    """
    shell = find_shell(bone)
    local = vertebra.to_local_mm(bone.field.grid.to_mm(shell.voxels))
    taken = np.zeros(bone.field.grid.shape, bool)
    found: list[LeakRoute] = []
    for route, name, voxels in _candidates(bone, vertebra, shell, local, tips):
        free = voxels[~taken[tuple(voxels.T)]]
        if len(free):
            taken[tuple(free.T)] = True
            centre = bone.field.grid.to_mm(free).mean(axis=0)
            found.append(LeakRoute(route=route, name=name, voxels=free, centre_mm=centre))
    return tuple(found)


def _candidates(
    bone: Bone, vertebra: Vertebra, shell: Shell, local: NDArray[np.float64], tips: Sequence[NeedleTip]
) -> Iterator[tuple[LeakRouteClass, str, NDArray[np.int64]]]:
    yield "B", "basivertebral foramen", shell.voxels[foramen(shell, local)]
    if bone.zone is not None:
        on_surface = bone.zone.gap[tuple(shell.voxels.T)]
        for where in _patches(bone, shell, on_surface, 0.0):
            plate, name = _named(shell, local, where)
            yield "D" if plate else "C", f"gap in the {name}", shell.voxels[where]
    edge_mm = float(bone.field.grid.spacing_mm[0])
    min_mm2 = max(SMALLEST_GAP_MM2, MIN_VOXELS * edge_mm**2)
    for where in _patches(bone, shell, shell.excess < GAP_MG_CM3_MM, min_mm2):
        plate, name = _named(shell, local, where)
        area = len(where) * edge_mm**2
        if plate:
            yield "D", f"thin place in the {name}", shell.voxels[where]
        elif area <= LARGEST_VEIN_MM2 and _at_mid_height(local, where):
            # Veins of the posterior wall are basivertebral, those of the other walls segmental.
            yield "B" if name == POSTERIOR else "S", f"vein in the {name}", shell.voxels[where]
        else:
            yield "C", f"thin place in the {name}", shell.voxels[where]
    for number, tip in enumerate(tips, 1):
        yield "T", f"track of needle {number}", shell.voxels[_track(bone, shell, tip)]
    if bone.zone is not None and bone.zone.cleft.any():
        yield "cleft", "cleft", np.argwhere(bone.zone.cleft)


def _patches(bone: Bone, shell: Shell, chosen: NDArray[np.bool_], min_mm2: float) -> Iterator[NDArray[np.int64]]:
    """Connected patches of chosen surface voxels, as positions in the shell."""
    place = np.full(bone.field.grid.shape, -1)
    place[tuple(shell.voxels.T)] = np.arange(len(shell.voxels))
    on = np.zeros(place.shape, bool)
    on[tuple(shell.voxels[chosen].T)] = True
    pieces, count = ndimage.label(on, ndimage.generate_binary_structure(3, 3))
    least = min_mm2 / float(bone.field.grid.spacing_mm[0]) ** 2
    labels = pieces[tuple(shell.voxels.T)]
    for piece in range(1, count + 1):
        where = np.flatnonzero(labels == piece)
        if len(where) >= least:
            yield where


def _named(shell: Shell, local: NDArray[np.float64], where: NDArray[np.int64]) -> tuple[bool, str]:
    """Whether a patch lies on an endplate, and what its wall is called."""
    left, back, up = shell.outward[where].mean(axis=0)
    if abs(up) > max(abs(left), abs(back)):
        return True, "upper endplate" if up > 0 else "lower endplate"
    if abs(back) >= abs(left):
        return False, POSTERIOR if back > 0 else "anterior wall"
    return False, "left wall" if left > 0 else "right wall"


def _at_mid_height(local: NDArray[np.float64], where: NDArray[np.int64]) -> bool:
    low, high = local[:, 2].min(), local[:, 2].max()
    offset = abs(float(local[where, 2].mean()) - (low + high) / 2)
    return bool(offset <= VEIN_SHARE * (high - low))


def _track(bone: Bone, shell: Shell, tip: NeedleTip) -> NDArray[np.int64]:
    """Surface voxels about the place where a needle enters the body; none when its way in is not known."""
    if tip.entry_mm is None:
        return np.empty(0, np.int64)
    axis = tip.at_mm - tip.entry_mm
    axis /= max(float(np.linalg.norm(axis)), 1e-9)
    from_tip = bone.field.grid.to_mm(shell.voxels) - tip.at_mm
    along = from_tip @ axis
    beside = np.linalg.norm(from_tip - along[:, None] * axis, axis=1)
    near = (along < 0) & (beside <= tip.needle.outer_mm / 2 + TRACK_MM / 2)
    if not near.any():
        return np.empty(0, np.int64)
    # The farthest from the tip: nearer ones may border a hole inside the body.
    return np.flatnonzero(near & (along <= along[near].min() + tip.needle.outer_mm))
