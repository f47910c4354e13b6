"""The verbs on a small digital spine, from reading to a plan: what the front adds to the stages, and what it leaves."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import endplate as ep
from endplate.api.deprecated import GONE_IN
from endplate.api.progress import reported
from endplate.errors import InputError, OptionError

RECORD = {"id": "anna", "age_yr": 74, "sex": "female", "mass_kg": 62, "height_cm": 160}
COARSE = 2.9


@pytest.fixture(scope="module")
def scan() -> ep.Case:
    deformities = {ep.Level.L1: ep.Deformity(shape="wedge", loss=0.3)}
    spec = ep.PhantomSpec(
        levels=("T12", "L1", "L2"), spacing_mm=(1.5, 1.5, 1.5), field_mm=(110, 130), deformities=deformities
    )
    phantom = ep.make_phantom(spec)
    return ep.read_case(phantom.volume, phantom.labels, RECORD)


@pytest.fixture(scope="module")
def measured(scan: ep.Case) -> ep.Case:
    return ep.assess(scan, mechanics=False)


def test_assess_reports_its_stages_and_leaves_the_case_as_it_was(scan: ep.Case) -> None:
    seen: list[tuple[str, float]] = []
    done = ep.assess(scan, mechanics=False, progress=lambda stage, fraction, detail: seen.append((stage, fraction)))
    assert isinstance(done, ep.Case) and not scan.findings and done.findings
    # What was switched off is not announced.
    assert list(dict.fromkeys(stage for stage, _ in seen)) == ["anatomy", "fracture", "bone"]
    assert seen[0][1] == 0.0 and seen[-1] == ("bone", 1.0)
    assert done.provenance.parameters["mechanics"] is False


def test_a_rehearsal_with_a_cement_of_ones_own(measured: ep.Case) -> None:
    cement = ep.Cement(name="mine", consistency_pa_s=300.0)
    done = ep.rehearse(measured, "l1", procedure="vertebroplasty", cement=cement, cement_ml=3, voxel_mm=COARSE)
    fill = done.rehearsals[-1].nominal[0].fill
    assert fill is not None and fill.cement == cement
    assert float(done["L1"].cement_volume) == pytest.approx(3.0, rel=1e-3)
    assert done["L1"].cement_volume.condition == "vertebroplasty"
    assert not measured.rehearsals and len(repr(done.rehearsals[-1])) < 500
    assert done.provenance.parameters["rehearsal"]["run"]["cement"]["name"] == "mine"
    document = done.report().html
    assert "mine" in document


def test_a_level_that_is_not_labelled_is_refused_before_anything_is_measured(scan: ep.Case) -> None:
    seen: list[str] = []
    with pytest.raises(InputError, match="T7 is not in the labels; they hold T12, L1, L2"):
        ep.rehearse(scan, "T7", progress=lambda stage, fraction, detail: seen.append(stage))
    assert not seen


def test_a_level_that_cannot_be_rehearsed_says_why(measured: ep.Case) -> None:
    with pytest.raises(InputError, match="L5"):
        ep.rehearse(measured, "L5", procedure="vertebroplasty", voxel_mm=COARSE)
    with pytest.raises(OptionError, match="'lumbar one' is no vertebra"):
        ep.rehearse(measured, "lumbar one")


def test_a_plan_without_repairs_asks_the_rules(scan: ep.Case, tmp_path: Path) -> None:
    done = ep.plan(scan, mechanics=False, repairs=False)
    assert done.care is not None and done.care.decision.levels[0].level == "L1"
    assert len(repr(done.care)) < 200
    paths = done.save(tmp_path / "results")
    assert {"html", "json"} <= set(paths) and (tmp_path / "results" / "decision.json").is_file()
    assert ep.load_case(tmp_path / "results")["L1"].fracture.value == "yes"


def test_guidelines_are_chosen_by_name_and_by_file(measured: ep.Case, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        """id = "own"
title = "Own rule"
edition = "2026"
date = "2026"
reference = "our ward"

[[ruleset]]
id = "own_age"
title = "Own rule on age"
question = "augmentation"

