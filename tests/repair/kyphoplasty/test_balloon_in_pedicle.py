"""A pedicle behind a balloon: neither cortex to stop at, nor a way out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from verification.box_body import box_bone, box_site, box_vertebra

from endplate.anatomy.vertebra import Vertebra
from endplate.repair.kyphoplasty.inflation import InflationSettings, inflate
from endplate.repair.kyphoplasty.placement import BalloonSite
from endplate.repair.site.bone import Bone, inside_body
from endplate.repair.site.pedicle import arch_of, in_arch, outer_wall

VOXEL_MM = 3.0
RIGID = InflationSettings(planned_ml=3.0, mobility="rigid")


@cache
def body() -> Vertebra:
    return box_vertebra()


@cache
def bare() -> Bone:
    return box_bone(body(), VOXEL_MM, 60.0)


@cache
def with_pedicles() -> Bone:
    """The box with a bar of arch right behind its upper half."""
    field = bare().field
    inside = inside_body(field) >= 0.5
    z = body().to_local_mm(field.grid.to_mm(np.moveaxis(np.indices(inside.shape), 0, -1)))[..., 2]
    arch = ndimage.binary_dilation(inside, iterations=2) & ~inside & (z > -3) & (z < 9) & _behind(inside)
    body_share = np.where(arch, 0, field.body).astype(np.float32)
    fill = np.where(arch, 1, field.fill).astype(np.float32)
    density = np.where(arch, 250, field.density_mg_cm3).astype(np.float32)
    return replace(bare(), field=replace(field, fill=fill, body=body_share, density_mg_cm3=density), finer=None)


def _behind(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows (1, J, 1) behind the body."""
    return (np.arange(inside.shape[1]) > np.nonzero(inside.any(axis=(0, 2)))[0].max())[None, :, None]


def far_back() -> BalloonSite:
    """A balloon that reaches to the back of the body, as one on its way in through a pedicle."""
    site = box_site(8.0)
    return replace(site, centre_mm=site.centre_mm + body().axes.T @ np.array([0.0, -8.0, 3.0]))


def test_wall_leaves_out_only_what_the_arch_covers() -> None:
    inside = inside_body(bare().field) >= 0.5
    whole = inside & ~ndimage.binary_erosion(inside)
    assert np.array_equal(outer_wall(bare()), whole) and not arch_of(bare()).any()
    left_out = whole & ~outer_wall(with_pedicles())
    assert left_out.any() and not (outer_wall(with_pedicles()) & ~whole).any()
    assert ndimage.binary_dilation(arch_of(with_pedicles()))[left_out].all()


def test_places_are_found_in_the_arch_and_nowhere_beyond_the_grid() -> None:
    arch = arch_of(with_pedicles())
    within = (np.argwhere(arch)[:1] + 0.5) * VOXEL_MM
    assert in_arch(arch, np.vstack([within, within - 1000, within + 1000]), VOXEL_MM).tolist() == [True, False, False]


def test_balloon_at_its_own_pedicle_is_not_in_contact_with_the_cortex(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arch covers the wall behind the balloon, and holds it: the inflation goes on where a bare wall ends it."""
    monkeypatch.setattr("endplate.repair.kyphoplasty.stepping.lifts_no_more", lambda curve: False)
    stopped = inflate(bare(), body(), [far_back()], replace(RIGID, max_pushed_mm=None))
    assert stopped.stop == "balloon in contact with the cortex" and stopped.volume_ml[-1] < RIGID.planned_ml
    done = inflate(with_pedicles(), body(), [far_back()], RIGID)
    assert done.stop == "planned volume reached" and done.volume_ml[-1] > stopped.volume_ml[-1]
