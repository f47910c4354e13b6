"""A rehearsal on the page, in the document and among the volumes: nothing hidden, nothing promised."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import nibabel as nib
import numpy as np
import pytest
from test_page import Page

from endplate.case import Case
from endplate.image.volume import Grid
from endplate.repair.findings import findings, gaps
from endplate.repair.intact import estimate_intact
from endplate.repair.result import Access
from endplate.report import schema, to_document
from endplate.report.html import to_html
from endplate.report.rehearsal.surface import surface
from endplate.report.rehearsal.volumes import write_rehearsals
from synthetic_rehearsal import rehearsed_case


@pytest.fixture(scope="module")
def case() -> Case:
    case = rehearsed_case()
    rehearsal = case.rehearsals[0]
    vertebra = case.spine.at(rehearsal.level)
    intact = estimate_intact(vertebra, case.spine, case.fractures, rehearsal.bone.field)
    rehearsal = replace(rehearsal, intact=intact)
    return replace(case, rehearsals=(rehearsal,), findings=case.findings + findings(rehearsal))


@pytest.fixture(scope="module")
def page(case: Case) -> Page:
    return Page(to_html(case))


def test_the_page_stays_well_formed_and_offline(case: Case, page: Page) -> None:
    assert page.stack == []
    identities = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(identities) == len(set(identities))
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", re.sub(r"data:[^\"')]*", "", to_html(case)))


def test_every_picture_of_the_rehearsal_speaks_and_marks_its_sides(page: Page) -> None:
    drawings = {a["aria-labelledby"] for a in page.all("svg") if a.get("role") == "img"}
    for part in ("cement-vertebroplasty", "cement-kyphoplasty", "balloon-L1", "silhouette-L1", "gain-L1"):
        assert any((name or "").startswith(part) for name in drawings), part
    assert len(drawings) == len([a for a in page.all("svg") if a.get("role") == "img"])


def test_the_gain_stands_beside_what_was_measured_in_patients(page: Page) -> None:
    for words in ("2.8 (0.2 to 3.4)", "1.5 (−1.4 to 4.4)", "3.5"):
        assert words in page.text
    assert "252 bodies" in page.text


def test_the_page_says_what_moves_each_result_and_what_cannot_be_told(page: Page) -> None:
    assert "looseness of the fracture +2.4 mm; load on the spine −0.8 mm" in page.text
    for words in ("It cannot tell", "not a probability", "how loose the fracture is", "lowest and highest of 16 runs"):
        assert words in page.text


def test_codes_of_the_rehearsal_stay_out_of_the_level_tables(page: Page) -> None:
    assert "Other findings" not in page.text


def test_no_way_in_is_told_with_its_reason(case: Case) -> None:
    old = case.rehearsals[0]
    none = Access(level=old.level, procedure="vertebroplasty", paths=(), reason="both pedicles are thinner than 15G")
    shut = replace(old.nominal[0], access=none, fill=None, strength=None, cured=None, neighbours=(), stopped="no path")
    rehearsal = replace(old, nominal=(shut,), bands={"none": old.bands["none"]}, drivers={})
    told = {gap.code: gap.reason for gap in gaps(rehearsal)}
    assert told["needle_path"].endswith("both pedicles are thinner than 15G")
    text = Page(to_html(replace(case, rehearsals=(rehearsal,)))).text
    assert "no safe needle path (both pedicles are thinner than 15G)" in text


def test_a_member_that_failed_is_named_and_counted(case: Case) -> None:
    rehearsal = replace(case.rehearsals[0], members=15, failed=("member 7 (rigid, 250 N): no equilibrium",))
    assert [gap.code for gap in gaps(rehearsal)] == ["repair_member"]
    text = Page(to_html(replace(case, rehearsals=(rehearsal,), gaps=case.gaps + gaps(rehearsal)))).text
    assert "1 more did not reach their end" in text and "member 7 (rigid, 250 N)" in text


def test_the_document_holds_paths_curves_and_balances_and_fits_the_schema(case: Case) -> None:
    document = json.loads(json.dumps(to_document(case), allow_nan=False))
    jsonschema.Draft202012Validator(schema()).validate(document)
    held = document["rehearsals"][0]
    kyphoplasty = held["procedures"][1]
    assert [path["side"] for path in kyphoplasty["access"]["paths"]] == ["left", "right"]
    assert kyphoplasty["balloon"]["pressure_mpa"][-1] == pytest.approx(1.178, abs=1e-3)
    assert kyphoplasty["cement"]["openings"][0]["route"] == "B"
    assert held["results"]["kyphoplasty"]["cured_anterior_mm"]["high"] == pytest.approx(3.36)


def test_a_document_without_a_rehearsal_still_fits(case: Case) -> None:
    document = to_document(replace(case, rehearsals=()))
    del document["rehearsals"]
    jsonschema.Draft202012Validator(schema()).validate(document)


def test_cement_lies_on_the_grid_of_the_ct_with_its_volume_kept(case: Case, tmp_path: Path) -> None:
    paths = {path.name: path for path in write_rehearsals(case, tmp_path)}
    assert set(paths) == {
        "L1_vertebroplasty_cement.nii.gz", "L1_vertebroplasty_cement.stl", "L1_kyphoplasty_cement.nii.gz",
        "L1_kyphoplasty_cement.stl", "L1_kyphoplasty_cavity.nii.gz", "L1_kyphoplasty_compaction.nii.gz",
        "L1_vertebroplasty_path.mrk.json", "L1_kyphoplasty_path.mrk.json",
    }  # fmt: skip
    image = nib.load(paths["L1_vertebroplasty_cement.nii.gz"])
    fill = case.rehearsals[0].nominal[0].fill
    assert image.shape == case.volume.grid.shape
    put = float(fill.saturation.sum()) * fill.grid.voxel_mm3
    assert float(np.asarray(image.dataobj).sum()) / 100 * case.volume.grid.voxel_mm3 == pytest.approx(put, rel=0.01)


def test_the_surface_is_closed_outward_and_holds_the_volume() -> None:
    grid = Grid(shape=(30, 30, 30), affine=np.diag([1.0, 1.0, 1.0, 1.0]))
    far = np.linalg.norm(np.moveaxis(np.indices(grid.shape), 0, -1) - 14.3, axis=-1)
    vertices, triangles = surface(np.clip(10.5 - far, 0, 1), grid)
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    forward = {tuple(edge) for edge in edges}
    assert len(forward) == len(edges) and forward == {(b, a) for a, b in forward}
    corners = vertices[triangles]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi * 1000, rel=0.02)
