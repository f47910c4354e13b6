"""The half-level surface of one vertebra as points between voxels, in the vertebra's own frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.surface import HALF_LEVEL, Frame, LocalBox, box_around, half_level, mask_points_mm, sample
from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited

STEP_MM = cited(
    0.5, "mm", "own algorithm, docs/theory.md, morphometry step 3: resample at 0.5 mm in the own frame", "design"
)
SIDE_REACH_MM = cited(45.0, "mm", "Own choice: body and pedicles, not the tips of transverse processes", "design")
MARGIN_MM = cited(2.0, "mm", "Own choice: the surface lies within this of the outermost voxels", "design")
NORMAL_SPAN_MM = cited(1.0, "mm", "Own choice: evens the steps of voxels, keeps edges of walls", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surface:
    """Surface points of a vertebra and the field they come from.

    Attributes
    ----------
    box : sample points in the vertebra's frame (right, anterior, superior). field : (nx, ny, nz) smooth indicator.
    points, normals : (n, 3) mm and unit vectors out of the bone, in the frame. of_body : (n,) not on the arch.
    """

    box: LocalBox
    field: NDArray[np.float32]
    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    of_body: NDArray[np.bool_]

    def value(self, local_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Indicator at points (..., 3) of the frame; 0 beyond the box."""
        return _at(self.field, self.box, local_mm)

    def inside(self, local_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether points (..., 3) of the frame lie in bone."""
        return self.value(local_mm) >= HALF_LEVEL


def own_frame(vertebra: Vertebra) -> Frame:
    """The vertebra's frame, origin at its body's centroid."""
    return Frame(origin_mm=vertebra.centroid_mm, axes=vertebra.axes)


def bone_surface(vertebra: Vertebra) -> Surface:
    """Surface of a vertebra within reach of a needle; holes inside the bone are no walls."""
    mask = ndimage.binary_fill_holes(vertebra.body | vertebra.arch)
    frame = own_frame(vertebra)
    local = frame.to_local(mask_points_mm(mask, vertebra.grid))
    local = local[np.abs(local[:, 0]) <= SIDE_REACH_MM]
    box = box_around(local, STEP_MM, MARGIN_MM)
    field = sample(half_level(mask), vertebra.grid, frame, box)
    points = _crossings(field, box)
    body = sample(half_level(vertebra.body), vertebra.grid, frame, box)
    return Surface(
        box=box,
        field=field,
        points=points,
        normals=_normals(field, box, points),
        of_body=_at(body, box, points) >= _at(field, box, points) / 2,
    )


def _crossings(field: NDArray[np.float32], box: LocalBox) -> NDArray[np.float64]:
    """Points (n, 3) where the field crosses the half level between neighbouring samples."""
    half = HALF_LEVEL
    inside = field >= half
    start = np.array([box.right_mm[0], box.anterior_mm[0], box.superior_mm[0]])
    found = []
    for axis in range(3):
        here = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        there = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        index = np.argwhere(inside[here] != inside[there])
        beyond = index + np.eye(3, dtype=int)[axis]
        a, b = field[tuple(index.T)].astype(float), field[tuple(beyond.T)].astype(float)
        place = index.astype(float)
        place[:, axis] += (a - half) / (a - b)
        found.append(start + place * box.step_mm)
    return np.concatenate(found)


def _normals(field: NDArray[np.float32], box: LocalBox, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors out of the bone by central differences over a span that evens voxel steps."""
    span = NORMAL_SPAN_MM
    slope = np.stack(
        [_at(field, box, points - span * unit) - _at(field, box, points + span * unit) for unit in np.eye(3)], axis=-1
    )
    return np.asarray(slope / np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 1e-6))


def _at(field: NDArray[np.float32], box: LocalBox, local_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    start = np.array([box.right_mm[0], box.anterior_mm[0], box.superior_mm[0]])
    index = np.moveaxis((np.asarray(local_mm, float) - start) / box.step_mm, -1, 0)
    return np.asarray(ndimage.map_coordinates(field, index, order=1, mode="constant", output=np.float64))
