"""Results go with the series they were measured in and no other; what came as NIfTI has no DICOM."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pydicom
import pytest
from tests.support.dicom_scan import scanner_header, write_scan

from endplate.cli.app import main

pytest.importorskip("highdicom", reason="highdicom (extra `dicom`) writes DICOM")


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


def changed(results, place, **changes):
    """A copy of results whose provenance says something else."""
    shutil.copytree(results, place)
    document = json.loads((place / "case.json").read_text())
    del document["provenance"]["parameters"]["ct_series"]
    document["provenance"] |= changes
    (place / "case.json").write_text(json.dumps(document))
    return place


def test_a_scan_that_came_as_nifti_has_no_dicom(scan, tmp_path, capsys):
    ct, labels = tmp_path / "ct.nii.gz", scan[0].parent / "labels.nii.gz"
    shutil.copy(labels, ct)
    given = [str(ct), "--labels", str(labels), "--out", str(tmp_path / "r"), "--no-mechanics"]
    assert main(["assess", *given, "--dicom", "--quiet"]) == 2
    assert "no DICOM series" in capsys.readouterr().err
    results = changed(scan[1], tmp_path / "nifti", inputs={"ct: ct.nii.gz": "0" * 64})
    refused(capsys, results, scan[0], tmp_path / "out", "ct.nii.gz", "no DICOM series")
    results = changed(scan[1], tmp_path / "alone", inputs={"labels: labels.nii.gz": "0" * 64})
    refused(capsys, results, scan[0], tmp_path / "out", "labels without a CT")


def test_a_nifti_keeps_no_series_even_where_its_sidecar_names_one():
    from tests.support.small_spine import spine

    from endplate.case.read import _series
    from endplate.image.series_ref import SeriesRef

    volume, _ = spine()
    named = replace(volume, series=SeriesRef(path="ct.nii.gz", series_uid="1.2.3"))
    assert _series(named) == {}


def test_results_of_an_older_version_are_known_by_the_hash_of_the_folder(scan, tmp_path, capsys):
    older = changed(scan[1], tmp_path / "older")
    given = ["dicom", str(older), "--series", str(scan[0]), "--out", str(tmp_path / "out"), "--no-pdf", "--quiet"]
    assert main(given) == 0
    other, _ = write_scan(tmp_path / "other", scanner_header("other"))
    refused(capsys, older, other, tmp_path / "out2", "SHA-256")


def test_the_patients_identifier_is_not_in_the_document(scan):
    assert "P-4711" not in (scan[1] / "case.json").read_text()
    assert pydicom.dcmread(next(scan[0].iterdir())).PatientID == "P-4711"
