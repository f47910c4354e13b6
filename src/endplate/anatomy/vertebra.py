"""What the anatomy stage hands downstream: vertebrae with frames, endplates and pedicles, and the spine they form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.finding import Caution, Gap
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Endplate:
    """An endplate as a height map in the vertebra's own frame.

    Attributes
    ----------
    centre_mm : (3,) LPS, mean of the fitted surface.
    normal : (3,) unit LPS vector of the best plane, pointing out of the body.
    right_mm, anterior_mm : (nx,), (ny,) coordinates of the map along the vertebra's axes, origin at its centroid.
    superior_mm : (nx, ny) height of the bony surface along the superior axis, NaN where there is none; sub-voxel.
    breach : (nx, ny) bool where the surface departs from the robust fit (a break or a Schmorl node).
    rim_mm : (n, 3) LPS outline.
    """

    centre_mm: NDArray[np.float64]
    normal: NDArray[np.float64]
    right_mm: NDArray[np.float64]
    anterior_mm: NDArray[np.float64]
    superior_mm: NDArray[np.float64]
    breach: NDArray[np.bool_]
    rim_mm: NDArray[np.float64]

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pedicle:
    """A pedicle: narrowest cross-section (isthmus) and the axis a needle would follow, pointing forward."""

    isthmus_mm: NDArray[np.float64]
    axis: NDArray[np.float64]
    width_mm: float
    height_mm: float
    length_mm: float

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canal:
    """The vertebral canal: centre line (n, 3) LPS mm from head to foot and its cross-section area at each point."""

    centre_mm: NDArray[np.float64]
    area_mm2: NDArray[np.float64]

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Vertebra:
    """One vertebra on its own crop of the scan's grid.

    Attributes
    ----------
    body, arch : (I, J, K) bool on `grid`; together the whole mask.
    fill : (I, J, K) float32 in 0..1, fraction of each voxel inside the half-level surface of the mask.
    centroid_mm : (3,) LPS, centroid of the body.
    axes : (3, 3) rows right, anterior, superior: orthonormal LPS vectors of the patient-anatomical frame.
    superior, inferior : endplates; None where the field cuts them or they could not be found.
    left, right : pedicles of the patient's left and right; None where not found.
    cut_by_field : the scan border cuts the *body*.
    label_edges_mm : edges of the voxels in which the label was drawn, along each axis of the grid; None is the grid's.
    cut_arch : the scan border cuts the arch or processes only (harmless for heights).
    """

    level: Level
    grid: Grid
    body: NDArray[np.bool_]
    arch: NDArray[np.bool_]
    fill: NDArray[np.float32]
    centroid_mm: NDArray[np.float64]
    axes: NDArray[np.float64]
    superior: Endplate | None
    inferior: Endplate | None
    left: Pedicle | None
    right: Pedicle | None
    cut_by_field: bool
    cut_arch: bool
    label_edges_mm: tuple[float, float, float] | None = None

    @property
    def edges_mm(self) -> NDArray[np.float64]:
        """(3,) Edges of the voxels in which the label was drawn, along each axis of the grid."""
        return np.array(self.label_edges_mm) if self.label_edges_mm is not None else self.grid.spacing_mm

    @property
    def axis_along(self) -> int:
        """The axis of the grid that lies closest to the superior axis."""
        along = np.abs(self.axes[2] @ self.grid.affine[:3, :3]) / self.grid.spacing_mm
        return int(along.argmax())

    __repr__ = short_repr

    def to_local_mm(self, xyz_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """World LPS mm (..., 3) to (right, anterior, superior) mm from the body centroid."""
        return (np.asarray(xyz_mm, float) - self.centroid_mm) @ self.axes.T

    def to_world_mm(self, local_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """(right, anterior, superior) mm from the body centroid (..., 3) to world LPS mm."""
        return np.asarray(local_mm, float) @ self.axes + self.centroid_mm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spine:
    """The vertebrae in the field from head to foot, the canal, and what the label check had to say."""

    vertebrae: tuple[Vertebra, ...]
    canal: Canal | None
    cautions: tuple[Caution, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def __repr__(self) -> str:
        """Levels from head to foot, and what the label check had to say in numbers."""
        levels = ", ".join(str(vertebra.level) for vertebra in self.vertebrae) or "no vertebra"
        return f"<Spine: {levels}; {len(self.cautions)} cautions, {len(self.gaps)} gaps>"

    @property
    def distrusted(self) -> frozenset[Level]:
        """Levels whose labels the check found unreliable (a gap with the code `vertebra`); all, for a flip."""
        named = {gap.level for gap in self.gaps if gap.code == "vertebra"}
        if None in named:
            named |= {vertebra.level for vertebra in self.vertebrae}
        return frozenset(level for level in named if level is not None)

    def at(self, level: Level | str) -> Vertebra | None:
        """The vertebra of a level or its name, or None."""
        return next((vertebra for vertebra in self.vertebrae if vertebra.level == level), None)
