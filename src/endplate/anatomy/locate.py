"""From vertebra labels to a spine: the anatomy stage's front door."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.border import border_points_mm, cuts_middle, scanned_grid
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
from endplate.anatomy.label.body_size import Person, check_body_sizes
from endplate.anatomy.label.check import LabelPart, check_labels
from endplate.anatomy.label.cut import check_cuts
from endplate.anatomy.label.flip import check_facing, check_flips
from endplate.anatomy.label.neighbours import check_lumps, check_neighbours
from endplate.anatomy.label.order import check_order
from endplate.anatomy.label.resolution import coarse_cautions, label_edges_mm
from endplate.anatomy.label.unlabelled_bone import check_unlabelled_bone
from endplate.anatomy.label_bleed import trim_bleeding
from endplate.anatomy.pedicle import find_pedicles
from endplate.anatomy.split import PosteriorWall, find_posterior_wall, split_body
from endplate.anatomy.surface import (
    Frame,
    LocalBox,
    box_around,
    close_crop,
    corner_sides,
    ends,
    fill_fraction,
    half_level,
    inside,
    mask_points_mm,
    smoothing_reach,
)
from endplate.anatomy.vertebra import Canal, Endplate, Pedicle, Spine, Vertebra
from endplate.cited import cited
from endplate.finding import Caution, Gap
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level
from endplate.numerics.threads import on_threads

COARSE_STEP_MM = cited(1, "mm", "Own choice: enough for the canal and the posterior wall", "design")
FINE_STEP_MM = cited(
    0.5, "mm", "own algorithm, docs/theory.md, morphometry step 3: resample at 0.5 mm in the own frame", "design"
)
LOWEST_SHARE = cited(0.1, "1", "Own choice: keeps every level's weight on the curve above zero", "design")
LOW_BODY_POWER = 4
LEVELS_FOR_A_CURVE = 3
FRAME_PASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AnatomySettings:
    """What may be chosen in the anatomy stage.

    Attributes
    ----------
    repair : make the safe repairs (islands, small holes, small bleeding across a disc); each is recorded.
    person : whose spine it is: sizes are held against it.
    set_aside : levels that a person does not trust, with the reason; nothing is measured of them or by them.
    """

    repair: bool = True
    person: Person = field(default_factory=Person)
    set_aside: Mapping[Level, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class _Draft:
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


def locate_vertebrae(labels: LabelMap, volume: Volume | None = None, settings: AnatomySettings | None = None) -> Spine:
    """The vertebrae in a label map, each in its own frame, with what the label check had to say.

    Parameters
    ----------
    labels : vertebra labels in VerSe numbers.
    volume : the CT on the same grid; None for labels alone.
    settings : choices of this stage.

    Raises
    ------
    LabelError : no vertebra in the labels, or specks only.
    """
    settings = settings or AnatomySettings()
    check = check_labels(labels, repair=settings.repair)
    cautions, gaps = check_flips(labels, volume)
    centres = [mask_points_mm(part.mask, part.grid).mean(axis=0) for part in check.parts]
    _collect(check_order([part.level for part in check.parts], centres), cautions, gaps)
    cautions, gaps = check.cautions + cautions, check.gaps + gaps
    gaps += [Gap(code="vertebra", level=level, reason=why) for level, why in settings.set_aside.items()]
    doubtful = {gap.level for gap in gaps if gap.code == "vertebra"}
    scan = scanned_grid(labels.grid, volume)
    edges = label_edges_mm([part.mask for part in check.parts], labels.grid)
    drafts = [_draft(part, centre, scan, edges) for part, centre in zip(check.parts, centres, strict=True)]
    for step in range(FRAME_PASSES):
        _improve_all(drafts, doubtful, fine=step == FRAME_PASSES - 1)
    vertebrae = tuple(on_threads(_vertebra, drafts))
    _collect(check_lumps([(draft.level, draft.second_share, draft.second_rise_mm) for draft in drafts]), cautions, gaps)
    _collect(check_cuts(vertebrae), cautions, gaps)
    whole = [vertebra for vertebra in vertebrae if vertebra.level not in {gap.level for gap in gaps}]
    _collect(check_unlabelled_bone(whole, labels, volume), cautions, gaps)
    _collect(check_neighbours(vertebrae), cautions, gaps)
    unsure = {gap.level for gap in gaps if gap.code == "vertebra"}
    _collect(check_body_sizes(vertebrae, unsure, settings.person), cautions, gaps)
    if settings.repair:
        vertebrae, cuts = trim_bleeding(vertebrae)
        cautions += cuts
    for vertebra in vertebrae:
        cautions += check_facing(vertebra.level, vertebra.axes)
    if len(drafts) < LEVELS_FOR_A_CURVE:
        text = "fewer than three levels: the frames rest on each body's own shape and are less certain"
        cautions.append(Caution(code="few_levels", text=text))
    cautions += coarse_cautions(edges, vertebrae[0].axis_along, labels.grid)
    spine = Spine(
        vertebrae=vertebrae,
        canal=_canal(drafts),
        cautions=tuple(dict.fromkeys(cautions)),
        gaps=tuple(dict.fromkeys(gaps)),
    )
    kept = tuple(_without_plates(vertebra, spine.distrusted) for vertebra in vertebrae)
    return replace(spine, vertebrae=kept, gaps=spine.gaps + _gaps(kept))


def _collect(found: tuple[list[Caution], list[Gap]], cautions: list[Caution], gaps: list[Gap]) -> None:
    cautions += found[0]
    gaps += found[1]


def _without_plates(vertebra: Vertebra, distrusted: frozenset[Level]) -> Vertebra:
    """A vertebra that the label check distrusts keeps its masks and loses what would be measured."""
    if vertebra.level not in distrusted:
        return vertebra
    return replace(vertebra, superior=None, inferior=None, left=None, right=None)


def _draft(part: LabelPart, centre_mm: NDArray[np.float64], scan: Grid, edges_mm: tuple[float, float, float]) -> _Draft:
    frame = Frame(origin_mm=centre_mm, axes=axes_from(LPS_SUPERIOR, LPS_ANTERIOR))
    field = half_level(part.mask)
    return _Draft(
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


def _superior_directions(drafts: list[_Draft]) -> list[NDArray[np.float64]]:
    """Direction of the head at each level, from the curve through all bodies and each body's own shape."""
    points = [_axis_points(draft) for draft in drafts]
    if sum(len(own) for own in points) < 2:
        return [draft.frame.axes[2] for draft in drafts]
    along = spine_tangents(points, _trust(points))
    return [
        agreed_superior(draft.frame, curve, draft.plates, _wall_slope(draft))
        for draft, curve in zip(drafts, along, strict=True)
    ]