[[ruleset.answer]]
status = "yes"
answer = "old enough"
when = "age >= old"
source = "own"
trust = "design"

[[ruleset.answer]]
status = "no"
answer = "too young"
source = "own"
trust = "design"

[threshold.old]
value = 70
unit = "a"
source = "own"
trust = "design"
""".replace("age >=", _age_field() + " >=")
    )
    care = ep.weigh(measured, levels=["L1"], guidelines=["nice_ta279", own])
    verdicts = {verdict.ruleset: verdict for verdict in care.decision.levels[0].verdicts}
    assert list(verdicts) == ["nice_ta279", "own_age"]
    assert (verdicts["own_age"].status, verdicts["own_age"].answer) == ("yes", "old enough")
    assert len(ep.weigh(measured, levels=["L1"]).decision.levels[0].verdicts) > 10


def _age_field() -> str:
    from endplate.decision.logic.field import field_catalogue

    return next(name for name in field_catalogue() if name in ("age", "age_yr"))


@pytest.mark.parametrize(
    ("guidelines", "why"),
    [(["nice"], "choose acr"), ("nice_ta279", "give a list"), (["absent.toml"], "cannot read the rule file"),
     (["nice_ta279", "nice_ta279"], "two rule sets 'nice_ta279'")],
)  # fmt: skip
def test_a_guideline_that_is_none_is_refused(measured: ep.Case, guidelines: list[str], why: str) -> None:
    with pytest.raises(OptionError, match=why):
        ep.weigh(measured, levels=["L1"], guidelines=guidelines)


def test_a_broken_rule_file_is_refused(measured: ep.Case, tmp_path: Path) -> None:
    for text in ("[[ruleset", 'id = "x"', 'id = "x"\ntitle = "x"\nedition = "1"\ndate = "1"\nreference = "r"'):
        (tmp_path / "own.toml").write_text(text)
        with pytest.raises(OptionError, match="the rule file"):
            ep.weigh(measured, levels=["L1"], guidelines=[tmp_path / "own.toml"])


def test_weigh_takes_a_record_in_any_form(measured: ep.Case) -> None:
    record = {**RECORD, "levels": {"L1": {"fracture": True}}}
    assert ep.weigh(record).facts[0].level == "L1"
    assert ep.weigh(ep.PatientRecord(age_yr=74, sex="female"), levels=["l2"]).facts[0].level == "L2"
    with pytest.raises(OptionError, match="a case without a record"):
        ep.weigh(ep.read_case(None, measured.labels))
    with pytest.raises(OptionError, match="give a path, a dict or a record"):
        ep.weigh(3)


def test_progress_is_a_function_rich_or_silence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with reported("rich") as tell:
        tell("anatomy", 0.5, "L1")
    assert "Locating vertebrae" in capsys.readouterr().err
    with reported(None) as tell:
        tell("anatomy", 0.5, "L1")
    assert capsys.readouterr() == ("", "")
    with pytest.raises(TypeError, match='"rich" for bars'), reported("bar"):  # type: ignore[arg-type]
        pass


def test_the_former_settings_still_work_and_warn(measured: ep.Case) -> None:
    rehearsal = ep.RehearsalSettings(members=0)
    with pytest.warns(DeprecationWarning, match=r"goes with endplate 0\.3"):
        pair = ep.RehearseSettings(rehearsal=rehearsal)
    with pytest.raises(InputError, match="L5"):
        ep.rehearse(measured, "L5", pair)
    with pytest.warns(DeprecationWarning, match="assess= and rehearsal="):
        settings = ep.PlanSettings(rehearse=pair)
    assert settings.rehearsal is rehearsal and settings.assess == pair.assess
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ep.PlanSettings(rehearsal=rehearsal)


def test_former_names_are_taken_away_in_time() -> None:
    now, end = ([int(part) for part in text.split(".")[:2]] for text in (ep.__version__, GONE_IN))
    assert now < end, f"endplate {ep.__version__}: take away api/deprecated.py and PlanSettings.rehearse"
