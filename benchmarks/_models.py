"""Models that the benchmarks solve: a whole lumbar vertebra between caps, and balls of any size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from verification.public_data import data_folder

from endplate.numerics.voxel.connected_components import largest_piece
from endplate.numerics.voxel.mesh import VoxelMesh

CAP_MM = 5.0
CAP_DEPTH_MM = 10.0
"""How far a cap may reach down from its flat face: over the hollow of the endplate, not along the waist of the body."""

CAP_MODULUS_MPA = 2500.0
FLOOR_MPA = 0.1
DENSITY_PER_HU = 0.0008
"""g/cc per HU, uncalibrated: the benchmark needs realistic contrast, not a diagnosis."""


@dataclass(frozen=True, slots=True)
class Model:
    """Moduli (I, J, K) in MPa, zero where empty, on cubes of `spacing_mm`; ends of axis k are pressed together."""

    name: str
    modulus: NDArray[np.float64]
    spacing_mm: float

    def mesh(self) -> VoxelMesh:
        """The active voxels."""
        return VoxelMesh.from_active(self.modulus > 0, self.spacing_mm)

    def element_modulus(self, mesh: VoxelMesh) -> NDArray[np.float64]:
        """(E,) moduli in mesh order."""
        return np.asarray(self.modulus[tuple(mesh.element_ijk.T)])

    def supports(self, mesh: VoxelMesh) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Fixed (N, 3) and prescribed (N, 3): lowest plane held, highest pressed down by 1 % of the height."""
        low = mesh.nodes_on_plane(2, 0)
        high = mesh.nodes_on_plane(2, self.modulus.shape[2])
        fixed = np.zeros((mesh.n_nodes, 3), dtype=np.bool_)
        fixed[low] = fixed[high] = True
        prescribed = np.zeros((mesh.n_nodes, 3))
        prescribed[high, 2] = -0.01 * self.modulus.shape[2] * self.spacing_mm
        return fixed, prescribed


def shared_data() -> Path | None:
    """Folder of public data beside the repository, or None."""
    folder = data_folder()
    return folder if folder.is_dir() else None


def _axis_superior(path: Path) -> NDArray[np.float64]:
    """Voxels of a P-I-R image as [left, posterior, superior]."""
    image = nib.load(path)
    if "".join(nib.aff2axcodes(image.affine)) != "PIR":
        raise ValueError(f"{path.name} is expected in P-I-R order")
    return np.asarray(image.dataobj, dtype=np.float64).transpose(2, 0, 1)[::-1, :, ::-1]


def whole_l3(spacing_mm: float, data: Path) -> Model:
    """L3 of `tptbox-l3` with both processes, resampled to cubes, with caps on the endplates out to flat faces."""
    folder = data / "tptbox-l3"
    hu = _axis_superior(folder / "sub-ct_label-22_ct.nii.gz")
    bone = _axis_superior(folder / "sub-ct_seg-vert_label-22_msk.nii.gz") == 22
    region = _axis_superior(folder / "sub-ct_seg-subreg_label-22_msk.nii.gz")
    zoom = 1.5 / spacing_mm
    hu = ndimage.zoom(hu, zoom, order=1, grid_mode=True, mode="nearest")
    body = _fine_mask(bone & np.isin(region, (49, 50)), zoom)
    bone = _fine_mask(bone, zoom) | body
    modulus = np.where(bone, np.maximum(2980 * np.maximum(hu * DENSITY_PER_HU, 0) ** 1.05, FLOOR_MPA), 0)
    return Model(f"whole L3 with caps, {spacing_mm:g} mm", _with_caps(modulus, body, spacing_mm), spacing_mm)


def _fine_mask(mask: NDArray[np.bool_], zoom: float) -> NDArray[np.bool_]:
    return np.asarray(ndimage.zoom(mask.astype(np.float32), zoom, order=1, grid_mode=True, mode="nearest") > 0.5)


def _with_caps(modulus: NDArray[np.float64], body: NDArray[np.bool_], spacing_mm: float) -> NDArray[np.float64]:
    """Fill the columns over and under the body out to flat faces, cut there, and keep the largest piece."""
    planes = np.flatnonzero(body.any(axis=(0, 1)))
    margin = round(CAP_MM / spacing_mm)
    low, high = planes[0] - margin, planes[-1] + margin + 1
    pad = max(0, -low, high - body.shape[2])
    modulus, body = (np.pad(a, ((0, 0), (0, 0), (pad, pad))) for a in (modulus, body))
    modulus, body = modulus[:, :, low + pad : high + pad], body[:, :, low + pad : high + pad]
    above = np.cumsum(body, axis=2) == 0
    below = np.cumsum(body[:, :, ::-1], axis=2)[:, :, ::-1] == 0
    column = body.any(axis=2, keepdims=True)
    depth = round(CAP_DEPTH_MM / spacing_mm)
    below[:, :, :-depth] = False
    above[:, :, depth:] = False
    capped = np.where((above | below) & column & (modulus == 0), CAP_MODULUS_MPA, modulus)
    keep, _ = largest_piece(capped > 0)
    capped = np.where(keep, capped, 0)
    i, j = (np.flatnonzero(capped.any(axis=axes)) for axes in ((1, 2), (0, 2)))
    return np.ascontiguousarray(capped[i[0] : i[-1] + 1, j[0] : j[-1] + 1])


def bone_ball(elements: int, spacing_mm: float = 1.0) -> Model:
    """A ball of about so many elements with blobs of bone from 20 to 2000 MPa, cut flat at both ends."""
    radius = (elements * 3 / (4 * np.pi)) ** (1 / 3)
    n = int(2 * radius) + 2
    axis = np.arange(n) - (n - 1) / 2
    r2 = axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2
    noise = np.random.default_rng(4711).standard_normal((n // 4 + 1,) * 3).astype(np.float32)
    blobs = np.repeat(np.repeat(np.repeat(noise, 4, 0), 4, 1), 4, 2)[:n, :n, :n]
    modulus = np.where(r2 < radius**2, np.clip(200 * np.exp(blobs), 20, 2000), 0)
    cut = max(1, n // 16)
    return Model(f"ball, {elements:,} elements", np.ascontiguousarray(modulus[:, :, cut : n - cut]), spacing_mm)
