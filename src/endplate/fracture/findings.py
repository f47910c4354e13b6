"""The fracture stage's findings and gaps: every number with its band, method and source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from endplate.finding import BAND_SD, Finding, Gap, catalogue
from endplate.fracture.height.morphometry import READER_RATIO_SD, READER_SD_MM
from endplate.fracture.height.spread import BORDER_SD_MM
from endplate.fracture.result import Alignment, Fracture, Heights, Measured
from endplate.level import Level

_BAND = "band: 95 % (1.96 SD)"
_READERS = (
    f"{_BAND} between readers: what another reader's label would give (SD of one reader {float(READER_SD_MM):g} mm, "
    "of a ratio of heights {ratio:g}; 2,971 bodies drawn by two, neuro-ml/vertebral-fractures-severity)"
).replace("{ratio:g}", f"{float(READER_RATIO_SD):g}")
_REPEAT = (
    "repeatability of this label (mask moved half a voxel, frame turned 3 degrees, the steps of its voxels, "
    f"{BORDER_SD_MM:g} mm or more for where its border lies)"
)
_HEIGHTS = "median of 5 sagittal slices over +-5 mm, 2 mm patches, along the body's own axis"
_MORPHOMETRY = "Morphometry of docs/theory.md, from knowledge of the field"
_GENANT = "Genant 1993 as restated by Wang, QIMS 2019 (secondary)"
_SHAPES = "Shapes after Genant 1993: Ha/Hp, Hm/Hp or all heights below 0.80 (knowledge)"
SIGNS = "; signs: "
"""Before the signs in the method of a finding `fracture`."""
NO_SIGN = "no endplate or cortex sign"
_ABQ = "Jiang 2004 (ABQ) (knowledge); Wang, QIMS 2019 (verified)"
_PLACES = {"anterior": "10-15 %", "middle": "50 %", "posterior": "85-90 %"}


def findings(fractures: Sequence[Fracture], alignment: Alignment | None = None) -> tuple[Finding, ...]:
    """Everything the fracture stage measured, level by level; what it could not measure is in `gaps`."""
    found = [finding for fracture in fractures for finding in _of_level(fracture)]
    return (*found, *(_of_alignment(alignment) if alignment else ()))


def gaps(fractures: Sequence[Fracture], alignment: Alignment | None = None) -> tuple[Gap, ...]:
    """What the fracture stage could not measure, and why."""
    missing = [gap for fracture in fractures for gap in _gaps_of_level(fracture)]
    for code, angles in _angles(alignment):
        missing += [_gap(code, level, angle.reason) for level, angle in angles.items() if angle.value is None]
    return tuple(missing)


def _of_level(fracture: Fracture) -> Iterator[Finding]:
    heights, level = fracture.heights, fracture.level
    for kind, place in _PLACES.items():
        measured: Measured = getattr(heights, kind)
        method = f"{_HEIGHTS}, at {place} of the depth; {_READERS}"
        yield from _number(f"{kind}_height", level, measured, method, _MORPHOMETRY)
    wedge = f"best planes of both endplates over the mid-sagittal band; {_READERS}"
    yield from _number("wedge_angle", level, heights.wedge_deg, wedge, _MORPHOMETRY)
    yield from _repeatability(heights)
    yield from _nodes(fracture)
    yield from _loss_and_grade(fracture)
    yield _confidence(fracture)
    if fracture.genant_grade is not None:
        yield from _answers(fracture)
    wall = (
        "larger of posterior height loss and the share of the wall that bulges by more than voxels and the mask's "
        f"roughness explain; {_BAND} of loss and bulge, each its own"
    )
    source = f"AO Spine-DGOU OF class asks for > 1/5 (verified); {_MORPHOMETRY}"
    yield from _number("posterior_wall_involvement", level, fracture.posterior_wall_fraction, wall, source)


def _loss_and_grade(fracture: Fracture) -> Iterator[Finding]:
    if fracture.height_loss.value is None:
        return
    expected = _worst_expected(fracture)
    reference = f"{fracture.worst} height from {fracture.reference}"
    source = f"{_MORPHOMETRY}; {_ratio_source(fracture)}"
    yield from _number(
        "expected_height",
        fracture.level,
        expected,
        f"{reference}; {_BAND} of the spread of references and of level ratios",
        source,
    )
    method = f"worst of three: {reference}; {_BAND} of measured and expected height together, between readers"
    yield from _number("height_loss", fracture.level, fracture.height_loss, method, source)
    if fracture.genant_grade is None:
        return
    yield Finding(
        code="genant_grade",
        level=fracture.level,
        value=fracture.genant_grade,
        unit=catalogue()["genant_grade"].unit,
        low=fracture.grade_low,
        high=fracture.grade_high,
        method="1 from 20 %, 2 from 25 %, 3 above 40 % height loss; band: grades at the ends of the loss's 95 % band",
        source=_GENANT,
    )


def _repeatability(heights: Heights) -> Iterator[Finding]:
    """Half of the 95 % band of measuring this label again, the largest of the three heights."""
    known = [m.sd for m in (heights.anterior, heights.middle, heights.posterior) if m.sd is not None]
    if known:
        half = float(BAND_SD) * max(known)
        yield Finding(
            code="height_repeatability",
            level=heights.level,
            value=half,
            unit="mm",
            low=half,
            high=half,
            method=f"half of the 95 % band of the {_REPEAT}; no band of its own",
            source=_MORPHOMETRY,
        )


def _nodes(fracture: Fracture) -> Iterator[Finding]:
    """Focal endplate nodes, and the heights with them as they are."""
    for node in fracture.nodes:
        yield Finding(
            code="endplate_node",
            level=fracture.level,
            condition=f"{node.plate} endplate",
            value=f"{node.area_mm2:.0f} mm2, {node.depth_mm:.1f} mm deep",
            unit="",
            method="a dent beyond the robust fit of the endplate, small and away from its rim, heights beside it read "
            "over its bridged opening; Schmorl-like, no sign of a compression fracture by itself",
            source="Own choice of limits (design): 25 mm2 to a fifth of the endplate, 2 mm and 1.5 voxels deep",
        )
    within = fracture.heights.within_node_mm
    if within is None or not fracture.nodes:
        return
    for kind, value in zip(_PLACES, within, strict=True):
        measured: Measured = getattr(fracture.heights, kind)
        if measured.value is None or np.isnan(value):
            continue
        inside = replace(measured, value=value)
        method = f"{_HEIGHTS}, with the node as it is; {_READERS}"
        yield from _number("height_within_node", fracture.level, inside, method, _MORPHOMETRY, condition=kind)


def _confidence(fracture: Fracture) -> Finding:
    """How sure the grade is, one number a level: a table can be sorted by it."""
    if fracture.genant_grade is None:
        method = f"0: no grade could be given ({fracture.reason})"
    else:
        method = "chance that the true loss lies within the stated grade, by the normal distribution of the loss's band"
    return Finding(
        code="reading_confidence",
        level=fracture.level,
        value=round(fracture.confidence, 4),
        unit="1",
        low=round(fracture.confidence, 4),
        high=round(fracture.confidence, 4),
        method=f"{method}; no band of its own",
        source=f"{_GENANT}; the loss's own band",
    )


def signs_to_look_at(fracture: object, deformity: object, method: str) -> str:
    """Signs of a fracture, in words, at a level that is neither called fractured nor deformed; empty without any.

    Parameters
    ----------
    fracture : value of the finding `fracture` of the level.
    deformity : value of its finding `deformity`.
    method : of its finding `fracture`, which names the signs.
    """
    signs = method.partition(SIGNS)[2]
    return signs if fracture == "no" and deformity == "no" and signs != NO_SIGN else ""


def _answers(fracture: Fracture) -> Iterator[Finding]:
    signs = "; ".join(fracture.signs) or NO_SIGN
    shape = "first match of crush, biconcave, wedge below 0.80; else the height that lost most"
    texts = (
        (
            "deformity_shape",
            fracture.shape,
            shape,
            _SHAPES,
        ),
        (
            "deformity",
            fracture.deformity,
            f"grade 1 or more, or a shape ratio out of range: {fracture.reason}",
            _GENANT,
        ),
        (
            "fracture",
            fracture.fracture,
            f"{fracture.reason}{SIGNS}{signs}",
            "Jiang 2004 (ABQ) (knowledge); Wang, QIMS 2019 (verified)",
        ),
    )
    for code, value, method, source in texts:
        if value is not None:
            yield Finding(code=code, level=fracture.level, value=value, unit="", method=method, source=source)


def _of_alignment(alignment: Alignment) -> Iterator[Finding]:
    methods = {
        "regional_kyphosis": "bisegmental Cobb: superior endplate one above to inferior endplate one below",
        "local_kyphosis": "Gardner: superior endplate one above to this inferior endplate",
    }
    sources = {
        "regional_kyphosis": "Kuklo 2001, most reliable of five Cobb methods (second-hand)",
        "local_kyphosis": "Gardner angle (knowledge)",
    }
    for code, angles in _angles(alignment):
        method = f"{methods[code]}; kyphosis positive, supine; {_BAND} from the repeats of both levels"
        for level, angle in angles.items():
            yield from _number(code, level, angle, method, sources[code])


def _angles(alignment: Alignment | None) -> tuple[tuple[str, dict[Level, Measured]], ...]:
    if alignment is None:
        return ()
    return (("regional_kyphosis", alignment.regional_deg), ("local_kyphosis", alignment.local_deg))


def _gaps_of_level(fracture: Fracture) -> Iterator[Gap]:
    heights, level = fracture.heights, fracture.level
    for kind in _PLACES:
        measured: Measured = getattr(heights, kind)
        if measured.value is None:
            yield _gap(f"{kind}_height", level, measured.reason)
    if heights.wedge_deg.value is None:
        yield _gap("wedge_angle", level, heights.wedge_deg.reason)
    if fracture.height_loss.value is None:
        yield from (_gap(code, level, fracture.reason) for code in ("expected_height", "height_loss"))
    if fracture.genant_grade is None:
        for code in ("genant_grade", "deformity_shape", "deformity", "fracture"):
            yield _gap(code, level, fracture.reason)
    if fracture.posterior_wall_fraction.value is None:
        yield _gap("posterior_wall_involvement", level, fracture.posterior_wall_fraction.reason)


def _gap(code: str, level: Level, reason: str) -> Gap:
    return Gap(code=code, level=level, reason=reason)


def _number(
    code: str, level: Level, measured: Measured, method: str, source: str, condition: str = ""
) -> Iterator[Finding]:
    """A finding with its 95 % band; nothing where it was not measured."""
    if measured.value is None:
        return
    low, high = measured.low, measured.high
    if low is None and high is None and measured.shown_sd is not None:
        half = BAND_SD * measured.shown_sd
        low, high = measured.value - half, measured.value + half
    yield Finding(
        code=code,
        level=level,
        condition=condition,
        value=measured.value,
        unit=catalogue()[code].unit,
        low=low,
        high=high,
        method=method if not measured.reason else f"{method} ({measured.reason})",
        source=source,
    )


def _worst_expected(fracture: Fracture) -> Measured:
    if fracture.expected_mm is None or fracture.worst is None:
        return Measured(value=None, reason=fracture.reason)
    place = list(_PLACES).index(fracture.worst)
    return Measured(value=fracture.expected_mm[place], sd=fracture.expected_sd_mm)


def _ratio_source(fracture: Fracture) -> str:
    if fracture.basis == "nearest or own posterior":
        return "RadElement RDES230 (verified)"
    if fracture.basis == "own posterior":
        return "normal shape by level, Black, Panjabi, Zindrick family of normal values (weak)"
    return "level ratios: Palm, Sci Rep 2025 for T9-L1 (verified), Black, Panjabi, Zindrick family elsewhere (weak)"
