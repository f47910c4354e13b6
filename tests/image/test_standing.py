"""A lost sign of the z axis must not rename the levels: where the head is, the vertebrae say, not the header."""

from __future__ import annotations

from itertools import pairwise

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage
from tests.support.small_spine import LPS_TO_RAS

from endplate.anatomy.locate import locate_vertebrae
from endplate.errors import ImageError, LabelError
from endplate.image.labels import read_labels
from endplate.image.labels.in_memory import labels_in_memory
from endplate.image.labels.scheme import scheme_by_name
from endplate.image.labels.upright import standing
from endplate.image.labels.whole import label_centroids, whole_of
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.image.placed import place_nibabel
from endplate.level import FROM_VERSE_ID, Level

LEVELS = (Level.T10, Level.T11, Level.T12, Level.L1, Level.L2, Level.L3, Level.L4)
SPINE = make_phantom(
    PhantomSpec(
        levels=LEVELS, spacing_mm=(2.0, 2.0, 2.0), field_mm=(120.0, 150.0), noise_hu=0,
        deformities={Level.L1: Deformity(shape="wedge", loss=0.4)},
    )
).labels  # fmt: skip


def numbered(scheme: str, labels=SPINE.labels) -> np.ndarray:
    number = {level: n for n, level in scheme_by_name(scheme).levels.items()}
    out = np.zeros(labels.shape, np.uint8)
    for level in LEVELS:
        out[labels == level.verse_id] = number[level]
    return out


def stored(path, array, turn=(1, 1, 1), xml=None):
    affine = LPS_TO_RAS @ SPINE.grid.affine
    affine[:3, :3] *= np.array(turn)[:, None]
    image = nib.Nifti1Image(array, affine)
    if xml:
        image.header.extensions.append(nib.nifti1.Nifti1Extension(0, xml.encode()))
    nib.save(image, path)
    return path


def bodies() -> np.ndarray:
    """The labels without arches: they look the same whichever way is up."""
    out = np.zeros_like(SPINE.labels)
    for vertebra in locate_vertebrae(SPINE).vertebrae:
        start = np.rint(SPINE.grid.to_index(vertebra.grid.to_mm([0, 0, 0]))).astype(int)
        place = tuple(slice(a, a + n) for a, n in zip(start, vertebra.grid.shape, strict=True))
        out[place][ndimage.binary_opening(vertebra.body, iterations=2)] = vertebra.level.verse_id
    return out


BODIES = bodies()


def refused(path, *words, scheme=None) -> str:
    with pytest.raises(LabelError) as caught:
        read_labels(path, scheme)
    message = str(caught.value)
    assert all(word in message for word in words), message
    return message


@pytest.mark.parametrize("scheme", ["verse", "totalsegmentator-v1", "totalspineseg"])
def test_levels_keep_their_names_in_every_scheme(tmp_path, scheme):
    found = read_labels(stored(tmp_path / "l.nii.gz", numbered(scheme)))
    assert found.scheme == scheme
    assert np.array_equal(found.labels, SPINE.labels)


@pytest.mark.parametrize("scheme", ["verse", "totalsegmentator-v1", "totalsegmentator", "totalspineseg"])
@pytest.mark.parametrize("turn", [(1, 1, -1), (1, -1, -1), (-1, 1, -1), (-1, -1, -1)])
def test_a_lost_z_sign_is_refused_whatever_the_scheme_and_the_other_axes(tmp_path, scheme, turn):
    with pytest.raises(LabelError) as caught:
        read_labels(stored(tmp_path / "l.nii.gz", numbered(scheme), turn))
    message = str(caught.value)
    assert "stand on their heads" in message or "do not lie like vertebrae" in message, message


@pytest.mark.parametrize("turn", [(1, -1, 1), (-1, -1, 1)])
@pytest.mark.parametrize("how", ["scheme", "folder"])
def test_a_lost_y_sign_is_refused_with_how_many_say_so(tmp_path, turn, how):
    path = stored(tmp_path / "y.nii.gz", numbered("verse"), turn)
    if how == "folder":
        path = tmp_path / "masks"
        path.mkdir()
        for level in LEVELS:
            mask = (SPINE.labels == level.verse_id).astype(np.uint8)
            stored(path / f"vertebrae_{level}.nii.gz", mask, turn)
    refused(path, "face backwards", "in 7 of 7", "left and right", scheme="verse" if how == "scheme" else None)


def test_one_level_that_seems_to_face_backwards_refuses_nothing(tmp_path):
    array = numbered("verse")
    one = array == Level.L2.verse_id
    array[one] = 0
    array[np.flip(one, 1) & (array == 0)] = Level.L2.verse_id
    assert read_labels(stored(tmp_path / "l.nii.gz", array), "verse").labels.any()


def test_the_message_names_both_readings_and_how_many_say_so(tmp_path):
    path = stored(tmp_path / "z.nii.gz", numbered("verse"), (1, 1, -1))
    refused(path, "stand on their heads", "6 of 6", "totalsegmentator-v1 (T12-L5)", "verse (T10-L4)", "z axis")


