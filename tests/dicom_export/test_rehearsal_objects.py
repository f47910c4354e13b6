"""What a rehearsal adds: simulated cement and cavity, needle paths in the frame of the CT, pictures of the needles."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.support.dicom_scan import scanner_header
from tests.support.small_spine import dicom_slices, save_series
from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.dicom_export import DicomChoice, export_results
from endplate.dicom_export.key_pictures import key_pictures
from endplate.image.nifti import read_nifti
from endplate.level import Level
from endplate.report.figure.path_planes import path_figures
from endplate.report.figure.pattern import grade_patterns
from endplate.report.page import style
from endplate.report.write import write_report

hd = pytest.importorskip("highdicom", reason="highdicom (extra `dicom`) writes DICOM")
pytest.importorskip("weasyprint", reason="WeasyPrint (extra `pdf`) writes the report as PDF")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, pydicom.Dataset]]:
    folder = tmp_path_factory.mktemp("rehearsed")
    case, header = rehearsed_case(members=0), scanner_header("rehearsed")
    series = save_series(folder / "ct", dicom_slices(replace(case.volume, hu=np.rint(case.volume.hu)), header))
    known = {
        "series_uid": str(header.SeriesInstanceUID),
        "study_uid": str(header.StudyInstanceUID),
        "frame_of_reference_uid": str(header.FrameOfReferenceUID),
    }
    provenance = replace(case.provenance, inputs={"ct: ct": "0" * 64}, parameters={"ct_series": known})
    # The other levels and the strains of the mechanics are not what is tested here.
    spine = replace(case.spine, vertebrae=(case.spine.at(Level.L1),))
    case = replace(case, provenance=provenance, spine=spine, strengths=(), densities=())
    write_report(case, folder / "results", formats=("json", "nifti"))
    export_results(folder / "results", series, folder / "dicom", DicomChoice(pdf=False, pictures=False))
    return folder, {path.stem: pydicom.dcmread(path) for path in (folder / "dicom").glob("*.dcm")}


def test_an_independent_checker_finds_no_error(results):
    checker = shutil.which("dciodvfy")
    if checker is None:
        pytest.skip("dciodvfy (Debian dicom3tools) is not installed: conformance is not checked here")
    for path in (results[0] / "dicom").glob("*.dcm"):
        said = subprocess.run([checker, "-new", path], capture_output=True, text=True).stderr
        assert "Error" not in said, f"{path.name}: {said}"


def test_simulated_cement_is_where_the_volume_says_and_is_called_simulated(results):
    folder, objects = results
    made = hd.seg.segread(folder / "dicom" / "simulated-L1-kyphoplasty.dcm")
    assert [str(one.SegmentLabel) for one in made.SegmentSequence] == [
        "L1 kyphoplasty cavity, simulated", "L1 kyphoplasty cement, simulated",
    ]  # fmt: skip
    assert made.SegmentSequence[0].SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == "Result of a simulation"
    assert made.SegmentSequence[1].AnatomicRegionSequence[0].CodeValue == "66794005"
    truth = read_nifti(folder / "results" / "volumes" / "L1_kyphoplasty_cement.nii.gz")
    want = truth.grid.to_mm(np.argwhere(truth.values >= 50))
    volume = made.get_volume()
    mask = volume.array[..., 1] > 0
    mm = (np.c_[np.argwhere(mask), np.ones(int(mask.sum()))] @ volume.affine.T)[:, :3]
    assert {tuple(row) for row in (mm * 100).round().astype(int)} == {
        tuple(row) for row in (want * 100).round().astype(int)
    }
    assert "bodies" in objects and "simulated-L1-vertebroplasty" in objects


def test_needle_paths_are_lines_from_the_bone_to_their_end(results):
    folder, objects = results
    made = objects["needle-paths"]
    assert made.FiducialSetSequence[0].FrameOfReferenceUID == scanner_header("rehearsed").FrameOfReferenceUID
    written = {}
    for file in sorted((folder / "results" / "volumes").glob("*_path.mrk.json")):
        for markup in json.loads(file.read_text())["markups"]:
            if markup["type"] == "Line":
                written[markup["name"]] = [point["position"] for point in markup["controlPoints"]]
    found = made.FiducialSetSequence[0].FiducialSequence
    assert len(found) == len(written) >= 2
    for item, (name, ends) in zip(found, written.items(), strict=True):
        assert item.ShapeType == "LINE" and item.FiducialIdentifier == name[:16]
        contour = np.array(item.ContourData, float).reshape(2, 3)
        assert np.allclose(contour, ends, atol=1e-3)


def test_the_needles_are_pictures_too():
    case = rehearsed_case(members=0)
    path = case.rehearsals[0].nominal[0].access.paths[0]
    figures = path_figures(path, case.spine.at(Level.L1), case.volume)
    page = f"<html><head><style>{style()}</style></head><body>{grade_patterns()}{''.join(figures)}</body></html>"
    pictures = key_pictures(page)
    assert len(pictures) == len(figures) > 0
    for picture in pictures:
        assert picture.words.startswith("L1, ") and "needle" in picture.words
        assert picture.rgb.std() > 15, f"{picture.name} is blank"
        blue = (picture.rgb[..., 2].astype(int) - picture.rgb[..., 0]) > 80
        orange = (picture.rgb[..., 0].astype(int) - picture.rgb[..., 2]) > 80
        assert max(blue.mean(), orange.mean()) > 0.01, "the needle is drawn in its colour"
