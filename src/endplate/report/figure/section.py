"""Sagittal and coronal pictures: CT along the spine's curve with labels, endplates and measured heights on it."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.case import Case
from endplate.fracture.result import Fracture, Heights
from endplate.report.figure import svg
from endplate.report.figure.bitmap import grey_webp, silhouette_png
from endplate.report.figure.plane import Section, View, cut, fit_frame, outlines, sample

PER_MM = 2.3
"""Drawing units per millimetre: the sagittal picture is then about 350 units wide, a telephone's width."""
BAND_MM = 5.0
"""Half width of the mid-sagittal band over which the drawn endplate profile is averaged, as the heights are."""
HEIGHT_PLACES = {"anterior": 0.125, "middle": 0.5, "posterior": 0.875}
"""Depth fractions from the front at which the three heights are drawn (the catalogue's definitions)."""
SMALLEST_OUTLINE_MM = 5.0
"""Outlines smaller than this are specks that would hide the picture."""
SLAB_MM = (-1.0, 0.0, 1.0)
"""Offsets across the plane that are averaged, to quiet noise."""


def section_figure(case: Case, view: View) -> Markup | None:
    """The picture of one view; None where no vertebra was found."""
    if case.spine is None or not case.spine.vertebrae:
        return None
    section = cut(fit_frame(case.spine), view)
    body, arch = _masks(case.spine.vertebrae, section)
    width, height = section.width_mm * PER_MM, section.height_mm * PER_MM
    kind = "on-ct" if case.volume is not None else "on-paper"
    parts = [_background(case, section, body, arch, width, height)]
    parts += _outlines(body, section, "body-line") + _outlines(arch, section, "arch-line")
    if case.densities:
        parts += _outlines(_regions(case, section), section, "roi-line")
    for vertebra in case.spine.vertebrae:
        parts += _vertebra(case, vertebra, section)
    parts += _marks(view, width, height)
    return svg.drawing(
        width, height, _alt(case, view), [svg.group(parts, class_=kind)], f"{view}-section", plate=case.volume is None
    )


def _alt(case: Case, view: View) -> str:
    levels = [str(vertebra.level) for vertebra in case.spine.vertebrae] if case.spine else []
    what = "CT" if case.volume is not None else "Label"
    side = "patient's front at the left" if view == "sagittal" else "patient's right at the left"
    return (
        f"{what} section, {view}, along the curve of the spine from {levels[0]} to {levels[-1]}, {side}, with outlines "
        "of the vertebral bodies, endplates and, where measured, heights in millimetres."
    )


