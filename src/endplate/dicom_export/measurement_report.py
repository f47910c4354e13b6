"""Findings as a DICOM SR after template TID 1500: one group of measurements a vertebra and condition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from endplate.dicom_export.code_table import answer_code, finding_code, level_code, method_code, named, reason_code
from endplate.dicom_export.code_table import unit_code as unit_of
from endplate.dicom_export.object_header import MANUFACTURER, MODEL, SERIES, Context, code_item, finished
from endplate.dicom_export.segmentation import vertebra_uid
from endplate.finding import Finding, Gap, catalogue
from endplate.level import Level

NAME = "measurements"
LONGEST = 1000
"""Letters of a parameter that says how a number was measured."""


@dataclass
class _Group:
    """What is said of one vertebra, or of the whole spine, under one condition."""

    findings: list[Finding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def measurement_report(context: Context, number: int, segmentation: Dataset | None) -> Any:
    """The SR object, unverified and preliminary: no person has read it.

    Parameters
    ----------
    context : Context
        Results and series.
    number : int
        InstanceNumber.
    segmentation : pydicom.Dataset or None
        SEG of the vertebrae, which the groups refer to.

    Returns
    -------
    highdicom.sr.Comprehensive3DSR

    Notes
    -----
    A number keeps its unit, its band (as uncertainty and as two derived measurements), its method and, as parameters of
    the algorithm, the words of method and source. A gap of a number is a measurement without a value and the coded
    reason (CID 42). Grades and closed answers are coded evaluations. Answers in free words have no place in the
    template; they are in the PDF.
    """
    import highdicom as hd

    groups = _grouped(context.results.findings, context.results.gaps)
    segments = _segments(segmentation)
    content = hd.sr.MeasurementReport(
        observation_context=_observed_by(context),
        procedure_reported=named("report", "procedure"),
        imaging_measurements=[
            _group(context, level, condition, one, segmentation, segments) for (level, condition), one in groups.items()
        ],
        title=codes.DCM.ImagingMeasurementReport,
    )
    evidence = [*context.series.headers, *([segmentation] if segmentation is not None else [])]
    made = hd.sr.Comprehensive3DSR(
        evidence=evidence,
        content=content[0],
        series_instance_uid=context.uid("series", "SR"),
        series_number=SERIES["SR"][0],
        sop_instance_uid=context.uid("object", NAME),
        instance_number=number,
        manufacturer=MANUFACTURER,
        is_complete=True,
        is_final=False,
        is_verified=False,
    )
    _without_values(made)
    _undated(made, context)
    return finished(made, context, "SR", NAME)


def _grouped(findings: Iterable[Finding], gaps: Iterable[Gap]) -> dict[tuple[Level | None, str], _Group]:
    """What can be written, by vertebra from head to foot and by condition; a number that is given is no gap."""
    groups: dict[tuple[Level | None, str], _Group] = {}
    given = set()
    for finding in findings:
        if is_number(finding) or answer_code(finding.code, finding.value) is not None:
            groups.setdefault((finding.level, finding.condition), _Group()).findings.append(finding)
            given.add((finding.code, finding.level))
    for gap in gaps:
        entry = catalogue().get(gap.code)
        if entry is not None and entry.unit and (gap.code, gap.level) not in given:
            groups.setdefault((gap.level, ""), _Group()).gaps.append(gap)
            given.add((gap.code, gap.level))
    return dict(sorted(groups.items(), key=lambda item: (-1 if item[0][0] is None else item[0][0].order, item[0][1])))


def is_number(finding: Finding) -> bool:
    """Whether a finding is written as a measurement."""
    return isinstance(finding.value, int | float) and not isinstance(finding.value, bool) and bool(finding.unit)


def _segments(segmentation: Dataset | None) -> dict[str, int]:
    if segmentation is None:
        return {}
    return {str(one.SegmentLabel): int(one.SegmentNumber) for one in segmentation.SegmentSequence}


def _group(
    context: Context,
    level: Level | None,
    condition: str,
    one: _Group,
    segmentation: Dataset | None,
    segments: dict[str, int],
) -> Any:
    import highdicom as hd

    site = named("report", "spine_site") if level is None else level_code(level)
    name = " ".join(part for part in ("spine" if level is None else str(level), condition) if part)
    shared: dict[str, Any] = {
        "tracking_identifier": hd.sr.TrackingIdentifier(uid=_tracking(context, level, condition), identifier=name),
        "finding_type": named("report", "spine" if level is None else "vertebra"),
        "finding_sites": [hd.sr.FindingSite(anatomic_location=site)],
        "algorithm_id": hd.sr.AlgorithmIdentification(name=MODEL, version=context.results.version),
        "measurements": [item for finding in one.findings if is_number(finding) for item in _numbers(finding, context)]
        + [_missing(gap, context) for gap in one.gaps],
        "qualitative_evaluations": _evaluations(one.findings),
    }
    shown = segments.get(str(level)) if level is not None else None
    if shown is None or segmentation is None:
        return hd.sr.MeasurementsAndQualitativeEvaluations(**shared)
    from highdicom.sr import ReferencedSegment, SourceSeriesForSegmentation

    segment = ReferencedSegment(
        sop_class_uid=segmentation.SOPClassUID,
        sop_instance_uid=segmentation.SOPInstanceUID,
        segment_number=shown,
        source_series=SourceSeriesForSegmentation(context.series.series_uid),
    )
    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **shared)


def _tracking(context: Context, level: Level | None, condition: str) -> str:
    """The UID of the vertebra itself; what is said under a condition has one of its own."""
    if level is not None and not condition:
        return vertebra_uid(context, level)
    return context.tracking_uid("finding", str(level), condition)


def _numbers(finding: Finding, context: Context) -> list[Any]:
    """The measurement, and the ends of its band as measurements derived from it."""
    ends = [("low", finding.low), ("high", finding.high)]
    found = [_measured(finding, float(finding.value), context)]
    return found + [_measured(finding, float(end), context, derivation=name) for name, end in ends if end is not None]


def _measured(finding: Finding, value: float, context: Context, derivation: str = "") -> Any:
    import highdicom as hd

    words = () if derivation else (("method", finding.method), ("source", finding.source), ("for", finding.condition))
    return hd.sr.Measurement(
        name=finding_code(finding.code),
        value=value,
        unit=unit_of(finding.unit),
        derivation=named("report", derivation) if derivation else None,
        method=method_code(finding.code),
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=f"{MODEL} {finding.code}",
            version=context.results.version,
            parameters=[f"{name}: {text}"[:LONGEST] for name, text in words if text] or None,
        ),
        properties=None if derivation else _band(finding),
    )


def _band(finding: Finding) -> Any:
    """The band as uncertainty on either side (TID 310); None where there is none."""
    import highdicom as hd

    if finding.low is None or finding.high is None:
        return None
    value = float(finding.value)
    found = hd.sr.MeasurementProperties(
        upper_measurement_uncertainty=max(float(finding.high) - value, 0.0),
        lower_measurement_uncertainty=max(value - float(finding.low), 0.0),
    )
    for item in found:  # the library writes them as pure numbers
        item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [code_item(unit_of(finding.unit))]
    return found


def _missing(gap: Gap, context: Context) -> Any:
    """A measurement without a value: the reason is coded, and its words are a parameter. See `_without_values`."""
    import highdicom as hd

    return hd.sr.Measurement(
        name=finding_code(gap.code),
        value=0,
        unit=unit_of(catalogue()[gap.code].unit),
        qualifier=reason_code(gap.reason),
        method=method_code(gap.code),
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=f"{MODEL} {gap.code}",
            version=context.results.version,
            parameters=[f"reason: {gap.reason}"[:LONGEST]],
        ),
    )


def _evaluations(findings: Sequence[Finding]) -> list[Any]:
    import highdicom as hd

    pairs = [(finding, answer_code(finding.code, finding.value)) for finding in findings]
    return [
        hd.sr.QualitativeEvaluation(name=finding_code(finding.code), value=answer)
        for finding, answer in pairs
        if answer is not None
    ]


def _without_values(made: Dataset) -> None:
    """Take the placeholder out of every measurement that has a reason in place of a value."""
    for item in made.ContentSequence:
        if item.ValueType == "NUM" and "NumericValueQualifierCodeSequence" in item:
            item.MeasuredValueSequence = []
        if "ContentSequence" in item:
            _without_values(item)


def _undated(made: Dataset, context: Context) -> None:
    """The day of the run in place of today's."""
    for item in made.get("ContentSequence", ()):
        if "ObservationDateTime" in item:
            item.ObservationDateTime = context.results.made.strftime("%Y%m%d%H%M%S")
        _undated(item, context)


def _observed_by(context: Context) -> Any:
    import highdicom as hd

    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=context.tracking_uid("device", context.results.version),
        name=MODEL,
        manufacturer_name=MANUFACTURER,
        model_name=MODEL,
        serial_number=context.results.version,
    )
    return hd.sr.ObservationContext(
        observer_device_context=hd.sr.ObserverContext(
            observer_type=codes.DCM.Device, observer_identifying_attributes=device
        )
    )
