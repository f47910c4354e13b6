"""Labels of every scheme become the same levels; what cannot be told apart is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from tests.support.small_spine import LEVEL_IDS, LPS_TO_RAS, grid, save_nifti, spine

from endplate.errors import GridMismatchError, LabelError
from endplate.image.ct import read_ct
from endplate.image.label_misregistration import check_in_place
from endplate.image.labels import read_labels
from endplate.image.labels.arrangement import guess_scheme
from endplate.image.labels.label_folder import with_subregions
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.scheme import known_schemes, scheme_by_name
from endplate.image.nifti import write_labels
from endplate.image.resample import match_grids
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import FROM_VERSE_ID, Level

VOLUME, LABELS = spine()
L1_TO_L5 = dict(zip(LEVEL_IDS, ("L1", "L2", "L3", "L4", "L5"), strict=True))


def numbered(table: dict[str, int]) -> np.ndarray:
    """The spine with the numbers of another scheme."""
    out = np.zeros_like(LABELS.labels)
    for label, name in L1_TO_L5.items():
        if name in table:
            out[LABELS.labels == label] = table[name]
    return out


def stored(path: Path, array, xml: str | None = None) -> Path:
    image = nib.Nifti1Image(array, LPS_TO_RAS @ VOLUME.grid.affine)
    if xml is not None:
        image.header.extensions.append(nib.nifti1.Nifti1Extension(0, xml.encode()))
    nib.save(image, path)
    return path


def header_table(names: dict[int, str]) -> str:
    """The table as TotalSegmentator writes it."""
    rows = "".join(
        f'<Label Key="{k}" Red="1.0" Green="0.0" Blue="0.0" Alpha="1"><![CDATA[{v}]]></Label>\n'
        for k, v in names.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  <Date><![CDATA[2013-07-14T05:45:09]]></Date>'
        f'   <VolumeInformation Index="0">   <LabelTable>\n{rows}\n  </LabelTable>  <StudyMetaDataLinkSet>'
        "  </StudyMetaDataLinkSet>  <VolumeType><![CDATA[Label]]></VolumeType>   </VolumeInformation></CaretExtension> "
    )


def refused(path: Path, *words: str, scheme=None) -> str:
    with pytest.raises(LabelError) as caught:
        read_labels(path, scheme)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word.lower() in message.lower() for word in words), message
    return message


class TestSchemes:
    """The numbering is recognised, or asked for."""

    @pytest.mark.parametrize(
        ("name", "table"),
        [
            ("verse", {"L1": 20, "L2": 21, "L3": 22, "L4": 23, "L5": 24}),
            ("totalsegmentator-v1", {"L1": 22, "L2": 21, "L3": 20, "L4": 19, "L5": 18}),
        ],
    )
    def test_numbers_that_fit_two_schemes_are_told_apart_by_their_order_along_the_spine(self, tmp_path, name, table):
        found = read_labels(stored(tmp_path / "labels.nii.gz", numbered(table)))
        assert found.scheme == name
        assert np.array_equal(found.labels, LABELS.labels)

    def test_totalsegmentator_with_its_header_names_needs_no_scheme(self, tmp_path):
        total = scheme_by_name("total")
        array = numbered({str(level): number for number, level in total.levels.items()})
        array[0, 0, :5] = (1, 25, 52, 91, 117)
        names = {n: f"vertebrae_{level}" for n, level in total.levels.items()}
        names |= {n: f"organ_{n}" for n in total.others} | {25: "sacrum"}
        found = read_labels(stored(tmp_path / "labels.nii.gz", array, header_table(names)))
        assert found.scheme == "names in the file header"
        assert np.array_equal(found.labels[1:], LABELS.labels[1:])
        assert "4 labels of other structures" in found.notes[0]

    def test_a_name_table_that_merely_repeats_the_numbers_is_not_believed(self, tmp_path):
        # TotalSegmentator writes L{number} where it has no names: label 20 is "L20", label 5 would be "L5".
        array = numbered({"L1": 1, "L2": 2, "L3": 3, "L4": 4, "L5": 5})
        found = read_labels(stored(tmp_path / "labels.nii.gz", array, header_table({n: f"L{n}" for n in range(1, 6)})))
        assert [str(FROM_VERSE_ID[int(n)]) for n in np.unique(found.labels)[1:]] == ["C1", "C2", "C3", "C4", "C5"]
        assert found.scheme == "verse"

    def test_the_same_run_of_both_totalsegmentator_versions_is_refused_by_name(self, tmp_path):
        path = stored(tmp_path / "labels.nii.gz", numbered({"L1": 31, "L2": 30, "L3": 29, "L4": 28, "L5": 27}))
        refused(path, "totalsegmentator (L1-L5)", "totalsegmentator-v1 (T4-T8)", "--scheme totalsegmentator")
        assert np.array_equal(read_labels(path, "totalsegmentator").labels, LABELS.labels)

    def test_one_vertebra_whose_number_has_two_meanings_is_refused_by_name(self, tmp_path):
        path = stored(tmp_path / "labels.nii.gz", numbered({"L3": 22}))
        refused(path, "verse (L3)", "totalsegmentator-v1 (L1)", "--scheme")
        assert np.unique(read_labels(path, "verse").labels).tolist() == [0, 22]
        assert np.unique(read_labels(path, "totalsegmentator-v1").labels).tolist() == [0, 20]

    def test_a_whole_multi_organ_map_without_names_is_recognised_by_its_column(self, tmp_path):
        total = scheme_by_name("total")
        array = numbered({str(level): number for number, level in total.levels.items()})
        array[0, 0, :6] = (1, 5, 52, 91, 110, 117)
        found = read_labels(stored(tmp_path / "labels.nii.gz", array))
        assert found.scheme == "totalsegmentator"
        assert np.array_equal(found.labels[1:], LABELS.labels[1:])

    def test_vertebrae_pp_numbers_are_read(self, tmp_path):
        found = read_labels(stored(tmp_path / "labels.nii.gz", LABELS.labels), "vertebrae_pp_refined")
        assert np.array_equal(found.labels, LABELS.labels)
        assert found.scheme == "vertebrae_pp"

    def test_discs_and_endplates_beside_verse_numbers_are_left_out(self, tmp_path):
        array = LABELS.labels.copy()
        array[0, 0, :2] = (120, 221)
        found = read_labels(stored(tmp_path / "labels.nii.gz", array))
        assert found.labels[0, 0].max() == 0
        assert "2 labels of other structures" in found.notes[0]

    def test_t13_and_l6_are_levels(self, tmp_path):
        array = LABELS.labels.copy()
        array[array == 20] = 28
        array[array == 24] = 25
        found = read_labels(stored(tmp_path / "labels.nii.gz", array))
        assert {FROM_VERSE_ID[int(n)] for n in np.unique(found.labels)[1:]} >= {Level.T13, Level.L6}

    @pytest.mark.parametrize(
        "content",
        ["L1 = 7\nL2 = 6\nL3 = 5\nL4 = 4\nL5 = 3\n", '[levels]\n7 = "L1"\n6 = "L2"\n5 = "L3"\n4 = "L4"\n3 = "L5"\n'],
    )
    def test_a_scheme_file_in_toml(self, tmp_path, content):
        (tmp_path / "mine.toml").write_text(content)
        path = stored(tmp_path / "labels.nii.gz", numbered({"L1": 7, "L2": 6, "L3": 5, "L4": 4, "L5": 3}))
        found = read_labels(path, tmp_path / "mine.toml")
        assert np.array_equal(found.labels, LABELS.labels)
        assert found.scheme == "file mine.toml"

    def test_a_scheme_file_in_json(self, tmp_path):
        (tmp_path / "mine.json").write_text(json.dumps({f"vertebrae_{v}": k for k, v in L1_TO_L5.items()}))
        found = read_labels(stored(tmp_path / "labels.nii.gz", LABELS.labels), tmp_path / "mine.json")
        assert np.array_equal(found.labels, LABELS.labels)

    @pytest.mark.parametrize(
        "content",
        ["", "L1 = 20\nL2 = 20", "L9 = 20", "L1 = -3", "L1 = true", "L1 = 2.5", "L1 = [1]", "not toml", "L1 = 1e400"],
    )
    def test_a_bad_scheme_file_is_refused(self, tmp_path, content):
        (tmp_path / "mine.toml").write_text(content)
        refused(stored(tmp_path / "labels.nii.gz", LABELS.labels), "mine.toml", scheme=tmp_path / "mine.toml")

    def test_an_unknown_scheme_name_lists_the_known_ones(self, tmp_path):
        refused(stored(tmp_path / "labels.nii.gz", LABELS.labels), *known_schemes(), scheme="nonsense")

    def test_a_label_that_the_scheme_lacks_is_refused(self, tmp_path):
        (tmp_path / "mine.toml").write_text("L1 = 20\nignore = []")
        refused(stored(tmp_path / "l.nii.gz", LABELS.labels), "21, 22, 23, 24", scheme=tmp_path / "mine.toml")

    def test_upside_down_labels_are_not_read_as_something_else_in_silence(self, tmp_path):
        array = np.where(LABELS.labels > 0, 29 - LABELS.labels.astype(int), 0).astype(np.uint16)  # L1 9 to L5 5
        refused(stored(tmp_path / "labels.nii.gz", array), "do not lie like vertebrae")


def test_every_level_survives_every_scheme():
    for name in known_schemes():
        levels = scheme_by_name(name).levels
        assert len(set(levels.values())) == len(levels)
        assert {Level.L1, Level.T12, Level.C1} <= set(levels.values())
    assert scheme_by_name("verse").levels == {**FROM_VERSE_ID}
    total = scheme_by_name("total").levels
    assert (total[27], total[31], total[32], total[43], total[44], total[50]) == tuple(
        Level(x) for x in ("L5", "L1", "T12", "T1", "C7", "C1")
    )
    first = scheme_by_name("totalsegmentator-v1").levels
    assert (first[18], first[22], first[23], first[34], first[35], first[41]) == tuple(
        Level(x) for x in ("L5", "L1", "T12", "T1", "C7", "C1")
    )


@settings(deadline=None, max_examples=150)
@given(
    first=st.integers(0, 19),
    count=st.integers(2, 24),
    lean=st.floats(-40, 40),
    step=st.floats(0.8, 1.2),
    scheme=st.sampled_from(["verse", "totalsegmentator", "totalsegmentator-v1"]),
)
def test_a_guess_is_never_wrong(first, count, lean, step, scheme):
    """For any run of levels in any leaning spine the guess is the truth or an error, never another scheme."""
    run = [lv for lv in Level if lv.usual][first : first + count]
    numbers = {lv: n for n, lv in scheme_by_name(scheme).levels.items()}
    run = [lv for lv in run if lv in numbers]
    if len(run) < 2:
        return
    on = Grid(shape=(100, 100, 1000), affine=np.diag([1.0, 1.0, 1.0, 1.0]))
    heights = np.cumsum([step * (16 + 0.9 * lv.order) for lv in run])
    places = {
        numbers[lv]: np.array([0.0, h * np.tan(np.radians(lean)), 900.0 - h])
        for lv, h in zip(run, heights, strict=True)
    }
    try:
        found = guess_scheme(places, on, "labels")
    except LabelError as error:
        assert "could be" in str(error)
        assert scheme in str(error)
        return
    assert found.name == scheme


class TestRefused:
    """Bad labels: one line, exit code 2."""

    def test_empty(self, tmp_path):
        refused(stored(tmp_path / "labels.nii.gz", np.zeros_like(LABELS.labels)), "is empty")

    def test_not_whole_numbers(self, tmp_path):
        refused(stored(tmp_path / "labels.nii.gz", LABELS.labels * np.float32(0.37)), "not whole numbers")

    def test_nan(self, tmp_path):
        array = LABELS.labels.astype(np.float32)
        array[1, 1, 1] = np.nan
        refused(stored(tmp_path / "labels.nii.gz", array), "NaN")

    def test_the_ct_given_as_labels(self, tmp_path):
        refused(stored(tmp_path / "labels.nii.gz", VOLUME.hu), "whole numbers from 0", "not the CT")

    def test_unknown_numbers(self, tmp_path):
        refused(stored(tmp_path / "labels.nii.gz", numbered({"L1": 500, "L2": 501})), "500, 501", "--scheme")

    def test_a_plain_mask_is_not_taken_for_c1(self, tmp_path):
        refused(stored(tmp_path / "labels.nii.gz", (LABELS.labels > 0).astype(np.uint8)), "only label 1")

    def test_missing(self, tmp_path):
        refused(tmp_path / "none.nii.gz", "does not exist")

    def test_parts_of_one_vertebra_are_not_taken_for_a_neck(self, shared_data):
        refused(shared_data / "verse004-l2-fe/sub-verse004_0000_vertebra_21_seg.nii.gz", "do not lie like vertebrae")

    def test_a_sub_region_map_alone_says_what_to_do(self, shared_data):
        refused(
            shared_data / "tptbox-l3/sub-ct_seg-subreg_label-22_msk.nii.gz", "sub-regions of TPTBox", "in one folder"
        )


class TestFolders:
    """A folder of masks, and a vertebra map with its sub-regions."""

    def masks(self, folder: Path, name="vertebrae_{}.nii.gz") -> Path:
        folder.mkdir()
        for label, level in L1_TO_L5.items():
            stored(folder / name.format(level), (LABELS.labels == label).astype(np.uint8))
        return folder

    @pytest.mark.parametrize("name", ["vertebrae_{}.nii.gz", "{}.nii.gz", "vertebra_{}.nii"])
    def test_one_mask_per_vertebra(self, tmp_path, name):
        found = read_labels(self.masks(tmp_path / "masks", name))
        assert np.array_equal(found.labels, LABELS.labels)

    def test_empty_masks_and_other_organs_are_left_out(self, tmp_path):
        folder = self.masks(tmp_path / "masks")
        stored(folder / "vertebrae_C1.nii.gz", np.zeros(LABELS.grid.shape, np.uint8))
        stored(folder / "liver.nii.gz", np.ones(LABELS.grid.shape, np.uint8))
        found = read_labels(folder)
        assert np.array_equal(found.labels, LABELS.labels)
        assert "1 masks of other structures" in found.notes[-1]

    def test_the_same_bone_under_two_names_is_refused(self, tmp_path):
        folder = self.masks(tmp_path / "masks")
        stored(folder / "vertebrae_T12.nii.gz", (LABELS.labels == 20).astype(np.uint8))
        refused(folder, "another vertebra")

    def test_two_files_for_one_level_are_refused(self, tmp_path):
        folder = self.masks(tmp_path / "masks")
        stored(folder / "L1.nii.gz", (LABELS.labels == 20).astype(np.uint8))
        refused(folder, "both name L1")

    def test_masks_on_two_grids_are_refused(self, tmp_path):
        folder = self.masks(tmp_path / "masks")
        save_nifti(folder / "vertebrae_T12.nii.gz", np.ones((20, 20, 20), np.uint8), grid(shape=(20, 20, 20)))
        refused(folder, "another grid")

    def test_an_image_named_like_a_level_is_not_a_mask(self, tmp_path):
        folder = self.masks(tmp_path / "masks")
        stored(folder / "T1.nii.gz", np.abs(VOLUME.hu))  # a T1-weighted MRI, most likely
        refused(folder, "several values")

    def test_a_folder_without_labels_is_refused(self, tmp_path):
        refused(tmp_path, "0 label maps")

    def test_a_single_mask_named_after_its_level(self, tmp_path):
        found = read_labels(stored(tmp_path / "vertebrae_L3.nii.gz", (LABELS.labels == 22).astype(np.uint8)))
        assert np.unique(found.labels).tolist() == [0, 22]
        assert found.scheme == "file name"

    def test_sub_regions_beside_the_vertebra_map(self, shared_data):
        found = read_labels(shared_data / "tptbox-l3")
        assert np.unique(found.labels).tolist() == [0, 21, 22, 23]
        assert np.unique(found.subregion).tolist() == [0, *range(41, 51)]
        body = np.isin(found.subregion, (49, 50))
        assert (found.labels[body] > 0).mean() > 0.95

    def test_sub_regions_on_another_grid_are_refused(self, shared_data):
        labels = read_labels(shared_data / "verse014/sub-verse014_seg-vert_msk.nii.gz")
        with pytest.raises(LabelError, match="another grid"):
            with_subregions(labels, shared_data / "tptbox-l3/sub-ct_seg-subreg_label-22_msk.nii.gz")


@pytest.mark.parametrize(
    ("name", "level"),
    [("vertebrae_L1", "L1"), ("vertebra_T12", "T12"), ("VERT-C07", "C7"), ("L3 vertebra", "L3"), ("T9", "T9"),
     ("First lumbar vertebra", "L1"), ("Twelfth thoracic vertebra", "T12"), ("Atlas", "C1"), ("sacrum", "S1")],
)  # fmt: skip
def test_level_names(name, level):
    assert level_from_name(name) is Level(level)


@pytest.mark.parametrize(
    "name", ["", "L", "L7", "liver", "vertebrae_body", "T14", "C8", "rib_left_1", "L1L2", "L20", "T1w"]
)
def test_names_that_are_no_level(name):
    assert level_from_name(name) is None


class TestMatchGrids:
    """Labels meet the CT."""

    def test_the_same_grid_is_passed_through(self):
        assert match_grids(VOLUME, LABELS) is LABELS

    def test_labels_on_a_finer_turned_grid_land_on_the_same_bone(self):
        turn = np.radians(14)
        finer = grid(spacing=(1.5, 1.5, 1.5), shape=(70, 80, 130)).affine.copy()
        rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        centre = grid().to_mm((np.array(grid().shape) - 1) / 2)
        finer[:3, :3] = rotation @ finer[:3, :3]
        finer[:3, 3] = centre - finer[:3, :3] @ (np.array((70, 80, 130)) - 1) / 2
        other = Grid(shape=(70, 80, 130), affine=finer)
        moved = match_grids(VOLUME, spine(other)[1])
        assert moved.grid.matches(VOLUME.grid)
        for label in LEVEL_IDS:
            a, b = moved.labels == label, LABELS.labels == label
            assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.9
        assert "resampled" in moved.notes[-1]

    def test_sub_regions_travel_with_the_labels(self):
        codes = np.where(LABELS.labels > 0, 49, 0).astype(np.uint8)
        labels = LabelMap(grid=LABELS.grid, labels=LABELS.labels, scheme="verse", subregion=codes)
        coarse = grid(spacing=(3.0, 3.0, 3.0), shape=(24, 30, 56))
        moved = match_grids(spine(coarse)[0], labels)
        assert np.array_equal(moved.subregion > 0, moved.labels > 0)

    @pytest.mark.parametrize("shift_mm", [(0, 45, 0), (600, 0, 0), (45, 0, 0)])
    def test_labels_of_another_scan_are_refused(self, shift_mm):
        affine = LABELS.grid.affine.copy()
        affine[:3, 3] += shift_mm
        shifted = LabelMap(grid=Grid(shape=LABELS.grid.shape, affine=affine), labels=LABELS.labels, scheme="verse")
        with pytest.raises(GridMismatchError) as caught:
            match_grids(VOLUME, shifted)
        assert caught.value.exit_code == 2

    def test_real_scans_match_and_strangers_do_not(self, shared_data):
        verse = (
            shared_data / "verse014/sub-verse014_ct.nii.gz",
            shared_data / "verse014/sub-verse014_seg-vert_msk.nii.gz",
        )
        tptbox = (
            shared_data / "tptbox-l3/sub-ct_label-22_ct.nii.gz",
            shared_data / "tptbox-l3/sub-ct_seg-vert_label-22_msk.nii.gz",
        )
        for ct, labels in (verse, tptbox):
            match_grids(read_ct(ct), read_labels(labels))
        for ct, labels in ((verse[0], tptbox[1]), (tptbox[0], verse[1])):
            with pytest.raises(GridMismatchError):
                match_grids(read_ct(ct), read_labels(labels))


class TestInPlace:
    """Labels that fit the bone better a little to the side belong to another scan."""

    FILES = (
        ("verse014/sub-verse014_ct.nii.gz", "verse014/sub-verse014_seg-vert_msk.nii.gz"),
        ("tptbox-l3/sub-ct_label-22_ct.nii.gz", "tptbox-l3/sub-ct_seg-vert_label-22_msk.nii.gz"),
    )

    @pytest.mark.parametrize("files", FILES)
    @pytest.mark.parametrize(
        ("axis", "shift_mm", "side"),
        [(0, 6, "right"), (0, -10, "left"), (1, 6, "front"), (1, -10, "back"), (2, 6, "foot"), (2, -6, "head")],
    )
    def test_labels_a_few_millimetres_off_are_refused_with_the_direction(
        self, shared_data, files, axis, shift_mm, side
    ):
        ct, labels = read_ct(shared_data / files[0]), read_labels(shared_data / files[1])
        affine = labels.grid.affine.copy()
        affine[:3, 3] += affine[:3, axis] / labels.grid.spacing_mm[axis] * shift_mm
        shifted = LabelMap(grid=Grid(shape=labels.grid.shape, affine=affine), labels=labels.labels, scheme="verse")
        with pytest.raises(GridMismatchError, match=f"to the {side}"):
            match_grids(ct, shifted)

    @pytest.mark.parametrize("files", FILES)
    @pytest.mark.parametrize("weaker_hu", [0, 200])
    def test_rough_labels_and_weak_bone_are_accepted(self, shared_data, files, weaker_hu):
        ct, labels = read_ct(shared_data / files[0]), read_labels(shared_data / files[1])
        bone = labels.labels > 0
        core = ndimage.binary_erosion(bone, iterations=2)
        hu = ct.hu - np.where(core, weaker_hu, np.where(bone, weaker_hu // 2, 0)).astype(np.int16)
        weak = Volume(grid=ct.grid, hu=hu)
        rough = [bone, ndimage.binary_erosion(bone), ndimage.binary_dilation(bone), labels.labels == 22]
        for mask in rough:
            match_grids(weak, LabelMap(grid=labels.grid, labels=mask.astype(np.uint16) * 22, scheme="verse"))

    def test_mirrored_labels_are_left_to_the_label_check(self, shared_data):
        ct, labels = read_ct(shared_data / self.FILES[0][0]), read_labels(shared_data / self.FILES[0][1])
        for axis in range(3):
            flipped = np.ascontiguousarray(np.flip(labels.labels, axis))
            check_in_place(ct, LabelMap(grid=labels.grid, labels=flipped, scheme="verse"))


def test_a_written_single_vertebra_reads_back_without_a_scheme(tmp_path):
    one = LabelMap(grid=LABELS.grid, labels=np.where(LABELS.labels == 22, 22, 0).astype(np.uint16), scheme="verse")
    write_labels(tmp_path / "labels.nii.gz", one)
    assert np.unique(read_labels(tmp_path / "labels.nii.gz").labels).tolist() == [0, 22]
