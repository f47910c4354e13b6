"""Spine to fracture: heights, grades, shapes, angles."""

from endplate.fracture.alignment import measure_alignment
from endplate.fracture.findings import findings, gaps
from endplate.fracture.height.morphometry import HeightSettings, measure_heights
from endplate.fracture.reading import FractureSettings, grade_fractures

__all__ = [
    "FractureSettings",
    "HeightSettings",
    "findings",
    "gaps",
    "grade_fractures",
    "measure_alignment",
    "measure_heights",
]
