"""Which segmenter, and what is passed on to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterChoice:
    """What makes the labels: a segmenter by its name, or a command line.

    Parameters
    ----------
    name : str, optional
        Of a segmenter that `endplate info` lists.
    command : str, optional
        A command line with `{ct}` and `{out}` in it; `{out}` is the NIfTI file that it writes.
    task : str, optional
        Which of the segmenter's models; its usual one when left out.
    fast : bool, default False
        Its quick, coarse variant.
    device : str, optional
        Where it computes, in its own words.
    """

    name: str | None = None
    command: str | None = None
    task: str | None = None
    fast: bool = False
    device: str | None = None
