"""Rows 1, 2 and 5 of the acceptance table: heights and grades on digital spines, real graded and healthy spines.

Nothing here is tuned: the digital spines are listed by shape, loss, pose, slices and seed, and every level of every
one is counted, the intact ones too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.locate import locate_vertebrae
from endplate.finding import BAND_SD
from endplate.fracture import grade_fractures
from endplate.fracture.result import Fracture
from endplate.image.labels import read_labels
from endplate.image.phantom import Deformity, LevelTruth, PhantomSpec, make_phantom
from endplate.image.volume import LabelMap
from endplate.level import Level
from verification.check import Check
from verification.public_data import data_folder

BIAS_MM, SD_MM = 0.2, 0.7
CUT_OFFS, NEAR = (0.20, 0.25, 0.40), 0.02
MIN_COVERAGE = 0.90
ROUGHNESS_MM, ROUGHNESS_REACH_MM = 0.4, 2.0
FIELD_MM = (150.0, 190.0)
SMALL_FIELD_MM = (110.0, 130.0)
VERSE004 = {"T9": 2, "T10": 2, "T11": 0, "T12": 0, "L1": 3, "L2": 0, "L3": 0}
WEDGE, BICONCAVE, CRUSH = "wedge", "biconcave", "crush"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A digital spine by name; the border of its labels is roughened with `seed`."""

    name: str
    spec: PhantomSpec
    seed: int


def _trial(name: str, seed: int, *collapses: tuple[str, str, float], **changes: Any) -> Trial:
    deformities = {Level(level): Deformity(shape=shape, loss=loss) for level, shape, loss in collapses}
    return Trial(
        name=name, spec=PhantomSpec(**{"field_mm": FIELD_MM, "deformities": deformities, **changes}), seed=seed
    )


def trials() -> tuple[Trial, ...]:
    """Every shape and grade, tilts to 20 degrees about each axis, slices of 1 to 3 mm in both usual directions."""
    return (
        _trial("1 mm", 4711, ("T11", WEDGE, 0.17), ("L1", BICONCAVE, 0.32), ("L3", CRUSH, 0.45)),
        _trial(
            *("1 x 1 x 2 mm, flexed 20", 4713, ("T12", BICONCAVE, 0.17), ("L2", WEDGE, 0.32), ("L4", CRUSH, 0.225)),
            spacing_mm=(1.0, 1.0, 2.0),
            tilt_deg=(20.0, 0.0, 0.0),
        ),
        _trial(
            *("2 x 1 x 1 mm, turned 20", 4715, ("T11", CRUSH, 0.32), ("L1", WEDGE, 0.45), ("L3", BICONCAVE, 0.225)),
            spacing_mm=(2.0, 1.0, 1.0),
            tilt_deg=(0.0, 0.0, 20.0),
        ),
        _trial(
            *("1 x 1 x 3 mm, bent 20", 4717, ("T12", WEDGE, 0.225), ("L2", CRUSH, 0.17), ("L4", BICONCAVE, 0.45)),
            spacing_mm=(1.0, 1.0, 3.0),
            tilt_deg=(0.0, 20.0, 0.0),
        ),
        _trial(
            *("3 x 1 x 1 mm, oblique", 4719, ("T11", BICONCAVE, 0.45), ("L1", CRUSH, 0.28), ("L3", WEDGE, 0.225)),
            spacing_mm=(3.0, 1.0, 1.0),
            grid_tilt_deg=(10.0, 15.0, 5.0),
        ),
        _trial(
            *("1.5 mm, man, end levels", 4721, ("T10", WEDGE, 0.32), ("L1", BICONCAVE, 0.22), ("L5", BICONCAVE, 0.28)),
            spacing_mm=(1.5, 1.5, 1.5),
            tilt_deg=(-10.0, 5.0, 5.0),
            sex="male",
        ),
    )


def many_broken() -> tuple[Trial, ...]:
    """Spines where broken levels are as many as intact ones, or all there is: no neighbour can be trusted blindly."""
    five, three = ("T11", "T12", "L1", "L2", "L3"), ("T12", "L1", "L2")
    cases = (
        *((five, three, shape, 0.30) for shape in (WEDGE, BICONCAVE, CRUSH)),
        *((five, five, shape, 0.45) for shape in (WEDGE, BICONCAVE, CRUSH)),
        (five, five, CRUSH, 0.30),
        (five, five[1:], BICONCAVE, 0.30),
        (five, five[1:], CRUSH, 0.30),
        *((three[:2], three[:2], shape, 0.45) for shape in (WEDGE, CRUSH)),
        *((("L1",), ("L1",), shape, 0.45) for shape in (WEDGE, CRUSH)),
        (five, ("L1",), CRUSH, 0.60),
        (five, ("L2",), CRUSH, 0.70),
        (five, ("L1", "L2"), CRUSH, 0.50),
    )
    return tuple(
        _trial(
            f"{len(broken)} of {len(field)} {shape} {loss:.0%}",
            4723 + 2 * place,
            *((level, shape, loss) for level in broken),
            levels=tuple(map(Level, field)),
            field_mm=SMALL_FIELD_MM,
            spacing_mm=(1.5, 1.5, 1.5),
        )
        for place, (field, broken, shape, loss) in enumerate(cases)
    )


