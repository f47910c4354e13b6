"""One vertebra of a case: its quantities by name, its gaps and cautions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape

from endplate.api.errors import UnknownNameError
from endplate.api.quantity import Quantity, known, unknown
from endplate.finding import Caution, Finding, Gap, catalogue
from endplate.level import Level
from endplate.report.phrase import title_of


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LevelView:
    """What is known of one vertebra: `view.anterior_height`, `view.get("load_to_strength", "standing")`.

    A code of the catalogue can be read as an attribute, unless it was measured under several conditions; iterating
    gives every quantity measured here.

    Parameters
    ----------
    level : Level
        The vertebra.
    findings : tuple of Finding
        Facts of this vertebra alone.
    gaps : tuple of Gap
        What could not be measured of it.
    cautions : tuple of Caution
        What a reader must know before trusting it.
    """

    level: Level
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    cautions: tuple[Caution, ...]

    def get(self, code: str, condition: str | None = None) -> Quantity:
        """A quantity by its code.

        Parameters
        ----------
        code : str
            Name in the catalogue, such as "failure_load"; `endplate.catalogue()` lists all.
        condition : str, optional
            Which one, where a code has several, such as "standing".

        Returns
        -------
        Quantity
            With `value` None and a reason where it was not measured.

        Raises
        ------
        UnknownNameError
            No such code, several conditions and none named, or a condition that is not there.
        """
        found = [finding for finding in self.findings if finding.code == code]
        if not found:
            return unknown(_in_catalogue(code), next((gap for gap in self.gaps if gap.code == code), None))
        conditions = [finding.condition for finding in found]
        if condition is None and len(found) > 1:
            raise UnknownNameError(
                f"{code} of {self.level} has several conditions", ", ".join(conditions), f'use get("{code}", condition)'
            )
        if condition is not None and condition not in conditions:
            raise UnknownNameError(
                f"{code} of {self.level} under {condition!r}", "", f"conditions: {', '.join(conditions) or 'none'}"
            )
        return known(found[0 if condition is None else conditions.index(condition)])

    def conditions(self, code: str) -> tuple[str, ...]:
        """The conditions under which a code was measured here.

        Parameters
        ----------
        code : str
            Name in the catalogue, such as "load_to_strength".

        Returns
        -------
        tuple of str
            One for each measurement; an empty text stands for none.

        Raises
        ------
        UnknownNameError
            No such code, where anything was measured here.
        """
        return tuple(finding.condition for finding in self.findings if finding.code == _in_catalogue(code))

    def __getattr__(self, code: str) -> Quantity:
        """A quantity as an attribute."""
        if code.startswith("_"):
            raise AttributeError(code)
        try:
            return self.get(code)
        except UnknownNameError as error:
            raise AttributeError(str(error), name=code, obj=self) from error

    def __iter__(self) -> Iterator[Quantity]:
        """Every quantity measured here, in the order of measuring."""
        return (known(finding) for finding in self.findings)

    def __dir__(self) -> list[str]:
        """What may follow the dot: the codes that were measured here, for completion."""
        own = ("level", "findings", "gaps", "cautions", "get", "conditions")
        return sorted({*own, *(finding.code for finding in self.findings), *(gap.code for gap in self.gaps)})

    def __repr__(self) -> str:
        """The level and how much is known of it."""
        counts = f"{len(self.findings)} findings, {len(self.gaps)} gaps, {len(self.cautions)} cautions"
        return f"<{self.level}: {counts}>"

    def _repr_html_(self) -> str:
        """A table of all quantities, then the gaps with their reasons."""
        rows = [
            f"<tr><td>{escape(title_of(item.code))}</td><td>{escape(item.condition)}</td>"
            f"<td>{escape(str(item))}</td></tr>"
            for item in self
        ]
        rows += [f"<tr><td>{escape(title_of(gap.code))}</td><td></td><td>unknown: {escape(gap.reason)}</td></tr>"
                 for gap in self.gaps]  # fmt: skip
        return f"<table><caption>{self.level}</caption>{''.join(rows)}</table>"


def _in_catalogue(code: str) -> str:
    """The code, refused where the catalogue does not have it."""
    codes = catalogue()
    if code in codes:
        return code
    near = get_close_matches(code, codes, n=3, cutoff=0.5)
    raise UnknownNameError(
        f"{code!r} is no code of a finding", "", f"did you mean {' or '.join(near)}?" if near else _ALL
    )


_ALL = "endplate.catalogue() lists all codes"
