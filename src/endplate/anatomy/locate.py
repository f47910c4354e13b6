"""From vertebra labels to a spine: the anatomy stage's front door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from endplate.anatomy.border import border_points_mm, cuts_middle, scanned_grid
from endplate.anatomy.draft import Draft, draft_of, improve_all
from endplate.anatomy.label.body_size import Person, check_body_sizes
from endplate.anatomy.label.check import check_labels
from endplate.anatomy.label.cut import check_cuts
from endplate.anatomy.label.flip import check_facing, check_flips
from endplate.anatomy.label.neighbours import check_lumps, check_neighbours
from endplate.anatomy.label.order import check_order
from endplate.anatomy.label.resolution import coarse_cautions, label_edges_mm
from endplate.anatomy.label.unlabelled_bone import check_unlabelled_bone
from endplate.anatomy.label_bleed import trim_bleeding
from endplate.anatomy.pedicle import find_pedicles
from endplate.anatomy.surface import (
    fill_fraction,
    mask_points_mm,
)
from endplate.anatomy.vertebra import Canal, Pedicle, Spine, Vertebra
from endplate.finding import Caution, Gap
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level
from endplate.numerics.threads import on_threads

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
    drafts = [draft_of(part, centre, scan, edges) for part, centre in zip(check.parts, centres, strict=True)]
    for step in range(FRAME_PASSES):
        improve_all(drafts, doubtful, fine=step == FRAME_PASSES - 1)
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


def _vertebra(draft: Draft) -> Vertebra:
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


def _canal(drafts: list[Draft]) -> Canal | None:
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
