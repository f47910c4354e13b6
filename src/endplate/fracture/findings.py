"""The fracture stage's findings and gaps: every number with its band, method and source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from endplate.finding import BAND_SD, Finding, Gap, catalogue
from endplate.fracture.height.spread import BORDER_SD_MM
from endplate.fracture.result import Alignment, Fracture, Measured
from endplate.level import Level

_BAND = "band: 95 % (1.96 SD)"
_REPEAT = (
    f"{_BAND} of re-measuring with the mask moved half a voxel and the frame turned 3 degrees, "
    f"with {BORDER_SD_MM:g} mm for where the label's border lies"
)
_HEIGHTS = "median of 5 sagittal slices over +-5 mm, 2 mm patches, along the body's own axis"
_MORPHOMETRY = "Morphometry of docs/theory.md, from knowledge of the field"
_GENANT = "Genant 1993 as restated by Wang, QIMS 2019 (secondary)"
_SHAPES = "Shapes after Genant 1993: Ha/Hp, Hm/Hp or all heights below 0.80 (knowledge)"
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
        method = f"{_HEIGHTS}, at {place} of the depth; {_REPEAT}"
        yield from _number(f"{kind}_height", level, getattr(heights, kind), method, _MORPHOMETRY)
    wedge = f"best planes of both endplates over the mid-sagittal band; {_BAND} from the heights' repeats"
    yield from _number("wedge_angle", level, heights.wedge_deg, wedge, _MORPHOMETRY)
    if fracture.genant_grade is None:
        return
    yield from _loss_and_grade(fracture)
    yield from _answers(fracture)
    wall = f"larger of posterior height loss and the share of the wall bulging 1 mm or more; {_BAND} of the loss"
    source = f"AO Spine-DGOU OF class asks for > 1/5 (verified); {_MORPHOMETRY}"
    yield from _number("posterior_wall_involvement", level, fracture.posterior_wall_fraction, wall, source)


def _loss_and_grade(fracture: Fracture) -> Iterator[Finding]:
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
    method = f"worst of three: {reference}; {_BAND} of measured and expected height together"
    yield from _number("height_loss", fracture.level, fracture.height_loss, method, source)
    yield Finding(
        code="genant_grade",
        level=fracture.level,
        value=fracture.genant_grade if fracture.genant_grade is not None else 0,
        unit=catalogue()["genant_grade"].unit,
        low=fracture.grade_low,
        high=fracture.grade_high,
        method="1 from 20 %, 2 from 25 %, 3 above 40 % height loss; band: grades at the ends of the loss's 95 % band",
        source=_GENANT,
    )


def _answers(fracture: Fracture) -> Iterator[Finding]:
    signs = "; ".join(fracture.signs) or "no endplate or cortex sign"
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
            f"{fracture.reason}; signs: {signs}",
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
    if fracture.genant_grade is None:
        for code in ("expected_height", "height_loss", "genant_grade", "deformity_shape", "deformity", "fracture"):
            yield _gap(code, level, fracture.reason)
    if fracture.posterior_wall_fraction.value is None:
        yield _gap("posterior_wall_involvement", level, fracture.posterior_wall_fraction.reason)


def _gap(code: str, level: Level, reason: str) -> Gap:
    return Gap(code=code, level=level, reason=reason)


def _number(code: str, level: Level, measured: Measured, method: str, source: str) -> Iterator[Finding]:
    """A finding with its 95 % band; nothing where it was not measured."""
    if measured.value is None:
        return
    half = None if measured.sd is None else BAND_SD * measured.sd
    yield Finding(
        code=code,
        level=level,
        value=measured.value,
        unit=catalogue()[code].unit,
        low=None if half is None else measured.value - half,
        high=None if half is None else measured.value + half,
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
