"""NIfTI in and out: number types, scaling, affines, and files that must be refused."""

from __future__ import annotations

import gzip
import json

import nibabel as nib
import numpy as np
import pytest
from tests.support.small_spine import LPS_TO_RAS, SHAPE, SPACING, grid, save_nifti, spine

from endplate.errors import ImageError, InputError, OutputError
from endplate.image.ct import read_ct
from endplate.image.gantry_tilt import skew
from endplate.image.labels import read_labels
from endplate.image.limits import ReadSettings
from endplate.image.nifti import read_nifti, write_labels, write_volume
from endplate.image.nifti.sparse_gzip import SparseGzip
from endplate.image.volume import Grid

VOLUME, LABELS = spine()


def refused(path, *words, trust=None):
    with pytest.raises(ImageError) as caught:
        read_ct(path, ReadSettings(trust_affine=trust))
    message = str(caught.value)
    assert "\n" not in message
    assert all(word.lower() in message.lower() for word in words), message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_number_type_and_compression_do_not_change_the_values(tmp_path, dtype, suffix):
    ct = read_ct(save_nifti(tmp_path / f"ct{suffix}", VOLUME.hu.astype(dtype), VOLUME.grid))
    assert np.array_equal(ct.hu, VOLUME.hu)
    assert ct.hu.dtype == (np.int16 if np.dtype(dtype).kind == "i" else np.float32)


def test_plain_int16_stays_int16(tmp_path):
    assert read_ct(save_nifti(tmp_path / "ct.nii", VOLUME.hu, VOLUME.grid)).hu.dtype == np.int16


def test_whole_scaling_of_unsigned_numbers_gives_int16(tmp_path):
    raw = (VOLUME.hu.clip(-1024, None) + 1024).astype(np.uint16)
    ct = read_ct(scaled(tmp_path / "ct.nii", raw, 1, -1024))
    assert ct.hu.dtype == np.int16
    assert np.array_equal(ct.hu, VOLUME.hu.clip(-1024, None))


def test_fractional_scaling_is_applied(tmp_path):
    raw = np.rint((VOLUME.hu + 1024) / 0.25).astype(np.int16)
    ct = read_ct(scaled(tmp_path / "ct.nii", raw, 0.25, -1024))
    assert np.allclose(ct.hu, VOLUME.hu, atol=0.13)


def test_large_values_do_not_wrap_around(tmp_path):
    raw = (VOLUME.hu - 1000).astype(np.int16)
    raw[18, 22, 33] = 32000
    ct = read_ct(scaled(tmp_path / "ct.nii", raw, 1, 1000))
    assert ct.hu.max() == 33000


def scaled(path, raw, slope, inter):
    """Set the scaling in the stored bytes: nibabel would otherwise rewrite the numbers."""
    save_nifti(path, raw, VOLUME.grid)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([slope, inter], "<f4").tobytes()
    path.write_bytes(content)
    return path


def test_big_endian_is_read(tmp_path):
    image = nib.Nifti1Image(VOLUME.hu, LPS_TO_RAS @ VOLUME.grid.affine, nib.Nifti1Header(endianness=">"))
    image.to_filename(tmp_path / "ct.nii")
    assert (tmp_path / "ct.nii").read_bytes()[:4] == (348).to_bytes(4, "big")
    assert np.array_equal(read_ct(tmp_path / "ct.nii").hu, VOLUME.hu)


def test_nifti_2_is_read(tmp_path):
    nib.save(nib.Nifti2Image(VOLUME.hu, LPS_TO_RAS @ VOLUME.grid.affine), tmp_path / "ct.nii")
    assert np.array_equal(read_ct(tmp_path / "ct.nii").hu, VOLUME.hu)


def test_single_extra_dimensions_are_dropped(tmp_path):
    nib.save(nib.Nifti1Image(VOLUME.hu[..., None, None], LPS_TO_RAS @ VOLUME.grid.affine), tmp_path / "ct.nii")
    assert read_ct(tmp_path / "ct.nii").hu.shape == SHAPE


