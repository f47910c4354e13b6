"""The strain that the viewer lays over the CT: of every loaded level, in its place, of the element a voxel lies in."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
from tests.support.synthetic_case import synthetic_case

from endplate.report.view.crop import spine_crop
from endplate.report.view.write import STRAIN_STEPS, _strains

RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def test_strain_lies_where_the_bone_is_that_bears_it(tmp_path):
    case = synthetic_case()
    (file,) = _strains(case, spine_crop(case), tmp_path)
    assert file == {"name": "strain.nii.gz", "kind": "strain"}
    written = nib.load(tmp_path / "strain.nii.gz")
    shown, random = np.asarray(written.dataobj), np.random.default_rng(3)
    for level in case.strengths:
        inside = np.argwhere(level.strain > 0.004)
        for place in inside[random.integers(0, len(inside), 40)]:
            ras = RAS @ level.grid.affine @ [*place, 1.0]
            index = np.rint((np.linalg.inv(written.affine) @ ras)[:3]).astype(int)
            assert shown[tuple(index)] == np.rint(STRAIN_STEPS * level.strain[tuple(place)]), (level.level, place)


def test_without_strain_there_is_no_layer(tmp_path):
    case = synthetic_case()
    bare = replace(case, strengths=tuple(replace(one, strain=None) for one in case.strengths))
    for one in (bare, replace(case, strengths=())):
        assert _strains(one, spine_crop(one), tmp_path) == []
    assert list(tmp_path.iterdir()) == []
