"""Body, arch and frames on real vertebrae, against labels made by others."""

import numpy as np
import pytest
from tests.support.spines import dice, on_scan

from endplate.anatomy.locate import locate_vertebrae
from endplate.image.labels import read_labels
from endplate.image.nifti import read_nifti
from endplate.image.volume import LabelMap
from endplate.level import Level


def test_body_and_arch_of_a_real_l3_match_its_subregions(shared_data):
    labels = read_labels(shared_data / "tptbox-l3" / "sub-ct_seg-vert_label-22_msk.nii.gz", "verse")
    regions = read_nifti(shared_data / "tptbox-l3" / "sub-ct_seg-subreg_label-22_msk.nii.gz").values
    vertebra = locate_vertebrae(labels).at(Level.L3)
    mine = labels.labels == Level.L3.verse_id
    body = on_scan(vertebra.body, vertebra.grid, labels.grid)
    arch = on_scan(vertebra.arch, vertebra.grid, labels.grid)
    assert dice(body, mine & (regions >= 49)) >= 0.94
    assert dice(arch, mine & (regions > 0) & (regions < 49)) >= 0.94


def test_body_and_arch_match_the_finite_element_labels(shared_data):
    image = read_nifti(shared_data / "verse004-l2-fe" / "sub-verse004_0000_vertebra_21_seg.nii.gz")
    # Front and back are exchanged in this file's header (see the data's README).
    codes, grid = image.values[:, ::-1].astype(int), image.grid
    whole = np.isin(codes, (1, 2, 3, 4))
    labels = LabelMap(grid=grid, labels=np.where(whole, Level.L2.verse_id, 0).astype(np.uint16), scheme="verse")
    vertebra = locate_vertebrae(labels).at(Level.L2)
    assert dice(on_scan(vertebra.body, vertebra.grid, grid), np.isin(codes, (1, 2))) >= 0.94
    assert dice(on_scan(vertebra.arch, vertebra.grid, grid), np.isin(codes, (3, 4))) >= 0.94


@pytest.fixture(scope="module")
def narrow_field(shared_data):
    return locate_vertebrae(read_labels(shared_data / "verse014" / "sub-verse014_seg-vert_msk.nii.gz", "verse"))


def test_five_levels_are_found_in_a_narrow_field(narrow_field):
    assert [str(vertebra.level) for vertebra in narrow_field.vertebrae] == ["L1", "L2", "L3", "L4", "L5"]
    for vertebra in narrow_field.vertebrae:
        assert vertebra.cut_arch and not vertebra.cut_by_field
        assert vertebra.superior is not None and vertebra.inferior is not None
    assert not narrow_field.distrusted


def test_a_crushed_real_vertebra_keeps_its_frame(shared_data):
    found = locate_vertebrae(read_labels(shared_data / "verse004" / "sub-verse004_seg-vert_msk.nii.gz", "verse"))
    assert len(found.vertebrae) == 9 and not found.distrusted
    for upper, vertebra, lower in zip(found.vertebrae, found.vertebrae[1:], found.vertebrae[2:], strict=False):
        between = upper.axes[2] + lower.axes[2]
        between = between / np.linalg.norm(between)
        assert np.rad2deg(np.arccos(vertebra.axes[2] @ between)) < 12
        assert vertebra.axes[0] @ upper.axes[0] > 0.95