def _masks(vertebrae: tuple[Vertebra, ...], section: Section) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Body and arch of all levels sampled on the section."""
    shape = section.points_mm.shape[:2]
    body, arch = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for vertebra in vertebrae:
        np.maximum(body, sample(vertebra.body, vertebra.grid, section.points_mm, 0.0), out=body)
        np.maximum(arch, sample(vertebra.arch, vertebra.grid, section.points_mm, 0.0), out=arch)
    return body, arch


def _regions(case: Case, section: Section) -> NDArray[np.float32]:
    """Density regions of interest of all levels sampled on the section."""
    region = np.zeros(section.points_mm.shape[:2], np.float32)
    for density in case.densities:
        np.maximum(region, sample(density.roi, density.grid, section.points_mm, 0.0), out=region)
    return region


def _background(
    case: Case,
    section: Section,
    body: NDArray[np.float32],
    arch: NDArray[np.float32],
    width: float,
    height: float,
) -> Markup:
    if case.volume is None:
        return svg.picture(0, 0, width, height, silhouette_png(body > 0.5, arch > 0.5))
    across = section.frame.axes[0 if section.view == "sagittal" else 1]
    slab = [
        sample(case.volume.hu, case.volume.grid, section.points_mm + offset * across).astype(np.float32)
        for offset in SLAB_MM
    ]
    return svg.picture(0, 0, width, height, grey_webp(np.mean(slab, axis=0)))


def _outlines(mask: NDArray[np.float32], section: Section, name: str) -> list[Markup]:
    rows, columns = mask.shape
    scale = np.array([section.width_mm / columns, section.height_mm / rows]) * PER_MM
    drawn = [(line + 0.5) * scale for line in outlines(mask)]
    return [svg.path(line, class_=name) for line in drawn if np.ptp(line, axis=0).max() > SMALLEST_OUTLINE_MM * PER_MM]


def _vertebra(case: Case, vertebra: Vertebra, section: Section) -> list[Markup]:
    """Endplates, heights and name of one level."""
    parts = []
    for endplate in (vertebra.superior, vertebra.inferior):
        if endplate is not None:
            line = vertebra.to_world_mm(_profile(endplate, section.view))
            parts.append(svg.path(section.project(line) * PER_MM, class_="endplate-line"))
    reading = next((item for item in case.fractures if item.level is vertebra.level), None)
    values = ""
    if section.view == "sagittal" and reading is not None:
        parts += _heights(vertebra, reading.heights, section)
        values = _written(reading.heights)
        parts += _grade(reading, vertebra, section)
    return parts + _name(vertebra, values, section)


def _grade(reading: Fracture, vertebra: Vertebra, section: Section) -> list[Markup]:
    """At the right edge what a reader looks for: the grade where height was lost, and whether it is a fracture."""
    y = float(section.project(vertebra.centroid_mm)[1]) * PER_MM
    x = section.width_mm * PER_MM - 5
    shape = f" {reading.shape}" if reading.shape not in (None, "none") else ""
    lines = [(f"Genant {reading.genant_grade}{shape}", "level-name")] if reading.genant_grade else []
    if reading.fracture == "yes":
        lines.append(("FRACTURE", "side-mark"))
    elif reading.fracture == "indeterminate" and reading.genant_grade:
        lines.append(("fracture?", "level-values"))
    if reading.genant_grade is None:
        lines.append(("not graded", "level-values"))
    return [
        svg.text(x, y - 2 + 16 * place, words, class_=name, text_anchor="end")
        for place, (words, name) in enumerate(lines)
    ]


def _profile(endplate: Endplate, view: View) -> NDArray[np.float64]:
    """The endplate's line (n, 3) in the vertebra's frame: averaged over the band the section runs in."""
    across = endplate.right_mm if view == "sagittal" else endplate.anterior_mm - np.mean(endplate.anterior_mm)
    height = endplate.superior_mm if view == "sagittal" else endplate.superior_mm.T
    band = height[np.abs(across) <= BAND_MM]
    count = np.isfinite(band).sum(axis=0)
    mean = np.where(count > 0, np.nansum(band, axis=0) / np.maximum(count, 1), np.nan)
    along = endplate.anterior_mm if view == "sagittal" else endplate.right_mm
    zero = np.full_like(along, 0.0 if view == "sagittal" else np.mean(endplate.anterior_mm))
    return np.stack([zero, along, mean] if view == "sagittal" else [along, zero, mean], axis=-1)


def _heights(vertebra: Vertebra, heights: Heights, section: Section) -> list[Markup]:
    """Three lines from endplate to endplate with small feet."""
    parts = []
    for _, ends in height_ends(vertebra, heights):
        (x1, y1), (x2, y2) = section.project(ends) * PER_MM
        if np.isfinite([x1, y1, x2, y2]).all():
            parts.append(svg.line(x1, y1, x2, y2, class_="height-line"))
    return parts


def height_ends(vertebra: Vertebra, heights: Heights) -> list[tuple[str, NDArray[np.float64]]]:
    """The measured heights of a level, each with its upper and lower end (2, 3), world LPS mm."""
    if vertebra.superior is None or vertebra.inferior is None:
        return []
    upper, lower = (_profile(item, "sagittal") for item in (vertebra.superior, vertebra.inferior))
    shared = np.isfinite(np.interp(upper[:, 1], lower[:, 1], lower[:, 2])) & np.isfinite(upper[:, 2])
    if shared.sum() < 3:
        return []
    front, back = upper[shared, 1].max(), upper[shared, 1].min()
    found = []
    for name, place in HEIGHT_PLACES.items():
        if getattr(heights, name).value is None:
            continue
        anterior = front - place * (front - back)
        ends = np.array([[0.0, anterior, _at(upper, anterior)], [0.0, anterior, _at(lower, anterior)]])
        if np.isfinite(ends).all():
            found.append((name, vertebra.to_world_mm(ends)))
    return found


def _at(profile: NDArray[np.float64], anterior: float) -> float:
    known = np.isfinite(profile[:, 2])
    return float(np.interp(anterior, profile[known, 1], profile[known, 2])) if known.any() else float("nan")


def _written(heights: Heights) -> str:
    values = [heights.anterior.value, heights.middle.value, heights.posterior.value]
    return "not measured" if not any(values) else " · ".join("?" if v is None else f"{v:.0f}" for v in values)


def _name(vertebra: Vertebra, values: str, section: Section) -> list[Markup]:
    """The level's name, and its heights below it, in the free strip at the left of the picture."""
    centre = section.project(vertebra.centroid_mm) * PER_MM
    parts = [svg.text(8, centre[1] + 2, str(vertebra.level), class_="level-name")]
    if values:
        parts.append(svg.text(8, centre[1] + 16, values, class_="level-values"))
    return parts


def _marks(view: View, width: float, height: float) -> list[Markup]:
    """Orientation letters at the picture's edges and a 5 cm scale."""
    left, right = ("front", "back") if view == "sagittal" else ("right", "left")
    bar = 50.0 * PER_MM
    top = height - 12
    return [
        svg.text(8, 18, left.upper(), class_="side-mark", data_side=left),
        svg.text(width - 8, 18, right.upper(), class_="side-mark", text_anchor="end", data_side=right),
        svg.line(width - 12 - bar, top, width - 12, top, class_="scale-line"),
        svg.text(width - 12 - bar / 2, top - 5, "5 cm", class_="level-values", text_anchor="middle"),
    ]
