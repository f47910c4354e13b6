"""Input that other programs read and that is meant well: read, with a word on what was odd about it."""

from __future__ import annotations

import copy

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid
from tests.support.small_spine import LPS_TO_RAS, dicom_slices, grid, save_nifti, save_series, series_header, spine

from endplate.errors import ImageError, LabelError
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.scheme import scheme_by_name, scheme_from_names
from endplate.image.resample import match_grids
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level

ON = grid(shape=(36, 44, 30), spacing=(2.0, 2.0, 1.25))
VOLUME = Volume(grid=ON, hu=spine(ON)[0].hu.clip(-1024, None))
FULL, LABELS = spine()


def slices(**header):
    return dicom_slices(VOLUME, series_header(**header))


def same(ct) -> bool:
    return np.array_equal(ct.hu, VOLUME.hu) and ct.grid.matches(VOLUME.grid, 0.06)


def refused(path, *words, error=ImageError, read=read_ct) -> str:
    with pytest.raises(error) as caught:
        read(path)
    message = str(caught.value)
    assert all(word in message for word in words), message
    return message


class TestDicom:
    """A series as it comes out of archives."""

    @pytest.mark.parametrize("digits", [1, 2])
    def test_positions_rounded_to_a_tenth(self, tmp_path, digits):
        series = slices()
        for ds in series:
            ds.ImagePositionPatient = [round(float(x), digits) for x in ds.ImagePositionPatient]
        ct = read_ct(save_series(tmp_path / "ct", series))
        assert same(ct)
        assert ct.grid.spacing_mm[2] == pytest.approx(1.25, abs=0.003)

    def test_positions_rounded_to_whole_millimetres_are_refused_by_how_far_they_are_off(self, tmp_path):
        series = slices()
        for ds in series:
            ds.ImagePositionPatient = [float(round(x)) for x in ds.ImagePositionPatient]
        refused(save_series(tmp_path / "ct", series), "gaps in the series", "2.00 mm", "positions were rounded")

    @pytest.mark.parametrize("which", [slice(9, 12), slice(0, 30), slice(29, 30)])
    def test_the_same_images_again_under_new_uids(self, tmp_path, which):
        series = slices()
        again = [copy.deepcopy(ds) for ds in series[which]]
        for ds in again:
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ct = read_ct(save_series(tmp_path / "ct", series + again))
        assert same(ct)
        assert f"{len(again)} duplicate images were left out, {len(again)} of them the same image" in ct.series.notes[0]

    def test_one_other_voxel_makes_two_images(self, tmp_path):
        series = slices()
        other = copy.deepcopy(series[9])
        other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        other.PixelData = other.PixelData[:-2] + b"\x11\x11"
        refused(save_series(tmp_path / "ct", [*series, other]), "two different images lie at the same place")

    @pytest.mark.parametrize("cut", ["preamble", "preamble and meta"])
    def test_files_without_the_preamble(self, tmp_path, cut):
        folder = save_series(tmp_path / "ct", slices())
        for path in folder.iterdir():
            content = path.read_bytes()
            start = 132 if cut == "preamble" else content.index(b"\x08\x00\x08\x00CS")
            path.write_bytes(content[start:])
        assert same(read_ct(folder))

    @pytest.mark.parametrize("blank", ["", None])
    def test_a_blank_class_is_taken_from_the_file_meta(self, tmp_path, blank):
        folder = save_series(tmp_path / "ct", slices())
        for path in folder.iterdir():
            ds = pydicom.dcmread(path)
            ds.SOPClassUID = blank
            pydicom.dcmwrite(path, ds, enforce_file_format=False)
        assert same(read_ct(folder))

    def test_what_else_calls_itself_a_ct_is_named_by_its_class(self, tmp_path):
        series = slices()
        for ds in series:
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
        refused(save_series(tmp_path / "ct", series), "holds no CT images (30 CT of the class Secondary Capture")

    def test_a_dicomdir_stands_for_its_folder(self, tmp_path):
        folder = save_series(tmp_path / "ct", slices())
        (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(10))
        assert same(read_ct(folder / "DICOMDIR"))

    @pytest.mark.parametrize("frames", [2, 30])
    def test_frames_without_a_place_are_refused_as_that(self, tmp_path, frames):
        (one, *_) = slices()
        one.NumberOfFrames = frames
        one.PixelData = one.PixelData * frames
        refused(save_series(tmp_path / "ct", [one]), f"holds {frames} frames and the place of one")