@pytest.mark.parametrize("how", ["scheme", "names", "folder"])
def test_known_names_do_not_hide_a_lost_sign(tmp_path, how):
    """Left and right are exchanged with it."""
    rows = "".join(f'<Label Key="{level.verse_id}">vertebrae_{level}</Label>' for level in LEVELS)
    path = stored(tmp_path / "z.nii.gz", numbered("verse"), (1, 1, -1), f"<a>{rows}</a>" if how == "names" else None)
    if how == "folder":
        path = tmp_path / "masks"
        path.mkdir()
        for level in LEVELS:
            mask = (SPINE.labels == level.verse_id).astype(np.uint8)
            stored(path / f"vertebrae_{level}.nii.gz", mask, (1, 1, -1))
    refused(path, "stand on their heads", "left and right", scheme="verse" if how == "scheme" else None)


@pytest.mark.parametrize("turn", [(1, 1, 1), (1, 1, -1)])
def test_bodies_alone_show_no_direction_and_the_user_is_asked(tmp_path, turn):
    path = stored(tmp_path / "bodies.nii.gz", BODIES.astype(np.uint8), turn)
    refused(path, "--scheme verse", "--scheme totalsegmentator-v1", "where the head is")
    assert np.array_equal(read_labels(stored(path, BODIES.astype(np.uint8)), "verse").labels, BODIES)


def test_bodies_are_read_where_one_scheme_only_fits_whichever_way_is_up(tmp_path):
    array = np.where(BODIES > 0, numbered("totalsegmentator"), 0).astype(np.uint8)
    array[array > 41] = 0  # T12 to L4: no other scheme fits 28-32 turned round either
    found = read_labels(stored(tmp_path / "bodies.nii.gz", array), "totalsegmentator")
    assert {FROM_VERSE_ID[int(n)] for n in np.unique(found.labels) if n} <= set(LEVELS)


@pytest.mark.parametrize("levels", list(pairwise(LEVELS)))
def test_two_neighbours_are_enough(levels):
    kept = np.where(np.isin(SPINE.labels, [level.verse_id for level in levels]), SPINE.labels, 0).astype(np.uint16)
    found = standing(kept, label_centroids(whole_of(kept)), SPINE.grid)
    assert (found.stand, found.seen) == ("upright", 2)


@pytest.mark.parametrize(
    "spec",
    [
        {"tilt_deg": (25.0, 0.0, 0.0)},
        {"tilt_deg": (-20.0, 10.0, 0.0)},
        {"tilt_deg": (0.0, 0.0, 170.0)},
        {"grid_tilt_deg": (12.0, -9.0, 20.0)},
        {"sex": "male", "deformities": {level: Deformity(shape="crush", loss=0.35) for level in LEVELS[1:6]}},
    ],
)
def test_poses_oblique_grids_and_many_fractures_do_not_deceive_it(spec):
    spine = make_phantom(PhantomSpec(levels=LEVELS, spacing_mm=(2.5, 2.5, 2.5), field_mm=(120.0, 150.0), **spec)).labels
    found = standing(spine.labels, label_centroids(whole_of(spine.labels)), spine.grid)
    assert found.stand == "upright"
    flipped = np.ascontiguousarray(spine.labels[:, :, ::-1])
    assert standing(flipped, label_centroids(whole_of(flipped)), spine.grid).stand == "upside down"


@pytest.mark.parametrize(
    "name", ["verse004/sub-verse004_seg-vert_msk.nii.gz", "verse014/sub-verse014_seg-vert_msk.nii.gz"]
)
def test_real_masks_stand_upright_and_their_flipped_headers_are_refused(tmp_path, shared_data, name):
    assert read_labels(shared_data / name).scheme == "verse"
    image = nib.load(shared_data / name)
    affine = image.affine.copy()
    affine[2, :3] *= -1
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj), affine), tmp_path / "z.nii.gz")
    refused(tmp_path / "z.nii.gz", "stand on their heads")
    refused(tmp_path / "z.nii.gz", "stand on their heads", scheme="verse")


def test_labels_in_memory_are_looked_at_as_files_are():
    image = nib.Nifti1Image(numbered("verse"), LPS_TO_RAS @ np.diag([2.0, 2.0, -2.0, 1.0]))
    for scheme in (None, "verse"):
        with pytest.raises(LabelError, match="stand on their heads"):
            labels_in_memory(place_nibabel(image), scheme)


def test_an_image_in_memory_whose_header_contradicts_itself_is_refused():
    image = nib.Nifti1Image(numbered("verse"), LPS_TO_RAS @ SPINE.grid.affine)
    assert labels_in_memory(place_nibabel(image)).scheme == "verse"
    image.header.set_zooms((2.0, 2.0, 3.0))
    with pytest.raises(ImageError, match="the nibabel image contradicts itself: voxels of 2 x 2 x 2 mm by sform"):
        place_nibabel(image)
