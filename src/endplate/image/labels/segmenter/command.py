"""Any other segmenter: a command line of the user's own with `{ct}` and `{out}` in it."""

from __future__ import annotations

import shlex
from pathlib import Path

from endplate.errors import OptionError
from endplate.image.labels.segmenter.plugin import Request, Segmenter

OPTION = "--segment-command"
FIX = 'give it as "program {ct} {out}"; {out} is the NIfTI file that it writes'
WRITTEN = "labels.nii.gz"


def of_command(text: str) -> Segmenter:
    """A segmenter that is that command line; no shell takes part.

    Raises
    ------
    OptionError : no program, a quotation without end, or a place that is missing.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise OptionError(f"{OPTION} {text!r} cannot be split into words", str(error), FIX) from error
    missing = [place for place in ("{ct}", "{out}") if not any(place in word for word in words[1:])]
    if not words or missing:
        raise OptionError(f"{OPTION} {text!r} has no {' and no '.join(missing) or 'program'}", "", FIX)

    def labels(request: Request) -> Path:
        return request.folder / WRITTEN

    def command(request: Request) -> list[str]:
        places = {"{ct}": str(request.ct), "{out}": str(labels(request))}
        return [request.program, *(_filled(word, places) for word in words[1:])]

    return Segmenter(
        name=Path(words[0]).name,
        title=Path(words[0]).name,
        program=words[0],
        distribution="",
        licence="not known to endplate",
        install=f"check the program that {OPTION} names",
        command=command,
        labels=labels,
        schemes={"": ""},
        takes_device=False,
        reads_dicom=True,
    )


def _filled(word: str, places: dict[str, str]) -> str:
    """A word with the places in it filled; a path that holds a place of its own stays as it is."""
    parts = [word]
    for place, path in places.items():
        parts = [
            piece for part in parts for piece in (_split(part, place, path) if part not in places.values() else [part])
        ]
    return "".join(parts)


def _split(text: str, place: str, path: str) -> list[str]:
    pieces = text.split(place)
    return [piece for index, one in enumerate(pieces) for piece in ((path, one) if index else (one,)) if piece]
