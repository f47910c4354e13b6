"""A real lumbar CT through a real archive: stored, pulled, measured, pushed; the findings are those of the NIfTI.

Half a minute of processor time: run by `make archive`, or with ENDPLATE_ARCHIVE=1.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.support.dicom_scan import scanner_header
from tests.support.orthanc import MISSING, orthanc_program, running_orthanc
from tests.support.small_spine import ct_dataset, save_series

from endplate.cli.app import main
from endplate.image.ct import read_ct
from endplate.image.volume import Volume

pytest.importorskip("pynetdicom", reason="pynetdicom (extra `pacs`) speaks DIMSE")
MM, HU = 0.1, 0.5
"""How far a finding may move on the way, in mm and HU."""
HOUNSFIELD = "[hnsf'U]"
MODEL = os.environ.get("ENDPLATE_ARCHIVE_MODEL", "--no-mechanics").split()
"""Options of both measurements; empty computes strength too."""


def sagittal_series(volume: Volume, folder: Path) -> Path:
    """The CT as sagittal images, as it was reconstructed: signed HU, no tube voltage stated (the NIfTI says none)."""
    header = scanner_header("verse014", PatientID="verse014", PatientName="verse014", RescaleIntercept=0)
    for key in ("KVP", "ConvolutionKernel", "SliceThickness"):
        delattr(header, key)
    on, slices = volume.grid, []
    axes = on.affine[:3, :3] / on.spacing_mm
    for i in range(on.shape[0]):
        pixels = np.ascontiguousarray(volume.hu[i, :, ::-1].T.astype(np.int16))
        ds = ct_dataset(i, pixels, header)
        ds.ImageOrientationPatient = [round(float(v), 8) for v in (*axes[:, 1], *-axes[:, 2])]
        ds.ImagePositionPatient = [round(float(v), 6) for v in on.to_mm([i, 0, on.shape[2] - 1])]
        ds.PixelSpacing = [float(on.spacing_mm[2]), float(on.spacing_mm[1])]
        slices.append(ds)
    return save_series(folder, slices)


@pytest.mark.slow
@pytest.mark.skipif("ENDPLATE_ARCHIVE" not in os.environ, reason="ENDPLATE_ARCHIVE=1 or `make archive` runs this")
def test_a_real_scan_through_an_archive_gives_the_findings_of_the_nifti(tmp_path, shared_data):
    if orthanc_program() is None:
        pytest.skip(MISSING)
    ct = shared_data / "verse014" / "sub-verse014_ct.nii.gz"
    labels = str(shared_data / "verse014" / "sub-verse014_seg-vert_msk.nii.gz")
    assert main(["assess", str(ct), "--labels", labels, "--out", str(tmp_path / "nifti"), *MODEL, "--quiet"]) == 0
    series = sagittal_series(read_ct(ct), tmp_path / "ct")
    with running_orthanc(tmp_path, {}) as archive:
        assert main(["pacs", "push", archive.dimse, str(series), "--quiet"]) == 0
        header = scanner_header("verse014")
        study, uid = header.StudyInstanceUID, header.SeriesInstanceUID
        assert main(["pacs", "pull", archive.web, "--study", study, "--out", str(tmp_path / "in"), "--quiet"]) == 0
        given = [str(tmp_path / "in" / uid), "--labels", labels, "--out", str(tmp_path / "dicom"), "--dicom"]
        assert main(["assess", *given, *MODEL, "--quiet"]) == 0
        for _ in range(2):
            assert main(["pacs", "push", archive.web, str(tmp_path / "dicom" / "dicom"), "--quiet"]) == 0
        found = archive.get(f"/dicom-web/studies/{study}/series?includefield=all")
        objects = [archive.get(f"/series/{one['ID']}") for one in archive.series()]
    kinds = sorted(one["00080060"]["Value"][0] for one in found)
    sys.stdout.write(f"\nQIDO finds in the study: {', '.join(kinds)}\n")
    assert kinds == ["CT", "DOC", "OT", "SEG", "SR"]
    counts = {one["MainDicomTags"]["Modality"]: len(one["Instances"]) for one in objects}
    assert counts | {"CT": 0} == {"CT": 0, "DOC": 1, "OT": 1, "SEG": 2, "SR": 1}  # pushed twice, there once
    compare(tmp_path / "nifti", tmp_path / "dicom")


def compare(one: Path, other: Path) -> None:
    """Every finding of both within the limits; the others equal to a millionth."""
    documents = [json.loads((at / "case.json").read_text()) for at in (one, other)]
    rows = [{(row["code"], row["level"], row["condition"]): row for row in read["findings"]} for read in documents]
    assert set(rows[0]) == set(rows[1])
    worst = {"mm": 0.0, HOUNSFIELD: 0.0}
    for key, row in rows[0].items():
        value, again = row["value"], rows[1][key]["value"]
        if isinstance(value, str | bool):
            assert value == again, key
        elif row["unit"] in worst:
            worst[row["unit"]] = max(worst[row["unit"]], abs(value - again))
        else:
            assert again == pytest.approx(value, rel=1e-3, abs=1e-3), key
    sys.stdout.write(f"{len(rows[0])} findings; largest difference {worst['mm']:.4f} mm, {worst[HOUNSFIELD]:.4f} HU\n")
    assert worst["mm"] <= MM and worst[HOUNSFIELD] <= HU