def _wall_slope(draft: _Draft) -> float | None:
    return None if draft.wall is None else float(draft.wall.line[1])


def _axis_points(draft: _Draft) -> NDArray[np.float64]:
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


def _improve_all(drafts: list[_Draft], doubtful: Set[Level | None], *, fine: bool) -> None:
    """One pass over all levels; in a pass they do not depend on one another."""
    sure = [draft for draft in drafts if draft.level not in doubtful] or drafts
    directions = dict(zip((draft.level for draft in sure), _superior_directions(sure), strict=True))

    def improve(draft: _Draft) -> None:
        own = directions.get(draft.level)
        _improve(draft, draft.frame.axes[2] if own is None else own, fine=fine)

    on_threads(improve, drafts)


def _improve(draft: _Draft, superior: NDArray[np.float64], *, fine: bool) -> None:
    """One pass: canal and body in the present frame, then the frame from both."""
    draft.frame = Frame(origin_mm=draft.frame.origin_mm, axes=axes_from(superior, draft.frame.axes[1]))
    _split(draft, fine=fine)
    draft.frame = Frame(origin_mm=mask_points_mm(draft.body, draft.grid).mean(axis=0), axes=draft.frame.axes)
    draft.plates = _plates(draft, float(FINE_STEP_MM if fine else COARSE_STEP_MM))


