"""Grids, CT volumes and label maps in one world frame: LPS millimetres (left, posterior, superior positive).

Arrays are indexed [i, j, k] in the order of the affine's columns and are brought to the axis order closest to LPS at
reading, so i runs to the patient's left, j to the back, k to the head.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.image.orient import LPS_AXES, StoredAxes
from endplate.image.placed import (
    Frame,
    Placed,
    as_hu,
    nibabel_image,
    place_array,
    place_nibabel,
    place_sitk,
    sitk_image,
)
from endplate.image.series_ref import SeriesRef
from endplate.level import FROM_VERSE_ID


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Grid:
    """Where the voxels lie: shape and the affine from index to LPS mm (voxel centres)."""

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    def __repr__(self) -> str:
        """Voxels, their edges and the centre of the first one."""
        origin = ", ".join(f"{x:.6g}" for x in self.affine[:3, 3])
        return f"<Grid: {_shape_of(self)}, first voxel at ({origin}) mm>"

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        i, j, k = (int(n) for n in self.shape)
        object.__setattr__(self, "shape", (i, j, k))

    @property
    def spacing_mm(self) -> NDArray[np.float64]:
        """Voxel edge lengths (3,), mm."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel, mm3."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def to_mm(self, ijk: Any) -> NDArray[np.float64]:
        """World points (..., 3) in LPS mm of indices (..., 3)."""
        return np.asarray(ijk, float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, xyz_mm: Any) -> NDArray[np.float64]:
        """Fractional indices (..., 3) of world points (..., 3) in LPS mm."""
        return (np.asarray(xyz_mm, float) - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T

    def crop(self, start: Any, stop: Any) -> Grid:
        """The sub-grid of indices start <= ijk < stop."""
        affine = self.affine.copy()
        affine[:3, 3] = self.to_mm(start)
        i, j, k = (int(b) - int(a) for a, b in zip(start, stop, strict=True))
        return Grid(shape=(i, j, k), affine=affine)

    def matches(self, other: Grid, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same shape and their corner voxels coincide within the tolerance."""
        return self.shape == other.shape and self.apart_mm(other) <= tolerance_mm

    def apart_mm(self, other: Grid) -> float:
        """The farthest that the two affines place a corner voxel of this grid apart, along one axis, mm."""
        corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(self.shape) - 1)
        return float(np.abs(self.to_mm(corners) - other.to_mm(corners)).max())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Volume:
    """A CT: Hounsfield units on a grid.

    Parameters
    ----------
    grid : Grid
        Shape and affine from index to LPS mm.
    hu : ndarray of int16 or float32, shape (I, J, K)
        Hounsfield units; made read-only.
    series : SeriesRef, optional
        File or DICOM series that it came from, and acquisition facts.
    axes : StoredAxes, optional
        How its axes lay in the file: volumes that leave are written that way.
    """

    grid: Grid
    hu: NDArray[Any]
    series: SeriesRef | None = None
    axes: StoredAxes = LPS_AXES

    def __post_init__(self) -> None:
        self.hu.setflags(write=False)

    @classmethod
    def from_array(cls, hu: ArrayLike, affine: ArrayLike, frame: Frame) -> Volume:
        """A CT from an array.

        Parameters
        ----------
        hu : array_like, shape (I, J, K)
            Hounsfield units in the order of the affine's columns, any orientation.
        affine : array_like, shape (4, 4)
            From index to mm at voxel centres.
        frame : {"RAS", "LPS"}
            World frame of `affine`: nibabel counts in RAS, SimpleITK and DICOM in LPS.

        Returns
        -------
        Volume
            The CT in the axis order closest to LPS.

        Raises
        ------
        OptionError, ImageError
            No frame, not one volume, or an affine that no scan has.
        """
        return placed_volume(place_array(hu, affine, frame))

    @classmethod
    def from_nibabel(cls, image: Any) -> Volume:
        """A CT from a nibabel image (RAS inside), brought to LPS.

        Parameters
        ----------
        image : nibabel image
            One three-dimensional volume in HU.

        Returns
        -------
        Volume
            The CT in the axis order closest to LPS.

        Raises
        ------
        ImageError
            Not one three-dimensional volume, or an affine that no scan has.
        """
        return placed_volume(place_nibabel(image))

    @classmethod
    def from_sitk(cls, image: Any) -> Volume:
        """A CT from a SimpleITK image (LPS inside), brought to the axis order closest to LPS.

        Parameters
        ----------
        image : SimpleITK.Image
            One three-dimensional volume in HU.

        Returns
        -------
        Volume
            The CT in the axis order closest to LPS.

        Raises
        ------
        ImageError
            Not one three-dimensional volume.
        """
        return placed_volume(place_sitk(image))

    def to_nibabel(self) -> Any:
        """The CT as a nibabel NIfTI image.

        Returns
        -------
        nibabel.Nifti1Image
            Hounsfield units; the affine is RAS, as all of nibabel's.
        """
        return nibabel_image(self.hu, self.grid.affine)

    def to_sitk(self) -> Any:
        """The CT as a SimpleITK image.

        Returns
        -------
        SimpleITK.Image
            Hounsfield units, LPS.

        Raises
        ------
        ImageError
            A sheared grid, which SimpleITK has no images for.
        """
        return sitk_image(self.hu, self.grid.affine)

    def __repr__(self) -> str:
        """Type, shape, voxels and range: arrays would fill the screen."""
        span = f"{self.hu.min():g} to {self.hu.max():g} HU" if self.hu.size else "empty"
        return f"<Volume: {_shape_of(self.grid)}, {self.hu.dtype}, {span}>"


def placed_volume(placed: Placed) -> Volume:
    """A CT from voxels with a place in the patient."""
    i, j, k = placed.values.shape
    return Volume(grid=Grid(shape=(i, j, k), affine=placed.affine), hu=as_hu(placed.values), axes=placed.axes)


def _shape_of(grid: Grid) -> str:
    """Voxels and their edges in words."""
    shape, edges = (" x ".join(f"{n:.4g}" for n in numbers) for numbers in (grid.shape, grid.spacing_mm))
    return f"{shape} voxels of {edges} mm (LPS)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LabelMap:
    """Vertebra labels on a grid.

    Parameters
    ----------
    grid : Grid
        Shape and affine from index to LPS mm.
    labels : ndarray of uint16, shape (I, J, K)
        VerSe numbers (`Level.verse_id`), already translated; 0 is background. Made read-only.
    scheme : str
        Name of the scheme found in the file, for the provenance.
    subregion : ndarray of uint8, shape (I, J, K), optional
        TPTBox codes 41 to 50 where the file gave them, else None.
    series : SeriesRef, optional
        File or DICOM series that they came from.
    notes : tuple of str, optional
        What was left out or changed at reading.
    axes : StoredAxes, optional
        How its axes lay in the file: volumes that leave are written that way where there is no CT.
    """

    grid: Grid
    labels: NDArray[np.uint16]
    scheme: str
    subregion: NDArray[np.uint8] | None = None
    series: SeriesRef | None = None
    notes: tuple[str, ...] = field(default=())
    axes: StoredAxes = LPS_AXES

    def __post_init__(self) -> None:
        self.labels.setflags(write=False)
        if self.subregion is not None:
            self.subregion.setflags(write=False)

    def to_nibabel(self) -> Any:
        """The labels as a nibabel NIfTI image.

        Returns
        -------
        nibabel.Nifti1Image
            VerSe numbers; the affine is RAS.
        """
        return nibabel_image(self.labels, self.grid.affine)

    def to_sitk(self) -> Any:
        """The labels as a SimpleITK image.

        Returns
        -------
        SimpleITK.Image
            VerSe numbers, LPS.

        Raises
        ------
        ImageError
            A sheared grid, which SimpleITK has no images for.
        """
        return sitk_image(self.labels, self.grid.affine)

    def __repr__(self) -> str:
        """Voxels, scheme and the levels in it."""
        present = [FROM_VERSE_ID[int(n)] for n in np.unique(self.labels) if int(n) in FROM_VERSE_ID]
        names = ", ".join(map(str, sorted(present))) or "no vertebra"
        return f"<LabelMap: {_shape_of(self.grid)}, {names}; scheme {self.scheme!r}>"
