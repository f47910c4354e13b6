"""Surfaces as files, each in the frame that its readers expect and its name says: STL in LPS, GIFTI in RAS."""

from __future__ import annotations

import struct
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from endplate.atomic import write_bytes

HEADER = b"endplate SPACE=LPS"
"""80 bytes in the file; 3D Slicer reads the world frame from it."""


def write_stl(path: Path, vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> None:
    """Write a binary STL.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    corners = vertices[triangles].astype("<f4")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    record = np.zeros(len(triangles), dtype=[("normal", "<f4", 3), ("corner", "<f4", (3, 3)), ("spare", "<u2")])
    record["normal"] = normals / np.where(length > 0, length, 1)
    record["corner"] = corners
    write_bytes(path, HEADER.ljust(80) + struct.pack("<I", len(triangles)) + record.tobytes())


def write_gifti(path: Path, vertices: NDArray[np.float64], triangles: NDArray[np.int64]) -> None:
    """Write a GIFTI surface in RAS, the world of NIfTI headers.

    Parameters
    ----------
    vertices : (n, 3) LPS mm.
    triangles : (m, 3) seen from outside anticlockwise; the change of frame is a turn and keeps that.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    codes = nib.nifti1.xform_codes
    place = nib.gifti.GiftiCoordSystem(codes["scanner"], codes["scanner"], np.eye(4))
    points = nib.gifti.GiftiDataArray(
        np.asarray(vertices * (-1.0, -1.0, 1.0), np.float32),
        "NIFTI_INTENT_POINTSET",
        "NIFTI_TYPE_FLOAT32",
        coordsys=place,
    )
    faces = nib.gifti.GiftiDataArray(np.asarray(triangles, np.int32), "NIFTI_INTENT_TRIANGLE", "NIFTI_TYPE_INT32")
    meta = nib.gifti.GiftiMetaData({"Description": "endplate, RAS mm"})
    write_bytes(path, nib.gifti.GiftiImage(meta=meta, darrays=[points, faces]).to_xml())
