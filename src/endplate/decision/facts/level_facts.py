"""The facts of one vertebra and its patient, as the rules ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from endplate.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFacts:
    """What is known of one vertebra and its patient.

    `values` by fact name; `origin` says where each was read, `bands` the 95 % band of those that were measured.
    """

    values: Mapping[str, Any]
    origin: Mapping[str, str] = field(default_factory=dict)
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    __repr__ = short_repr

    @property
    def level(self) -> str:
        """Name of the vertebra, empty where it is not told."""
        return str(self.values.get("level") or "")
