"""Results go with the series they were measured in and no other; what came as NIfTI has no DICOM."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest
from tests.support.dicom_scan import assessed, scanner_header, write_scan

from endplate.cli.app import main

pytest.importorskip("highdicom", reason="highdicom (extra `dicom`) writes DICOM")


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return assessed(tmp_path_factory.mktemp("refused"))


def refused(capsys, results, series, out, *words):
    assert main(["dicom", str(results), "--series", str(series), "--out", str(out), "--no-pdf", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(word in said for word in words), said
    assert not list(out.glob("*.dcm")) if out.exists() else True


def test_another_series_of_the_patient(scan, tmp_path, capsys):
    series, _ = write_scan(tmp_path / "other", scanner_header("other"))
    refused(capsys, scan[1], series, tmp_path / "out", "another series", "filed with a scan")


def test_the_same_series_under_another_patient(scan, tmp_path, capsys):
    series, _ = write_scan(tmp_path / "other", scanner_header(PatientID="P-1"))
    refused(capsys, scan[1], series, tmp_path / "out", "another patient")


def test_another_frame_of_reference(scan, tmp_path, capsys):
    series, _ = write_scan(tmp_path / "other", scanner_header(FrameOfReferenceUID="1.2.3"))
    refused(capsys, scan[1], series, tmp_path / "out", "another frame")


def test_a_copy_under_other_file_names_is_the_same_series(scan, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for number, path in enumerate(sorted(scan[0].iterdir())):
        (copy / f"IM{number}").write_bytes(path.read_bytes())
    given = ["dicom", str(scan[1]), "--series", str(copy), "--out", str(tmp_path / "out"), "--no-pdf", "--quiet"]
    assert main(given) == 0
    assert (tmp_path / "out" / "measurements.dcm").exists()


def test_a_scan_that_came_as_nifti_has_no_dicom(scan, tmp_path, capsys):
    import nibabel as nib
    import numpy as np

    from endplate.image.ct import read_ct

    ct = read_ct(scan[0])
    nib.save(nib.Nifti1Image(ct.hu, np.diag([-1.0, -1, 1, 1]) @ ct.grid.affine), tmp_path / "ct.nii.gz")
    labels = scan[0].parent / "labels.nii.gz"
    given = [str(tmp_path / "ct.nii.gz"), "--labels", str(labels), "--out", str(tmp_path / "r"), "--no-mechanics"]
    assert main(["assess", *given, "--dicom", "--quiet"]) == 2
    assert "no DICOM series" in capsys.readouterr().err
    assert main(["assess", *given, "--quiet"]) == 0
    refused(capsys, tmp_path / "r", scan[0], tmp_path / "out", "ct.nii.gz", "no DICOM series")


def test_results_of_an_older_version_are_known_by_the_hash_of_the_folder(scan, tmp_path, capsys):
    import shutil

    older = tmp_path / "older"
    shutil.copytree(scan[1], older)
    document = json.loads((older / "case.json").read_text())
    del document["provenance"]["parameters"]["ct_series"]
    (older / "case.json").write_text(json.dumps(document))
    given = ["dicom", str(older), "--series", str(scan[0]), "--out", str(tmp_path / "out"), "--no-pdf", "--quiet"]
    assert main(given) == 0
    other, _ = write_scan(tmp_path / "other", scanner_header("other"))
    refused(capsys, older, other, tmp_path / "out2", "SHA-256")


def test_the_patients_identifier_is_not_in_the_document(scan):
    assert "P-4711" not in (scan[1] / "case.json").read_text()
    assert pydicom.dcmread(next(scan[0].iterdir())).PatientID == "P-4711"
