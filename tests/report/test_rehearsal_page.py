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
from test_page import LINKS, Page
from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.case import Case
from endplate.image.volume import Grid
from endplate.repair.access.access_result import Access, Breach
from endplate.repair.band import Band
from endplate.repair.kyphoplasty.inflation_result import Beyond, WallDisplacement
from endplate.repair.rehearsal.findings import findings, gaps
from endplate.repair.site.bone import Bone, FractureZone
from endplate.repair.site.fracture_age import FractureAge
from endplate.repair.site.fracture_zone import soften
from endplate.repair.site.prefracture_shape import PrefractureShape, estimate_prefracture_shape
from endplate.report import schema, to_document
from endplate.report.figure.height_steps import height_steps_figure
from endplate.report.html import to_html
from endplate.report.phrase import anatomical
from endplate.report.rehearsal.before import age_words, intact_words, results, zone_words
from endplate.report.rehearsal.surface import surface
from endplate.report.rehearsal.volumes import add_rehearsals
from endplate.report.rehearsal.words import CAN, beyond_words, loss_words, posture_words, sphere_words
from endplate.report.volume_folder import VolumeFolder


@pytest.fixture(scope="module")
def case() -> Case:
    case = rehearsed_case()
    rehearsal = case.rehearsals[0]
    vertebra = case.spine.at(rehearsal.level)
    intact = estimate_prefracture_shape(vertebra, case.spine, case.fractures, rehearsal.bone.field)
    rehearsal = replace(rehearsal, intact=intact)
    return replace(case, rehearsals=(rehearsal,), findings=case.findings + findings(rehearsal))


@pytest.fixture(scope="module")
def page(case: Case) -> Page:
    return Page(to_html(case))


def test_the_page_stays_well_formed_and_offline(case: Case, page: Page) -> None:
    assert page.stack == []
    identities = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(identities) == len(set(identities))
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", LINKS.sub("", to_html(case)))


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
    shut = replace(
        old.nominal[0], access=none, fill=None, strength=None, after_cement=None, neighbours=(), stopped="no path"
    )
    rehearsal = replace(old, nominal=(shut,), bands={"none": old.bands["none"]}, drivers={})
    told = {gap.code: gap.reason for gap in gaps(rehearsal)}
    assert told["needle_path"].endswith("both pedicles are thinner than 15G")
    text = Page(to_html(replace(case, rehearsals=(rehearsal,)))).text
    assert "no safe needle path (both pedicles are thinner than 15G)" in text


def test_the_best_refused_path_is_shown_with_its_breach_and_marked_in_the_document(case: Case) -> None:
    old = case.rehearsals[0]
    first, second = old.nominal[0].access.paths
    breach = Breach(wall="medial", depth_mm=1.4, at_mm=(12.0, -40.1, 55.0))
    bad = replace(first, clearance_mm={**first.clearance_mm, "medial": -1.4}, min_clearance_mm=-1.4, breaches=(breach,))
    none = Access(level=old.level, procedure="vertebroplasty", paths=(), alternatives=(bad, second), reason="no way in")
    shut = replace(
        old.nominal[0], access=none, fill=None, strength=None, after_cement=None, neighbours=(), stopped="no path"
    )
    broken = replace(case, rehearsals=(replace(old, nominal=(shut,)),))
    text = Page(to_html(broken)).text
    assert "of those refused, left: 11G" in text and "canal side of the pedicle by 1.4 mm" in text
    assert "at 12.0, −40.1, 55.0 mm (LPS)" in text
    document = to_document(broken)
    jsonschema.Draft202012Validator(schema()).validate(document)
    refused, kept = document["rehearsals"][0]["procedures"][0]["access"]["alternatives"]
    assert refused["verdict"] == "refused" and refused["refusal"].startswith("breaks the canal side")
    assert kept["verdict"] == "safe" and kept["refusal"] == ""


def test_what_was_seen_of_the_fracture_is_on_the_page(case: Case) -> None:
    rehearsal = case.rehearsals[0]
    bone = rehearsal.bone
    assert "Fracture zone in this scan: none seen (no band was seen), so all bone" in zone_words(
        replace(rehearsal, notes=("no band was seen",))
    )
    where = np.zeros(bone.field.grid.shape, bool)
    where[5:8, 5:8, 5:8] = True
    zone = FractureZone(band=where, cleft=where & False, gap=where & False, signs=("upper endplate dented",))
    loose = replace(rehearsal, bone=soften(replace(bone, zone=zone)))
    text = Page(to_html(replace(case, rehearsals=(loose,)))).text
    assert "Fracture zone in this scan: upper endplate dented. Taken as loose: 0.4 times the stiffness" in text
    assert "Taken as healed" in zone_words(replace(rehearsal, bone=replace(bone, zone=zone)))
    assert zone_words(replace(rehearsal, bone=None)) == ""


