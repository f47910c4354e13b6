"""The report as a thing to look at or to save."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from endplate.atomic import write_text


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Report:
    """One self-contained HTML page.

    Parameters
    ----------
    name : str
        Name of the case.
    html : str
        The whole page; needs no network.
    """

    name: str
    html: str

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all.

        Parameters
        ----------
        path : str or Path
            File to write, such as "r.html".

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        OutputError
            It cannot be written there.
        """
        write_text(Path(path), self.html)
        return Path(path)

    def __repr__(self) -> str:
        """Whose report and how large."""
        return f"<Report of {self.name!r}: {len(self.html.encode()) / 1024:.0f} kB of HTML>"

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its styles stay in it."""
        return f'<iframe srcdoc="{escape(self.html)}" style="width:100%;height:600px;border:1px solid #ccc"></iframe>'
