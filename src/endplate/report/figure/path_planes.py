"""A needle's path on three planes of the CT: two along the needle and one across it in the pedicle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.image.volume import Volume
from endplate.repair.access.access_result import NeedlePath
from endplate.repair.access.clearance import describe
from endplate.report.figure import svg
from endplate.report.figure.bitmap import grey_webp, silhouette_png
from endplate.report.figure.path_needle import needle_marks
from endplate.report.figure.plane import outlines, sample

PER_MM = 4.2
"""Drawing units per millimetre: a plane is then about a telephone's width."""
PIXEL_MM = 0.5
SIDE_SHIFT_MM = 8.0
"""The planes along the needle are centred this far to its side, so that canal and entry are both in the picture."""
SIZE_MM = {"above": (74.0, 82.0), "side": (74.0, 56.0), "across": (74.0, 44.0)}
TITLE, FOOT, LINE = 24.0, 42.0, 16.0
"""Height of the lines of words above and below a picture."""
SMALLEST_MM = 2.0
"""Outlines smaller than this are specks."""
IN_A_LINE = 3
"""Clearances that fit into one line below a picture."""
SHOWN = {
    "above": ("medial", "lateral", "anterior"),
    "side": ("superior", "inferior", "endplates"),
    "across": ("medial", "lateral", "superior", "inferior"),
}
"""Walls whose clearance is told below each plane: those that it shows best."""
NAMES = {
    "above": "along the needle, seen from below",
    "side": "along the needle, from the side",
    "across": "across the needle in the pedicle",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathPlane:
    """A picture plane: its middle (3,) LPS, unit directions right and down in the picture, size in mm.

    `marks` are the names of its left, right, upper and lower edge.
    """

    name: str
    middle_mm: NDArray[np.float64]
    right: NDArray[np.float64]
    down: NDArray[np.float64]
    size_mm: tuple[float, float]
    marks: tuple[str, str]

    def project(self, xyz_mm: ArrayLike) -> NDArray[np.float64]:
        """World LPS mm (..., 3) to drawing units (..., 2)."""
        away = np.asarray(xyz_mm, float) - self.middle_mm
        half = np.array(self.size_mm) / 2
        place = np.stack([away @ self.right, away @ self.down], axis=-1) + half
        return np.asarray(place * PER_MM + np.array([0.0, TITLE]))

    def points_mm(self) -> NDArray[np.float64]:
        """World points (rows, columns, 3) of the pixels."""
        width, height = self.size_mm
        x = np.arange(PIXEL_MM / 2, width, PIXEL_MM) - width / 2
        y = np.arange(PIXEL_MM / 2, height, PIXEL_MM) - height / 2
        return self.middle_mm + x[None, :, None] * self.right + y[:, None, None] * self.down


def path_figures(path: NeedlePath, vertebra: Vertebra, volume: Volume | None = None) -> tuple[Markup, ...]:
    """Two planes along the needle and, where the pedicle was found, one across it at the isthmus."""
    return tuple(_figure(plane, path, vertebra, volume) for plane in _planes(path, vertebra))


def _planes(path: NeedlePath, vertebra: Vertebra) -> list[PathPlane]:
    forward = path.target_mm - path.entry_mm
    forward = forward / np.linalg.norm(forward)
    right, _, superior = vertebra.axes
    outward = right if path.side == "right" else -right
    middle = (path.entry_mm + path.target_mm) / 2
    # Slide the first plane's middle along the plane only, so that the needle stays in it.
    sideways = (vertebra.centroid_mm - middle) @ outward + SIDE_SHIFT_MM
    planes = [
        PathPlane(
            name="above",
            middle_mm=middle + sideways * outward,
            right=-right,
            down=-_unit(forward - (forward @ right) * right),
            size_mm=SIZE_MM["above"],
            marks=("right", "left"),
        ),
        PathPlane(
            name="side",
            middle_mm=middle,
            right=-_unit(forward - (forward @ superior) * superior),
            down=-superior,
            size_mm=SIZE_MM["side"],
            marks=("front", "back"),
        ),
    ]
    pedicle = vertebra.left if path.side == "left" else vertebra.right
    if pedicle is not None:
        across = _unit(np.cross(forward, superior))
        planes.append(
            PathPlane(
                name="across",
                middle_mm=path.entry_mm + ((pedicle.isthmus_mm - path.entry_mm) @ forward) * forward,
                right=-across,
                down=-np.cross(across, forward),
                size_mm=SIZE_MM["across"],
                marks=("right", "left"),
            )
        )
    return planes


def _figure(plane: PathPlane, path: NeedlePath, vertebra: Vertebra, volume: Volume | None) -> Markup:
    points = plane.points_mm()
    width, height = (size * PER_MM for size in plane.size_mm)
    body, arch = (sample(part, vertebra.grid, points, 0.0) for part in (vertebra.body, vertebra.arch))
    bone = sample(vertebra.fill, vertebra.grid, points, 0.0)
    uri = (
        grey_webp(sample(volume.hu, volume.grid, points))
        if volume is not None
        else silhouette_png(body > 0.5, arch > 0.5)
    )
    edge = "#9fd8ff" if volume is not None else "#3f474f"
    inside = [svg.picture(0, TITLE, width, height, uri)]
    for line in outlines(bone):
        if np.ptp(line, axis=0).max() * PIXEL_MM > SMALLEST_MM:
            place = (line + 0.5) * PIXEL_MM * PER_MM + np.array([0.0, TITLE])
            inside.append(svg.path(place, fill="none", stroke=edge, stroke_width=1.3))
    inside += needle_marks(path, plane.project, PER_MM, (width, TITLE + height))
    inside += _edges(plane, width, height)
    clip = f"clip-{plane.name}-{path.level}-{path.side}"
    frame = svg.element("clipPath", svg.rectangle(0, TITLE, width, height), id=clip)
    kind = "on-ct" if volume is not None else "on-paper"
    parts = [
        frame,
        svg.group(inside, class_=kind, clip_path=f"url(#{clip})"),
        svg.text(2, 16, f"{path.level} {path.side}: {NAMES[plane.name]}", class_="strip-line"),
        *(
            svg.text(2, TITLE + height + 18 + LINE * number, words, class_="strip-line")
            for number, words in enumerate(_clearances(plane, path))
        ),
    ]
    identity = f"path-{plane.name}-{path.level}-{path.side}"
    return svg.drawing(width, TITLE + height + FOOT, _alt(plane, path), parts, identity)


def _edges(plane: PathPlane, width: float, height: float) -> list[Markup]:
    left, right = plane.marks
    bar, low = 10.0 * PER_MM, TITLE + height - 8
    return [
        svg.text(6, TITLE + 16, left.upper(), class_="side-mark", data_side=left),
        svg.text(width - 6, TITLE + 16, right.upper(), class_="side-mark", text_anchor="end", data_side=right),
        svg.line(width - 10 - bar, low, width - 10, low, class_="scale-line"),
        svg.text(width - 10 - bar / 2, low - 5, "1 cm", class_="level-values", text_anchor="middle"),
    ]


def _clearances(plane: PathPlane, path: NeedlePath) -> list[str]:
    """The clearances that this plane shows, in words: a heading and a line, so that neither is cut."""
    short = {"medial": "medial (canal)", "anterior": "anterior", "superior": "cranial", "inferior": "caudal"}
    found = [
        f"{short.get(wall, wall)} {path.clearance_mm[wall]:.1f}"
        for wall in SHOWN[plane.name]
        if wall in path.clearance_mm
    ]
    if len(found) > IN_A_LINE:
        return [f"clearance (mm): {' · '.join(found[:2])}", " · ".join(found[2:])]
    return ["clearance (mm)", " · ".join(found)] if found else []


def _alt(plane: PathPlane, path: NeedlePath) -> str:
    walls = ", ".join(
        f"{describe(wall)} {path.clearance_mm[wall]:.1f} mm" for wall in SHOWN[plane.name] if wall in path.clearance_mm
    )
    return f"{path.level}, {path.side} needle ({path.needle.name}), {NAMES[plane.name]}. Clearance: {walls}."


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)
