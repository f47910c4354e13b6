"""The folder of volumes: every one on the grid of the CT and in its axis order, each listed with unit and frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.atomic import write_text
from endplate.case import Case
from endplate.image.nifti import Meaning, write_box, write_labels, write_volume
from endplate.image.orient import StoredAxes
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.report.volumes_readme import Line, readme

README = "README.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFolder:
    """Writes the volumes and meshes of one case and keeps the list of them.

    Parameters
    ----------
    folder : Path
        An existing folder.
    grid : Grid
        The grid of the CT, or of the labels where there is no CT.
    axes : StoredAxes
        How the axes of that scan lay in its file.
    source : str
        What the grid is, for the list.
    crop : bool, default False
        Whether a volume of one level holds only the box round it.
    """

    folder: Path
    grid: Grid
    axes: StoredAxes
    source: str
    crop: bool = False
    lines: list[Line] = field(default_factory=list)

    @classmethod
    def of(cls, case: Case, folder: Path, crop: bool = False) -> VolumeFolder:
        """The folder for a case."""
        scan = case.labels if case.volume is None else case.volume
        kind = "label map" if case.volume is None else "CT"
        return cls(folder=folder, grid=scan.grid, axes=scan.axes, source=_source(scan, kind), crop=crop)

    @property
    def paths(self) -> list[Path]:
        """What was written so far."""
        return [self.folder / line.name for line in self.lines]

    def labels(self, labels: LabelMap, meaning: str) -> None:
        """Write the label map."""
        path = self._listed("labels.nii.gz", meaning, "VerSe number")
        write_labels(path, labels, self.axes)

    def mask(self, name: str, grid: Grid, array: NDArray[Any], meaning: Meaning) -> None:
        """Write whole numbers on a crop of the scan's grid, voxel by voxel."""
        start = np.rint(self.grid.to_index(grid.to_mm(np.zeros(3)))).astype(int)
        low = np.clip(start, 0, self.grid.shape)
        high = np.clip(start + grid.shape, low, self.grid.shape)
        inside = array[tuple(slice(a, b) for a, b in zip(low - start, high - start, strict=True))]
        self._write(name, inside, low, meaning)

    def amount(self, name: str, grid: Grid, values: NDArray[Any], meaning: Meaning, kept: type = np.uint8) -> None:
        """Write amounts from any grid, trilinear between its voxels, as whole numbers of the type `kept`."""
        box, start = on_grid(values, grid, self.grid, order=1)
        top = np.iinfo(kept).max
        self._write(name, np.clip(np.rint(box), 0, top).astype(kept), start, meaning)

    def sampled(self, name: str, grid: Grid, values: NDArray[Any], meaning: Meaning) -> None:
        """Write values of elements from any grid: each voxel has that of the element in which its centre lies."""
        box, start = on_grid(values, grid, self.grid, order=0)
        self._write(name, box, start, meaning)

    def other(self, name: str, what: str, unit: str, frame: str) -> Path:
        """List a file that something else writes; returns its path."""
        return self._listed(name, what, unit, frame)

    def end(self) -> list[Path]:
        """Write the list; returns the paths of everything in the folder."""
        paths = [*self.paths, self.folder / README]
        write_text(paths[-1], readme(self.lines, self.grid, self.axes, self.source, self.crop))
        return paths

    def _write(self, name: str, box: NDArray[Any], start: NDArray[Any], meaning: Meaning) -> None:
        path = self._listed(name, meaning.what, meaning.unit or meaning.name)
        if self.crop:
            window = self.grid.crop(start, np.asarray(start) + box.shape)
            write_volume(path, window, box, self.axes, meaning)
            return
        i, j, k = (int(n) for n in start)
        write_box(path, self.grid, box, (i, j, k), self.axes, meaning)

    def _listed(self, name: str, what: str, unit: str, frame: str = "") -> Path:
        self.lines.append(Line(name=name, what=what, unit=unit, frame=frame))
        return self.folder / name


def on_grid(
    values: NDArray[Any], source: Grid, target: Grid, order: int = 1
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Values on the part of another grid that their own reaches, and the index where that part begins.

    Only that box is computed: a scan can be a thousand times larger. What lies outside is zero.

    Parameters
    ----------
    values : (I, J, K) on `source`; NaN counts as 0. order : 1 trilinear, 0 the nearest value.
    """
    ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * np.array(source.shape) - 0.5
    box = target.to_index(source.to_mm(ends))
    low = np.clip(np.floor(box.min(axis=0)).astype(int), 0, np.array(target.shape) - 1)
    high = np.clip(np.ceil(box.max(axis=0)).astype(int) + 1, low + 1, target.shape)
    window = target.crop(low, high)
    matrix = np.linalg.inv(source.affine) @ window.affine
    filled = np.nan_to_num(np.asarray(values, np.float32))
    inside = ndimage.affine_transform(
        filled, matrix[:3, :3], matrix[:3, 3], window.shape, order=order, mode="grid-constant"
    )
    return inside, low


def _source(scan: Volume | LabelMap, kind: str) -> str:
    """What the grid of a scan is, in words."""
    notes = scan.series.notes if scan.series is not None else ()
    notes += scan.notes if isinstance(scan, LabelMap) else ()
    if any("undone by resampling" in note or "grid straightened" in note for note in notes):
        return f"that of the {kind} after its gantry tilt was undone by resampling"
    if scan.series is not None and scan.series.sop_uids:
        return "that on which endplate reads the DICOM series: axes run to the left, to the back and to the head"
    return f"that of the {kind}, in the axis order of its file"
