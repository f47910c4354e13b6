"""The vertebral body as functions: contour, waist, concave endplates, collapse. Everything exact comes from here.

Local frame: (right, anterior, superior) mm; origin midway between the rims at the middle of the contour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited, cited_table
from endplate.image.phantom.size import CONCAVITY_REFERENCE_WIDTH_MM, LevelSize
from endplate.image.phantom.spec import Deformity, Node

Array = NDArray[np.floating]

_FORM = cited_table(
    "phantom.body",
    "1",
    "digital spine: squarish contour, hollow back, narrow waist, shallow endplates as on a lumbar CT",
    "design",
    {"squareness": 1.4, "hollow": 0.06, "waist": 0.09, "dome": 0.8},
)
_CONCAVITY = cited_table(
    "phantom.concavity",
    "mm",
    "digital spine: endplate concavity of L1: lower deeper than upper",
    "design",
    {"upper": 1.2, "lower": 1.5},
)
_CRATER = cited_table(
    "phantom.crater",
    "mm",
    "breach beside the mid-sagittal band, so that heights by the published definition keep their truth",
    "design",
    {"radius": 4.0, "depth": 3.5, "aside": 6.0},
)
# Where the published definition takes its heights (fractions of the depth from the front).
ANTERIOR = cited(
    0.125,
    "1",
    "own algorithm, docs/theory.md: anterior height at 10-15 % of the depth, middle of that band",
    "design",
)
POSTERIOR = cited(
    0.875,
    "1",
    "own algorithm, docs/theory.md: posterior height at 85-90 % of the depth, middle of that band",
    "design",
)
WEDGE_ENDS = cited(0.80, "1", "a wedge fracture leaves the posterior fifth of the body at full height", "design")

FLATTEST = cited(0.95, "1", "collapse stops short of the endplates meeting at the front rim", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyShape:
    """One body by formula. Lengths mm in the local frame; every method takes arrays that broadcast."""

    size: LevelSize
    deformity: Deformity | None = None
    node: Node | None = None

    @property
    def front_mm(self) -> float:
        """Anterior coordinate of the front wall at the waist."""
        return self.size.depth_mm / (2 - _FORM["hollow"]) * (1 - _FORM["waist"])

    @property
    def back_mm(self) -> float:
        """Anterior coordinate (negative) of the posterior wall at the waist."""
        return -self.front_mm * (1 - _FORM["hollow"])

    @property
    def waist_depth_mm(self) -> float:
        """Front to back at the waist in the mid-sagittal plane."""
        return self.front_mm - self.back_mm

    def fraction(self, anterior: Array) -> Array:
        """Fraction of the mid-height depth, 0 at the front wall, 1 at the posterior wall."""
        return (self.front_mm - anterior) / self.waist_depth_mm

    def radius(self, right: Array, anterior: Array) -> Array:
        """Contour function: 1 on the rim's contour, growing linearly along every ray from the origin."""
        u2 = (right / (self.size.width_mm / 2)) ** 2
        v = anterior / (self.size.depth_mm / (2 - _FORM["hollow"]))
        v2 = v * v
        squared = u2 + v2
        rounded = np.sqrt(np.sqrt(u2 * u2 + v2 * v2 + _FORM["squareness"] * u2 * v2))
        behind = np.where(v < 0, v2, 0) / np.maximum(squared, 1e-9)
        return np.asarray(rounded / (1 - _FORM["hollow"] * (behind * behind) ** 2))

    def radius_slope(self, right: Array, anterior: Array) -> Array:
        """Length of the gradient of `radius`, 1/mm, without the small effect of the hollow back."""
        a, b = self.size.width_mm / 2, self.size.depth_mm / (2 - _FORM["hollow"])
        u, v = right / a, anterior / b
        u2, v2 = u * u, v * v
        half = _FORM["squareness"] / 2
        cubed = np.maximum((u2 * u2 + v2 * v2 + 2 * half * u2 * v2), 1e-9) ** (3 / 4)
        return np.asarray(np.hypot(u * (u2 + half * v2) / a, v * (v2 + half * u2) / b) / cubed)

    def waist(self, level_in_body: Array) -> Array:
        """Contour scale by height in the body, -1 lower endplate, 0 waist, 1 upper endplate."""
        return 1 - _FORM["waist"] * (1 - np.clip(level_in_body, -1, 1) ** 2)

    def _dome(self, right: Array, anterior: Array) -> Array:
        inner = np.maximum(1 - (self.radius(right, anterior) / _FORM["dome"]) ** 2, 0)
        return np.asarray(inner * inner * (self.size.width_mm / CONCAVITY_REFERENCE_WIDTH_MM))

    def intact_endplates(self, right: Array, anterior: Array) -> tuple[Array, Array]:
        """(upper, lower) height of the endplates before any collapse, mm."""
        slope = self.size.posterior_mm * (1 - self.size.front_to_back) / (POSTERIOR - ANTERIOR)
        half = (self.size.posterior_mm - slope * (POSTERIOR - self.fraction(anterior))) / 2
        dome = self._dome(right, anterior)
        return half - _CONCAVITY["upper"] * dome, -half + _CONCAVITY["lower"] * dome

    def collapse(self, right: Array, anterior: Array) -> Array:
        """Fraction of the local height that is lost."""
        if self.deformity is None:
            return np.zeros(np.broadcast(right, anterior).shape)
        along = self.fraction(anterior)
        aside = 1 - np.clip(right / (self.size.width_mm / 2), -1, 1) ** 4
        if self.deformity.shape == "wedge":
            share = np.maximum((WEDGE_ENDS - along) / (WEDGE_ENDS - ANTERIOR), 0) + 0 * right
        elif self.deformity.shape == "biconcave":
            share = np.maximum(1 - ((along - 0.5) / (0.5 - ANTERIOR)) ** 2, 0) ** 2 * aside
        else:
            share = np.ones(np.broadcast(right, anterior).shape)
        return np.asarray(np.minimum(self.deformity.loss * share, FLATTEST))

    def crater(self, right: Array, anterior: Array) -> Array:
        """Depth of the endplate breach, mm; steep walls, right of the mid-sagittal band."""
        if self.deformity is None or not self.deformity.breach:
            return np.zeros(np.broadcast(right, anterior).shape)
        away = np.hypot(right - (_CRATER["aside"] + _CRATER["radius"]), anterior - self.front_mm / 4)
        return np.asarray(_CRATER["depth"] * np.clip((_CRATER["radius"] - away) * 2, 0, 1))

    def dent(self, right: Array, anterior: Array) -> Array:
        """Depth of the focal node, mm; steep walls."""
        if self.node is None:
            return np.zeros(np.broadcast(right, anterior).shape)
        away = np.hypot(right - self.node.right_mm, self.front_mm - anterior - self.node.along * self.waist_depth_mm)
        return np.asarray(self.node.depth_mm * np.clip((np.sqrt(self.node.area_mm2 / np.pi) - away) * 2, 0, 1))

    def endplates(self, right: Array, anterior: Array) -> tuple[Array, Array]:
        """(upper, lower) height of the endplates, mm, collapse shared by both alike; the breach is in the upper."""
        upper, lower = self.intact_endplates(right, anterior)
        lost = self.collapse(right, anterior) * (upper - lower) / 2
        upper, lower = upper - lost - self.crater(right, anterior), lower + lost
        if self.node is None:
            return upper, lower
        dent = self.dent(right, anterior)
        return (upper - dent, lower) if self.node.plate == "upper" else (upper, lower + dent)

    def distance(self, right: Array, anterior: Array, superior: Array) -> Array:
        """Distance outside the surface, mm, negative inside: zero set exact, first-order near it."""
        upper, lower = self.endplates(right, anterior)
        middle, half = (upper + lower) / 2, np.maximum((upper - lower) / 2, 1e-3)
        rise = (superior - middle) / half
        wall = (self.radius(right, anterior) - self.waist(rise)) / np.maximum(self.radius_slope(right, anterior), 1e-3)
        return np.maximum(np.maximum(superior - upper, lower - superior), wall)

    def contains(self, right: Array, anterior: Array, superior: Array) -> NDArray[np.bool_]:
        """Whether points lie in the body."""
        return self.distance(right, anterior, superior) <= 0

    def rim_line(self) -> tuple[float, float, float, float]:
        """(upper height, lower height, upper lean, lower lean) of the chords between the height places.

        Heights at the middle of the chord, mm; leans forward in radians (positive where the front is lower / higher).
        """
        y = self.front_mm - np.array([ANTERIOR, POSTERIOR]) * self.waist_depth_mm
        upper, lower = replace(self, node=None).endplates(np.zeros(2), y)
        run = y[0] - y[1]
        lean_up, lean_down = np.arctan((upper[1] - upper[0]) / run), np.arctan((lower[0] - lower[1]) / run)
        return float(upper.mean()), float(lower.mean()), float(lean_up), float(lean_down)
