"""What is true of the digital spine, computed from its formulas by the published definitions, never by measuring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.image.phantom.body import BodyShape
from endplate.image.phantom.spec import PhantomSpec
from endplate.image.phantom.stack import Placed
from endplate.level import Level

HALF_DEPTH_MM = cited(25.0, "mm", "Own choice: beyond the front and back of every body", "design")
DEPTH_PLACES = cited(501, "1", "Own choice: one every 0.1 mm", "design")
BAND_MM = cited(
    5.0,
    "mm",
    "own algorithm, docs/theory.md: heights in 5 sagittal slices over +-5 mm about the mid-plane",
    "design",
)
PATCH_MM = cited(
    2.0,
    "mm",
    "own algorithm, docs/theory.md: each height is the mean over a 2 mm patch",
    "design",
)
FRONT_BAND = (
    cited(
        0.10,
        "1",
        "own algorithm, docs/theory.md: anterior height from 10 % of the depth",
        "design",
    ),
    cited(
        0.15,
        "1",
        "own algorithm, docs/theory.md: anterior height to 15 % of the depth",
        "design",
    ),
)
BACK_BAND = (
    cited(
        0.85,
        "1",
        "own algorithm, docs/theory.md: posterior height from 85 % of the depth",
        "design",
    ),
    cited(
        0.90,
        "1",
        "own algorithm, docs/theory.md: posterior height to 90 % of the depth",
        "design",
    ),
)
INNER_CONTOUR = cited(
    0.90,
    "1",
    "own algorithm, docs/theory.md: endplates are fitted inside 90 % of the body contour",
    "design",
)
GRADE_1 = cited(0.20, "1", "Genant grade 1 from 20 % loss", "secondary", cite="genant_wang_2019")
GRADE_2 = cited(0.25, "1", "Genant grade 2 from 25 % loss", "secondary", cite="genant_wang_2019")
GRADE_3 = cited(0.40, "1", "Genant grade 3 above 40 % loss", "secondary", cite="genant_wang_2019")
_STEP_MM = cited(0.25, "mm", "sampling of the analytic body for volumes and centroids", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PedicleTruth:
    """A pedicle: isthmus centre (3,) LPS mm, unit axis pointing forward, outer width and height at the isthmus."""

    isthmus_mm: NDArray[np.float64]
    axis: NDArray[np.float64]
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelTruth:
    """One level, exactly.

    Attributes
    ----------
    centroid_mm, axes : body centroid (3,) LPS; rows right, anterior, superior. Superior bisects the two endplates.
    anterior_mm, middle_mm, posterior_mm : heights along superior by the published definition, a focal node left out.
    within_node_mm : the same three heights with the node as it is; None without one.
    expected_mm : the same three heights of the same body before its collapse.
    loss : worst of 1 - height / expected; `worst` names it; `grade` is Genant's; `shape` the deformity's or "none".
    wedge_deg : angle between the least-squares planes of both endplates in the sagittal plane, front lower positive.
    depth_mm, width_mm : extents at mid-height, depth in the mid-sagittal plane.
    body_mm3 : volume of the body. core, shell : mg/cm3, shell thickness in mm.
    """

    level: Level
    placed: Placed
    centroid_mm: NDArray[np.float64]
    axes: NDArray[np.float64]
    anterior_mm: float
    middle_mm: float
    posterior_mm: float
    expected_mm: tuple[float, float, float]
    loss: float
    worst: str
    grade: int
    shape: str
    wedge_deg: float
    depth_mm: float
    width_mm: float
    body_mm3: float
    core_mg_cm3: float
    shell_mg_cm3: float
    shell_mm: float
    left: PedicleTruth
    right: PedicleTruth
    breach: bool
    within_node_mm: tuple[float, float, float] | None = None

    def endplates_mm(
        self, right: NDArray[np.float64], anterior: NDArray[np.float64]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """(upper, lower) surface heights at points of the local frame about the centroid, mm."""
        offset = self.placed.to_local(self.centroid_mm)
        upper, lower = self.placed.body.endplates(right + offset[0], anterior + offset[1])
        return upper - offset[2], lower - offset[2]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhantomTruth:
    """What is true of a digital spine.

    `regional_deg`, `local_deg` : kyphosis positive, where the neighbours exist. `longer_transverse` names the side of
    the longer transverse process. `mg_cm3_per_hu`, `offset_mg_cm3` : the scanner's K2HPO4 line.
    """

    levels: Mapping[Level, LevelTruth]
    regional_deg: Mapping[Level, float]
    local_deg: Mapping[Level, float]
    mg_cm3_per_hu: float
    offset_mg_cm3: float
    longer_transverse: str = "left"


def grade_of(loss: float) -> int:
    """Genant grade of a fraction of height lost."""
    return int(loss >= GRADE_1) + int(loss >= GRADE_2) + int(loss > GRADE_3)


def heights_of(body: BodyShape) -> tuple[float, float, float]:
    """(anterior, middle, posterior) heights, mm: median of five slices, each the mean over a patch."""
    front, depth = body.front_mm, body.waist_depth_mm
    half = PATCH_MM / 2
    bands = (
        (front - FRONT_BAND[1] * depth, front - FRONT_BAND[0] * depth),
        (front - depth / 2 - half, front - depth / 2 + half),
        (front - BACK_BAND[1] * depth, front - BACK_BAND[0] * depth),
    )
    slices = np.linspace(-BAND_MM, BAND_MM, 5)
    found = []
    for low, high in bands:
        x, y = np.meshgrid(np.linspace(-half, half, 9), np.linspace(low, high, 9), indexing="ij")
        patch = [np.subtract(*body.endplates(x + centre, y)).mean() for centre in slices]
        found.append(float(np.median(patch)))
    return found[0], found[1], found[2]


def wedge_of(body: BodyShape) -> float:
    """Angle between the least-squares planes of both endplates in the sagittal plane, degrees."""
    x, y, inside = _plan(body, INNER_CONTOUR)
    system = np.stack([np.ones(inside.sum()), x[inside], y[inside]], axis=1)
    tilts = [np.arctan(np.linalg.lstsq(system, plate[inside], rcond=None)[0][2]) for plate in body.endplates(x, y)]
    return float(np.rad2deg(tilts[1] - tilts[0]))


def _plan(body: BodyShape, within: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    a, b = body.size.width_mm / 2 + 1, body.size.depth_mm / 2 + 2
    x, y = np.meshgrid(np.arange(-a, a, _STEP_MM), np.arange(-b, b, _STEP_MM), indexing="ij")
    return x, y, body.radius(x, y) <= within


def volume_and_centroid(body: BodyShape) -> tuple[float, NDArray[np.float64]]:
    """Volume (mm3) and centroid (3,) of the body in its local frame by fine columns through the formulas."""
    x, y, _ = _plan(body, 1)
    upper, lower = body.endplates(x, y)
    steps = np.linspace(-1, 1, 100) * (1 - 1 / 100)
    height = np.maximum(upper - lower, 0)
    radius = body.radius(x, y)
    total, moment = np.zeros(x.shape), np.zeros(x.shape)
    for step in steps:
        slab = (radius <= body.waist(np.asarray(step))) * height / len(steps)
        total += slab
        moment += slab * ((upper + lower) / 2 + step * height / 2)
    volume = total.sum()
    centroid = np.array([(total * x).sum(), (total * y).sum(), moment.sum()]) / volume
    return float(volume * _STEP_MM**2), centroid


def _pedicle(placed: Placed, side: int) -> PedicleTruth:
    mirror = np.array([side, 1, 1])
    return PedicleTruth(
        isthmus_mm=placed.to_world(np.array(placed.arch.isthmus_mm) * mirror),
        axis=(np.array(placed.arch.pedicle_axis) * mirror) @ placed.axes,
        width_mm=placed.body.size.pedicle_width_mm,
        height_mm=placed.arch.pedicle_height_mm,
    )


def level_truth(placed: Placed, spec: PhantomSpec) -> LevelTruth:
    """The truth of one placed vertebra."""
    body, sound = placed.body, replace(placed.body, node=None)
    heights, expected = heights_of(sound), heights_of(BodyShape(size=body.size))
    losses = [1 - now / before for now, before in zip(heights, expected, strict=True)]
    volume, centroid = volume_and_centroid(body)
    worst = int(np.argmax(losses))
    loss = max(losses[worst], 0.0)
    return LevelTruth(
        level=placed.level,
        placed=placed,
        centroid_mm=placed.to_world(centroid),
        axes=placed.axes,
        anterior_mm=heights[0],
        middle_mm=heights[1],
        posterior_mm=heights[2],
        expected_mm=expected,
        loss=loss,
        worst=("anterior", "middle", "posterior")[worst],
        grade=grade_of(loss),
        shape=body.deformity.shape if body.deformity else "none",
        wedge_deg=wedge_of(sound),
        depth_mm=body.waist_depth_mm,
        width_mm=body.size.width_mm * float(body.waist(np.zeros(1))[0]),
        body_mm3=volume,
        core_mg_cm3=spec.core(placed.level),
        shell_mg_cm3=spec.shell_mg_cm3,
        shell_mm=spec.shell_mm,
        left=_pedicle(placed, -1),
        right=_pedicle(placed, 1),
        breach=bool(body.deformity and body.deformity.breach),
        within_node_mm=heights_of(body) if body.node else None,
    )


def _plate_lean(placed: Placed, which: int) -> float:
    """Forward lean of an endplate's least-squares plane in the sagittal plane of the patient, radians."""
    x, y, inside = _plan(placed.body, INNER_CONTOUR)
    system = np.stack([np.ones(inside.sum()), x[inside], y[inside]], axis=1)
    plate = replace(placed.body, node=None).endplates(x, y)[which][inside]
    tilt = np.arctan(np.linalg.lstsq(system, plate, rcond=None)[0][2])
    up = placed.axes[2]
    return float(np.arctan2(-up[1], up[2]) - tilt)


