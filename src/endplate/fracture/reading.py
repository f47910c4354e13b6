"""From a spine to the reading of every level: heights, expected heights, grade, shape, deformity, fracture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.cited import cited
from endplate.fracture.certainty import (
    chance_of_grade,
    coarse_sd_mm,
    depth_slack,
    ratio_slack,
    surely_short,
    too_coarse,
)
from endplate.fracture.expected import Expected, Row, expected_heights
from endplate.fracture.grade import Reading, genant_grade, read_shape, scheuermann_like, worst_of
from endplate.fracture.height.extent import Extent, body_extent
from endplate.fracture.height.morphometry import READER_RATIO_SD, HeightSettings, measure_heights, unknown_heights
from endplate.fracture.loss import loss_band, loss_sd, worst_loss
from endplate.fracture.normals import Triple, place_of
from endplate.fracture.own_shape import short_levels
from endplate.fracture.posterior_wall import wall_involvement
from endplate.fracture.result import Fracture, Heights, Measured
from endplate.fracture.signs import Sign, breach_sign, depression_sign, front_sign, spread_sign
from endplate.level import Level
from endplate.patient import PatientRecord

SHORT_ALONE = "short for the size of the body and no intact level to compare with: variant, crush or small bones"
NEAR_LEVELS = cited(2, "level", "Own choice: the neighbours that a reader looks at on either side", "design")
NO_RATIOS = "no expected heights: no level ratios for this level, and no intact neighbour whose trend could tell them"
UNCOMPARED = "own shape is normal, but no intact level to compare with: an even crush cannot be ruled out"


@dataclass(frozen=True, slots=True, kw_only=True)
class FractureSettings:
    """Choices of the fracture stage: how heights are measured."""

    heights: HeightSettings = field(default_factory=HeightSettings)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Spine:
    """Everything that the reading of one level needs to know about the others."""

    vertebrae: Mapping[Level, Vertebra]
    heights: Mapping[Level, Heights]
    expected: Mapping[Level, Expected]
    intact: tuple[Level, ...]
    short: frozenset[Level]
    scheuermann: Mapping[Level, bool]

    def serves(self, level: Level) -> tuple[Level, ...]:
        """Levels whose expected heights stand on this one."""
        return tuple(sorted(other for other, there in self.expected.items() if level in there.by))


def grade_fractures(
    spine: Spine, record: PatientRecord | None = None, settings: FractureSettings | None = None
) -> tuple[Fracture, ...]:
    """The reading of every level from head to foot.

    Parameters
    ----------
    spine : located vertebrae. record : for the sex, which sets the level ratios; None takes the mean of both.
    settings : see `FractureSettings`.

    Returns
    -------
    One `Fracture` a level; what cannot be told is None or `indeterminate`, with the reason.

    Notes
    -----
    docs/theory.md, morphometry; Genant 1993; RadElement RDES230.
    """
    settings = settings or FractureSettings()
    heights = {v.level: _heights(v, spine, settings) for v in spine.vertebrae}
    sex = record.sex if record else None
    triples = {level: triple for level, row in heights.items() if (triple := measured_heights(row)) is not None}
    depths = {level: depth for level in triples if (depth := heights[level].depth_mm) is not None}
    short = short_levels(triples, depths, sex)
    rows = [
        Row(
            level=v.level,
            heights_mm=triples[v.level],
            usable=not v.cut_by_field,
            short=v.level in short,
            sd_mm=coarse_sd_mm(heights[v.level]),
        )
        for v in spine.vertebrae
        if v.level in triples
    ]
    expected, deformed = expected_heights(rows, sex)
    wedges = [heights[v.level].wedge_deg.value for v in spine.vertebrae]
    known = _Spine(
        vertebrae={v.level: v for v in spine.vertebrae},
        heights=heights,
        expected=expected,
        intact=tuple(row.level for row in rows if row.usable and row.level not in deformed),
        short=short,
        scheuermann=dict(zip(heights, scheuermann_like(wedges), strict=True)),
    )
    return tuple(_read(vertebra, known) for vertebra in spine.vertebrae)


def _heights(vertebra: Vertebra, spine: Spine, settings: FractureSettings) -> Heights:
    """Heights of a level; unknown, and so no reference for others, where its labels cannot be trusted."""
    if vertebra.level in spine.distrusted:
        return unknown_heights(vertebra.level, f"unreliable labels: {distrust_reason(spine, vertebra.level)}")
    return measure_heights(vertebra, settings.heights)


def distrust_reason(spine: Spine, level: Level) -> str:
    """What the label check found wrong with a level."""
    found = [gap.reason for gap in spine.gaps if gap.code == "vertebra" and gap.level in (level, None)]
    return "; ".join(dict.fromkeys(found))


def measured_heights(heights: Heights) -> Triple | None:
    """(anterior, middle, posterior) mm; None unless all three were measured."""
    front, middle, back = heights.anterior.value, heights.middle.value, heights.posterior.value
    if front is None or middle is None or back is None:
        return None
    return front, middle, back


def _read(vertebra: Vertebra, spine: _Spine) -> Fracture:
    heights, expected = spine.heights[vertebra.level], spine.expected.get(vertebra.level)
    triple = measured_heights(heights)
    if triple is None:
        return _unread(heights, _why_unmeasured(heights))
    if expected is None:
        return _unread(
            heights,
            NO_RATIOS,
        )
    losses = expected.loss(triple)
    if expected.own and vertebra.level in spine.short and genant_grade(max(losses)) == 0:
        return _unread(heights, SHORT_ALONE)
    kind = worst_of(losses)
    loss = worst_loss(heights, expected, losses, kind, short=vertebra.level in spine.short)
    extent = body_extent(vertebra)
    result = Fracture(
        level=vertebra.level,
        heights=heights,
        expected_mm=expected.heights_mm,
        expected_sd_mm=expected.sd_mm,
        reference=expected.reference,
        basis=expected.basis,
        height_loss=loss,
        worst=kind,
        genant_grade=None,
        grade_low=None,
        grade_high=None,
        shape=None,
        deformity="indeterminate",
        fracture="indeterminate",
        signs=(),
        posterior_wall_fraction=_wall(vertebra, triple, extent, expected, heights),
        nodes=tuple(dent for dent in heights.dents if dent.focal),
    )
    uncertain = too_coarse(loss, heights, vertebra)
    if uncertain:
        return replace(result, reason=uncertain)
    return _answered(result, _answer(vertebra, triple, loss, spine, extent))


def _answer(
    vertebra: Vertebra, triple: Triple, loss: Measured, spine: _Spine, extent: Extent | None
) -> tuple[Reading, list[Sign]]:
    """The reading of a level that can be graded, and the signs it stands on."""
    level = vertebra.level
    expected, slack = spine.expected[level], ratio_slack(spine.heights[level])
    losses = expected.loss(triple)
    signs = _signs(vertebra, triple, extent, spine, slack)
    reading = read_shape(
        level,
        triple,
        losses,
        signs,
        scheuermann=spine.scheuermann[level],
        alone_short=surely_short(loss) and _alone_short(level, expected, spine),
        slack=slack,
    )
    if expected.own:
        grade, serves = genant_grade(max(losses)), spine.serves(level)
        reading = _without_neighbours(reading, grade, short=level in spine.short, serves=serves)
    return reading, signs


def _answered(result: Fracture, answer: tuple[Reading, list[Sign]]) -> Fracture:
    reading, signs = answer
    loss = result.height_loss
    grade = genant_grade(loss.value or 0.0)
    low, high = loss_band(loss)
    return replace(
        result,
        genant_grade=grade,
        grade_low=genant_grade(low),
        grade_high=genant_grade(high),
        shape=reading.shape,
        deformity=reading.deformity,
        fracture=reading.fracture,
        signs=tuple(sign.text for sign in signs),
        reason=reading.reason,
        confidence=chance_of_grade(loss, grade),
    )


def _alone_short(level: Level, expected: Expected, spine: _Spine) -> bool:
    """Whether levels next to this one on both sides are intact, and no other body is short for its size."""
    beside = [abs(place_of(other) - place_of(level)) for other in expected.by]
    above = any(far <= NEAR_LEVELS and o.order < level.order for far, o in zip(beside, expected.by, strict=True))
    below = any(far <= NEAR_LEVELS and o.order > level.order for far, o in zip(beside, expected.by, strict=True))
    return above and below and not (spine.short - {level})


def _without_neighbours(reading: Reading, grade: int, *, short: bool, serves: tuple[Level, ...]) -> Reading:
    """A reading from the own posterior height alone: an even crush leaves no trace in it."""
    if short:
        return replace(reading, reason=f"{reading.reason}; the posterior height looks lost too: grade may be higher")
    if grade > 0 or reading.fracture == "yes":
        return reading
    if serves and reading.fracture == "no":
        names = ", ".join(map(str, serves))
        return replace(reading, reason=f"own shape and size are normal: the intact reference of {names}")
    return replace(reading, deformity="indeterminate", fracture="indeterminate", reason=UNCOMPARED)


def _unread(heights: Heights, reason: str) -> Fracture:
    nothing = Measured(value=None, reason=reason)
    return Fracture(
        level=heights.level,
        heights=heights,
        expected_mm=None,
        expected_sd_mm=None,
        reference="",
        height_loss=nothing,
        worst=None,
        genant_grade=None,
        grade_low=None,
        grade_high=None,
        shape=None,
        deformity="indeterminate",
        fracture="indeterminate",
        signs=(),
        posterior_wall_fraction=nothing,
        reason=reason,
    )


def _why_unmeasured(heights: Heights) -> str:
    return next(m.reason for m in (heights.anterior, heights.middle, heights.posterior) if m.value is None)


def _signs(vertebra: Vertebra, triple: Triple, extent: Extent | None, spine: _Spine, slack: float) -> list[Sign]:
    others = [level for level in spine.intact if level is not vertebra.level]
    intact = [t for level in others if (t := measured_heights(spine.heights[level]))]
    deep = None if extent is None else depth_slack(vertebra, extent.depth_mm)
    found = [
        breach_sign(spine.heights[vertebra.level].dents),
        depression_sign(triple, intact, slack),
        front_sign(vertebra.level, triple, slack),
        None
        if extent is None or deep is None
        else spread_sign(vertebra.level, extent.depth_mm, _depths(others, spine), deep),
    ]
    return [sign for sign in found if sign is not None]


def _depths(levels: Sequence[Level], spine: _Spine) -> list[tuple[Level, float]]:
    return [(level, depth) for level in levels if (depth := spine.heights[level].depth_mm) is not None]


def _wall(vertebra: Vertebra, triple: Triple, extent: Extent | None, expected: Expected, heights: Heights) -> Measured:
    """Posterior wall involvement; the loss of height counts only where neighbours tell it."""
    from_neighbours = not expected.own
    loss = expected.loss(triple)[2] if from_neighbours else None
    sd = loss_sd(heights, expected, 2)
    shown = None if sd is None else float(np.hypot(sd, float(READER_RATIO_SD)))
    return wall_involvement(vertebra, extent, triple[2], loss, shown)
