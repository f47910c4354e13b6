"""Thousands of broken files: each reads as a sane image or is refused in one line; nothing else happens.

ENDPLATE_FUZZ multiplies the number of cases.
"""

from __future__ import annotations

import gzip
import os
import tracemalloc

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless
from test_image_labels import LABELS, VOLUME, header_table, stored
from tests.support.broken import mutate, sane
from tests.support.small_spine import dicom_slices, grid, save_nifti, save_series, spine

from endplate.errors import ImageError, InputError
from endplate.image.ct import read_ct
from endplate.image.dicom.pixels import decoder
from endplate.image.labels import read_labels
from endplate.image.labels.scheme import scheme_by_name

TIMES = int(os.environ.get("ENDPLATE_FUZZ", "1"))
MAX_BYTES = 2**26
PIXEL_DATA = b"\xe0\x7f\x10\x00"


def in_one_line(error: InputError) -> bool:
    return error.exit_code == 2 and str(error).isprintable() and len(str(error)) < 1500


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["nii", "nii.gz"])
def test_broken_nifti_headers(tmp_path, pack):
    on = grid(shape=(18, 22, 16), spacing=(4.0, 4.0, 5.0))
    volume, labels = spine(on)
    whole = [
        (save_nifti(tmp_path / "ct.nii", volume.hu, on).read_bytes(), read_ct),
        (save_nifti(tmp_path / "labels.nii", labels.labels, on).read_bytes(), read_labels),
    ]
    rng = np.random.default_rng(4711)
    path, read, refused = tmp_path / "broken.nii", 0, 0
    for case in range(1200 * TIMES):
        content, reader = whole[case % 2]
        path.write_bytes(pack(mutate(content, rng, 400)))
        try:
            found = reader(path)
        except InputError as error:
            assert in_one_line(error), repr(str(error))
            refused += 1
            continue
        read += 1
        if reader is read_ct:
            assert sane(found), case
        else:
            assert found.labels.shape == found.grid.shape
            assert found.labels.any()
            assert np.isin(found.labels, [0, *scheme_by_name("verse").levels]).all()
            assert np.isfinite(found.grid.affine).all()
    assert read > 100
    assert refused > 100


def test_broken_compressed_streams(tmp_path):
    on = grid(shape=(18, 22, 16), spacing=(4.0, 4.0, 5.0))
    content = save_nifti(tmp_path / "ct.nii.gz", spine(on)[0].hu, on).read_bytes()
    rng = np.random.default_rng(4711)
    for _ in range(300 * TIMES):
        damaged = mutate(content, rng, len(content))
        (tmp_path / "broken.nii.gz").write_bytes(damaged)
        try:
            assert sane(read_ct(tmp_path / "broken.nii.gz"))
        except InputError as error:
            assert in_one_line(error)


def test_random_bytes_after_a_true_beginning(tmp_path):
    rng = np.random.default_rng(4711)
    for size in range(4, 1200, 7):
        (tmp_path / "x.nii").write_bytes((348).to_bytes(4, "little") + rng.bytes(size))
        (tmp_path / "x.dcm").write_bytes(b"\0" * 128 + b"DICM" + rng.bytes(size))
        for name in ("x.nii", "x.dcm"):
            with pytest.raises(InputError):
                read_ct(tmp_path / name)
            with pytest.raises(InputError):
                read_labels(tmp_path / name)


def test_random_dimensions_take_no_memory(tmp_path):
    on = grid(shape=(18, 22, 16), spacing=(4.0, 4.0, 5.0))
    content = bytearray(save_nifti(tmp_path / "ct.nii", spine(on)[0].hu, on).read_bytes())
    rng = np.random.default_rng(4711)
    tracemalloc.start()
    try:
        for case in range(200):
            content[40:56] = rng.integers(-5, 32767, 8).astype("<i2").tobytes()
            content[40:42] = (3).to_bytes(2, "little")
            (tmp_path / "x.nii").write_bytes(gzip.compress(content, 1) if case % 2 else content)
            with pytest.raises(InputError):
                read_ct(tmp_path / "x.nii")
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("syntax", [None, RLELossless], ids=["plain", "rle"])
def test_broken_dicom_files(tmp_path, syntax):
    on = grid(shape=(24, 24, 4), spacing=(3.0, 3.0, 8.0))
    slices = dicom_slices(spine(on)[0])
    for ds in slices:
        if syntax:
            ds.compress(syntax, generate_instance_uid=False)
    folder = save_series(tmp_path / "ct", slices)
    files = sorted(folder.iterdir())
    contents = [file.read_bytes() for file in files]
    header_end = contents[0].rfind(PIXEL_DATA) + 12
    rng = np.random.default_rng(4711)
    read = refused = 0
    for _ in range(300 * TIMES):
        victim = int(rng.integers(len(files)))
        files[victim].write_bytes(mutate(contents[victim], rng, header_end))
        try:
            assert sane(read_ct(folder))
            read += 1
        except InputError as error:
            assert in_one_line(error), repr(str(error))
            refused += 1
        files[victim].write_bytes(contents[victim])
    assert read > 30
    assert refused > 30


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless], ids=["jpeg2000", "jpeg-ls"])
def test_damaged_compressed_pixels_never_end_the_program(tmp_path, syntax):
    on = grid(shape=(40, 40, 3), spacing=(2.0, 2.0, 8.0))
    ds = dicom_slices(spine(on)[0])[1]
    ds.compress(syntax)
    pydicom.dcmwrite(tmp_path / "whole.dcm", ds)
    content = (tmp_path / "whole.dcm").read_bytes()
    start = content.rfind(PIXEL_DATA)
    rng = np.random.default_rng(4711)
    refused = 0
    with decoder() as pixels:
        for case in range(50 * TIMES):
            path = tmp_path / f"{case}.dcm"
            path.write_bytes(content[:start] + mutate(content[start:], rng, len(content) - start))
            try:
                assert pixels(path, None, (40, 40)).shape == (40, 40)
            except ImageError as error:
                assert in_one_line(error), repr(str(error))
                refused += 1
    assert refused > 5


def test_broken_header_tables_of_label_names(tmp_path):
    table = header_table({n: f"vertebrae_{lv}" for n, lv in scheme_by_name("total").levels.items()}).encode()
    rng = np.random.default_rng(4711)
    for _ in range(60):
        broken = mutate(table, rng, len(table)).decode("utf-8", "replace").replace("\x00", "")
        found = read_labels(stored(tmp_path / "labels.nii.gz", LABELS.labels, broken))
        # Names that do not cover the labels are no help: the arrangement decides, as without a table.
        assert np.array_equal(found.labels, LABELS.labels)
    assert found.grid.matches(VOLUME.grid)


def test_an_entity_bomb_in_the_header_is_not_expanded(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><CaretExtension>'
    bomb += '<Label Key="20">vertebrae_C1&b;</Label></CaretExtension>'
    assert np.array_equal(read_labels(stored(tmp_path / "labels.nii.gz", LABELS.labels, bomb)).labels, LABELS.labels)
