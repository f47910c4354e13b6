"""What is dropped is recognised by its content, kept by its hash, and refused where two patients would be mixed."""

from __future__ import annotations

import json

import pytest
from tests.support.dicom_scan import scanner_header, write_scan

from endplate.errors import EndplateError
from endplate.image.nifti import write_volume
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.jobs import measure, queue
from endplate.jobs.context import JobContext
from endplate.jobs.intake import NAMES, intake
from endplate.jobs.recognise import Dropped, recognise
from endplate.level import Level
from endplate.store.cases import add_case, case_row, inputs_of

SPEC = PhantomSpec(levels=(Level.L1,), spacing_mm=(2.5, 2.5, 3.0), field_mm=(100, 120))
RECORD = {"id": "anna", "age_yr": 74, "sex": "female"}


@pytest.fixture(scope="module")
def files_given(tmp_path_factory):
    """A DICOM series, labels, and a NIfTI of the same spine."""
    folder = tmp_path_factory.mktemp("given")
    series, labels = write_scan(folder, scanner_header(), SPEC)
    phantom = make_phantom(SPEC)
    write_volume(folder / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
    return folder, sorted(series.iterdir()), labels


@pytest.fixture
def drop(store, files, monkeypatch):
    """Take in files, without the measuring that follows; returns the job's error, or None."""
    monkeypatch.setattr(measure, "measure", lambda context: {})

    def give(case_id, *given):
        folder = files.new_incoming()
        names = {}
        for number, (name, content) in enumerate(given):
            here = f"{number:05d}" + ("".join(s for s in (".nii.gz", ".json", ".toml") if name.endswith(s)))
            (folder / here).write_bytes(content if isinstance(content, bytes) else content.read_bytes())
            names[here] = name
        (folder / NAMES).write_text(json.dumps(names))
        job_id = queue.submit(store, "intake", "Take in", "ada", case_id, {"upload": folder.name})
        context = JobContext(job=queue.claim(store, job_id), store=store, files=files)
        try:
            intake(context)
        except EndplateError as error:
            return str(error)
        finally:
            queue.end(store, job_id, "done")
        return None

    return give


def test_a_nifti_ct_labels_and_a_record(store, drop, files_given):
    folder, _, labels = files_given
    case_id = add_case(store, "spine")
    record = json.dumps(RECORD).encode()
    sidecar = json.dumps({"Modality": "CT", "KVP": 120}).encode()
    # Named as badly as may be: the content says what each is.
    assert (
        drop(case_id, ("a.nii.gz", labels), ("b.nii.gz", folder / "ct.nii.gz"), ("c", record), ("d.json", sidecar))
        is None
    )
    found = inputs_of(store, case_id)
    assert {role: one.name for role, one in found.items()} == {"ct": "b.nii.gz", "labels": "a.nii.gz", "record": "c"}
    assert case_row(store, case_id).patient_id == "anna"
    assert case_row(store, case_id).record["age_yr"] == 74


def test_a_sidecar_lies_where_its_reader_looks(store, files, drop, files_given):
    from endplate.image.ct import read_ct

    folder, _, labels = files_given
    case_id = add_case(store, "spine")
    sidecar = json.dumps({"Modality": "CT", "KVP": 120}).encode()
    drop(case_id, ("ct.nii.gz", folder / "ct.nii.gz"), ("labels.nii.gz", labels), ("ct.json", sidecar))
    assert read_ct(files.path_of(inputs_of(store, case_id)["ct"].sha256)).series.kvp == 120


def test_a_dicom_series_in_any_order_is_one_input(store, files, drop, files_given):
    from endplate.image.ct import read_ct

    _, series, labels = files_given
    one, two = add_case(store, "one"), add_case(store, "two")
    given = [(f"IM{number}", path) for number, path in enumerate(series)]
    assert drop(one, *given, ("labels.nii.gz", labels)) is None
    assert drop(two, *reversed(given), ("labels.nii.gz", labels)) is None
    assert inputs_of(store, one)["ct"].sha256 == inputs_of(store, two)["ct"].sha256
    assert inputs_of(store, one)["ct"].name == f"{len(series)} DICOM images"
    assert read_ct(files.path_of(inputs_of(store, one)["ct"].sha256)).grid.shape[2] == len(series)


def test_a_scan_of_another_patient_is_not_dropped_into_a_case(store, drop, files_given, tmp_path):
    _, series, labels = files_given
    other, _ = write_scan(tmp_path, scanner_header("other", PatientID="P-9999"), SPEC)
    case_id = add_case(store, "spine")
    drop(case_id, *((path.name, path) for path in series), ("labels.nii.gz", labels))
    before = inputs_of(store, case_id)
    said = drop(case_id, *((path.name, path) for path in sorted(other.iterdir())))
    assert "P-9999" in said and "P-4711" in said and "two patients would be mixed" in said
    assert inputs_of(store, case_id) == before


def test_a_record_of_another_patient_is_refused(store, drop):
    case_id = add_case(store, "spine")
    drop(case_id, ("a.json", json.dumps(RECORD).encode()))
    said = drop(case_id, ("b.json", json.dumps(RECORD | {"id": "eve"}).encode()))
    assert "the record is of patient eve, the case of anna" in said
    assert case_row(store, case_id).patient_id == "anna"


def test_two_of_a_kind_are_refused_by_their_names(store, drop, files_given):
    folder, _, labels = files_given
    case_id = add_case(store, "spine")
    said = drop(case_id, ("one.nii.gz", folder / "ct.nii.gz"), ("two.nii.gz", folder / "ct.nii.gz"))
    assert "one.nii.gz, two.nii.gz" in said and "00000" not in said
    cut = labels.read_bytes()[:-40]
    said = drop(case_id, ("broken.nii.gz", cut))
    assert "broken.nii.gz" in said and "00000" not in said
    assert inputs_of(store, case_id) == {}


def test_masks_and_schemes_are_recognised(files_given, tmp_path):
    _, _, labels = files_given
    given = []
    for name in ("vertebrae_L1.nii.gz", "vertebrae_L2.nii.gz"):
        (tmp_path / name).write_bytes(labels.read_bytes())
        given.append(Dropped(path=tmp_path / name, name=name))
    (tmp_path / "x").write_text("L1 = 20\nL2 = 21\nignore = 'rest'\n")
    (tmp_path / "y").write_text('age_yr = 74\nsex = "female"\n')
    found = recognise([*given, *(Dropped(path=tmp_path / name, name=name) for name in "xy")])
    assert [one.name for one in found.masks] == ["vertebrae_L1.nii.gz", "vertebrae_L2.nii.gz"]
    assert (found.scheme.name, found.record.name) == ("x", "y")