def kyphosis(upright: tuple[Placed, ...]) -> tuple[dict[Level, float], dict[Level, float]]:
    """(regional, local) kyphosis by level in degrees, where the neighbours are in the phantom."""
    regional, local = {}, {}
    for index, here in enumerate(upright):
        if index == 0:
            continue
        top = _plate_lean(upright[index - 1], 0)
        local[here.level] = float(np.rad2deg(top - _plate_lean(here, 1)))
        if index + 1 < len(upright):
            regional[here.level] = float(np.rad2deg(top - _plate_lean(upright[index + 1], 1)))
    return regional, local


def disc_heights(upper: LevelTruth, lower: LevelTruth) -> tuple[float, float, float]:
    """(anterior, middle, posterior) height of the disc between two levels, mm, along the mean of their axes.

    Nodes are left out, as they are from the heights of bodies.
    """
    above, below = (replace(one.placed.body, node=None) for one in (upper, lower))
    axis = upper.axes[2] + lower.axes[2]
    axis = axis / np.linalg.norm(axis)
    across = upper.axes[1] - (upper.axes[1] @ axis) * axis
    across = across / np.linalg.norm(across)
    found = []
    for place in (sum(FRONT_BAND) / 2, 0.5, sum(BACK_BAND) / 2):
        centre = upper.placed.to_world(np.array([0.0, above.front_mm - place * above.waist_depth_mm, 0.0]))
        ends = []
        for placed, body, which in ((upper.placed, above, 1), (lower.placed, below, 0)):
            x, y = np.meshgrid(
                np.linspace(-BAND_MM, BAND_MM, 11),
                np.linspace(-HALF_DEPTH_MM, HALF_DEPTH_MM, int(DEPTH_PLACES)),
                indexing="ij",
            )
            points = placed.to_world(np.stack([x, y, body.endplates(x, y)[which]], axis=-1)).reshape(-1, 3) - centre
            near = np.abs(points @ across) <= PATCH_MM / 2
            ends.append(float(np.median(points[near] @ axis)))
        found.append(ends[0] - ends[1])
    return found[0], found[1], found[2]
