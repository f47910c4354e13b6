"""The label table that some tools leave in a NIfTI header: found and read by hand, within limits.

nibabel would parse every extension, DICOM ones as whole data sets, whatever they cost.
"""

from __future__ import annotations

from xml.parsers import expat

MAX_EXTENSIONS = 64
DEEPEST = 32
LONGEST_NAME = 200
MAX_NAMES = 1000
MAX_LABEL = 2**16 - 1


def label_table(header: bytes, start: int, little_endian: bool, max_bytes: int) -> str | None:
    """The XML label table among a header's extensions, if any.

    Parameters
    ----------
    header : all bytes before the voxels. start : of the first extension.
    max_bytes : a longer extension is left unread.
    """
    order = "little" if little_endian else "big"
    for _ in range(MAX_EXTENSIONS):
        size = int.from_bytes(header[start : start + 4], "little" if order == "little" else "big", signed=True)
        if size < 16 or start + size > len(header):
            return None
        content = header[start + 8 : start + size]
        if len(content) <= max_bytes and b"<Label " in content:
            return content.decode("utf-8", "replace").rstrip("\x00 \n")
        start += size
    return None


def stored_names(xml: str | None) -> dict[int, str]:
    """Label to name from the XML table in a NIfTI header extension; {} where it is not such a table."""
    if not xml or "<" not in xml or ">" not in xml:
        return {}
    table = _Table()
    try:
        table.parser.Parse(xml[xml.index("<") : xml.rindex(">") + 1].encode("utf-8", "replace"), True)
    except (expat.ExpatError, _StrangeError, ValueError, LookupError):
        return {}
    return table.names


class _StrangeError(Exception):
    """The XML is nothing that a label table needs."""


class _Table:
    """Collects `<Label Key="20">name</Label>`; entities and deep nesting end the reading."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self._key: int | None = None
        self._text, self._depth = "", 0
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise _StrangeError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST or len(self.names) > MAX_NAMES:
            raise _StrangeError
        self._key, self._text = (_number(attributes.get("Key", "")), "") if name == "Label" else (None, "")

    def _characters(self, text: str) -> None:
        if self._key is not None and len(self._text) < LONGEST_NAME:
            self._text += text[:LONGEST_NAME]

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == "Label" and self._key is not None and self._text.strip():
            self.names[self._key] = self._text.strip()
        self._key = None


def _number(text: str) -> int | None:
    """A label from an attribute; only plain digits count, of which some alphabets have their own."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        return None
    number = int(digits)
    return number if 0 < number <= MAX_LABEL else None
