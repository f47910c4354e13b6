"""The exceptions a user may meet: each says what is wrong, why it matters, and what to do.

Bad input is `InputError` (exit code 2); anything else that escapes is our fault (exit code 1).
"""

from __future__ import annotations

LONGEST_PART = 600


def plain(text: str, longest: int = LONGEST_PART) -> str:
    """Text from anywhere as one short line that a terminal shows as it is: no control or other hidden characters."""
    if len(text) > 4 * longest:
        text = text[: 2 * longest] + text[-2 * longest :]
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    tail = longest // 2
    # What happened stands at the end of a line that begins with a name.
    return line if len(line) <= longest else line[: longest - tail - 5] + " ... " + line[-tail:]


class EndplateError(Exception):
    """A problem in one line: what, why, what to do.

    Parameters
    ----------
    what : str
        The observation, with the offending name or value in it.
    why : str, optional
        Why the work cannot go on.
    fix : str, optional
        What the user can do next.
    """

    exit_code = 1

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        # What files, headers and names hold ends up in messages, and messages on terminals.
        self.what, self.why, self.fix = plain(what), plain(why), plain(fix)
        line = "; ".join(part.rstrip(".") for part in (self.what, self.why, self.fix) if part)
        super().__init__(line if line.endswith("?") else f"{line}.")


class InputError(EndplateError):
    """Something given to endplate cannot be used; the commands exit with code 2.

    Parameters
    ----------
    what : str
        The observation, with the offending name or value in it.
    why : str, optional
        Why it cannot be used.
    fix : str, optional
        What the user can do next.
    """

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