class TestAlmostWhole:
    """Labels that arithmetic has moved a little off whole numbers."""

    @pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint16])
    @pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
    def test_labels_saved_again_with_a_slope(self, tmp_path, dtype, suffix):
        image = nib.load(save_nifti(tmp_path / "l.nii", LABELS.labels.astype(dtype), LABELS.grid))
        nib.save(nib.Nifti1Image(image.get_fdata(), image.affine, image.header), tmp_path / f"edited{suffix}")
        stored = nib.load(tmp_path / f"edited{suffix}").get_fdata()
        found = read_labels(tmp_path / f"edited{suffix}")
        assert np.array_equal(found.labels, LABELS.labels)
        assert (stored == np.rint(stored)).all() or "beside whole numbers were rounded" in found.notes[-1]

    @pytest.mark.parametrize("off", [1e-7, 1e-4, -0.02, 0.049])
    def test_floats_near_whole_numbers(self, tmp_path, off):
        values = LABELS.labels.astype(np.float64) + np.where(LABELS.labels > 0, off, 0)
        found = read_labels(save_nifti(tmp_path / "l.nii", values, LABELS.grid))
        assert np.array_equal(found.labels, LABELS.labels)

    @pytest.mark.parametrize("off", [0.06, 0.3, 0.5])
    def test_fractions_are_refused_with_their_size(self, tmp_path, off):
        values = LABELS.labels.astype(np.float32)
        values[values == 22] += off
        refused(
            save_nifti(tmp_path / "l.nii", values, LABELS.grid), f"up to {off:.2g} beside", error=LabelError,
            read=read_labels,
        )  # fmt: skip

    def test_interpolated_labels_are_refused(self, tmp_path):
        values = (LABELS.labels[:, :, :-1] * 0.7 + LABELS.labels[:, :, 1:] * 0.3).astype(np.float32)
        on = grid(shape=values.shape)
        refused(save_nifti(tmp_path / "l.nii", values, on), "not whole", error=LabelError, read=read_labels)


class TestGrids:
    """Grids that differ by rounding are one."""

    def masks(self, folder, shifts):
        folder.mkdir()
        for (label, level), shift in zip({20: "L1", 21: "L2", 22: "L3"}.items(), shifts, strict=True):
            affine = LPS_TO_RAS @ LABELS.grid.affine
            affine[:3, 3] += shift
            image = nib.Nifti1Image((LABELS.labels == label).astype(np.uint8), affine)
            nib.save(image, folder / f"vertebrae_{level}.nii.gz")
        return folder

    @pytest.mark.parametrize("shift", [0.004, 0.013, 0.15])
    def test_masks_a_fraction_of_a_voxel_apart_with_the_shift_said(self, tmp_path, shift):
        found = read_labels(self.masks(tmp_path / "m", [0, shift, -shift / 2]))
        assert np.array_equal(found.labels, np.where(LABELS.labels < 23, LABELS.labels, 0))
        assert f"up to {shift:.3f} mm apart" in " ".join(found.notes)

    @pytest.mark.parametrize("shift", [0.25, 1.0])
    def test_masks_farther_apart_are_refused_with_the_distance(self, tmp_path, shift):
        path = self.masks(tmp_path / "m", [0, shift, 0])
        refused(path, "another grid", f"{shift:.2f} mm apart", error=LabelError, read=read_labels)

    def test_labels_beside_the_grid_of_the_ct(self):
        affine = LABELS.grid.affine.copy()
        affine[:3, 3] += 0.05
        near = LabelMap(grid=Grid(shape=LABELS.grid.shape, affine=affine), labels=LABELS.labels, scheme="verse")
        found = match_grids(FULL, near)
        assert found.labels is LABELS.labels
        assert found.grid is FULL.grid
        assert "0.050 mm beside the grid of the CT" in found.notes[-1]


