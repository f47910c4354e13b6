"""The rehearsal screen over a measured digital spine: variants side by side, their course, what is kept and refused."""

from __future__ import annotations

import io
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
from fastapi.testclient import TestClient
from PIL import Image
from tests.support.kept_rehearsal import put_kept
from tests.support.measured_store import copied_store, run_job
from tests.web.conftest import HOST, Asked

from endplate.errors import InputError
from endplate.jobs import queue
from endplate.store.database import open_store
from endplate.store.files import Files
from endplate.store.readings import add_reading, withdraw_reading
from endplate.store.rehearsals import basis_of, rehearsals_of
from endplate.web.app import create_app
from endplate.web.bench import Bench, WebSettings
from endplate.web.plan_basis import seen_mark

MINE, FOUND = f"{1:032x}", f"{2:032x}"


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """The open workbench with its case, which holds a variant of mine and the best found."""
    place = tmp_path_factory.mktemp("rehearsals")
    case_id = copied_store(place, tmp_path_factory.mktemp("measured"))
    with open_store(place / "endplate.db") as store:
        files = Files(place / "data").prepare()
        settings = WebSettings(hosts=frozenset({HOST}), port=8420, local_user="ada")
        bench = Bench(store=store, files=files, executor=Asked(), settings=settings)
        put_kept(store, files, case_id, 1, kind="mine", members=16)
        put_kept(store, files, case_id, 2, kind="found", change={"cured_anterior_mm": 1.5})
        queue.submit(store, "rehearse", "Mine", "ada", case_id, {"level": "L2"})
        with TestClient(create_app(bench), base_url=f"http://{HOST}", follow_redirects=False) as client:
            assert client.get(f"/enter?token={bench.entry_token}").status_code == 303
            csrf = client.get("/").text.partition('name="csrf" content="')[2].partition('"')[0]
            yield SimpleNamespace(
                bench=bench, store=store, files=files, client=client, csrf=csrf, id=case_id, at=f"/cases/{case_id}"
            )


def get(work, path, **query):
    return work.client.get(f"{work.at}/{path}", params=query)


def post(work, path, **fields):
    return work.client.post(f"{work.at}/{path}", data={"csrf": work.csrf, **fields})


def lines(work):
    held = get(work, "rehearsal/start", level="L2").json()["lines"]["left"]
    return [{"side": "left", "entry": held[0], "target": held[1]}]


def seen(work):
    return seen_mark(basis_of(work.store, work.id, "L2"))


def test_mine_and_the_best_found_stand_beside_no_repair_with_their_differences_in_words(work):
    page = get(work, "rehearsal").text
    table = page.partition("Side by side: L2")[2].partition("Everything else")[0]
    heads = re.findall(r'<th scope="col">([^<]+)<', table)
    assert heads == ["Result", "No repair", "Mine", "Best found"]
    for words in ("Anterior height gained", "Cavity left", "Cement outside the body", "Leakage routes reached",
                  "Predicted failure load", "facing endplate", "Least to spare beyond"):  # fmt: skip
        assert words in table, words
    assert re.search(r"▲ \d\.\d mm more", table)
    assert "What moves each result most" in page and "the lowest and highest of 16 runs" in page
    assert "Bands of “best found”: 16 runs" in page and "Run the best found for the same plan" not in page
    assert "<script>" not in page and "style=" not in page and "onclick" not in page


def test_variants_are_chosen_by_hand(work):
    page = get(work, "rehearsal", level="L2", show=[FOUND]).text
    assert re.findall(r'<th scope="col">([^<]+)<', page.partition("Side by side")[2])[:3] == [
        "Result", "No repair", "Best found"
    ]  # fmt: skip
    assert get(work, "rehearsal", level="L2", show=["../../x", "nothing"]).status_code == 200


def test_the_best_found_has_the_same_plan_without_my_needles(work):
    more = json.dumps({"cement_ml": "2.5", "balloon_ml": "", "sides": "auto", "lines": lines(work)})
    assert post(work, "rehearsal", level="L2", run="both", members="8", voxel_mm="3", more=more).status_code == 303
    found, mine = [job.arguments for job in queue.jobs(work.store, ("queued",), case_id=work.id)[:2]]
    assert (mine["kind"], found["kind"]) == ("mine", "found")
    assert mine["lines"] == lines(work) and "lines" not in found
    for name in ("cement_ml", "members", "voxel_mm", "procedure", "basis"):
        assert mine[name] == found[name], name
    assert mine["members"] == 8 and mine["voxel_mm"] == 3.0


