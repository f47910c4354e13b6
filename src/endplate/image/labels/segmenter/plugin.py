"""What a segmenter is to endplate: a command, the file that it leaves, the numbering of its labels, and its licence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One scan to be labelled.

    Parameters
    ----------
    program : str
        Path of the segmenter's program.
    ct : Path
        NIfTI file; a DICOM series only where the segmenter says that it reads those.
    folder : Path
        Empty; whatever is written there is gone afterwards.
    task : str
        Which of its models; empty for the only one.
    fast : bool
        Its quick, coarse variant.
    device : str or None
        Where it computes; None leaves that to it.
    """

    program: str
    ct: Path
    folder: Path
    task: str = ""
    fast: bool = False
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmenter:
    """A program that makes vertebra labels. A plug-in gives one in the entry point group `endplate.segmenters`.

    Parameters
    ----------
    name : str
        What is given to `--segment`.
    title : str
        As people write it.
    program : str
        Name of its command.
    distribution : str
        Name of the Python package that brings the command, by which its version is found; empty where there is none.
    licence : str
        Of the program, and of its weights where that is another.
    install : str
        How to install it.
    command : callable
        From a `Request` to the words of the command line.
    labels : callable
        From a `Request` to the label map (NIfTI) that the command leaves.
    schemes : dict of str to str
        Task to the name of its label scheme; a segmenter without tasks has the task "".
    fast_tasks : tuple of str
        Tasks that have a quick variant.
    takes_device : bool, default True
        Whether it can be said where it computes.
    reads_dicom : bool, default False
        Whether it reads a folder of a DICOM series; else it is given a NIfTI copy.
    """

    name: str
    title: str
    program: str
    distribution: str
    licence: str
    install: str
    command: Callable[[Request], list[str]]
    labels: Callable[[Request], Path]
    schemes: dict[str, str]
    fast_tasks: tuple[str, ...] = ()
    takes_device: bool = True
    reads_dicom: bool = False

    @property
    def usual_task(self) -> str:
        """The task that is run when none is asked for: the first."""
        return next(iter(self.schemes))
