"""The exceptions a user may meet: each says what is wrong, why it matters, and what to do.

Bad input is `InputError` (exit code 2); anything else that escapes is our fault (exit code 1).
"""

from __future__ import annotations


class EndplateError(Exception):
    """A problem told in one line: what, why, what to do.

    Parameters
    ----------
    what : the observation, with the offending name or value in it.
    why : why the work cannot go on.
    fix : what the user can do next.
    """

    exit_code = 1

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        self.what, self.why, self.fix = what, why, fix
        super().__init__("; ".join(part.strip().rstrip(".") for part in (what, why, fix) if part) + ".")


class InputError(EndplateError):
    """Something given to endplate cannot be used."""

    exit_code = 2


class ImageError(InputError):
    """An image file or series cannot be read or is not a usable CT."""


class LabelError(InputError):
    """Vertebra labels cannot be read, understood or used."""


class GridMismatchError(LabelError):
    """CT and labels do not lie over each other."""


class RecordError(InputError):
    """A patient record is malformed or holds an impossible value."""


class OptionError(InputError):
    """A command-line option or setting has no meaning here."""


class OutputError(InputError):
    """Results cannot be written where they were asked for."""


class SolverError(EndplateError):
    """A solver did not reach its tolerance; the last good state is named in the message."""