class TestSchemeFiles:
    """What a scheme file may say."""

    def stored(self, path):
        array = np.where(LABELS.labels > 0, LABELS.labels + 21, 0).astype(np.uint8)
        array[:3, :3, :3], array[4:6, 0, 0] = 91, 117
        return save_nifti(path, array, LABELS.grid)

    @pytest.mark.parametrize(
        "ignore",
        ["ignore = [91, 117]", 'ignore = "rest"', 'ignore = ["90-120"]', "ignore = { disc = 91, liver = 117 }"],
    )
    def test_other_structures_can_be_named(self, tmp_path, ignore):
        (tmp_path / "s.toml").write_text("".join(f"L{i} = {40 + i}\n" for i in range(1, 6)) + ignore)
        found = read_labels(self.stored(tmp_path / "l.nii.gz"), tmp_path / "s.toml")
        inside = LABELS.labels > 0
        assert np.array_equal(found.labels[inside], LABELS.labels[inside])
        assert not found.labels[~inside].any()
        assert "2 labels of other structures" in found.notes[-1]

    def test_beside_a_table_of_levels_too(self, tmp_path):
        levels = "".join(f'{40 + i} = "Bone structure of L{i}"\n' for i in range(1, 6))
        (tmp_path / "s.toml").write_text(f'ignore = [91, "117"]\n[levels]\n{levels}')
        assert read_labels(self.stored(tmp_path / "l.nii.gz"), tmp_path / "s.toml").labels.max() == 24

    def test_without_it_what_the_file_does_not_name_is_left_out_and_listed(self, tmp_path):
        (tmp_path / "s.toml").write_text("".join(f"L{i} = {40 + i}\n" for i in range(1, 6)))
        found = read_labels(self.stored(tmp_path / "l.nii.gz"), tmp_path / "s.toml")
        assert set(np.unique(found.labels)) == {0, 20, 21, 22, 23, 24}
        assert "file s.toml does not name were left out as other structures: 91, 117;" in found.notes[-1]

    def test_with_it_what_is_in_neither_is_refused_and_the_refusal_says_how(self, tmp_path):
        (tmp_path / "s.toml").write_text("ignore = [117]\n" + "".join(f"L{i} = {40 + i}\n" for i in range(1, 6)))
        with pytest.raises(LabelError, match=r"does not have: 91;.*ignore"):
            read_labels(self.stored(tmp_path / "l.nii.gz"), tmp_path / "s.toml")

    @pytest.mark.parametrize(
        "content",
        ["L1 = 20\nignore = [0]", "L1 = 20\nignore = [70000]", 'L1 = 20\nignore = ["9-3"]', "L1 = 20\nignore = [1.5]",
         'L1 = 20\nignore = "some"', "ignore = [1]", f"L1 = {'9' * 5000}", '"²" = "L1"', f'"{"1" * 5000}" = "L1"',
         "L1 = true", 'L1 = "²"', "L1 = 20\n" + "#" * 2_000_000, "[[L1]]\na = 1", 'L1 = { "2" = 3 }'],
    )  # fmt: skip
    def test_nonsense_is_refused_in_one_short_line(self, tmp_path, content):
        (tmp_path / "s.toml").write_text(content)
        message = refused(
            tmp_path / "l.nii", "s.toml", error=LabelError, read=lambda _: scheme_by_name(tmp_path / "s.toml")
        )
        assert len(message) < 1500
        assert message.isprintable()


@pytest.mark.parametrize(
    ("name", "level"),
    [("Th12", "T12"), ("th05", "T5"), ("L1_body", "L1"), ("Bone structure of L2", "L2"), ("vertebral_body_T7", "T7"),
     ("cervical vertebrae 1 (C1)", "C1"), ("lumbar vertebra 4", "L4"), ("1st lumbar vertebra", "L1"), ("L3 Body", "L3"),
     ("Bone structure of twelfth thoracic vertebra", "T12"), ("T12 vertebral body", "T12")],
)  # fmt: skip
def test_names_of_levels(name, level):
    assert level_from_name(name) is Level(level)


@pytest.mark.parametrize(
    "name",
    ["disc L1 L2", "L1-L2", "L1 endplate", "spinous process of L1", "rib 12", "T12 rib", "L²", "body", "1", "Th13x"],
)
def test_names_of_other_things(name):
    assert level_from_name(name) is None


def test_a_table_of_plain_names_counts_unless_it_only_repeats_its_numbers():
    found = scheme_from_names({19: "Th12", 20: "L1", 21: "L2", 50: "cord"}, "header")
    assert found is not None
    assert found.levels == {19: Level.T12, 20: Level.L1, 21: Level.L2}
    assert scheme_from_names({1: "L1", 2: "L2", 20: "L20"}, "header") is None
    assert scheme_from_names({1: "vertebrae_L1", 2: "L1"}, "header") is None