def _plates(draft: _Draft, step_mm: float) -> tuple[Endplate | None, Endplate | None]:
    """The endplates of the draft's body in its present frame."""
    voxels = tuple(np.array(draft.edges_mm) / draft.grid.spacing_mm)
    mask, grid = close_crop(draft.body, draft.grid, smoothing_reach(voxels) + 1, padded=False)
    box = box_around(draft.frame.to_local(grid.to_mm(ends(mask))), step_mm, 3)
    return find_endplates(half_level(mask, voxels), grid, draft.scan, box, draft.frame)


def _split(draft: _Draft, *, fine: bool) -> None:
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


def _whole(draft: _Draft) -> tuple[LocalBox, NDArray[np.bool_]]:
    """The whole vertebra sampled in its present frame."""
    box = box_around(draft.frame.to_local(draft.hull_mm), COARSE_STEP_MM, 2)
    return box, inside(draft.field, draft.sides, draft.grid, draft.frame, box)


def _turn(draft: _Draft, angle_deg: float) -> None:
    """Turn the draft's frame about its superior axis, from right towards anterior."""
    angle = np.deg2rad(angle_deg)
    anterior = np.array([-np.sin(angle), np.cos(angle), 0]) @ draft.frame.axes
    draft.frame = Frame(origin_mm=draft.frame.origin_mm, axes=axes_from(draft.frame.axes[2], anterior))


def _vertebra(draft: _Draft) -> Vertebra:
    arch = draft.mask & ~draft.body
    pedicles: tuple[Pedicle | None, Pedicle | None] = (None, None)
    if draft.wall is not None and draft.canal is not None:
        found = find_pedicles(draft.field, draft.grid, draft.split_frame, draft.wall)
        pedicles = _within(found[0], draft.scan), _within(found[1], draft.scan)
    cut_body = border_points_mm(draft.body, draft.grid, draft.scan)
    plates = (None, None) if cuts_middle(draft.frame.to_local(cut_body)) else draft.plates
    return Vertebra(
        level=draft.level,
        grid=draft.grid,
        body=draft.body,
        arch=arch,
        fill=fill_fraction(draft.mask),
        centroid_mm=draft.frame.origin_mm,
        axes=draft.frame.axes,
        superior=plates[0],
        inferior=plates[1],
        left=pedicles[0],
        right=pedicles[1],
        cut_by_field=bool(len(cut_body)),
        cut_arch=bool(len(border_points_mm(arch, draft.grid, draft.scan))),
        label_edges_mm=draft.edges_mm,
    )


def _within(pedicle: Pedicle | None, scan: Grid) -> Pedicle | None:
    """The pedicle if its isthmus lies in the scan; what lies beyond was never seen."""
    if pedicle is None:
        return None
    index = scan.to_index(pedicle.isthmus_mm)
    return pedicle if bool(np.all((index >= 0) & (index <= np.array(scan.shape) - 1))) else None


def _canal(drafts: list[_Draft]) -> Canal | None:
    seen = [draft for draft in drafts if draft.canal is not None]
    if not seen:
        return None
    centres = [
        draft.frame.to_world(np.array([draft.canal.right_mm, draft.canal.anterior_mm, draft.canal.superior_mm]))
        for draft in seen
        if draft.canal is not None
    ]
    areas = [draft.canal.area_mm2 for draft in seen if draft.canal is not None]
    return Canal(centre_mm=np.array(centres), area_mm2=np.array(areas))


def _gaps(vertebrae: tuple[Vertebra, ...]) -> tuple[Gap, ...]:
    """A gap for every endplate that is not there."""
    return tuple(
        Gap(
            code=f"{side}_endplate",
            level=vertebra.level,
            reason="the scan border cuts the body" if vertebra.cut_by_field else "no surface of the body was found",
        )
        for vertebra in vertebrae
        for side in ("superior", "inferior")
        if getattr(vertebra, side) is None
    )
