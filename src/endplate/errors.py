"""The exceptions a user may meet: each says what is wrong, why it matters, and what to do.

Bad input is `InputError` (exit code 2); anything else that escapes is our fault (exit code 1).
"""

from __future__ import annotations

import re

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


PLACE = re.compile(r"line (\d+),? col(?:umn)? (\d+)")
ENDS_EARLY = ("EOF while", "end of document", "Unterminated", "Unclosed", "unexpected end")
TWICE = ("Cannot overwrite", "Cannot declare", "twice", "duplicate")


def text_fault(error: BaseException) -> str:
    """What is wrong with a text that could not be read, in plain words, with its place where the reader named one.

    Parameters
    ----------
    error : what a reader of JSON, TOML, CSV or UTF-8 raised; its own words are for programmers.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is no letter in UTF-8; it was saved in another encoding, or is no text"
    if isinstance(error, RecursionError):
        return "its parts lie too deep within one another"
    said = str(error)
    found = PLACE.search(said)
    where = f" in line {found[1]}, column {found[2]}" if found else ""
    rest = getattr(error, "doc", "...")[getattr(error, "pos", 0) :]
    if any(word in said for word in TWICE):
        return f"a name is given twice{where}"
    if any(word in said for word in ENDS_EARLY) or not rest.strip():
        return f"it ends too early{where}"
    return f"it breaks the rules of its format{where}"
