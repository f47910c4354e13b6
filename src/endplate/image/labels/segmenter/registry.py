"""Segmenters by name: those known here, and plug-ins of the entry point group `endplate.segmenters`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from endplate.errors import OptionError
from endplate.image.error_text import one_line
from endplate.image.labels.segmenter import spine_segment, total
from endplate.image.labels.segmenter.choice import SegmenterChoice
from endplate.image.labels.segmenter.command import of_command
from endplate.image.labels.segmenter.plugin import Segmenter

GROUP = "endplate.segmenters"
KNOWN = {one.SEGMENTER.name: one.SEGMENTER for one in (total, spine_segment)}


@cache
def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP) if point.name not in KNOWN}


def known_segmenters() -> tuple[str, ...]:
    """Names that `--segment` takes."""
    return (*KNOWN, *_plugins())


def segmenter_of(choice: SegmenterChoice) -> Segmenter:
    """The segmenter of a choice.

    Raises
    ------
    OptionError : none of that name, a plug-in that cannot be loaded, or a command line without its places.
    """
    if choice.command is not None:
        return of_command(choice.command)
    name = choice.name or ""
    if name in KNOWN:
        return KNOWN[name]
    if name not in _plugins():
        raise OptionError(f"--segment {name}", "no segmenter has that name", f"known: {', '.join(known_segmenters())}")
    return _loaded(_plugins()[name])


def _loaded(point: EntryPoint) -> Segmenter:
    """What a plug-in offers: a `Segmenter`, or a function without arguments that returns one."""
    try:
        found = point.load()
        found = found if isinstance(found, Segmenter) else found()
    except Exception as error:  # a plug-in is another's code
        why = f"{type(error).__name__}: {one_line(error)}"
        raise OptionError(f"the segmenter {point.name} ({point.value}) cannot be loaded", why, "mend it") from error
    if not isinstance(found, Segmenter):
        raise OptionError(
            f"the plug-in {point.name} ({point.value}) offers no Segmenter", "", "see docs/howto/segmenter.md"
        )
    return found