def test_the_shape_before_the_fracture_is_told_and_the_cement_measured_by_it(case: Case, page: Page) -> None:
    rehearsal = case.rehearsals[0]
    shape = rehearsal.intact
    assert intact_words(rehearsal) in page.text and "of 22.9 mL are lost" in intact_words(rehearsal)
    of = results(rehearsal)["kyphoplasty"]["fill_of_intact"]
    assert of.value == pytest.approx(rehearsal.nominal[1].fill.volume_ml / shape.volume_ml)
    assert "… of the body before it broke" in page.text
    held = to_document(case)["rehearsals"][0]
    assert held["procedures"][1]["cement"]["fill_of_intact"] == pytest.approx(of.value)
    assert held["results"]["kyphoplasty"]["fill_of_intact"]["value"] == pytest.approx(of.value)
    blind = replace(rehearsal, intact=PrefractureShape(level=rehearsal.level, reason="no intact neighbour"))
    assert intact_words(blind) == "The shape before the fracture is unknown: no intact neighbour."
    unknown = results(blind)["kyphoplasty"]["fill_of_intact"]
    assert unknown.value is None and "no intact neighbour" in unknown.reason
    assert to_document(replace(case, rehearsals=(blind,)))["rehearsals"][0]["procedures"][1]["cement"][
        "fill_of_intact"
    ] is None  # fmt: skip


def test_the_sphere_stands_beside_the_flow_in_numbers(case: Case, page: Page) -> None:
    against = to_document(case)["rehearsals"][0]["procedures"][0]["cement"]["against_sphere"]
    assert 0.6 < against["dice"] < 1 and against["centroid_shift_mm"] < 1
    assert 0 < against["surface_mean_mm"] < against["surface_95_mm"] < 5
    assert f"Against the plain sphere: Dice {against['dice']:.2f}" in page.text
    fill = case.rehearsals[0].nominal[0].fill
    assert sphere_words(replace(fill, saturation=np.zeros_like(fill.saturation))) == ""


def test_loss_on_deflation_stands_beside_the_measured_one_and_is_not_called_shown(case: Case, page: Page) -> None:
    assert "27 % of the gain here, 59 % as measured (Rotter 2010" in page.text
    assert page.text.count("does not settle two published figures") == 3
    assert not any("pressures" in words for words in CAN)
    rehearsal = case.rehearsals[0]
    of = rehearsal.bands["kyphoplasty"]
    none = {**of, "full_anterior_mm": replace(of["full_anterior_mm"], value=0.05)}
    assert loss_words(replace(rehearsal, bands={**rehearsal.bands, "kyphoplasty": none})) == ""


def test_what_a_picture_refers_to_is_on_the_page(page: Page) -> None:
    found = {a["id"] for _, a in page.elements if a.get("id")}
    wanted = {a["aria-labelledby"] for _, a in page.elements if a.get("aria-labelledby")}
    wanted |= {a["clip-path"][5:-1] for _, a in page.elements if a.get("clip-path")}
    assert len(wanted) > 10 and wanted <= found


def test_how_far_the_back_wall_was_pushed_stands_in_the_table(page: Page) -> None:
    for state in ("full", "deflated"):
        assert f"Posterior wall displaced towards the canal, balloon {state} (mm)" in page.text


def test_what_is_taken_rather_than_computed_says_so(page: Page) -> None:
    for words in (
        "mm when the cement has set",
        "equals the wedge change: discs are assumed",
        "taken as unchanged",
    ):
        assert words in page.text


def test_the_model_of_the_neighbours_says_its_loads_and_what_it_leaves_out(page: Page) -> None:
    assert "standing (500 N)" in page.text and "flexed (1\u202f175 N and 7.5 N m)" in page.text
    assert "facet joints, ligaments and muscles are left out" in page.text


def test_the_caption_of_the_gain_speaks_of_bars_only_where_there_are_some(case: Case, page: Page) -> None:
    assert "the bar from the lowest" in page.text
    rehearsal = case.rehearsals[0]
    bands = {
        who: {name: replace(band, low=None, high=None) for name, band in of.items()}
        for who, of in rehearsal.bands.items()
    }
    single = replace(rehearsal, members=0, bands=bands)
    text = Page(to_html(replace(case, rehearsals=(single,)))).text
    assert "a single run without a band" in text and "the bar from the lowest" not in text


