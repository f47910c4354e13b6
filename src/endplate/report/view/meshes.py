"""Surfaces for the viewer in MZ3, RAS mm: vertebrae, endplates, cement."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.atomic import write_bytes
from endplate.image.volume import Grid
from endplate.report.rehearsal.surface import surface

MAGIC, FACES, VERTICES = 0x5A4D, 1, 2
EDGE_MM = 1.1
"""Voxels of a drawn surface are no finer than about this: a screen shows no more."""
SMOOTH_VOXELS = 0.7

Mesh = tuple[NDArray[Any], NDArray[Any]]
"""Vertices (n, 3) LPS mm and triangles (m, 3)."""


def write_mz3(path: Path, mesh: Mesh) -> None:
    """Write a surface in RAS, as viewers of NIfTI read it.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    vertices, triangles = mesh
    head = struct.pack("<HHIII", MAGIC, FACES | VERTICES, len(triangles), len(vertices), 0)
    ras = np.asarray(vertices * (-1.0, -1.0, 1.0), "<f4")
    write_bytes(path, head + np.asarray(triangles, "<i4").tobytes() + ras.tobytes())


def bone_mesh(vertebra: Vertebra) -> Mesh:
    """Body and arch of a vertebra."""
    step = [max(1, round(EDGE_MM / float(edge))) for edge in vertebra.grid.spacing_mm]
    mask = (vertebra.body | vertebra.arch).astype(np.float32)
    smooth = ndimage.gaussian_filter(mask, [SMOOTH_VOXELS * n for n in step])[:: step[0], :: step[1], :: step[2]]
    affine = vertebra.grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] * step
    i, j, k = smooth.shape
    return surface(smooth, Grid(shape=(i, j, k), affine=affine))


def endplate_mesh(vertebra: Vertebra, plate: Endplate) -> Mesh:
    """An endplate as it was fitted: squares of its height map whose corners are all known."""
    rows, columns = plate.superior_mm.shape
    place = np.arange(rows * columns).reshape(rows, columns)
    known = np.isfinite(plate.superior_mm)
    whole = known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:]
    a, b, c, d = (cut[whole] for cut in (place[:-1, :-1], place[1:, :-1], place[1:, 1:], place[:-1, 1:]))
    right, anterior = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    local = np.stack([right, anterior, np.nan_to_num(plate.superior_mm)], axis=-1).reshape(-1, 3)
    triangles = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    used, again = np.unique(triangles, return_inverse=True)
    return vertebra.to_world_mm(local[used]), again.reshape(-1, 3)


def together(meshes: list[Mesh]) -> Mesh:
    """Several surfaces as one."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes[:-1])])
    points = [vertices for vertices, _ in meshes]
    faces = [triangles + start for (_, triangles), start in zip(meshes, starts, strict=True)]
    return np.concatenate(points), np.concatenate(faces)