def test_a_variant_is_run_again_as_an_ensemble_or_with_the_best_needles(work):
    assert post(work, f"rehearsals/{FOUND}/vary", how="bands").status_code == 303
    job = queue.jobs(work.store, ("queued",), case_id=work.id)[0]
    assert job.arguments["members"] == 16 and job.arguments["cement_ml"] == 3.0 and "16 runs" in job.title
    assert post(work, f"rehearsals/{FOUND}/vary", how="luck").status_code == 400
    assert post(work, f"rehearsals/{32 * '0'}/vary", how="bands").status_code == 404


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"run": "mine"}, 400, "no needle was placed"),
        ({"run": "luck"}, 400, "this plan cannot be read"),
        ({"run": "found", "voxel_mm": "0.1"}, 400, "this plan cannot be read"),
        ({"run": "found", "members": "7"}, 400, "7"),
        ({"run": "found", "seen": "0" * 16}, 409, "was corrected or given other files since this page was opened"),
    ],
)
def test_a_plan_that_has_no_meaning_begins_nothing(work, fields, status, words):
    before = len(queue.jobs(work.store, case_id=work.id))
    answer = post(work, "rehearsal", level="L2", **fields)
    assert answer.status_code == status and words in answer.text
    assert len(queue.jobs(work.store, case_id=work.id)) == before


def test_a_second_tab_that_is_of_a_former_state_is_told_and_judges_no_needle(work):
    """One tab corrects the levels; the other still shows the former pictures."""
    (line,) = lines(work)
    asked = {"level": "L2", "side": "left", "seen": seen(work)} | {
        end: ",".join(map(str, line[end])) for end in ("entry", "target")
    }
    assert get(work, "rehearsal/clearance", **asked).status_code == 200
    number = add_reading(work.store, work.id, {"what": "renumber", "level": "L2", "to": "L1", "reason": "x"}, "bea")
    try:
        refused = get(work, "rehearsal/clearance", **asked)
        assert refused.status_code == 409 and "might lie in another vertebra" in refused.text
        page = get(work, "rehearsal").text
        assert "is being computed again from what was said of it" in page
        assert page.count("out of date") >= 2 and "a correction of the levels was made or withdrawn since" in page
        fresh = post(work, "rehearsal", level="L2", run="found", seen=seen(work))
        assert fresh.status_code == 409 and "wait for its job" in fresh.text
        old = post(work, f"rehearsals/{FOUND}/vary", how="bands")
        assert old.status_code == 409 and "out of date" in old.text
        kept = get(work, "rehearsals").text
        assert kept.count("<strong>out of date</strong>") == 2 and 'name="chosen"' not in kept
        assert post(work, "rehearsals/report", chosen=[MINE]).status_code == 409
    finally:
        withdraw_reading(work.store, work.id, number, "bea")
    assert "out of date" not in get(work, "rehearsals").text


def test_a_job_that_was_planned_on_former_pictures_computes_nothing(work):
    basis = basis_of(work.store, work.id, "L2")
    basis["readings"] = [{"id": 0, "what": "renumber", "level": "L1", "to": "L2"}]
    asked = {"level": "L2", "kind": "found", "basis": basis}
    job_id = queue.submit(work.store, "rehearse", "Best found", "ada", work.id, asked)
    with pytest.raises(InputError, match="planned on former pictures"):
        run_job(work.store, work.files, job_id)


