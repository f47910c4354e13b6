"""CT, labels and mesh in NiiVue, in a real browser: the mesh is drawn where the voxels are, and left stays left."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.browser import browser, served
from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.image.nifti import HU, write_volume
from endplate.image.orient import StoredAxes
from endplate.level import Level
from endplate.report.volumes import write_volumes

ROOT = Path(__file__).resolve().parents[2]
NIIVUE = ROOT / "src/endplate/web/static/vendor/niivue.umd.js"
PAGE = """<!doctype html><title>volumes</title><canvas id="gl" width="600" height="400"></canvas>
<script src="niivue.umd.js"></script>"""
OPEN = """async () => {
  const nv = new niivue.Niivue({logLevel: "error"});
  await nv.attachToCanvas(document.getElementById("gl"));
  await nv.loadVolumes([{url: "ct.nii.gz"}, {url: "labels.nii.gz"}, {url: "L1_vertebroplasty_cement.nii.gz"}]);
  await nv.loadMeshes([{url: "L1_vertebroplasty_cement_RAS.gii"}]);
  window.nv = nv;
  return nv.volumes.map(volume => Array.from(volume.hdr.dims));
}"""
BOUNDS = """([number, least, most]) => {
  const volume = nv.volumes[number], low = [1e9, 1e9, 1e9], high = [-1e9, -1e9, -1e9];
  const [, nx, ny, nz] = volume.dimsRAS;
  for (let z = 0; z < nz; z++) for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) {
    const value = volume.getValue(x, y, z);
    if (value < least || value > most) continue;
    const mm = nv.frac2mm(volume.convertVox2Frac([x, y, z]), number, true);
    for (let a = 0; a < 3; a++) { low[a] = Math.min(low[a], mm[a]); high[a] = Math.max(high[a], mm[a]); }
  }
  return [low, high];
}"""
MESH = "() => [Array.from(nv.meshes[0].extentsMin), Array.from(nv.meshes[0].extentsMax)]"
VALUES = "points => points.map(mm => nv.volumes[0].getValue(...nv.volumes[0].mm2vox(mm)))"


@pytest.fixture(scope="module", params=[StoredAxes(), StoredAxes(order=(1, 2, 0), flips=(True, False, True))])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not NIIVUE.exists():
        pytest.skip(f"no {NIIVUE.relative_to(ROOT)}")
    folder = tmp_path_factory.mktemp("niivue")
    case = rehearsed_case()
    case = replace(case, volume=replace(case.volume, axes=request.param))
    write_volumes(case, folder)
    write_volume(folder / "ct.nii.gz", case.volume.grid, case.volume.hu, request.param, HU)
    (folder / "index.html").write_text(PAGE)
    shutil.copyfile(NIIVUE, folder / NIIVUE.name)
    with browser() as chromium, served(folder) as address:
        page = chromium.new_page()
        page.goto(address)
        dims = page.evaluate(OPEN)
        assert all(list(one[1:4]) == list(request.param.stored_shape(case.volume.grid.shape)) for one in dims)
        yield page, case


def test_the_mesh_is_drawn_where_the_cements_voxels_are(opened: Any) -> None:
    page, case = opened
    centres, mesh = (np.array(found) for found in (page.evaluate(BOUNDS, [2, 50, 255]), page.evaluate(MESH)))
    faces = centres + np.outer((-0.5, 0.5), case.volume.grid.spacing_mm)
    assert np.abs(faces - mesh).max() < 1.0


def test_a_label_is_drawn_where_the_vertebra_is(opened: Any) -> None:
    page, case = opened
    number = Level.L1.verse_id
    shown = np.array(page.evaluate(BOUNDS, [1, number, number]))
    grid = case.labels.grid
    ras = grid.to_mm(np.argwhere(case.labels.labels == number)) * (-1, -1, 1)
    assert np.abs(shown - [ras.min(axis=0), ras.max(axis=0)]).max() < 1.0


def test_the_ct_has_its_own_values_at_its_own_places(opened: Any) -> None:
    """Ten voxels of noise, named by their millimetres: a flip of any axis would show other numbers."""
    page, case = opened
    index = np.random.default_rng(3).integers(2, np.array(case.volume.grid.shape) - 2, (10, 3))
    ras = case.volume.grid.to_mm(index) * (-1, -1, 1)
    assert np.allclose(page.evaluate(VALUES, ras.tolist()), case.volume.hu[tuple(index.T)], atol=0.01)
