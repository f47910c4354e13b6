"""Bodies stacked into a spine: discs set how neighbours lean, so a collapse tips and lowers what stands on it.

Patient frame: LPS directions (left, posterior, superior) mm about the middle of the spine, before any tilt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.image.phantom.arch import ArchShape
from endplate.image.phantom.body import BodyShape
from endplate.image.phantom.size import level_size
from endplate.image.phantom.spec import PhantomSpec
from endplate.level import Level

WIDER_BY = cited(
    0.7, "1", "share of lost posterior height that the arches hold open: discs bulge into the crushed body", "design"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A vertebra in the patient: its shapes, origin (3,) and axes (3, 3) rows right, anterior, superior."""

    level: Level
    body: BodyShape
    arch: ArchShape
    origin_mm: NDArray[np.float64]
    axes: NDArray[np.float64]

    def to_local(self, xyz_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (..., 3) to the local frame."""
        return (np.asarray(xyz_mm, float) - self.origin_mm) @ self.axes.T

    def to_world(self, local_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Local points (..., 3) to the frame the vertebra is placed in."""
        return np.asarray(local_mm, float) @ self.axes + self.origin_mm

    def moved(self, turn: NDArray[np.float64]) -> Placed:
        """The vertebra after turning everything by the rotation matrix `turn`."""
        return Placed(
            level=self.level,
            body=self.body,
            arch=self.arch,
            origin_mm=turn @ self.origin_mm,
            axes=self.axes @ turn.T,
        )


def rotation(tilt_deg: tuple[float, float, float]) -> NDArray[np.float64]:
    """(3, 3) rotation about the left, then posterior, then superior axis, right-handed, degrees."""
    turn = np.eye(3)
    for axis, degrees in enumerate(tilt_deg):
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        one = np.eye(3)
        u, v = (axis + 1) % 3, (axis + 2) % 3
        one[u, u], one[u, v], one[v, u], one[v, v] = c, -s, s, c
        turn = one @ turn
    return turn


def _axes(lean: float) -> NDArray[np.float64]:
    """Rows right, anterior, superior of a frame that leans forward by `lean` radians."""
    c, s = np.cos(lean), np.sin(lean)
    return np.array([[-1.0, 0, 0], [0, -c, -s], [0, -s, c]])


def _posterior_loss_mm(body: BodyShape) -> float:
    back = np.array([body.back_mm])
    upper, lower = body.intact_endplates(np.zeros(1), back)
    return float((body.collapse(np.zeros(1), back) * (upper - lower))[0])


def stack_spine(spec: PhantomSpec) -> tuple[Placed, ...]:
    """The spine of a specification from head to foot, upright, its chord vertical, centred on its bodies."""
    placed: list[Placed] = []
    tip, lean = np.zeros(3), 0.0
    for level in reversed(spec.levels):
        size = level_size(level, spec.sex, spec.size)
        body = BodyShape(size=size, deformity=spec.deformities.get(level), node=spec.nodes.get(level))
        upper, lower, lean_up, lean_down = body.rim_line()
        if placed:
            disc = np.deg2rad(size.disc_deg)
            wider_mm = WIDER_BY * (_posterior_loss_mm(body) + _posterior_loss_mm(placed[-1].body)) / 2
            tip = tip + (size.disc_mm + wider_mm) * _axes(lean + disc / 2)[2]
            lean += disc
        lean += lean_down
        axes = _axes(lean)
        origin = tip - lower * axes[2]
        placed.append(Placed(level=level, body=body, arch=ArchShape(body=body), origin_mm=origin, axes=axes))
        tip = origin + upper * axes[2]
        lean += lean_up
    return _upright(placed[::-1])


def _upright(placed: list[Placed]) -> tuple[Placed, ...]:
    """Turn the chord of the spine vertical (or the middle of two bodies' axes) and centre it."""
    top, bottom = placed[0], placed[-1]
    chord = top.origin_mm - bottom.origin_mm if len(placed) > 2 else top.axes[2] + bottom.axes[2]
    lean = np.arctan2(-chord[1], chord[2])
    turn = rotation((-float(np.rad2deg(lean)), 0.0, 0.0))
    middle = np.mean([one.origin_mm for one in placed], axis=0)
    shifted = [
        Placed(level=p.level, body=p.body, arch=p.arch, origin_mm=p.origin_mm - middle, axes=p.axes) for p in placed
    ]
    return tuple(one.moved(turn) for one in shifted)
