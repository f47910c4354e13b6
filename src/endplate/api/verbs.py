"""The verbs of the Python front: read, assess, rehearse, plan and weigh, each on a case, with choices by keyword."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from numpy.typing import ArrayLike

from endplate.api.case import Case, as_case
from endplate.api.choices import (
    MeasuringChoices,
    RepairChoices,
    measuring_settings,
    only,
    refuse_unknown,
    rehearsal_settings,
)
from endplate.api.deprecated import split_pair
from endplate.api.errors import ArgumentTypeError
from endplate.api.progress import Reported, reported
from endplate.api.view import CaseView
from endplate.case import assess as assess_stage
from endplate.case import care as care_stage
from endplate.case import plan as plan_stage
from endplate.case import read as read_stage
from endplate.case import rehearse as rehearse_stage
from endplate.case.assess import AssessSettings
from endplate.case.care import Care
from endplate.case.given import record_of
from endplate.case.plan import PlanSettings
from endplate.case.readings.reading import parse_readings, read_readings
from endplate.errors import OptionError
from endplate.finding import Finding
from endplate.image.labels.in_memory import Numbering
from endplate.image.placed import Frame
from endplate.level import Level, parse_level
from endplate.repair.rehearsal.rehearse import RehearsalSettings


def read_case(
    ct: Any,
    labels: Any,
    record: Any = None,
    scheme: Numbering = None,
    *,
    affine: ArrayLike | None = None,
    frame: Frame | None = None,
    readings: str | Path | Sequence[Mapping[str, Any]] = (),
) -> Case:
    """One patient's scan, vertebra labels and record, ready for `assess`.

    Parameters
    ----------
    ct : path, nibabel image, SimpleITK image, Volume, array or None
        NIfTI file, DICOM series folder, image in memory, or array (I, J, K) in HU; None where only labels exist
        (geometry and grades then, the rest a gap).
    labels : path, nibabel image, SimpleITK image, LabelMap or array
        Label map, folder of masks, DICOM SEG, image in memory, or array (I, J, K) of whole numbers.
    record : path, dict or PatientRecord, optional
        Age and sex are needed in it; mass and stature for the load on the spine.
    scheme : str, path or dict, optional
        How labels are numbered where the file does not say; for labels in memory also a table such as {20: "L1"}.
    affine : array_like, optional
        (4, 4) from index to mm at voxel centres, of what is given as an array. An array of labels beside an image may
        leave it out and then has the place of the image.
    frame : {"RAS", "LPS"}, optional
        World frame of `affine`: nibabel counts in RAS, SimpleITK and DICOM in LPS.
    readings : path or list of dict, optional
        What a reader says of the levels, in the order in which it was said: other names, set aside, grade, fracture or
        none. It outranks what is computed, which stays visible beside it.

    Returns
    -------
    Case
        CT and labels on the CT's grid, LPS mm, with the SHA-256 of every input.

    Raises
    ------
    ImageError, LabelError, GridMismatchError, RecordError, OptionError
        What was found, why it cannot be used, what to give.

    Examples
    --------
    >>> import endplate as ep
    >>> record = {"age_yr": 74, "sex": "female"}
    >>> case = ep.read_case("ct.nii.gz", labels="labels.nii.gz", record=record)  # doctest: +SKIP
    """
    said = read_readings(Path(readings)) if isinstance(readings, str | Path) else parse_readings(list(readings), "list")
    return Case.of(read_stage.read_case(ct, labels, record, scheme, affine, frame, readings=said))


def assess(
    case: Any,
    settings: AssessSettings | None = None,
    progress: Reported = None,
    **choices: Unpack[MeasuringChoices],
) -> Case:
    """Measure a case: heights and grades, density, stiffness and strength of every vertebra.

    Parameters
    ----------
    case : Case
        From `read_case`.
    settings : AssessSettings, optional
        Choices of every stage; all have cited defaults.
    progress : callable or "rich", optional
        A function of (stage, fraction, detail), or bars drawn by rich.
    **choices
        Single settings by name: voxel_mm, law, criterion, load_case, layer, cortex, mechanics, nonlinear, kvp,
        calibration as (slope, offset), rods, device.

    Returns
    -------
    Case
        With findings, gaps and cautions; the case given is left as it was.

    Raises
    ------
    LabelError, OptionError
        What was found, why it cannot be used, what to give.
    """
    wanted = measuring_settings(settings, choices)
    with reported(progress) as tell:
        return Case.of(assess_stage.assess(as_case(case, "assess"), wanted, tell))


def rehearse(
    case: Any,
    level: Level | str,
    settings: RehearsalSettings | None = None,
    progress: Reported = None,
    measuring: AssessSettings | None = None,
    **choices: Unpack[RepairChoices],
) -> Case:
    """Rehearse the repair of one vertebra, in the bone that the scan shows.

    Parameters
    ----------
    case : Case
        From `read_case`; it is measured first where it was not.
    level : Level or str
        The vertebra, such as "L1".
    settings : RehearsalSettings, optional
        Choices of every part; all have cited defaults.
    progress : callable or "rich", optional
        A function of (stage, fraction, detail), or bars drawn by rich.
    measuring : AssessSettings, optional
        How a case that was not measured yet is measured.
    **choices
        Single settings by name: procedure, cement (name or Cement), cement_ml, flow_ml_s, portions, stop_at_opening,
        balloon (name or Balloon), balloon_ml of all balloons together, needle (gauge or Needle), sides, route,
        voxel_mm, mobility, preload_n, members, member_voxel_mm, seed.

    Returns
    -------
    Case
        With the rehearsal, its findings, gaps and cautions added.

    Raises
    ------
    OptionError, LabelError
        The level cannot be rehearsed, or a choice has no meaning.

    Notes
    -----
    Without `settings` one procedure alone has no design of members: none for vertebroplasty, the two that span the gain
    of height for kyphoplasty. Both together have 16.
    """
    settings, measuring = split_pair(settings, measuring)
    wanted = rehearsal_settings(settings, choices)
    if measuring is None and "voxel_mm" in choices:
        measuring = measuring_settings(None, only(choices, "voxel_mm"))
    with reported(progress) as tell:
        return Case.of(rehearse_stage.rehearse(as_case(case, "rehearse"), level, wanted, tell, measuring))


def plan(
    case: Any,
    settings: PlanSettings | None = None,
    progress: Reported = None,
    levels: Sequence[Level | str] = (),
    **choices: Any,
) -> Case:
    """Everything for one patient: measure, rehearse the fractured levels, ask every rule set, plan prevention.

    Parameters
    ----------
    case : Case
        From `read_case`, with a record.
    settings : PlanSettings, optional
        How the case is measured and rehearsed.
    progress : callable or "rich", optional
        A function of (stage, fraction, detail), or bars drawn by rich.
    levels : sequence of Level or str, optional
        Those to rehearse; without them the fractured ones, three at most.
    **choices
        Any keyword of `assess` or `rehearse`; `repairs=False` rehearses none.

    Returns
    -------
    Case
        Measured, with rehearsals and `care`; a level that cannot be rehearsed is a gap with its reason.

    Raises
    ------
    RecordError
        The case has no record.
    InputError
        The scan cannot be measured, or a choice has no meaning.
    """
    usual, settings = settings is None, settings or PlanSettings()
    if not isinstance(settings, PlanSettings):
        raise ArgumentTypeError(
            f"settings={type(settings).__name__}", "", "give endplate.PlanSettings(...) or keywords"
        )
    measuring, repair = MeasuringChoices.__annotations__, RepairChoices.__annotations__
    refuse_unknown(choices, {*measuring, *repair, "repairs"})
    rehearsal = only(choices, *repair)
    settings = replace(
        settings,
        assess=measuring_settings(settings.assess, only(choices, *measuring)),
        rehearsal=rehearsal_settings(None if usual else settings.rehearsal, rehearsal),
        levels=tuple(parse_level(level) for level in levels) or settings.levels,
        repairs=choices.get("repairs", settings.repairs),
    )
    with reported(progress) as tell:
        return Case.of(plan_stage.plan(as_case(case, "plan"), settings, tell))


def weigh(
    record: Any,
    findings: Sequence[Finding] = (),
    levels: Sequence[Level | str] = (),
    guidelines: Sequence[str | Path] | None = None,
) -> Care:
    """What every rule set says of a patient and why, which answer would change it, and how to prevent the next one.

    Parameters
    ----------
    record : PatientRecord, dict, path, Case or SavedCase
        The patient. A case brings its record and its findings.
    findings : sequence of Finding, optional
        Of the patient's scan, where a record alone was given.
    levels : sequence of Level or str, optional
        To decide on; without them those that record or findings call fractured.
    guidelines : sequence of str or path, optional
        Rule sets to ask by id, such as "nice_ta279", or rule files of your own (.toml); without it all packaged ones.

    Returns
    -------
    Care
        Verdicts, flags and grades of each level, and the plan of prevention.

    Raises
    ------
    OptionError, RecordError
        What was given, why it has no meaning, what to give.
    """
    if isinstance(record, CaseView):
        findings = (*record.findings, *findings)
        record = getattr(record, "record", None)
        if record is None:
            raise OptionError("a case without a record", "advice is about a patient", "read the case with record=")
    patient, _ = record_of(record)
    return care_stage.weigh(patient, findings, [parse_level(level) for level in levels], guidelines)
