"""What leaves as DICOM: valid by an independent checker, the same voxels and numbers read back, left on the left."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from endplate.cli.app import main
from endplate.dicom_export.code_table import code_table, finding_code, own_scheme
from endplate.dicom_export.measurement_report import is_number
from endplate.finding import catalogue
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.nifti import read_nifti
from endplate.report.read_document import findings_of

hd = pytest.importorskip("highdicom", reason="highdicom (extra `dicom`) writes DICOM")
pytest.importorskip("weasyprint", reason="WeasyPrint (extra `pdf`) writes the report as PDF")
pytest.importorskip("pypdfium2", reason="pypdfium2 (extra `pdf`) draws the pictures")
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
NAMES = {"vertebrae", "bodies", "measurements", "report", "picture-sagittal-section"}


@pytest.fixture(scope="module")
def objects(scan: tuple[Path, Path]) -> dict[str, pydicom.Dataset]:
    return {path.stem: pydicom.dcmread(path) for path in (scan[1] / "dicom").glob("*.dcm")}


@pytest.fixture(scope="module")
def document(scan: tuple[Path, Path]) -> dict:
    return json.loads((scan[1] / "case.json").read_text())


def test_every_kind_of_object_is_written(objects):
    assert set(objects) == NAMES


def test_an_independent_checker_finds_no_error(scan):
    checker = shutil.which("dciodvfy")
    if checker is None:
        pytest.skip("dciodvfy (Debian dicom3tools) is not installed: conformance is not checked here")
    for path in (scan[1] / "dicom").glob("*.dcm"):
        said = subprocess.run([checker, "-new", path], capture_output=True, text=True).stderr
        assert "Error" not in said, f"{path.name}: {said}"


def test_dcmtk_reads_the_measurements_as_a_document(scan):
    reader = shutil.which("dsrdump")
    if reader is None:
        pytest.skip("dsrdump (DCMTK) is not installed")
    done = subprocess.run([reader, scan[1] / "dicom" / "measurements.dcm"], capture_output=True, text=True, check=True)
    assert "Imaging Measurement Report" in done.stdout
    assert "Preliminary Flag    : PRELIMINARY" in done.stdout
    assert "Verification Flag   : UNVERIFIED" in done.stdout


def test_objects_are_of_the_patient_study_and_frame_of_the_series(scan, objects):
    source = pydicom.dcmread(next(scan[0].iterdir()))
    for name, made in objects.items():
        for key in ("PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "AccessionNumber"):
            assert made[key].value == source[key].value, (name, key)
        assert str(made.PatientName) == "Müller^Anna"
        assert made.SeriesInstanceUID != source.SeriesInstanceUID
        assert made.Manufacturer == "The endplate authors"
        assert made.SoftwareVersions == json.loads((scan[1] / "case.json").read_text())["provenance"]["version"]
        ours = made.ContributingEquipmentSequence[1]
        assert "not for diagnosis" in ours.ContributionDescription
        assert made.ContributingEquipmentSequence[0].Manufacturer == source.Manufacturer
    for name in ("vertebrae", "bodies"):
        assert objects[name].FrameOfReferenceUID == source.FrameOfReferenceUID
        assert objects[name].ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID
        assert objects[name].ContentQualification == "RESEARCH"


def test_every_image_of_the_series_is_named_as_source(scan, objects):
    images = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in scan[0].iterdir()}
    for name in ("report", "picture-sagittal-section"):
        key = "SourceInstanceSequence" if name == "report" else "SourceImageSequence"
        assert {item.ReferencedSOPInstanceUID for item in objects[name][key].value} == images
    evidence = objects["measurements"].CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    named = {item.ReferencedSOPInstanceUID for series in evidence for item in series.ReferencedSOPSequence}
    assert images | {objects["vertebrae"].SOPInstanceUID} == named


@pytest.mark.parametrize(("name", "file"), [("vertebrae", "vertebra"), ("bodies", "body")])
def test_the_voxels_read_back_are_those_of_the_results(scan, name, file):
    ct = read_ct(scan[0])
    seg = hd.seg.segread(scan[1] / "dicom" / f"{name}.dcm")
    volume = seg.get_volume()
    for number, level in enumerate(("L1", "L2"), start=1):
        truth = read_nifti(scan[1] / "volumes" / f"{level}_{file}.nii.gz")
        there = ijk_of(truth.grid, np.argwhere(truth.values > 0), ct.grid)
        mask = volume.array[..., number - 1]
        mm = (np.c_[np.argwhere(mask), np.ones(int(mask.sum()))] @ volume.affine.T)[:, :3]
        back = {tuple(ijk) for ijk in np.rint(ct.grid.to_index(mm)).astype(int)}
        assert back == {tuple(ijk) for ijk in there}


def ijk_of(grid, ijk, target):
    return np.rint(target.to_index(grid.to_mm(ijk))).astype(int)


def test_our_own_reader_takes_the_vertebrae_as_labels(scan):
    labels = read_labels(scan[1] / "dicom" / "vertebrae.dcm")
    given = read_nifti(scan[1] / "volumes" / "labels.nii.gz")
    assert set(np.unique(labels.labels)) == {0, 20, 21}
    ct = read_ct(scan[0])
    from endplate.image.resample import match_grids

    matched = match_grids(ct, labels).labels
    assert (matched != given.values).mean() < 1e-3  # the repair of labels may have moved a voxel


def test_left_stays_left_in_a_second_reader(scan, tmp_path):
    """dcmqi reads the segmentation; the vertebra marked on its left lies on the left there, too."""
    program = Path(sys.executable).parent / "segimage2itkimage"
    if not program.exists():
        pytest.skip("dcmqi is not installed: no second reader of segmentations here")
    seg = scan[1] / "dicom" / "vertebrae.dcm"
    given = ["--inputDICOM", seg, "--outputDirectory", tmp_path, "-t", "nii", "--prefix", "v"]
    subprocess.run([program, *given], check=True, capture_output=True)
    meta = json.loads((tmp_path / "v-meta.json").read_text())
    codes = [one[0]["SegmentedPropertyTypeCodeSequence"]["CodeValue"] for one in meta["segmentAttributes"]]
    assert codes == ["66794005", "14293000"]
    for number, level in enumerate(("L1", "L2"), start=1):
        image = nib.load(tmp_path / f"v-{number}.nii.gz")
        truth = read_nifti(scan[1] / "volumes" / f"{level}_vertebra.nii.gz")
        mm = nib.affines.apply_affine(LPS_TO_RAS @ image.affine, np.argwhere(np.asarray(image.dataobj) > 0))
        want = truth.grid.to_mm(np.argwhere(truth.values > 0))
        assert {tuple(row) for row in (mm * 100).round().astype(int)} == {
            tuple(row) for row in (want * 100).round().astype(int)
        }


def numbers(item, derived=False):
    """(concept, level, value, low, high) of every measurement below a group."""
    for group in item:
        values: dict[tuple, dict] = {}
        site = next(
            (c.ConceptCodeSequence[0].CodeValue for c in group.ContentSequence if concept(c) == "363698007"), ""
        )
        name = next(c.TextValue for c in group.ContentSequence if concept(c) == "112039")
        for one in group.ContentSequence:
            if one.ValueType != "NUM" or not one.MeasuredValueSequence:
                continue
            below = [c for c in one.ContentSequence if concept(c) == "121401"]
            end = below[0].ConceptCodeSequence[0].CodeValue if below else "value"
            measured = one.MeasuredValueSequence[0]
            row = values.setdefault((name, concept(one)), {"site": site})
            row[{"EP211": "low", "EP212": "high"}.get(end, end)] = float(measured.FloatingPointValue)
            row["unit"] = measured.MeasurementUnitsCodeSequence[0].CodeValue
        yield from values.items()


def concept(item):
    return item.ConceptNameCodeSequence[0].CodeValue


def groups_of(sr):
    (container,) = [item for item in sr.ContentSequence if concept(item) == "126010"]
    return container.ContentSequence


def test_every_number_of_the_case_is_in_the_report_with_its_band(objects, document):
    found = dict(numbers(groups_of(objects["measurements"])))
    written = [finding for finding in findings_of(document) if is_number(finding)]
    assert len(written) > 20
    assert len(found) == len(written)
    table = code_table()["level"]
    for finding in written:
        where = " ".join(filter(None, (str(finding.level) if finding.level else "spine", finding.condition)))
        row = found[where, finding_code(finding.code).value]
        assert row["value"] == finding.value
        assert (row.get("low"), row.get("high")) == (finding.low, finding.high)
        assert row["unit"] == finding.unit
        assert row["site"] == (table[str(finding.level)]["value"] if finding.level else "51282000")


def test_a_missing_number_has_a_coded_reason_and_no_value(objects, document):
    items = [one for group in groups_of(objects["measurements"]) for one in group.ContentSequence]
    missing = [one for one in items if one.ValueType == "NUM" and not one.MeasuredValueSequence]
    reasons = {(concept(one), one.NumericValueQualifierCodeSequence[0].CodeValue) for one in missing}
    assert (finding_code("failure_load").value, "114007") in reasons  # mechanics were switched off
    assert (finding_code("wedge_angle").value, "114006") in reasons  # slices too thick
    assert not any(one.MeasuredValueSequence[0].NumericValue == 0 and "NumericValueQualifierCodeSequence" in one
                   for one in items if one.ValueType == "NUM" and one.MeasuredValueSequence)  # fmt: skip


def test_grade_and_fracture_are_coded(objects):
    rows = {}
    for group in groups_of(objects["measurements"]):
        name = next(c.TextValue for c in group.ContentSequence if concept(c) == "112039")
        for one in group.ContentSequence:
            if one.ValueType == "CODE":
                rows[name, concept(one)] = one.ConceptCodeSequence[0].CodeMeaning
    assert rows["L1", finding_code("genant_grade").value] == "Genant grade 0"
    assert rows["L1", finding_code("fracture").value] == "No"
    assert rows["L2", finding_code("deformity_shape").value] == "None"


def test_tracking_links_vertebra_segment_and_group(objects):
    uids = {str(one.SegmentLabel): one.TrackingUID for one in objects["vertebrae"].SegmentSequence}
    for group in groups_of(objects["measurements"]):
        name = next(c.TextValue for c in group.ContentSequence if concept(c) == "112039")
        if name in uids:
            assert next(c.UID for c in group.ContentSequence if concept(c) == "112040") == uids[name]


def test_the_pdf_is_the_report(objects):
    import pypdfium2

    made = objects["report"]
    pdf = pypdfium2.PdfDocument(bytes(made.EncapsulatedDocument)[: made.EncapsulatedDocumentLength])
    text = "".join(page.get_textpage().get_text_bounded() for page in pdf)
    assert "Research software, not a medical device" in text
    assert "Limitations of these results" in text and "Anterior" in text
    dark = [(np.asarray(page.render(scale=0.7).to_pil().convert("L")) < 100).mean() for page in pdf]
    assert max(dark) > 0.025, "the pictures of the spine are not drawn"
    pdf.close()


def test_the_picture_shows_the_scan_and_not_a_blank(objects):
    rgb = objects["picture-sagittal-section"].pixel_array.astype(int)
    assert rgb.shape[2] == 3 and rgb.std() > 30
    yellow = (rgb[..., 0] > 220) & (rgb[..., 1] > 190) & (rgb[..., 2] < 150)
    assert yellow.mean() > 0.005, "the endplates are drawn in yellow on the CT"
    assert objects["picture-sagittal-section"].BurnedInAnnotation == "NO"


def test_written_twice_the_objects_are_the_same_bytes(scan, tmp_path):
    series, results = scan
    given = [str(results), "--series", str(series), "--out", str(tmp_path / "a"), "--no-pdf", "--quiet"]
    assert main(["dicom", *given]) == 0
    written = sorted((tmp_path / "a").glob("*.dcm"))
    assert [path.stem for path in written] == ["bodies", "measurements", "vertebrae"]
    for path in written:
        assert path.read_bytes() == (results / "dicom" / path.name).read_bytes(), path.name


def test_a_label_map_holds_the_same_voxels(scan, tmp_path):
    series, results = scan
    out = str(tmp_path / "map")
    assert main(["dicom", str(results), "--series", str(series), "--out", out, "--segmentation", "labelmap",
                 "--no-pdf", "--quiet"]) == 0  # fmt: skip
    made = hd.seg.segread(Path(out) / "vertebrae.dcm")
    assert made.SegmentationType == "LABELMAP"
    binary = hd.seg.segread(results / "dicom" / "vertebrae.dcm").get_volume(combine_segments=True, relabel=True)
    ours = made.get_volume(combine_segments=True, relabel=True)
    assert np.array_equal(np.argwhere(ours.array == 2) @ ours.affine[:3, :3].T + ours.affine[:3, 3],
                          np.argwhere(binary.array == 2) @ binary.affine[:3, :3].T + binary.affine[:3, 3])  # fmt: skip
    assert not (Path(out) / "report.dcm").exists()


def test_a_label_map_says_the_same_without_highdicom(scan, tmp_path):
    """Frames, places and codes as the standard has them, read by pydicom alone; dciodvfy knows no label maps."""
    series, results = scan
    given = [str(results), "--series", str(series), "--out", str(tmp_path), "--segmentation", "labelmap"]
    assert main(["dicom", *given, "--no-pdf", "--quiet"]) == 0
    ds = pydicom.dcmread(tmp_path / "vertebrae.dcm")
    assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.66.7" and ds.SegmentationType == "LABELMAP"
    assert (ds.BitsAllocated, ds.SamplesPerPixel, ds.PhotometricInterpretation) == (8, 1, "MONOCHROME2")
    shared = ds.SharedFunctionalGroupsSequence[0]
    x, y = np.reshape(shared.PlaneOrientationSequence[0].ImageOrientationPatient, (2, 3)).astype(float)
    row_mm, column_mm = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
    frames = ds.pixel_array
    assert len(frames) == len(ds.PerFrameFunctionalGroupsSequence) == ds.NumberOfFrames
    codes = {int(one.SegmentNumber): one.SegmentedPropertyTypeCodeSequence[0].CodeValue for one in ds.SegmentSequence}
    number_of = {code: number for number, code in codes.items()}
    for level, code in (("L1", "66794005"), ("L2", "14293000")):
        found = []
        for frame, group in zip(frames, ds.PerFrameFunctionalGroupsSequence, strict=True):
            origin = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
            at = np.argwhere(frame == number_of[code])
            found.append(origin + at[:, 1:] * column_mm * x + at[:, :1] * row_mm * y)
        truth = read_nifti(results / "volumes" / f"{level}_vertebra.nii.gz")
        want = truth.grid.to_mm(np.argwhere(truth.values > 0))
        assert {tuple(row) for row in (np.concatenate(found) * 100).round().astype(int)} == {
            tuple(row) for row in (want * 100).round().astype(int)
        }
    program = Path(sys.executable).parent / "segimage2itkimage"
    if program.exists():
        read = ["--inputDICOM", tmp_path / "vertebrae.dcm", "--outputDirectory", tmp_path, "-t", "nii", "--prefix", "v"]
        subprocess.run([program, *read], check=True, capture_output=True)
        again = np.asarray(nib.load(tmp_path / "v-1.nii.gz").dataobj)
        assert [int((again == n).sum()) for n in (1, 2)] == [int((frames == n).sum()) for n in (1, 2)]


def test_every_number_and_closed_answer_of_the_catalogue_has_a_code_of_its_own():
    listed = code_table()["finding"]
    assert {code for code, entry in catalogue().items() if entry.unit} <= set(listed)
    values = [(row["scheme"], row["value"]) for row in listed.values()]
    assert len(set(values)) == len(values)
    methods = [row["method"] for row in listed.values()]
    assert len(set(methods)) == len(methods)
    assert set(code_table()["value"]) <= set(listed)


def test_public_codes_are_in_the_dictionary_of_dicom():
    from pydicom.sr._concepts_dict import concepts

    known = {(scheme, value) for scheme, names in concepts.items() for row in names.values() for value in row}
    rows = [row for section in ("level", "segment", "report", "finding") for row in code_table()[section].values()]
    rows += [row["code"] for row in code_table()["reason"]]
    rows += [row for answers in code_table()["value"].values() for row in answers.values()]
    public = [row for row in rows if row["scheme"] != own_scheme()]
    assert len(public) > 30
    for row in public:
        assert row["in"] == "dicom" and (row["scheme"], row["value"]) in known, row
    own = {(row["value"], row["meaning"]) for row in rows if row["scheme"] == own_scheme()}
    assert len({value for value, _ in own}) == len(own), "a value of our scheme has two meanings"
    assert all(len(value) <= 16 for value, _ in own)
    assert all(len(row["meaning"]) <= 64 for row in rows)