def test_a_balloon_that_did_not_converge_is_called_so_in_the_first_lines(case: Case) -> None:
    rehearsal = case.rehearsals[0]
    (blown,) = (one for one in rehearsal.nominal if one.inflation is not None)
    broken = replace(blown, inflation=replace(blown.inflation, unconverged="no equilibrium"))
    nominal = tuple(broken if one is blown else one for one in rehearsal.nominal)
    said = Page(to_html(replace(case, rehearsals=(replace(rehearsal, nominal=nominal),)))).text
    words = f"{blown.procedure} did not converge; last good state: anterior height"
    column = "did not converge: last good state"
    assert words in said and column in said
    whole = Page(to_html(case)).text
    assert words not in whole and column not in whole


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
    volumes = VolumeFolder.of(case, tmp_path)
    add_rehearsals(case, volumes)
    paths = {path.name: path for path in volumes.paths}
    assert set(paths) == {
        "L1_vertebroplasty_cement.nii.gz", "L1_vertebroplasty_cement_LPS.stl", "L1_vertebroplasty_cement_RAS.gii",
        "L1_kyphoplasty_cement.nii.gz", "L1_kyphoplasty_cement_LPS.stl", "L1_kyphoplasty_cement_RAS.gii",
        "L1_vertebroplasty_sphere.nii.gz", "L1_kyphoplasty_sphere.nii.gz",
        "L1_kyphoplasty_cavity.nii.gz", "L1_kyphoplasty_compaction.nii.gz",
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


def test_posture_balloon_and_what_lies_beyond_a_stop_are_told_apart() -> None:
    rehearsal = rehearsed_case().rehearsals[0]
    assert posture_words(rehearsal) == "" and beyond_words(rehearsal) == "" and age_words(rehearsal) == ""
    placed = {"posture_anterior_mm": Band(value=1.2, low=0.1, high=2.0), "posture_wedge_deg": Band(value=-2.8)}
    bands = {**rehearsal.bands, "kyphoplasty": {**rehearsal.bands["kyphoplasty"], **placed}}
    words = posture_words(replace(rehearsal, bands=bands))
    assert "gains 1.2 (0.1 to 2.0) mm" in words and "Voggenreiter 2005" in words and "taken lying down" in words
    assert "the model does not tell it here" in words and "no cleft" in words and "Hutchins 2016" in words
    age = FractureAge(age="healed", nominal="rigid", band=("rigid", "rigid"), decided_by="no oedema on MRI")
    told = age_words(replace(rehearsal, age=age))
    assert told == "Age of the fracture: healed, taken as healed. Decided by no oedema on MRI."
    done = next(one for one in rehearsal.nominal if one.inflation is not None)
    course = Beyond(
        volume_ml=np.array([2.0, 4.0]),
        pressure_mpa=np.array([1.0, 0.9]),
        gain_mm=np.array([[1.0, 0.5, 0.0], [2.5, 1.0, 0.1]]),
        pushed_mm=WallDisplacement(back=0.4, side=5.1),
        stop="planned volume reached",
    )
    followed = replace(done, inflation=replace(done.inflation, beyond=course))
    nominal = tuple(followed if one is done else one for one in rehearsal.nominal)
    words = beyond_words(replace(rehearsal, nominal=nominal))
    assert "to 4.0 mL, the front would rise by 1.5 mm more" in words and "front or side wall 5.1 mm" in words


def zone_with_cleft(bone: Bone) -> FractureZone:
    nowhere = np.zeros(bone.field.grid.shape, bool)
    cleft = nowhere.copy()
    cleft[tuple(n // 2 for n in cleft.shape)] = True
    return FractureZone(band=nowhere, cleft=cleft, gap=nowhere, signs=("gas cleft",))


def test_the_height_is_drawn_step_by_step_with_bands_and_the_expected_one(case: Case) -> None:
    rehearsal = case.rehearsals[0]
    scanned = 15.0
    placed = {"posture_anterior_mm": Band(value=1.0, low=0.5, high=1.5), "standing_anterior_mm": Band(value=3.0)}
    bands = {**rehearsal.bands, "kyphoplasty": {**rehearsal.bands["kyphoplasty"], **placed}}
    drawn = str(height_steps_figure(replace(rehearsal, bands=bands), scanned))
    full, cured = (bands["kyphoplasty"][name] for name in ("full_anterior_mm", "cured_anterior_mm"))
    for words in (
        "standing, before not computed, 9.0 to 14.4 as in patients;",
        "in the scan, lying 15.0;",
        "on the table, extended not computed, 15.0 to 17.1 as in patients;",
        f"balloon full {16 + full.value:.1f} ({16 + full.low:.1f} to {16 + full.high:.1f})",
        f"cement set {16 + cured.value:.1f}",
        "standing again 18.0.",
    ):
        assert words in drawn, words
    assert f"expected before the fracture {rehearsal.intact.heights_mm[0]:.1f}" in drawn
    assert drawn.count('class="gain-bar ours"') == 3 and drawn.count('class="gain-bar clinic"') == 2
    gave = {**bands["kyphoplasty"], "upright_anterior_mm": Band(value=-0.4)}
    open_bone = replace(rehearsal.bone, zone=zone_with_cleft(rehearsal.bone))
    drawn = str(height_steps_figure(replace(rehearsal, bands={"kyphoplasty": gave}, bone=open_bone), scanned))
    assert "standing, before 14.6 (9.0 to 14.4 in patients);" in drawn
    assert "on the table, extended 16.0 (15.5 to 16.5);" in drawn
    assert height_steps_figure(rehearsal, None) is None
    assert height_steps_figure(replace(rehearsal, bands={}), scanned) is None


def test_places_of_a_rehearsal_are_named_in_the_terms_of_anatomy() -> None:
    plain = "Back wall 1 mm; stopped by: opening reached: thin place in the lower endplate; front or side wall 2 mm"
    assert anatomical(plain) == (
        "Posterior wall 1 mm; stopped by: leakage route reached: cortical defect of the inferior endplate; "
        "anterior or lateral wall 2 mm"
    )
