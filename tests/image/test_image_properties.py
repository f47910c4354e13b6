"""Whatever a scanner or exporter does with order, direction, type and scaling, the patient stays the same."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from tests.support.small_spine import LPS_TO_RAS, ct_dataset, grid, save_series, series_header, spine

from endplate.image.ct import read_ct
from endplate.image.nifti import read_nifti
from endplate.image.volume import Grid

ON = grid(shape=(18, 22, 17), spacing=(4.0, 4.0, 6.0))
VOLUME, _ = spine(ON)
MARK = np.array(np.unravel_index(np.argmax(VOLUME.hu), ON.shape))
ANGLES = st.tuples(*[st.floats(-180, 180)] * 3)


@settings(deadline=None, max_examples=60)
@given(
    angles=ANGLES,
    dtype=st.sampled_from(["i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"]),
    endian=st.sampled_from("<>"),
    slope=st.sampled_from([0.0, 1.0, 2.0, 0.5, -1.0, 0.001]),
    inter=st.sampled_from([0.0, -1024.0, 0.25]),
    zipped=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_any_number_type_scaling_and_direction_of_nifti_reads_as_it_was_meant(
    angles, dtype, endian, slope, inter, zipped, seed
):
    array = np.random.default_rng(seed).integers(0, 100, (5, 6, 7)).astype(endian + dtype)
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ np.diag([1.5, 0.7, 2.0])
    header = nib.Nifti1Header(endianness=endian)
    header.set_data_dtype(endian + dtype)
    content = bytearray(nib.Nifti1Image(array, affine, header).to_bytes())
    content[112:120] = np.array([slope, inter], endian + "f4").tobytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.nii"
        path.write_bytes(gzip.compress(bytes(content), 1) if zipped else content)
        found = read_nifti(path)
    meant = array.astype(float) if slope == 0 else array.astype(float) * np.float64(np.float32(slope)) + inter
    index = np.argwhere(np.ones(array.shape))
    world = (LPS_TO_RAS @ affine @ np.c_[index, np.ones(len(index))].T)[:3].T
    there = np.rint(found.grid.to_index(world)).astype(int)
    assert np.abs(found.grid.to_index(world) - there).max() < 1e-3
    assert np.allclose(found.values[tuple(there.T)], meant[tuple(index.T)], rtol=1e-5, atol=1e-4)
    assert found.values.dtype.isnative


@settings(deadline=None, max_examples=15)
@given(angles=ANGLES, seed=st.integers(0, 10**6), tilt=st.sampled_from([0.0, 0.0, 0.25]))
def test_a_series_in_any_direction_and_file_order_shows_the_patient_in_place(angles, seed, tilt):
    affine = np.eye(4)
    shear = np.eye(3)
    shear[1, 2] = tilt
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ shear @ np.diag(ON.spacing_mm)
    affine[:3, 3] = (12.0, -340.0, 77.0)
    stored = Grid(shape=ON.shape, affine=affine)
    series, slices = series_header(), []
    for k in np.random.default_rng(seed).permutation(ON.shape[2]):
        raw = (VOLUME.hu[:, :, k].T.astype(np.int32) + 1024).clip(0, None).astype(np.uint16)
        ds = ct_dataset(int(k), np.ascontiguousarray(raw), series)
        unit = affine[:3, :2] / ON.spacing_mm[:2]
        ds.ImageOrientationPatient = [round(float(v), 7) for v in (*unit[:, 0], *unit[:, 1])]
        ds.ImagePositionPatient = [round(float(v), 4) for v in stored.to_mm([0, 0, k])]
        ds.PixelSpacing = [4.0, 4.0]
        slices.append(ds)
    with tempfile.TemporaryDirectory() as folder:
        ct = read_ct(save_series(Path(folder) / "ct", slices))
    bone = ct.grid.to_mm(np.argwhere(ct.hu > 150)).mean(axis=0)
    expected = stored.to_mm(np.argwhere(VOLUME.hu > 150)).mean(axis=0)
    assert np.linalg.norm(bone - expected) < (1.5 if tilt else 1e-2)
    assert (ct.grid.affine[:3, :3].diagonal() > 0).all()
    if not tilt:
        there = ct.grid.to_index(stored.to_mm(MARK))
        assert ct.hu[tuple(np.rint(there).astype(int))] == VOLUME.hu[tuple(MARK)]