def test_gzip_is_told_by_content_not_by_name(tmp_path):
    path = save_nifti(tmp_path / "ct.nii.gz", VOLUME.hu, VOLUME.grid)
    path.rename(tmp_path / "ct.nii")
    assert read_ct(tmp_path / "ct.nii").hu.shape == SHAPE


class TestAffine:
    """Which of sform, qform and voxel sizes is used, and that it is said."""

    def store(self, path, sform_code, qform_code, sform_shift=0.0):
        affine = LPS_TO_RAS @ VOLUME.grid.affine
        image = nib.Nifti1Image(VOLUME.hu, affine)
        image.set_qform(affine, code=qform_code)
        shifted = affine.copy()
        shifted[0, 3] += sform_shift
        image.header.set_sform(shifted, code=sform_code)
        content = image.to_bytes()
        raw = bytearray(content)
        raw[252:256] = np.array([qform_code, sform_code], "<i2").tobytes()
        raw[280:328] = shifted[:3].astype("<f4").tobytes()
        path.write_bytes(raw)
        return path

    def test_the_qform_alone_is_enough(self, tmp_path):
        ct = read_ct(self.store(tmp_path / "ct.nii", 0, 1))
        assert ct.grid.matches(VOLUME.grid, 1e-2)
        assert ct.series.notes == ()

    def test_a_place_stated_twice_and_differently_is_refused_until_one_is_trusted(self, tmp_path):
        path = self.store(tmp_path / "ct.nii", 1, 1, sform_shift=-20.0)
        refused(path, "contradicts itself", "20.0 mm apart", "--trust-affine sform")
        for trusted, shift in (("sform", 20.0), ("qform", 0.0), ("pixdim", 0.0)):
            ct = read_ct(path, ReadSettings(trust_affine=trusted))
            assert ct.grid.affine[0, 3] == pytest.approx(VOLUME.grid.affine[0, 3] + shift, abs=1e-2)
            assert f"its {trusted} is used, as asked" in ct.series.notes[0]

    @pytest.mark.parametrize("factor", [1.5, 1.02, 0.7])
    def test_an_sform_that_contradicts_the_voxel_sizes_is_refused_until_one_is_trusted(self, tmp_path, factor):
        path = save_nifti(tmp_path / "ct.nii", VOLUME.hu, VOLUME.grid)
        content = bytearray(path.read_bytes())
        content[252:254] = (0).to_bytes(2, "little")
        content[88:92] = np.array([SPACING[2] * factor], "<f4").tobytes()
        path.write_bytes(content)
        refused(path, "sform", "pixdim", f"{SPACING[2] * factor:g}", "--trust-affine")
        assert read_ct(path, ReadSettings(trust_affine="sform")).grid.spacing_mm[2] == pytest.approx(SPACING[2])
        sized = read_ct(path, ReadSettings(trust_affine="pixdim")).grid
        assert sized.spacing_mm == pytest.approx([*SPACING[:2], SPACING[2] * factor], rel=1e-5)
        refused(path, "no usable qform", trust="qform")

    def test_a_header_in_agreement_is_read_the_same_whatever_is_trusted(self, tmp_path):
        path = self.store(tmp_path / "ct.nii", 1, 1)
        for trusted in ("sform", "qform", "pixdim"):
            ct = read_ct(path, ReadSettings(trust_affine=trusted))
            assert ct.grid.matches(VOLUME.grid, 1e-2)
            assert ct.series.notes == ()

    def test_without_either_the_assumption_is_said(self, tmp_path):
        ct = read_ct(self.store(tmp_path / "ct.nii", 0, 0))
        assert "not known" in ct.series.notes[0]
        assert np.allclose(sorted(ct.grid.spacing_mm), sorted(VOLUME.grid.spacing_mm))

    def test_a_flat_sform_gives_way_to_the_qform(self, tmp_path):
        path = self.store(tmp_path / "ct.nii", 1, 1)
        content = bytearray(path.read_bytes())
        content[296:312] = content[280:296]
        path.write_bytes(content)
        ct = read_ct(path)
        assert "qform is used" in ct.series.notes[0]
        assert ct.grid.matches(VOLUME.grid, 1e-2)

    def test_metres_become_millimetres(self, tmp_path):
        affine = LPS_TO_RAS @ VOLUME.grid.affine
        affine[:3] /= 1000
        image = nib.Nifti1Image(VOLUME.hu, affine)
        image.header.set_xyzt_units("meter")
        nib.save(image, tmp_path / "ct.nii")
        assert np.allclose(read_ct(tmp_path / "ct.nii").grid.spacing_mm, VOLUME.grid.spacing_mm, rtol=1e-5)

    def test_a_sheared_sform_is_straightened_without_moving_the_patient(self, tmp_path):
        sheared = VOLUME.grid.affine.copy()
        sheared[1, 2] = 0.3 * VOLUME.grid.affine[2, 2]
        tilted = Grid(shape=SHAPE, affine=sheared)
        volume, labels = spine(tilted)
        ct = read_ct(save_nifti(tmp_path / "ct.nii", volume.hu, tilted))
        found = read_labels(save_nifti(tmp_path / "labels.nii", labels.labels, tilted))
        assert skew(ct.grid) < 1e-6
        assert "tilt of 16.7" in ct.series.notes[-1]
        for label in (20, 22, 24):
            before = tilted.to_mm(np.argwhere(labels.labels == label)).mean(axis=0)
            after = found.grid.to_mm(np.argwhere(found.labels == label)).mean(axis=0)
            assert np.linalg.norm(before - after) < 0.4


