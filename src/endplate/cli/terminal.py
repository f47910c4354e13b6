"""The one door for text that leaves to a terminal, a log or another program.

Whatever a record, file name, note or other program put into a text, it comes out as plain text on the line it belongs
to, in letters that the terminal has, without a password, and not endless.
"""

from __future__ import annotations

import codecs
import json
import logging
import re
import sys
import unicodedata
import warnings
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LONGEST = 1200
"""Letters of a line that is no row of data: the rest of a refusal tells nobody anything."""
SPELLED = "endplate.spelled"
"""Name of the codec error handler by which letters that a terminal lacks are spelled."""
SPELLINGS = {
    "•": "*", "·": ".", "–": "-", "—": "-", "−": "-", "≥": ">=", "≤": "<=", "×": "x", "±": "+-", "°": " deg",
    "µ": "u", "μ": "u", "…": "...", "→": "->", "“": '"', "”": '"', "‘": "'", "’": "'", "ß": "ss",
    "│": "|", "┃": "|", "║": "|",
}  # fmt: skip
BEYOND_ASCII = re.compile(r"[^\n -~]")
SECRETS = (
    (re.compile(r"(\b\w[\w+.-]{0,40}://[^\s:/@]{0,200}):\S{0,500}@"), r"\1:***@"),
    (re.compile(r"((?:[?&]|\b)(?:password|sslpassword|passwd)=)[^\s&'\"]*", re.IGNORECASE), r"\1***"),
)
"""Passwords in the URL of a database, and what stands for them. Bounded: a text of any length takes its time once."""
MARGIN = 2000
"""Letters beyond the cut that are still looked through, so that no password is cut out of its pattern."""


def plain(text: object, most: int | None = None) -> str:
    """Text of any origin as one line: no control, escape or direction character, no line break, no password.

    Parameters
    ----------
    most : cut it to so many characters, saying how many were left out.
    """
    whole = str(text)
    line = whole if most is None else whole[: most + MARGIN]
    line = "".join(letter if letter.isprintable() else _instead(letter) for letter in line)
    for pattern, instead in SECRETS:
        line = pattern.sub(instead, line)
    if most is not None and len(line) > most:
        return f"{line[:most]} ... ({len(whole) - most} more characters)"
    return line


def say(text: object = "", *, style: str | None = None, wrap: bool = False) -> None:
    """One line on standard output; a wrapped one breaks between words where the terminal ends."""
    line = plain(text)
    if style is None and not wrap:
        sys.stdout.write(line + "\n")
        return
    console().print(line, markup=False, style=style, soft_wrap=not wrap)


def say_lines(text: str) -> None:
    """Lines that we composed of values without line breaks."""
    sys.stdout.write("".join(f"{plain(line)}\n" for line in text.removesuffix("\n").split("\n")))


def say_script(text: str) -> None:
    """A script of our own for a shell, tabs and all: nothing of it comes from a user."""
    sys.stdout.write(text + "\n")


def say_table(table: Table, *, markup: bool = True) -> None:
    """A table; cells of foreign text go through `plain`, and are given with `markup` False."""
    console(markup=markup).print(table)


def say_json(value: Any) -> None:
    """One JSON document on standard output, in ASCII where the terminal has no other letters."""
    encoding = (sys.stdout.encoding or "utf-8").lower().replace("-", "")
    text = json.dumps(value, indent=2, ensure_ascii=not encoding.startswith("utf"), allow_nan=False)
    # Inside strings only: what JSON need not escape and a terminal would obey, or UTF-8 lacks.
    _flushed(sys.stdout, BEYOND_ASCII.sub(lambda found: _escaped(found[0]), text) + "\n")


def aside(text: object, *, most: int | None = LONGEST) -> None:
    """One line on standard error."""
    _flushed(sys.stderr, plain(text, most) + "\n")


def prompt(text: object) -> None:
    """A question on standard error, without an end of the line."""
    _flushed(sys.stderr, plain(text))


def console(*, markup: bool = True, stderr: bool = False) -> Console:
    """Where tables, wrapped lines and progress bars are drawn."""
    from rich.console import Console

    return Console(highlight=False, markup=markup, stderr=stderr)


def guard_streams() -> None:
    """Let both streams spell what their encoding lacks, and warnings of libraries, which quote files, come by here."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=SPELLED)
    warnings.showwarning = _warned
    logging.lastResort = _Logged(logging.WARNING)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """What Python does with a warning, by the door; where in a library it arose is nothing to a reader."""
    aside(f"endplate: {category.__name__}: {message}")


class _Logged(logging.Handler):
    """Where records of libraries go for which no program has set up a log."""

    def emit(self, record: logging.LogRecord) -> None:
        aside(f"endplate: {record.name}: {record.getMessage()}")


def _flushed(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _instead(letter: str) -> str:
    """What stands for a character that is not printed: a space for spaces, a byte's code, else a sign of loss."""
    if letter.isspace():
        return " "
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return "" if unicodedata.category(letter) == "Cf" else "?"


def _escaped(letter: str) -> str:
    number = ord(letter)
    if letter.isprintable():
        return letter
    if number < 0x10000:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def _spelling(letter: str) -> str:
    if letter in SPELLINGS:
        return SPELLINGS[letter]
    if "\u2500" <= letter <= "\u257f":
        return "-"
    if "\udc80" <= letter <= "\udcff":
        return f"\\x{ord(letter) - 0xDC00:02x}"
    bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")
    return bare or "?"


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_spelling, error.object[error.start : error.end])), error.end


codecs.register_error(SPELLED, _spell)
