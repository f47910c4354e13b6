"""A vertebra while it is being found: its frame, canal, body and endplates, bettered pass by pass."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.canal import Passage, body_shadow, find_passage
from endplate.anatomy.endplate import find_endplates
from endplate.anatomy.frame import (
    LPS_ANTERIOR,
    LPS_SUPERIOR,
    agreed_superior,
    axes_from,
    mirror_turn_deg,
    spine_tangents,
)
from endplate.anatomy.label.check import LabelPart
from endplate.anatomy.split import PosteriorWall, find_posterior_wall, split_body
from endplate.anatomy.surface import (
    Frame,
    LocalBox,
    box_around,
    close_crop,
    corner_sides,
    ends,
    half_level,
    inside,
    mask_points_mm,
    smoothing_reach,
)
from endplate.anatomy.vertebra import Endplate
from endplate.cited import cited
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.numerics.threads import on_threads

COARSE_STEP_MM = cited(1, "mm", "Own choice: enough for the canal and the posterior wall", "design")
FINE_STEP_MM = cited(
    0.5, "mm", "own algorithm, docs/theory.md, morphometry step 3: resample at 0.5 mm in the own frame", "design"
)
LOWEST_SHARE = cited(0.1, "1", "Own choice: keeps every level's weight on the curve above zero", "design")
LOW_BODY_POWER = 4


@dataclass(slots=True, kw_only=True, eq=False)
class Draft:
    """A vertebra while it is being found."""

    level: Level
    grid: Grid
    scan: Grid
    mask: NDArray[np.bool_]
    field: NDArray[np.float32]
    """The mask's half-level field."""
    sides: NDArray[np.uint8]
    """On which side of the half level the corners of its cells lie."""
    hull_mm: NDArray[np.float64]
    """Ends of the mask's rows: they reach as far in every direction as all its voxels."""
    frame: Frame
    body: NDArray[np.bool_]
    edges_mm: tuple[float, float, float]
    second_share: float = 0.0
    second_rise_mm: float = 0.0
    canal: Passage | None = None
    wall: PosteriorWall | None = None
    split_frame: Frame
    plates: tuple[Endplate | None, Endplate | None] = (None, None)


def draft_of(
    part: LabelPart, centre_mm: NDArray[np.float64], scan: Grid, edges_mm: tuple[float, float, float]
) -> Draft:
    """A vertebra as its labels alone show it: all of it body, its axes those of the patient."""
    frame = Frame(origin_mm=centre_mm, axes=axes_from(LPS_SUPERIOR, LPS_ANTERIOR))
    field = half_level(part.mask)
    return Draft(
        level=part.level,
        grid=part.grid,
        scan=scan,
        mask=part.mask,
        field=field,
        sides=corner_sides(field),
        hull_mm=part.grid.to_mm(ends(part.mask)),
        frame=frame,
        split_frame=frame,
        body=part.mask,
        edges_mm=edges_mm,
    )


def _superior_directions(drafts: list[Draft]) -> list[NDArray[np.float64]]:
    """Direction of the head at each level, from the curve through all bodies and each body's own shape."""
    points = [_axis_points(draft) for draft in drafts]
    if sum(len(own) for own in points) < 2:
        return [draft.frame.axes[2] for draft in drafts]
    along = spine_tangents(points, _trust(points))
    return [
        agreed_superior(draft.frame, curve, draft.plates, _wall_slope(draft))
        for draft, curve in zip(drafts, along, strict=True)
    ]


def _wall_slope(draft: Draft) -> float | None:
    return None if draft.wall is None else float(draft.wall.line[1])


def _axis_points(draft: Draft) -> NDArray[np.float64]:
    """Points of the spine's curve in one body, from head to foot: its endplate centres, or its centroid."""
    own = [plate.centre_mm for plate in draft.plates if plate is not None]
    return np.array(own if len(own) == 2 else [draft.frame.origin_mm])