class TestRefused:
    """Bad files: one line, exit code 2."""

    def test_missing_file(self, tmp_path):
        refused(tmp_path / "none.nii.gz", "does not exist")

    @pytest.mark.parametrize("reader", [read_ct, read_labels])
    def test_a_disk_that_fails_is_told_in_one_line(self, tmp_path, monkeypatch, reader):
        path = save_nifti(tmp_path / "ct.nii", VOLUME.hu, VOLUME.grid)

        def fails(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("endplate.image.nifti.file.read_header", fails)
        with pytest.raises(InputError, match="Permission denied"):
            reader(path)

    def test_empty_file(self, tmp_path):
        (tmp_path / "ct.nii.gz").write_bytes(b"")
        refused(tmp_path / "ct.nii.gz", "not a NIfTI")

    def test_text_called_nifti(self, tmp_path):
        (tmp_path / "ct.nii").write_text("this is not an image" * 60)
        refused(tmp_path / "ct.nii", "not a NIfTI")

    @pytest.mark.parametrize("keep", [0.001, 0.2, 0.9, 0.9999])
    @pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
    def test_truncated(self, tmp_path, keep, suffix):
        path = save_nifti(tmp_path / f"ct{suffix}", VOLUME.hu, VOLUME.grid)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * keep)])
        refused(path)

    def test_flipped_bit_in_compressed_voxels(self, tmp_path):
        path = save_nifti(tmp_path / "ct.nii.gz", VOLUME.hu, VOLUME.grid)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 16
        path.write_bytes(content)
        refused(path, "damaged")

    def test_pair_is_refused_by_name(self, tmp_path):
        nib.save(nib.Nifti1Pair(VOLUME.hu, np.eye(4)), tmp_path / "ct.hdr")
        refused(tmp_path / "ct.hdr", ".hdr/.img")

    def test_four_dimensional(self, tmp_path):
        nib.save(nib.Nifti1Image(np.stack([VOLUME.hu] * 2, axis=-1), np.eye(4)), tmp_path / "ct.nii")
        refused(tmp_path / "ct.nii", "4 dimensions")

    def test_single_slice(self, tmp_path):
        nib.save(nib.Nifti1Image(VOLUME.hu[:, :, :1], np.eye(4)), tmp_path / "ct.nii")
        refused(tmp_path / "ct.nii", "single slice")

    def test_colour_values(self, tmp_path):
        rgb = np.zeros(SHAPE, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
        nib.save(nib.Nifti1Image(rgb, np.eye(4)), tmp_path / "ct.nii")
        refused(tmp_path / "ct.nii", "values")

    @pytest.mark.parametrize("size", [0.0, -1.5, np.nan, np.inf])
    def test_zero_negative_or_undefined_spacing(self, tmp_path, size):
        path = save_nifti(tmp_path / "ct.nii", VOLUME.hu, VOLUME.grid)
        content = bytearray(path.read_bytes())
        content[84:88] = np.array([size], "<f4").tobytes()
        path.write_bytes(content)
        refused(path, "voxel size", "spacing")

    def test_spacing_of_no_scan(self, tmp_path):
        refused(save_nifti(tmp_path / "ct.nii", VOLUME.hu, grid(spacing=(200.0, 200.0, 250.0))), "voxels of 200")

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_nan_and_infinite_hu(self, tmp_path, bad):
        hu = VOLUME.hu.astype(np.float32)
        hu[3, 4, 5] = bad
        refused(save_nifti(tmp_path / "ct.nii", hu, VOLUME.grid), "1 voxels", "NaN or infinite")

    def test_all_air(self, tmp_path):
        air = np.random.default_rng(4711).normal(-1000, 15, SHAPE).astype(np.int16)
        refused(save_nifti(tmp_path / "ct.nii", air, VOLUME.grid), "only air")

    def test_no_bone(self, tmp_path):
        refused(save_nifti(tmp_path / "ct.nii", VOLUME.hu.clip(None, 60), VOLUME.grid), "no bone")

    def test_label_map_given_as_ct(self, tmp_path):
        refused(save_nifti(tmp_path / "ct.nii", LABELS.labels.astype(np.int16), VOLUME.grid), "not in Hounsfield units")

    @pytest.mark.parametrize("kind", ["magnitude", "ringing", "unit", "z-score", "window", "lost intercept"])
    def test_mri_and_other_values_that_are_not_hu(self, tmp_path, kind):
        magnitude = np.abs(VOLUME.hu.astype(np.float32) + 1000) * 0.7
        values = {
            "magnitude": magnitude,
            "ringing": magnitude + np.random.default_rng(4711).normal(0, 4, SHAPE),
            "unit": magnitude / magnitude.max(),
            "z-score": (magnitude - magnitude.mean()) / magnitude.std(),
            "window": VOLUME.hu.clip(-160, 240) * 0.6 + 100,
            "lost intercept": VOLUME.hu.astype(np.float32) + 1024,
        }[kind]
        refused(save_nifti(tmp_path / "mr.nii", values.astype(np.float32), VOLUME.grid), "MRI")

    def test_claimed_size_is_checked_before_memory_is_taken(self, tmp_path):
        path = save_nifti(tmp_path / "ct.nii.gz", VOLUME.hu[:4, :4, :4], grid(shape=(4, 4, 4)))
        content = bytearray(gzip.decompress(path.read_bytes()))
        content[42:48] = np.array([30000, 30000, 4], "<i2").tobytes()
        path.write_bytes(gzip.compress(bytes(content)))
        refused(path, "voxels")


def test_a_tight_crop_of_bone_and_muscle_is_still_a_ct(tmp_path, shared_data):
    for name in ("tptbox-l3/sub-ct_label-22_ct.nii.gz", "verse014/sub-verse014_ct.nii.gz"):
        whole = read_nifti(shared_data / name)
        middle = tuple(slice(n // 4, n - n // 4) for n in whole.grid.shape)
        crop = whole.grid.crop([s.start for s in middle], [s.stop for s in middle])
        read_ct(save_nifti(tmp_path / "crop.nii", whole.values[middle], crop))


class TestSidecar:
    """The JSON beside a NIfTI scan says what the header cannot."""

    def store(self, folder, content):
        (folder / "ct.json").write_text(content)
        return save_nifti(folder / "ct.nii.gz", VOLUME.hu, VOLUME.grid)

    def test_its_facts_are_kept(self, tmp_path):
        content = {"Modality": "CT", "KVP": 120, "ConvolutionKernel": "Br59", "SliceThickness": "0.75"}
        content |= {"Manufacturer": "Siemens", "ManufacturersModelName": "Force", "ContrastBolusAgent": "Iomeron"}
        found = read_ct(self.store(tmp_path, json.dumps(content))).series
        assert (found.modality, found.kvp, found.kernel, found.contrast) == ("CT", 120.0, "Br59", True)
        assert (found.manufacturer, found.slice_thickness_mm) == ("Siemens Force", 0.75)
        assert "ct.json" in found.notes[-1]

    def test_without_it_everything_is_unknown(self, tmp_path):
        found = read_ct(save_nifti(tmp_path / "ct.nii.gz", VOLUME.hu, VOLUME.grid)).series
        assert (found.kvp, found.kernel, found.contrast, found.manufacturer) == (None,) * 4

    @pytest.mark.parametrize("content", ["", "[1]", "{", '{"KVP": "high", "ConvolutionKernel": 7}', '{"KVP": -1}'])
    def test_nonsense_in_it_is_unknown_not_an_error(self, tmp_path, content):
        found = read_ct(self.store(tmp_path, content)).series
        assert (found.kvp, found.kernel) == (None, None)
        assert "ct.json" in found.notes[-1]

    def test_it_may_say_that_the_scan_is_an_mri(self, tmp_path):
        refused(self.store(tmp_path, '{"Modality": "MR"}'), "is MR")


class TestWriting:
    """What is written reads back, and nothing half-written stays."""

    def test_volume_and_labels_read_back(self, tmp_path):
        write_volume(tmp_path / "out" / "ct.nii.gz", VOLUME.grid, VOLUME.hu)
        write_labels(tmp_path / "out" / "labels.nii.gz", LABELS)
        ct, labels = read_ct(tmp_path / "out" / "ct.nii.gz"), read_labels(tmp_path / "out" / "labels.nii.gz")
        assert np.array_equal(ct.hu, VOLUME.hu)
        assert np.array_equal(labels.labels, LABELS.labels)
        assert ct.grid.matches(VOLUME.grid)
        assert labels.scheme == "names in the file header"

    def test_a_folder_in_the_way_is_an_output_error(self, tmp_path):
        (tmp_path / "ct.nii.gz").mkdir()
        with pytest.raises(OutputError, match="in the way"):
            write_volume(tmp_path / "ct.nii.gz", VOLUME.grid, VOLUME.hu)

    def test_a_file_where_the_folder_should_be_is_an_output_error(self, tmp_path):
        (tmp_path / "out").write_text("")
        with pytest.raises(OutputError):
            write_volume(tmp_path / "out" / "ct.nii.gz", VOLUME.grid, VOLUME.hu)

    @pytest.mark.parametrize("kind", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_a_full_disk_or_an_interrupt_leaves_nothing_and_keeps_the_old_file(self, tmp_path, monkeypatch, kind):
        target = tmp_path / "ct.nii.gz"
        target.write_text("the old result")

        def fails(packed):
            raise kind

        monkeypatch.setattr(SparseGzip, "end", fails)
        with pytest.raises((OutputError, KeyboardInterrupt)) as caught:
            write_volume(target, VOLUME.grid, VOLUME.hu)
        if isinstance(kind, OSError):
            assert "free some space" in str(caught.value)
        assert [p.name for p in tmp_path.iterdir()] == ["ct.nii.gz"]
        assert target.read_text() == "the old result"
