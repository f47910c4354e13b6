"""A rehearsal from end to end: bounds, determinism, mirror image, and that nothing comes of nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from endplate.case.assess import AssessSettings, assess
from endplate.case.model import Case, Provenance
from endplate.case.rehearse import rehearse
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.resample import match_grids
from endplate.image.volume import LabelMap, Volume
from endplate.level import Level
from endplate.repair.access.access_result import Procedure
from endplate.repair.access.settings import PathSettings, Sides
from endplate.repair.cement.injection_plan import InjectionPlan
from endplate.repair.kyphoplasty.observed_gains import WINKELMANN_MM, WINKELMANN_SD_MM
from endplate.repair.rehearsal.design import ParameterSet, two_point_design
from endplate.repair.rehearsal.rehearse import RehearsalSettings
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.repair.rehearsal.run_settings import RunSettings
from endplate.synthetic_fracture.crush import CrushSettings
from endplate.synthetic_fracture.generate import make_fracture
from endplate.synthetic_fracture.plan import Collapse
from verification.check import Check
from verification.public_data import data_folder

LEVEL = Level.L3  # porotic; the bone of L2 beside it is so dense that a balloon only comes to its pressure limit
LOSS = 0.4
VOXEL_MM, CRUSH_MM = 2.75, 3.0
BALLOON_ML = 4.0
CEMENT_ML = (0.75, 1.5)  # both below 1.77 mL, at which cement comes to a thin place in the upper endplate
SOURCE = "own construction: verse014 L3 (VerSe'19, CC BY-SA 4.0)"
TIGHT, LOOSE = two_point_design(ParameterSet(), extended=True)
EXACT = 1e-6


def checks() -> Iterator[Check]:
    """The rows of this area."""
    if not (data_folder() / "verse014").is_dir():
        yield _row("R30", "a real vertebra rehearsed", "-", "skipped: real data not found; set ENDPLATE_SHARED", None)
        return
    yield from _crushed_and_rehearsed()
    yield _same_seed()
    yield _mirrored()
    yield from _nothing_and_more()


def _row(number: str, title: str, expected: str, got: str, passed: bool | None) -> Check:
    return Check(
        number=number, title=title, expected=expected, got=got, source=SOURCE, rung="independent", passed=passed
    )


@cache
def _scan() -> tuple[Volume, LabelMap]:
    folder = data_folder() / "verse014"
    volume = read_ct(folder / "sub-verse014_ct.nii.gz")
    return volume, match_grids(volume, read_labels(folder / "sub-verse014_seg-vert_msk.nii.gz", "verse"))


def _measured(volume: Volume, labels: LabelMap) -> Case:
    plain = Provenance(version="", python="", started="", inputs={}, parameters={}, seconds={})
    case = Case(id="verse014", volume=volume, labels=labels, record=None, provenance=plain)
    return assess(case, AssessSettings(mechanics=False))


@cache
def _intact() -> Case:
    return _measured(*_scan())


@cache
def _crushed() -> Case:
    """The level crushed to a wedge, and the new scan measured."""
    case = _intact()
    if case.volume is None or case.spine is None or case.calibration is None:
        raise LookupError("verse014 could not be measured")
    made = make_fracture(
        case.volume, case.labels, case.spine, case.calibration, Collapse(level=LEVEL, shape="wedge", loss=LOSS),
        CrushSettings(voxel_mm=CRUSH_MM),
    )  # fmt: skip
    return _measured(made.warped.volume, made.warped.labels)


def _rehearsed(
    case: Case,
    procedure: Procedure,
    draw: ParameterSet | None = None,
    cement_ml: float | None = None,
    balloon_ml: float | None = None,
    sides: Sides = "auto",
) -> Case:
    run = RunSettings(
        procedures=(procedure,),
        voxel_mm=VOXEL_MM,
        path=PathSettings(sides=sides),
        injection=InjectionPlan(volume_ml=cement_ml),
        balloon_ml=balloon_ml,
    )
    settings = RehearsalSettings(run=run, nominal=draw or ParameterSet(), age_decides=draw is None, members=0)
    return rehearse(replace(case, rehearsals=()), LEVEL, settings)


def _done(case: Case) -> tuple[Rehearsal, ProcedureResult]:
    held = case.rehearsals[0]
    return held, held.nominal[0]


def _crushed_and_rehearsed() -> Iterator[Check]:
    """Gain between the bounds, never above the intact height, and shown beside the clinic."""
    case = _crushed()
    draws = {"rigid, 250 N, neighbours free": TIGHT, "usual": None, "mobile, 0 N, neighbours extended": LOOSE}
    cases = {name: _rehearsed(case, "kyphoplasty", draw, balloon_ml=BALLOON_ML) for name, draw in draws.items()}
    gains = {name: _done(item)[1] for name, item in cases.items()}
    page = _page(cases["usual"])
    front = {name: item.after_cement.anterior_mm if item.after_cement else float("nan") for name, item in gains.items()}
    told = "; ".join(f"{name}: {gain:.2f} mm" for name, gain in front.items())
    told += f"; {_course(gains['usual'])}"
    low, usual_gain, high = front.values()
    yield _row(
        "R30.1",
        f"{LEVEL} crushed to a wedge of {LOSS:.0%}, then kyphoplasty: anterior gain between rigid and mobile bound",
        "rigid <= usual <= mobile",
        told,
        low - 0.05 <= usual_gain <= high + 0.05,
    )
    yield _never_above_intact(case, gains)
    mean, sd = WINKELMANN_MM, WINKELMANN_SD_MM
    said = (f"{mean:.1f} ({mean - sd:.1f} to {mean + sd:.1f})", f"{usual_gain:.1f}")
    shown = all(f">{words}<" in page for words in (text.replace("-", "−") for text in said))
    yield _row(
        "R30.3",
        "the report shows the gain beside the gains measured in patients",
        f"{said[0]} mm of patients and the simulated {said[1]} mm in one figure",
        "both shown" if shown else "missing",
        shown,
    )


def _course(done: ProcedureResult) -> str:
    """How far the balloons came in words."""
    went = done.inflation
    if went is None:
        return done.stopped
    return f"usual: {went.volume_ml[-1]:.1f} of {BALLOON_ML:g} mL, {went.pressure_mpa.max():.1f} MPa, {went.stop}"


def _page(case: Case) -> str:
    from endplate.report.html import to_html

    found = re.search(r'<svg[^>]*aria-labelledby="gain-[^>]*>.*?</svg>', to_html(case), re.DOTALL)
    return found.group(0) if found else ""


def _never_above_intact(case: Case, gains: dict[str, ProcedureResult]) -> Check:
    """Height that any rehearsal adds against what the body truly lost; the crush itself may have raised its back."""
    reading = next(item for item in case.fractures if item.level is LEVEL)
    truth = next(item for item in _intact().fractures if item.level is LEVEL)
    worst, told = -np.inf, []
    for place in ("anterior", "middle", "posterior"):
        now, was = getattr(reading.heights, place).value, getattr(truth.heights, place).value
        most = max(getattr(item.after_cement, f"{place}_mm") for item in gains.values() if item.after_cement)
        told.append(f"{place} {now:.1f} + {most:.2f} of {was:.1f}")
        worst = max(worst, most - max(was - now, 0.0))
    return _row(
        "R30.2",
        "height added never above what the body truly lost (error of reading a height 0.7 mm)",
        "excess <= 0.7 mm",
        f"{', '.join(told)} mm; worst {worst:+.2f} mm",
        bool(worst <= 0.7),
    )


def _same_seed() -> Check:
    """Two runs of one plan."""
    runs = [_done(_rehearsed(_intact(), "vertebroplasty"))[0].bands["vertebroplasty"] for _ in range(2)]
    apart = max(abs((runs[0][name].value or 0.0) - (runs[1][name].value or 0.0)) for name in runs[0])
    title = "same seed, same result: every number of a vertebroplasty twice"
    return _row("R30.4", title, "difference 0", f"{apart:g}", apart == 0)


def _mirrored() -> Check:
    """The scan flipped left to right: the left needle becomes the right one and nothing else changes."""
    volume, labels = _scan()
    flipped = Volume(grid=volume.grid, hu=volume.hu[::-1].copy(), series=volume.series)
    other = LabelMap(grid=labels.grid, labels=labels.labels[::-1].copy(), scheme=labels.scheme)
    pairs = []
    for case, side in ((_intact(), "left"), (_measured(flipped, other), "right")):
        held, done = _done(_rehearsed(case, "vertebroplasty", sides=side))  # type: ignore[arg-type]
        pairs.append((held.bands["vertebroplasty"], done))
    (one, left), (two, right) = pairs
    sides = [done.access.paths[0].side if done.access else "none" for done in (left, right)]
    share = abs((one["right_share"].value or 0.0) + (two["right_share"].value or 0.0) - 1)
    names = [name for name in one if name in two and name != "right_share"]
    apart = max(
        abs((one[name].value or 0.0) - (two[name].value or 0.0)) / max(abs(one[name].value or 0.0), 1.0)
        for name in names
    )
    return _row(
        "R30.5",
        "left and right of the scan swapped: the needle changes side, the cement is mirrored, numbers stay",
        "left and right; shares add up to 1 within 0.02; all others within 2 %",
        f"{' and '.join(sides)}; shares off by {share:.4f}; furthest {100 * apart:.2f} %",
        sides == ["left", "right"] and share <= 0.02 and apart <= 0.02,
    )


def _nothing_and_more() -> Iterator[Check]:
    """No cement and no balloon change nothing; more cement fills no place less."""
    nothing = _done(_rehearsed(_intact(), "vertebroplasty", cement_ml=0.0))[0]
    empty = _done(_rehearsed(_intact(), "kyphoplasty", cement_ml=0.0, balloon_ml=0.0))[0]
    names = ("strength_n", "stiffness_n_per_mm")
    apart = max(
        abs((held.bands[procedure][name].value or 0.0) / (held.bands["none"][name].value or 1.0) - 1)
        for held, procedure in ((nothing, "vertebroplasty"), (empty, "kyphoplasty"))
        for name in names
    )
    gained = abs(empty.bands["kyphoplasty"]["cured_anterior_mm"].value or 0.0)
    yield _row(
        "R30.6",
        "zero balloon volume and zero cement: strength and stiffness against no repair; height gained",
        f"relative change < {EXACT:g}; 0 mm",
        f"{apart:.1e}; {gained:g} mm",
        apart < EXACT and gained == 0,
    )
    fills = [_done(_rehearsed(_intact(), "vertebroplasty", cement_ml=volume))[1].fill for volume in CEMENT_ML]
    less, more = (fill.saturation if fill else np.zeros(1) for fill in fills)
    lost = float((less - more).max()) if less.shape == more.shape else float("nan")
    yield _row(
        "R30.7",
        "more cement never lowers the fill: {1:g} mL against {0:g} mL, voxel by voxel".format(*CEMENT_ML),
        "no voxel loses more than 1 % of its pores",
        f"largest loss {100 * max(lost, 0.0):.3f} %; {less.sum() / more.sum():.2f} of the fill",
        lost <= 0.01 and bool(less.sum() < more.sum()),
    )
