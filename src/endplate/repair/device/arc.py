"""The arc on which a curved balloon lies: it leaves the needle along its axis and bends to one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def aside(direction: Array, towards: Array) -> Array:
    """Unit part (..., 3) of a vector across unit directions (..., 3)."""
    side = towards - (towards * direction).sum(axis=-1, keepdims=True) * direction
    return np.asarray(side / np.linalg.norm(side, axis=-1, keepdims=True))


def chord(length_mm: float, bend_deg: float) -> tuple[float, float]:
    """How far an arc goes along the direction in which it begins, and how far aside, mm.

    Parameters
    ----------
    length_mm : along the arc. bend_deg : angle between its directions at the beginning and at the end, above 0.
    """
    turn = np.deg2rad(bend_deg)
    radius_mm = length_mm / turn
    return float(radius_mm * np.sin(turn)), float(radius_mm * (1 - np.cos(turn)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arc:
    """Arcs of one length and bend.

    Attributes
    ----------
    start_mm : (..., 3) where the balloon leaves the needle's axis. direction, side : (..., 3) unit, of that axis, and
    across it to where it bends. length_mm : along the arc. bend_deg : angle between its two ends, above 0.
    """

    start_mm: Array
    direction: Array
    side: Array
    length_mm: float
    bend_deg: float

    @property
    def radius_mm(self) -> float:
        """Of its circle."""
        return self.length_mm / float(np.deg2rad(self.bend_deg))

    def at(self, share: float) -> Array:
        """(..., 3) mm, the place at a share 0..1 of its length."""
        along, off = chord(self.length_mm * share, self.bend_deg * share) if share else (0.0, 0.0)
        return np.asarray(self.start_mm + along * self.direction + off * self.side)

    def heading(self, share: float) -> Array:
        """(..., 3) unit, its direction there."""
        turn = np.deg2rad(self.bend_deg * share)
        return np.asarray(np.cos(turn) * self.direction + np.sin(turn) * self.side)

    def inwards(self, share: float) -> Array:
        """(..., 3) unit, from there to the centre of its circle."""
        turn = np.deg2rad(self.bend_deg * share)
        return np.asarray(np.cos(turn) * self.side - np.sin(turn) * self.direction)


def arc_to(tip_mm: Array, direction: Array, towards: Array, length_mm: float, bend_deg: float) -> Arc:
    """The arc that ends at a tip (3,) and begins along a direction (3,), bent towards a vector (3,) (any lengths)."""
    along = np.asarray(direction, float) / np.linalg.norm(direction)
    side = aside(along, np.asarray(towards, float))
    forward, off = chord(length_mm, bend_deg)
    start = np.asarray(tip_mm, float) - forward * along - off * side
    return Arc(start_mm=start, direction=along, side=side, length_mm=length_mm, bend_deg=bend_deg)


def arc_between(start_mm: Array, direction: Array, tip_mm: Array, bend_deg: float) -> Arc:
    """The arc of a bend that begins at a start (3,) along a direction (3,) (any length) and ends at a tip (3,)."""
    chord_mm, half = tip_mm - start_mm, np.deg2rad(bend_deg) / 2
    along = direction / np.linalg.norm(direction)
    length_mm = float(np.linalg.norm(chord_mm) * half / np.sin(half))
    side = aside(along, chord_mm)
    return Arc(start_mm=start_mm, direction=along, side=side, length_mm=length_mm, bend_deg=bend_deg)


def arc_ending(through_mm: Array, tip_mm: Array, towards: Array, length_mm: float, bend_deg: float) -> Arc:
    """Arcs whose needles pass points (m, 3) and whose front ends lie at tips (m, 3).

    Parameters
    ----------
    towards : (3,) to which they bend, in the plane of it, point and tip. length_mm, bend_deg : of the balloon.

    Returns
    -------
    The only arc of each; where the tip is too near for one, that with the sharpest angle to the straight line.
    """
    reach = tip_mm - through_mm
    far = np.linalg.norm(reach, axis=-1, keepdims=True)
    straight = reach / far
    beside = aside(straight, np.broadcast_to(towards, straight.shape))
    forward, off = chord(length_mm, bend_deg)
    sine = np.clip(off / far, 0.0, 1.0)
    cosine = np.sqrt(1 - sine**2)
    direction, side = cosine * straight - sine * beside, sine * straight + cosine * beside
    start = tip_mm - forward * direction - off * side
    return Arc(start_mm=start, direction=direction, side=side, length_mm=length_mm, bend_deg=bend_deg)