def test_the_course_is_shown_as_it_was_written(work):
    job_id = queue.jobs(work.store, ("queued",), case_id=work.id)[-1].id
    found = get(work, f"rehearsal/{job_id}/curve.json").json()
    assert found["points"] == [] and found["frames"] == [] and found["state"] == "queued"
    source, here = work.files.run(MINE), work.files.run(job_id)
    here.mkdir(exist_ok=True)
    for path in source.iterdir():
        (here / path.name).write_bytes(path.read_bytes())
    found = get(work, f"rehearsal/{job_id}/curve.json").json()
    assert found["points"] == [["cement", 1.0, 0.1], ["cement", 3.0, 0.2]] and len(found["frames"]) == 1
    frame = found["frames"][0]
    mesh = get(work, f"rehearsal/{job_id}/frames/0.mz3")
    assert mesh.status_code == 200 and mesh.content[:2] == b"MZ"
    volume = np.load(here / "frame-000.npy")
    middle = np.argwhere(volume >= 100).mean(axis=0)
    centre = (np.array(frame["affine"]) @ [*middle, 1.0])[:3]
    plane = {"origin": ",".join(map(str, centre)), "right": "-1,0,0", "down": "0,-1,0"}
    layer = np.asarray(Image.open(io.BytesIO(get(work, f"rehearsal/{job_id}/frames/0.png", **plane).content)))
    assert layer.shape == (160, 160, 4)
    there = layer[..., 3] > 0
    area = there.sum() * 0.6**2
    k = round(middle[2])
    voxel = abs(np.linalg.det(np.array(frame["affine"])[:2, :2]))
    assert area == pytest.approx((volume[:, :, k] >= 100).sum() * voxel, rel=0.15), "mm2 of cement in that plane"
    assert abs(np.argwhere(there).mean(axis=0) - 79.5).max() * 0.6 < 2.0, "in the middle of the picture"
    far = plane | {"origin": ",".join(map(str, centre + 300))}
    away = np.asarray(Image.open(io.BytesIO(get(work, f"rehearsal/{job_id}/frames/0.png", **far).content)))
    assert not away[..., 3].any()


@pytest.mark.parametrize("path", ["frames/99.mz3", "frames/99.png?origin=0,0,0&right=1,0,0&down=0,1,0", "frames/x.mz3"])
def test_a_step_that_is_not_there_is_refused(work, path):
    job_id = queue.jobs(work.store, ("queued",), case_id=work.id)[-1].id
    assert get(work, f"rehearsal/{job_id}/{path}").status_code in (404, 422)
    assert get(work, f"rehearsal/{'a' * 32}/curve.json").status_code == 404
    assert get(work, "rehearsal/..%2f..%2fendplate.db/curve.json").status_code == 404


def test_a_report_of_the_case_holds_the_chosen_rehearsals(work):
    assert post(work, "rehearsals/report").status_code == 400
    assert post(work, "rehearsals/report", chosen=[MINE, FOUND]).status_code == 303
    job = next(one for one in queue.jobs(work.store, ("queued",)) if one.task == "rehearsal_report")
    result = run_job(work.store, work.files, job.id)
    assert result["files"][0] == "report.html"
    page = get(work, f"rehearsals/report/{job.id}/report.html")
    assert page.status_code == 200 and "sandbox" in page.headers["content-security-policy"]
    for words in ("Mine: kyphoplasty of L2, cement 3 mL", "Best found: kyphoplasty of L2, cement 3 mL",
                  "Run in the workbench", "asked by ada", "Chosen from the workbench"):  # fmt: skip
        assert words in page.text, words
    assert "No repair was rehearsed" not in page.text
    ids = re.findall(r'\bid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids)), "no id twice"
    wanted = set(re.findall(r'href="#([^"]+)"', page.text)) | {
        one for names in re.findall(r'aria-labelledby="([^"]+)"', page.text) for one in names.split()
    }
    assert wanted <= set(ids), wanted - set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page.text)) <= set(ids)
    listed = get(work, "rehearsals").text
    assert f"/rehearsals/report/{job.id}/report.html" in listed
    for name in ("..%2fendplate.db", "part.json", "live.json"):
        assert get(work, f"rehearsals/report/{job.id}/{name}").status_code == 404


def test_one_that_is_removed_leaves_every_list(work):
    put_kept(work.store, work.files, work.id, 7, kind="found", procedure="vertebroplasty")
    assert "Best found: vertebroplasty of L2" in get(work, "rehearsals").text
    assert post(work, f"rehearsals/{7:032x}/remove").status_code == 303
    assert "vertebroplasty of L2" not in get(work, "rehearsals").text
    assert post(work, f"rehearsals/{7:032x}/remove").status_code == 404
    assert rehearsals_of(work.store, work.id, removed=True)[-1].removed_by == "ada"
    wrong = work.client.post(f"{work.at}/rehearsals/{MINE}/remove", data={"csrf": "wrong"})
    assert wrong.status_code == 403 and len(rehearsals_of(work.store, work.id)) == 2


def test_they_are_a_part_of_other_pages(work):
    part = work.client.get(f"{work.at}/rehearsals", headers={"HX-Request": "true"}).text
    assert "<html" not in part and "Rehearsals of this case" in part
