"""Whether the document of a scan can be kept and compared: what of it the course of an episode reads."""

from __future__ import annotations

import math
from typing import Any

from endplate.decision.recovery.deformity import ANGLE, HEIGHTS
from endplate.level import Level

MAX_MM_OR_DEG = 1e6
"""Beyond any height or angle, and far from where arithmetic ends."""


def unfit(document: Any) -> str:
    """What is wrong with the document of a scan, in words; empty where it can be compared with others."""
    if not isinstance(document, dict):
        return "is no object of JSON"
    levels, findings = document.get("levels"), document.get("findings")
    if not (isinstance(levels, list) and all(isinstance(name, str) and name in Level.__members__ for name in levels)):
        return "holds levels that are no vertebrae"
    if not isinstance(findings, list):
        return "holds no list of findings"
    return next((reason for finding in findings if (reason := _unfit_finding(finding))), "")


def _unfit_finding(finding: Any) -> str:
    if not isinstance(finding, dict) or not isinstance(finding.get("code"), str) or "value" not in finding:
        return "holds a finding that is not whole"
    level = finding.get("level")
    if level is not None and (not isinstance(level, str) or level not in Level.__members__):
        return "holds a finding at a level that is no vertebra"
    reason = _unfit_measure(finding) if finding["code"] in (*HEIGHTS, ANGLE) else ""
    return f"holds {finding['code']!r} {reason}" if reason else ""


def _unfit_measure(finding: dict[str, Any]) -> str:
    low, high = finding.get("low"), finding.get("high")
    if not _number(finding["value"]):
        return "that is no number"
    if not all(end is None or _number(end) for end in (low, high)):
        return "with a band that is no numbers"
    return "with a band upside down" if low is not None and high is not None and low > high else ""


def _number(value: Any) -> bool:
    kind = isinstance(value, int | float) and not isinstance(value, bool)
    return kind and abs(value) < MAX_MM_OR_DEG and math.isfinite(value)
