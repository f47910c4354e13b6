"""Which series are measured: a TOML file of rules about body part, modality, slice thickness, kernel, age and words."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endplate.errors import OptionError, text_fault
from endplate.patient.validation_message import wanted_words

Facts = dict[str, Any]
"""What a header says; None where it does not."""
TAG = {
    "modality": "Modality",
    "body_part": "BodyPartExamined",
    "kernel": "ConvolutionKernel",
    "description": "SeriesDescription",
}


class Rule(BaseModel):
    """One rule: a series fits where every line that is given fits.

    A line about something that the header does not say fits only with `unknown = "fits"`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    modality: list[str] | None = None
    body_part: list[str] | None = None
    kernel: list[str] | None = None
    description: list[str] | None = None
    slice_thickness_mm_min: float | None = None
    slice_thickness_mm_max: float | None = None
    age_yr_min: float | None = None
    age_yr_max: float | None = None
    unknown: Literal["does not fit", "fits"] = "does not fit"

    def misfit(self, facts: Facts) -> str:
        """Why a series does not fit; empty where it does."""
        for name in ("modality", "body_part", "kernel", "description"):
            wanted = getattr(self, name)
            if wanted is not None and (why := self._words(name, wanted, facts.get(name))):
                return why
        return self._range("slice_thickness_mm", facts) or self._range("age_yr", facts)

    def _words(self, name: str, wanted: list[str], found: str | None) -> str:
        if not found:
            return "" if self.unknown == "fits" else f"{_said(name)} is not stated"
        exact = name in ("modality", "body_part")
        fits = any(word.upper() == found.upper() if exact else word.upper() in found.upper() for word in wanted)
        return "" if fits else f"{_said(name)} is {found}"

    def _range(self, name: str, facts: Facts) -> str:
        low, high = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
        if low is None and high is None:
            return ""
        found = facts.get(name)
        if found is None:
            return "" if self.unknown == "fits" else f"{_said(name)} is not stated"
        fits = (low is None or found >= low) and (high is None or found <= high)
        return "" if fits else f"{_said(name)} is {found:g}"


class Rules(BaseModel):
    """Rules of a listener: a series is measured where one of `take` fits and none of `leave`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    take: list[Rule] = Field(default_factory=lambda: [Rule(modality=["CT"])], min_length=1)
    leave: list[Rule] = Field(default_factory=list)

    def refusal(self, facts: Facts) -> str:
        """Why a series is left; empty where it is measured."""
        reasons = [rule.misfit(facts) for rule in self.take]
        if all(reasons):
            return "; ".join(dict.fromkeys(reasons))
        left = next((number for number, rule in enumerate(self.leave, start=1) if not rule.misfit(facts)), None)
        return "" if left is None else f"rule {left} of [[leave]] fits"


def read_rules(path: Path | None) -> Rules:
    """The rules of a file; without one every CT is measured.

    Raises
    ------
    OptionError : the file cannot be read, or holds what is no rule.
    """
    if path is None:
        return Rules()
    try:
        return Rules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        why = error.strerror or "" if isinstance(error, OSError) else text_fault(error)
        raise OptionError(f"the rules {path} cannot be read", why, "see docs/dicom.md") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        wanted = wanted_words(first)
        why = f"it should be {wanted}" if wanted else first["msg"]
        why = "no rule has such a line" if first["type"] == "extra_forbidden" else why
        raise OptionError(f"the rules {path} are wrong at {place}", why, "see docs/dicom.md") from error


def facts_for_rules(header: Any) -> Facts:
    """What the rules ask about, from any header of a series."""
    facts: Facts = {name: _text(header.get(tag)) for name, tag in TAG.items()}
    facts["slice_thickness_mm"] = _number(header.get("SliceThickness"))
    facts["age_yr"] = _age(_text(header.get("PatientAge")))
    return facts


def _text(value: Any) -> str | None:
    text = "" if value is None else str(value).strip()
    return text or None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _age(text: str | None) -> float | None:
    """Years from an age string such as 074Y; younger ages are given in months, weeks or days."""
    per_year = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}
    if text is None or len(text) != 4 or not text[:3].isdigit() or text[3] not in per_year:
        return None
    return int(text[:3]) / per_year[text[3]]


def _said(name: str) -> str:
    return {"slice_thickness_mm": "slice thickness", "age_yr": "age", "description": "series description"}.get(
        name, name.replace("_", " ")
    )