def _trust(points: list[NDArray[np.float64]]) -> list[float]:
    """Weight of each level's own points: a body much lower than the usual one tells little of its direction."""
    heights = [float(np.linalg.norm(own[0] - own[1])) if len(own) == 2 else np.nan for own in points]
    if not np.isfinite(heights).any():
        return [1.0] * len(points)
    usual = float(np.nanmedian(heights))
    shares = [max(min(1.0, height / usual), LOWEST_SHARE) ** LOW_BODY_POWER for height in heights]
    return [share if np.isfinite(share) else 0.5 for share in shares]


def improve_all(drafts: list[Draft], doubtful: Set[Level | None], *, fine: bool) -> None:
    """One pass over all levels; in a pass they do not depend on one another."""
    sure = [draft for draft in drafts if draft.level not in doubtful] or drafts
    directions = dict(zip((draft.level for draft in sure), _superior_directions(sure), strict=True))

    def improve(draft: Draft) -> None:
        own = directions.get(draft.level)
        _improve(draft, draft.frame.axes[2] if own is None else own, fine=fine)

    on_threads(improve, drafts)


def _improve(draft: Draft, superior: NDArray[np.float64], *, fine: bool) -> None:
    """One pass: canal and body in the present frame, then the frame from both."""
    draft.frame = Frame(origin_mm=draft.frame.origin_mm, axes=axes_from(superior, draft.frame.axes[1]))
    _split(draft, fine=fine)
    draft.frame = Frame(origin_mm=mask_points_mm(draft.body, draft.grid).mean(axis=0), axes=draft.frame.axes)
    draft.plates = _plates(draft, float(FINE_STEP_MM if fine else COARSE_STEP_MM))


def _plates(draft: Draft, step_mm: float) -> tuple[Endplate | None, Endplate | None]:
    """The endplates of the draft's body in its present frame."""
    voxels = tuple(np.array(draft.edges_mm) / draft.grid.spacing_mm)
    mask, grid = close_crop(draft.body, draft.grid, smoothing_reach(voxels) + 1, padded=False)
    box = box_around(draft.frame.to_local(grid.to_mm(ends(mask))), step_mm, 3)
    return find_endplates(half_level(mask, voxels), grid, draft.scan, box, draft.frame)


def _split(draft: Draft, *, fine: bool) -> None:
    """Turn the draft's frame about its superior axis until it faces forward, and split body and arch in it."""
    box, bone = _whole(draft)
    draft.canal = find_passage(bone, box)
    if draft.canal is None:
        draft.body = draft.mask
        return
    x, y = np.nonzero(body_shadow(bone, box))
    across = box.right_mm[x].mean() - draft.canal.right_mm
    forward = float(np.rad2deg(np.arctan2(-across, box.anterior_mm[y].mean() - draft.canal.anterior_mm)))
    if not fine:
        _turn(draft, forward)
        box, bone = _whole(draft)
        forward = 0.0
    _turn(draft, mirror_turn_deg(bone, box, forward))
    box, bone = _whole(draft)
    draft.canal = find_passage(bone, box) or draft.canal
    draft.wall = find_posterior_wall(bone, box, draft.canal)
    draft.split_frame = draft.frame
    split = split_body(draft.mask, draft.grid, draft.frame, draft.wall)
    draft.body, draft.second_share, draft.second_rise_mm = split.body, split.second_share, split.second_rise_mm


def _whole(draft: Draft) -> tuple[LocalBox, NDArray[np.bool_]]:
    """The whole vertebra sampled in its present frame."""
    box = box_around(draft.frame.to_local(draft.hull_mm), COARSE_STEP_MM, 2)
    return box, inside(draft.field, draft.sides, draft.grid, draft.frame, box)


def _turn(draft: Draft, angle_deg: float) -> None:
    """Turn the draft's frame about its superior axis, from right towards anterior."""
    angle = np.deg2rad(angle_deg)
    anterior = np.array([-np.sin(angle), np.cos(angle), 0]) @ draft.frame.axes
    draft.frame = Frame(origin_mm=draft.frame.origin_mm, axes=axes_from(draft.frame.axes[2], anterior))
