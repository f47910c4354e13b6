"""A case from images and arrays in memory: the same case as from files, and a clear line for what has no place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import endplate as ep
from endplate.errors import InputError, LabelError, OptionError
from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import Phantom

RECORD = {"id": "anna", "age_yr": 74, "sex": "female", "mass_kg": 62, "height_cm": 160}


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return ep.make_phantom(ep.PhantomSpec(levels=("L1", "L2"), spacing_mm=(2.0, 2.0, 2.0), field_mm=(110, 130)))


@pytest.fixture(scope="module")
def from_files(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> ep.Case:
    folder = tmp_path_factory.mktemp("scan")
    write_volume(folder / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
    write_labels(folder / "labels.nii.gz", phantom.labels)
    (folder / "patient.json").write_text(json.dumps(RECORD))
    return ep.read_case(folder / "ct.nii.gz", folder / "labels.nii.gz", folder / "patient.json")


def same(case: ep.Case, other: ep.Case) -> bool:
    ct, labels = case.volume, case.labels
    assert ct is not None and other.volume is not None
    np.testing.assert_array_equal(ct.hu, other.volume.hu)
    np.testing.assert_array_equal(labels.labels, other.labels.labels)
    np.testing.assert_allclose(ct.grid.affine, other.volume.grid.affine, atol=1e-4)
    return case.record == other.record and case.levels == other.levels


def test_every_kind_of_image_gives_the_case_of_the_files(phantom: Phantom, from_files: ep.Case) -> None:
    ct, labels = phantom.volume, phantom.labels
    ways: list[tuple[Any, Any, dict[str, Any]]] = [
        (ct, labels, {}),
        (ct.to_nibabel(), labels.to_nibabel(), {}),
        (ct.to_sitk(), labels.to_sitk(), {}),
        (ct.to_nibabel(), labels.to_sitk(), {"scheme": "verse"}),
        (ct.hu, labels.labels, {"affine": ct.grid.affine, "frame": "LPS"}),
        (ct.to_nibabel(), np.asarray(labels.to_nibabel().dataobj), {}),
        (ct.to_sitk(), labels.labels, {"scheme": {20: "L1", 21: ep.Level.L2}}),
        (ct, labels.labels, {}),
    ]
    for given, told, options in ways:
        assert same(ep.read_case(given, told, RECORD, **options), from_files)


def test_a_ras_array_lands_on_the_same_side(phantom: Phantom, from_files: ep.Case) -> None:
    image, labels = phantom.volume.to_nibabel(), phantom.labels.to_nibabel()
    flipped = np.asarray(image.dataobj)[::-1]
    affine = image.affine.copy()
    affine[:3, 3] = image.affine[:3] @ [image.shape[0] - 1, 0, 0, 1]
    affine[:3, 0] *= -1
    case = ep.read_case(flipped, np.asarray(labels.dataobj)[::-1], RECORD, affine=affine, frame="RAS")
    assert same(case, from_files)


def test_what_was_in_memory_is_in_the_provenance(phantom: Phantom) -> None:
    case = ep.read_case(phantom.volume.to_nibabel(), phantom.labels, RECORD)
    inputs = case.provenance.inputs
    assert set(inputs) == {"ct: nibabel image in memory", "labels: LabelMap in memory", "record: dict in memory"}
    assert all(len(digest) == 64 for digest in inputs.values())
    other = ep.Volume(grid=phantom.volume.grid, hu=phantom.volume.hu + np.int16(1))
    again = ep.read_case(other, phantom.labels, RECORD).provenance.inputs
    assert again["ct: Volume in memory"] != inputs["ct: nibabel image in memory"]
    assert again["labels: LabelMap in memory"] == inputs["labels: LabelMap in memory"]


def test_labels_alone_and_a_case_without_a_name(phantom: Phantom) -> None:
    case = ep.read_case(None, phantom.labels.to_nibabel())
    assert case.volume is None and case.record is None and case.id == "case" and case.levels == ("L1", "L2")


def test_shape_is_measured_as_from_files(phantom: Phantom, from_files: ep.Case) -> None:
    memory = ep.assess(ep.read_case(phantom.volume.to_sitk(), phantom.labels, RECORD), mechanics=False)
    files = ep.assess(from_files, mechanics=False)
    assert float(memory["L1"].anterior_height) == pytest.approx(float(files["L1"].anterior_height), abs=1e-3)


@pytest.mark.parametrize(
    ("ct", "labels", "options", "why"),
    [
        ("array", "labels", {}, "without affine="),
        ("array", "labels", {"affine": np.eye(4)}, 'frame="RAS"'),
        (3, "labels", {}, "ct can be a path, a nibabel or SimpleITK image"),
        ("volume", [1, 2], {}, "labels can be a path"),
        ("volume", "label array", {"record": 3}, "give a path, a dict or a record"),
        ("volume", "label array", {"record": {"sex": "female"}}, "age_yr"),
        ("volume", "label array", {"scheme": {20: "Z1"}}, "is no vertebra"),
        ("volume", "label array", {"scheme": {20: "L1", 21: "L1"}}, "one level twice"),
        ("volume", "label array", {"scheme": {5: "L1"}}, "does not have: 20, 21"),
        ("volume", "label array", {"scheme": 7}, "how the labels are numbered"),
        ("volume", "no labels", {}, "is empty"),
        ("volume", "halves", {}, "not whole numbers"),
        ("zeros", "label array", {}, "same value 0 everywhere"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_to_give(
    phantom: Phantom, ct: Any, labels: Any, options: dict[str, Any], why: str
) -> None:
    numbers = phantom.labels.labels
    things = {
        "array": phantom.volume.hu,
        "volume": phantom.volume,
        "labels": phantom.labels,
        "label array": numbers,
        "no labels": np.zeros_like(numbers),
        "halves": numbers / 2.5,
        "zeros": ep.Volume(grid=phantom.volume.grid, hu=np.zeros_like(phantom.volume.hu)),
    }
    given = [things.get(item, item) if isinstance(item, str) else item for item in (ct, labels)]
    with pytest.raises(InputError, match=why):
        ep.read_case(*given, **options)


def test_a_table_of_numbers_is_for_labels_in_memory(tmp_path: Path, phantom: Phantom) -> None:
    write_labels(tmp_path / "labels.nii.gz", phantom.labels)
    with pytest.raises(OptionError, match="write a scheme file"):
        ep.read_case(phantom.volume, tmp_path / "labels.nii.gz", scheme={20: "L1"})
    with pytest.raises(LabelError, match="does not exist"):
        ep.read_case(phantom.volume, tmp_path / "absent.nii.gz")
