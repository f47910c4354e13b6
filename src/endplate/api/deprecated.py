"""Names of 0.1 that are still understood, each with a warning; they go with the version named here."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

from endplate.case.assess import AssessSettings
from endplate.repair.rehearsal.rehearse import RehearsalSettings

GONE_IN = "0.3"
"""The version in which these names are taken away; a test fails from then on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearseSettings:
    """How the case is measured and how the repair is rehearsed, in one: now two arguments of `rehearse`."""

    assess: AssessSettings = field(default_factory=AssessSettings)
    rehearsal: RehearsalSettings = field(default_factory=RehearsalSettings)

    def __post_init__(self) -> None:
        warnings.warn(
            f"RehearseSettings goes with endplate {GONE_IN}: give RehearsalSettings as settings= and AssessSettings as "
            "measuring=, or single keywords",
            DeprecationWarning,
            stacklevel=3,
        )


def split_pair(settings: Any, measuring: AssessSettings | None) -> tuple[Any, AssessSettings | None]:
    """Settings of the rehearsal and of the measuring, also from the former pair of both."""
    if isinstance(settings, RehearseSettings):
        return settings.rehearsal, measuring or settings.assess
    return settings, measuring
