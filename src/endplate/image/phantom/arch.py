"""The vertebral arch as distance functions: pedicles, laminae, spinous, transverse and articular processes.

Local frame of the body: (right, anterior, superior) mm. The left transverse process is the longer one, so that a
left-right flip cannot pass unseen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited, cited_table
from endplate.image.phantom.body import BodyShape
from endplate.image.phantom.size import CONCAVITY_REFERENCE_WIDTH_MM

Array = NDArray[np.floating]
Point = tuple[float, float, float]

LEFT_LONGER = cited(1.35, "1", "left transverse process longer than the right: marks the side", "design")
_ARCH = cited_table(
    "phantom.arch",
    "mm",
    "digital spine: arch sizes at L1, scaled by endplate width, set so that neighbours and canal stay clear",
    "design",
    {
        "pedicle_start": 5.0,
        "pedicle_length": 11.0,
        "isthmus_behind": 4.0,
        "pedicle_inset": 1.5,
        "canal_depth": 16.0,
        "lamina_thickness": 6.0,
        "lamina_height": 16.0,
        "lamina_drop": 4.0,
        "spinous_length": 26.0,
        "spinous_half_height": 7.0,
        "spinous_half_width": 2.8,
        "facet_radius": 3.8,
        "facet_up": 5.5,
        "facet_down": 15.0,
        "facet_outward": 6.5,
        "facet_inward": 5.0,
        "transverse_radius": 3.6,
        "transverse_back": 5.0,
        "rounding": 1.5,
    },
)
_SHAPE = cited_table(
    "phantom.arch_shape",
    "1",
    "digital spine: pedicle flares by a quarter at its ends, and stays lower than its body",
    "design",
    {"flare": 0.25, "share_of_body": 0.7, "flare_start": 0.3, "lordosis_room_deg": 40.0},
)
PARTS = ("pedicle", "lamina", "spinous", "transverse", "upper_facet", "lower_facet")


def _capsule(point: tuple[Array, Array, Array], start: Point, stop: Point, radius: float) -> Array:
    """Distance to a capsule."""
    axis = np.subtract(stop, start)
    away = [coordinate - offset for coordinate, offset in zip(point, start, strict=True)]
    along = np.clip((away[0] * axis[0] + away[1] * axis[1] + away[2] * axis[2]) / (axis @ axis), 0, 1)
    squares = sum((a - along * d) ** 2 for a, d in zip(away, axis, strict=True))
    return np.asarray(np.sqrt(squares) - radius)


def _rounded_box(offsets: tuple[Array, ...], half: tuple[float, ...], rounding: float) -> Array:
    """Distance to a box with rounded edges, from its centre along its own axes."""
    beyond = [np.abs(offset) - (size - rounding) for offset, size in zip(offsets, half, strict=True)]
    outside = np.sqrt(sum(np.maximum(one, 0) ** 2 for one in beyond))
    inside = beyond[0]
    for one in beyond[1:]:
        inside = np.maximum(inside, one)
    return outside + np.minimum(inside, 0) - rounding


@dataclass(frozen=True, kw_only=True)
class ArchShape:
    """One arch by formula, on the body it belongs to."""

    body: BodyShape

    @cached_property
    def _scale(self) -> float:
        return self.body.size.width_mm / CONCAVITY_REFERENCE_WIDTH_MM

    def _mm(self, name: str) -> float:
        return _ARCH[name] * self._scale

    @cached_property
    def _posterior_height_mm(self) -> float:
        y = np.array([self.body.back_mm])
        upper, lower = self.body.endplates(np.zeros(1), y)
        return float(upper[0] - lower[0])

    @cached_property
    def pedicle_height_mm(self) -> float:
        """Outer height of the pedicle at its isthmus."""
        return min(self.body.size.pedicle_height_mm, _SHAPE["share_of_body"] * self._posterior_height_mm)

    @cached_property
    def pedicle_superior_mm(self) -> float:
        """Height of the pedicle axis above the middle of the body."""
        room = (self._posterior_height_mm - self.pedicle_height_mm) / 2
        return max(room - self._mm("pedicle_inset"), 0)

    @cached_property
    def isthmus_mm(self) -> Point:
        """Centre of the right pedicle's isthmus; the left mirrors it."""
        size = self.body.size
        behind = self.body.back_mm - self._mm("isthmus_behind")
        return (size.canal_mm + size.pedicle_width_mm) / 2, behind, self.pedicle_superior_mm

    @cached_property
    def pedicle_axis(self) -> Point:
        """Unit axis of the right pedicle, pointing forward and to the midline; the left mirrors it."""
        angle = np.deg2rad(self.body.size.pedicle_deg)
        return -float(np.sin(angle)), float(np.cos(angle)), 0.0

    @cached_property
    def _facet_reach(self) -> float:
        """How far articular processes reach: shorter where lordosis brings neighbours together behind."""
        return 1 + min(self.body.size.disc_deg, 0) / _SHAPE["lordosis_room_deg"]

    def _along_pedicle(self, distance_mm: float) -> Point:
        start, axis = self.isthmus_mm, self.pedicle_axis
        return tuple(float(p + distance_mm * d) for p, d in zip(start, axis, strict=True))  # type: ignore[return-value]

    @cached_property
    def _junction(self) -> Point:
        """Where pedicle, lamina and transverse process of the right side meet."""
        return self._along_pedicle(self._mm("isthmus_behind") - self._mm("pedicle_length"))

    @cached_property
    def canal_back_mm(self) -> float:
        """Anterior coordinate of the canal's posterior wall in the midline."""
        return self.body.back_mm - self._mm("canal_depth")

    def _pedicle(self, right: Array, anterior: Array, superior: Array) -> Array:
        centre, axis = self.isthmus_mm, self.pedicle_axis
        x, y, z = right - centre[0], anterior - centre[1], superior - centre[2]
        along = x * axis[0] + y * axis[1]
        across = x * axis[1] - y * axis[0]
        reach = self._mm("isthmus_behind") + self._mm("pedicle_start")
        start = _SHAPE["flare_start"]
        flare = 1 + _SHAPE["flare"] * np.clip((np.abs(along) / reach - start) / (1 - start), 0, 1) ** 2
        a, b = self.body.size.pedicle_width_mm / 2, self.pedicle_height_mm / 2
        u, w = across / a, z / b
        radius = np.sqrt(u * u + w * w)
        slope = np.sqrt((u / a) ** 2 + (w / b) ** 2) / np.maximum(radius, 1e-6)
        tube = (radius - flare) / np.maximum(slope, 1 / b)
        middle = self._mm("pedicle_length") - self._mm("isthmus_behind")
        ends = np.maximum(along - reach, -middle - along)
        return np.maximum(tube, ends)

    def _lamina(self, right: Array, anterior: Array, superior: Array) -> Array:
        thick = self._mm("lamina_thickness")
        start = np.array(self._junction[:2])
        stop = np.array([0.0, self.canal_back_mm - thick / 2])
        axis = (stop - start) / np.linalg.norm(stop - start)
        x, y = right - start[0], anterior - start[1]
        along = np.clip(x * axis[0] + y * axis[1], 0, float(np.linalg.norm(stop - start)))
        away = np.hypot(x - along * axis[0], y - along * axis[1])
        z = superior - (self.pedicle_superior_mm - self._mm("lamina_drop"))
        return _rounded_box((away, z), (thick / 2, self._mm("lamina_height") / 2), self._mm("rounding"))

    def _spinous(self, right: Array, anterior: Array, superior: Array) -> Array:
        drop = np.deg2rad(self.body.size.spinous_drop_deg)
        half_length = self._mm("spinous_length") / 2
        y0 = self.canal_back_mm - self._mm("lamina_thickness") / 2
        z0 = self.pedicle_superior_mm - self._mm("lamina_drop")
        y, z = anterior - y0, superior - z0
        along = -y * np.cos(drop) - z * np.sin(drop) - half_length
        up = z * np.cos(drop) - y * np.sin(drop)
        half = (self._mm("spinous_half_width"), half_length, self._mm("spinous_half_height"))
        return _rounded_box((right, along, up), half, self._mm("rounding"))

    def _transverse(self, right: Array, anterior: Array, superior: Array, longer: float) -> Array:
        x, y, z = self._junction
        start = (x, y, z - self._mm("lamina_drop") / 2)
        stop = (x + self.body.size.transverse_mm * longer, y - self._mm("transverse_back"), start[2] + 2)
        return _capsule((right, anterior, superior), start, stop, self._mm("transverse_radius"))

    def _upper_facet(self, right: Array, anterior: Array, superior: Array) -> Array:
        x, y, z = self._junction
        aside = self.body.size.canal_mm / 2 + self._mm("facet_outward")
        top = z + self.pedicle_height_mm / 2 + self._mm("facet_up") * self._facet_reach
        stop = (aside, y - 1, top)
        return _capsule((right, anterior, superior), (x, y, z), stop, self._mm("facet_radius"))

    def _lower_facet(self, right: Array, anterior: Array, superior: Array) -> Array:
        aside = self.body.size.canal_mm / 2 - self._mm("facet_inward")
        y = self.canal_back_mm - 1
        z = self.pedicle_superior_mm - self._mm("lamina_drop")
        start, stop = (aside, y, z), (aside, y + 1, z - self._mm("facet_down") * self._facet_reach)
        return _capsule((right, anterior, superior), start, stop, self._mm("facet_radius"))

    def parts(self, right: Array, anterior: Array, superior: Array) -> list[Array]:
        """Distance outside each of `PARTS`, mm, negative inside; both sides at once."""
        beside = np.abs(right)
        longer = np.where(right < 0, LEFT_LONGER, 1.0)
        transverse = self._transverse(beside, anterior, superior, 1.0)
        far = self._transverse(beside, anterior, superior, LEFT_LONGER)
        return [
            self._pedicle(beside, anterior, superior),
            self._lamina(beside, anterior, superior),
            self._spinous(right, anterior, superior),
            np.where(longer > 1, far, transverse),
            self._upper_facet(beside, anterior, superior),
            self._lower_facet(beside, anterior, superior),
        ]

    def distance(self, right: Array, anterior: Array, superior: Array) -> Array:
        """Distance outside the whole arch, mm, negative inside."""
        return np.asarray(np.minimum.reduce(self.parts(right, anterior, superior)))

    def reach_mm(self) -> NDArray[np.float64]:
        """(2, 3) corners of a local box that holds the whole vertebra."""
        size, flare = self.body.size, 1 + _SHAPE["flare"]
        x = self._junction[0] + size.transverse_mm * LEFT_LONGER + self._mm("transverse_radius") + 2
        drop = np.deg2rad(size.spinous_drop_deg)
        back = self.canal_back_mm - self._mm("lamina_thickness") - self._mm("spinous_length") - 4
        low = -self._mm("lamina_drop") - self._mm("facet_down") - self._mm("facet_radius")
        low = min(low, -self._mm("spinous_length") * np.sin(drop) - self._mm("spinous_half_height") - 4)
        top = self._junction[2] + flare * self.pedicle_height_mm / 2 + self._mm("facet_up") + self._mm("facet_radius")
        body = size.posterior_mm * max(1, size.front_to_back)
        return np.array([[-x, back, min(low, -body / 2) - 3], [x, size.depth_mm / 2 + 3, max(top, body / 2) + 3]])