def checks() -> Iterator[Check]:
    """The rows of the fracture stage."""
    yield from _phantom_checks()
    yield _many_broken()
    data = data_folder()
    yield _verse004(data)
    yield _verse014(data)


def roughened(labels: LabelMap, seed: int, rough_mm: float = ROUGHNESS_MM) -> LabelMap:
    """Labels with a border that wanders, as a reader's or a network's does; smooth noise, zero on average."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal(labels.labels.shape, dtype=np.float32)
    edges = labels.grid.spacing_mm
    noise = ndimage.gaussian_filter(white, ROUGHNESS_REACH_MM / edges)
    noise *= rough_mm / noise.std()
    rough = np.zeros_like(labels.labels)
    for number in np.unique(labels.labels)[1:]:
        mask = labels.labels == number
        window = ndimage.find_objects(mask.astype(np.uint8))[0]
        window = tuple(slice(max(s.start - 3, 0), s.stop + 3) for s in window)
        outside = ndimage.distance_transform_edt(~mask[window], sampling=edges)
        inside = ndimage.distance_transform_edt(mask[window], sampling=edges)
        apart = outside - inside
        distance = apart - apart.clip(-edges.max(), edges.max()) / 2
        rough[window][(distance + noise[window] < 0) & (rough[window] == 0)] = number
    return replace(labels, labels=rough)


def measured(trial: Trial) -> list[tuple[LevelTruth, Fracture]]:
    """Truth and reading of every level of a digital spine."""
    phantom = make_phantom(trial.spec)
    spine = locate_vertebrae(roughened(phantom.labels, trial.seed))
    return [(phantom.truth.levels[fracture.level], fracture) for fracture in grade_fractures(spine)]


def height_errors(pairs: list[tuple[LevelTruth, Fracture]]) -> NDArray[np.float64]:
    """Measured less true (anterior, middle, posterior) heights, mm; NaN where not measured."""
    rows = []
    for truth, fracture in pairs:
        heights = fracture.heights
        got = [m.value for m in (heights.anterior, heights.middle, heights.posterior)]
        true = (truth.anterior_mm, truth.middle_mm, truth.posterior_mm)
        rows.append([np.nan if g is None else g - t for g, t in zip(got, true, strict=True)])
    return np.array(rows)


def _phantom_checks() -> Iterator[Check]:
    pairs: list[tuple[LevelTruth, Fracture]] = []
    groups: dict[str, NDArray[np.float64]] = {}
    for trial in trials():
        new = measured(trial)
        groups[trial.name] = height_errors(new)
        pairs += new
    errors = height_errors(pairs)
    for shape in (WEDGE, BICONCAVE, CRUSH):
        groups[shape] = height_errors([pair for pair in pairs if pair[0].shape == shape])
    groups |= {kind: errors[:, place] for place, kind in enumerate(("anterior", "middle", "posterior"))}
    worst = max(groups, key=lambda name: abs(groups[name].mean()))
    spread = max(groups, key=lambda name: groups[name].std())
    bias, sd = float(groups[worst].mean()), float(groups[spread].std())
    yield Check(
        number="1a",
        title=f"digital spines: heights of {len(pairs)} levels in 6 poses and slice widths, rough label borders",
        expected=f"bias <= {BIAS_MM} mm, SD <= {SD_MM} mm",
        got=f"bias {errors.mean():+.3f} (worst group {worst}: {bias:+.3f}), SD {errors.std():.3f} "
        f"(worst group {spread}: {sd:.3f}) mm",
        source="biomechanics reference 11, check 24",
        rung="exact",
        passed=bool(np.isfinite(errors).all() and abs(bias) <= BIAS_MM and sd <= SD_MM),
    )
    yield _grades(pairs)
    yield _bands(pairs, errors)


def _bands(pairs: list[tuple[LevelTruth, Fracture]], errors: NDArray[np.float64]) -> Check:
    stated = [(f.heights.anterior.sd, f.heights.middle.sd, f.heights.posterior.sd) for _, f in pairs]
    inside = np.abs(errors) <= BAND_SD * np.array(stated, float)
    return Check(
        number="1c",
        title="digital spines: true heights inside the stated 95 % band",
        expected=f"{MIN_COVERAGE:.0%} to 100 %",
        got=f"{inside.mean():.0%} of {inside.size}",
        source="the band's own definition; rough label borders of 0.4 mm",
        rung="exact",
        passed=bool(inside.mean() >= MIN_COVERAGE),
    )


def _grades(pairs: list[tuple[LevelTruth, Fracture]]) -> Check:
    clear = [pair for pair in pairs if min(abs(pair[0].loss - cut) for cut in CUT_OFFS) > NEAR]
    wrong = [
        f"{truth.level} {truth.shape} {truth.loss:.0%} read as grade {fracture.genant_grade}"
        for truth, fracture in clear
        if fracture.genant_grade is not None and fracture.genant_grade != truth.grade
    ]
    left_open = sum(fracture.genant_grade is None for _, fracture in clear)
    return Check(
        number="1b",
        title="digital spines: Genant grade away from a cut-off by more than 2 points of loss",
        expected=f"{len(clear)} of {len(clear)} equal to truth, or a gap where slices are too thick",
        got=f"{len(clear) - len(wrong) - left_open} of {len(clear)}, {left_open} gaps"
        + (f" ({'; '.join(wrong)})" if wrong else ""),
        source="Genant 1993 by Wang, QIMS 2019",
        rung="exact",
        passed=not wrong,
    )


def astray(truth: LevelTruth, fracture: Fracture) -> bool:
    """Whether a level is told wrongly without a word of doubt: loss outside its band, or a break denied."""
    loss = fracture.height_loss
    if loss.value is None:
        return fracture.fracture != "indeterminate" or not fracture.reason
    outside = abs(loss.value - truth.loss) > BAND_SD * (loss.sd or 0)
    return outside or (truth.grade > 0 and fracture.fracture == "no")


def _many_broken() -> Check:
    total, graded, broken, wrong = 0, 0, 0, []
    for trial in many_broken():
        for truth, fracture in measured(trial):
            total += 1
            broken += truth.grade > 0
            graded += truth.grade > 0 and fracture.genant_grade is not None
            if astray(truth, fracture):
                wrong.append(f"{trial.name}: {truth.level} {truth.loss:.0%} read as {_told(fracture)}")
    return Check(
        number="1d",
        title="digital spines with several or only broken levels: true loss in the 95 % band, or indeterminate",
        expected=f"{total} of {total} levels",
        got=f"{total - len(wrong)} of {total}; {graded} of {broken} broken ones graded, the others left open"
        + (f" ({'; '.join(wrong)})" if wrong else ""),
        source="exact truth; the band's own definition",
        rung="exact",
        passed=not wrong,
    )


def _told(fracture: Fracture) -> str:
    loss = fracture.height_loss
    if loss.value is None:
        return fracture.reason
    return f"{loss.value:.0%} +- {BAND_SD * (loss.sd or 0):.0%}, fracture {fracture.fracture}"


def _graded(data: Path, name: str) -> tuple[Fracture, ...] | None:
    found = sorted((data / name).glob("*vert_msk.nii.gz"))
    return grade_fractures(locate_vertebrae(read_labels(found[0]))) if found else None


def _verse004(data: Path) -> Check:
    fractures = _graded(data, "verse004")
    got = {str(f.level): f.genant_grade for f in fractures or () if str(f.level) in VERSE004}
    return Check(
        number="2",
        title="verse004: expert Genant grades from masks alone",
        expected=" ".join(f"{level} {grade}" for level, grade in VERSE004.items()),
        got="skipped: shared data absent" if fractures is None else " ".join(f"{lv} {g}" for lv, g in got.items()),
        source="VerSe'19 expert grades (CC BY-SA 4.0)",
        rung="published",
        passed=None if fractures is None else got == VERSE004,
    )


def _verse014(data: Path) -> Check:
    fractures = _graded(data, "verse014")
    got = [f"{f.level} grade {f.genant_grade} fracture {f.fracture}" for f in fractures or ()]
    sound = fractures is not None and all(f.genant_grade == 0 and f.fracture == "no" for f in fractures)
    return Check(
        number="5a",
        title="verse014: five levels, none called fractured",
        expected="L1-L5 grade 0, fracture no",
        got="skipped: shared data absent" if fractures is None else ", ".join(got),
        source="VerSe'19 expert grades (CC BY-SA 4.0)",
        rung="published",
        passed=None if fractures is None else sound and len(got) == 5,
    )
