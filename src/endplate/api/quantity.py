"""One measured thing as a value that carries its band, unit, method and source; or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.api.errors import ArgumentTypeError
from endplate.finding import Finding, Gap, catalogue
from endplate.report.phrase import title_of, with_unit

NOT_MEASURED = "not measured in this case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A finding at one level, or the gap in its place.

    `float(quantity)` gives the number, `str(quantity)` the value with unit and band as the report prints them.

    Parameters
    ----------
    code : str
        Name in the catalogue of findings.
    value : float, int, str, bool or None
        Number, text or truth value; None where it is unknown, and `reason` then says why.
    low : float, optional
        Lower end of the 95 % band in the same unit; None where the value is no number.
    high : float, optional
        Upper end of the same band.
    unit : str, optional
        UCUM text, "1" for a pure number, empty for text.
    method : str, optional
        How it was measured and what the band means.
    source : str, optional
        The publication or definition behind the method.
    condition : str, optional
        What tells several of one code apart, such as the activity of a load; else empty.
    reason : str, optional
        Why it is unknown; empty where it is known.
    """

    code: str
    value: float | int | str | bool | None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    method: str = ""
    source: str = ""
    condition: str = ""
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def __float__(self) -> float:
        """The value as a number.

        Raises
        ------
        ArgumentTypeError
            It is unknown, or text.
        """
        if isinstance(self.value, int | float):
            return float(self.value)
        why = self.reason if self.value is None else f"its value is {self.value!r}"
        raise ArgumentTypeError(f"{self.code} is no number here", why, "look at .value and .reason")

    def __format__(self, spec: str) -> str:
        """The value in a number's format; the whole sentence without one."""
        return format(float(self), spec) if spec else str(self)

    def __str__(self) -> str:
        """Value, unit and band as the report prints them, or that it is unknown and why."""
        if self.value is None:
            return f"unknown ({self.reason})"
        return with_unit(self._finding(self.value))

    def __repr__(self) -> str:
        """Title, value, unit and band in a line."""
        name = f"{title_of(self.code)} ({self.condition})" if self.condition else title_of(self.code)
        return f"<{name}: {self}>"

    def _finding(self, value: float | int | str | bool) -> Finding:
        return Finding(
            code=self.code,
            value=value,
            unit=self.unit,
            condition=self.condition,
            low=self.low,
            high=self.high,
            method=self.method,
            source=self.source,
        )


def known(finding: Finding) -> Quantity:
    """The quantity of a finding."""
    return Quantity(
        code=finding.code,
        value=finding.value,
        low=finding.low,
        high=finding.high,
        unit=finding.unit,
        method=finding.method,
        source=finding.source,
        condition=finding.condition,
    )


def unknown(code: str, gap: Gap | None) -> Quantity:
    """The quantity of a gap, or of what nothing was said about."""
    entry = catalogue().get(code)
    reason = NOT_MEASURED if gap is None else gap.reason
    return Quantity(code=code, value=None, unit=entry.unit if entry is not None else "", reason=reason)
