"""The scan's border is found before padding, and a cut through the middle of a body leaves no endplates to measure."""

import numpy as np
from tests.support.spines import cropped, spine

from endplate.anatomy.locate import locate_vertebrae
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level


def index_of(phantom, level):
    return np.rint(phantom.labels.grid.to_index(phantom.truth.levels[level].centroid_mm)).astype(int)


def cut(phantom, start, stop):
    window = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    labels = cropped(phantom.labels, start, stop)
    return Volume(grid=labels.grid, hu=phantom.volume.hu[window].copy()), labels


def test_padding_is_not_taken_for_scan():
    phantom = spine()
    shape = phantom.labels.grid.shape
    volume, labels = cut(phantom, (0, 0, 0), (*shape[:2], int(index_of(phantom, Level.L1)[2]) + 4))
    more = ((0, 0), (0, 0), (0, 8))
    grid = Grid(shape=(*shape[:2], volume.hu.shape[2] + 8), affine=labels.grid.affine)
    padded = Volume(grid=grid, hu=np.pad(volume.hu, more, constant_values=-1024))
    found = locate_vertebrae(LabelMap(grid=grid, labels=np.pad(labels.labels, more), scheme="verse"), padded)
    assert found.at(Level.L1).cut_by_field and found.at(Level.L1).superior is None
    assert not found.at(Level.L2).cut_by_field and found.at(Level.L2).superior is not None


def test_a_cut_through_the_front_leaves_no_endplates():
    phantom = spine()
    shape = phantom.labels.grid.shape
    volume, labels = cut(phantom, (0, int(index_of(phantom, Level.L2)[1]) - 6, 0), shape)
    found = locate_vertebrae(labels, volume)
    vertebra = found.at(Level.L2)
    assert vertebra.cut_by_field and vertebra.superior is None and vertebra.inferior is None
    reasons = {gap.reason for gap in found.gaps if gap.level is Level.L2 and gap.code == "superior_endplate"}
    assert reasons == {"the scan border cuts the body"}
