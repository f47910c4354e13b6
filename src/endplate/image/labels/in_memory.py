"""Vertebra labels from memory: an array, a nibabel or a SimpleITK image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from endplate.errors import LabelError, OptionError
from endplate.image.gantry_tilt import straighten_labels
from endplate.image.labels.label_map import guess, translate
from endplate.image.labels.numbering import Scheme
from endplate.image.labels.scheme import scheme_by_name
from endplate.image.labels.upright import check_upright
from endplate.image.labels.whole import whole_labels
from endplate.image.placed import Placed
from endplate.image.volume import Grid, LabelMap
from endplate.level import Level, parse_level

Numbering = str | Path | Mapping[int, Level | str] | None
"""A scheme by name or file, a table from number to level, or None to tell it by the arrangement of the labels."""

GIVEN = "numbering given"


def labels_in_memory(placed: Placed, scheme: Numbering = None, name: str = "the label array") -> LabelMap:
    """A LabelMap from labels with a place in the patient.

    Parameters
    ----------
    placed : whole numbers (I, J, K) and their affine, from `placed`.
    scheme : how they are numbered: a name, a file, or a table such as {1: "T12", 2: "L1"}; None tells it by how the
        labels lie along the spine.
    name : what to call them in a message.

    Raises
    ------
    LabelError : no whole numbers, empty, unknown or ambiguous numbering, or vertebrae on their heads.
    OptionError : a table that names no level.
    """
    values = placed.values
    i, j, k = values.shape
    grid = Grid(shape=(i, j, k), affine=placed.affine)
    # A copy: `whole_labels` may use the memory that it is given, and the caller's array stays as it is.
    found = whole_labels(np.array(values, dtype="u1" if values.dtype == bool else values.dtype), name)
    chosen = _table(scheme) if isinstance(scheme, Mapping) else None
    if chosen is None:
        chosen = guess(found, grid, name) if scheme is None else scheme_by_name(_name(scheme))
    labels, notes = translate(found.numbers, chosen, found.present, name)
    whole = LabelMap(grid=grid, labels=labels, scheme=chosen.name, notes=found.notes + notes, axes=placed.axes)
    return check_upright(straighten_labels(whole), name)


def _name(scheme: object) -> str | Path:
    if isinstance(scheme, str | Path):
        return scheme
    raise OptionError(f"scheme={scheme!r}", "it says how the labels are numbered", "give a name, a file or a table")


def _table(table: Mapping[int, Level | str]) -> Scheme:
    levels = {int(number): parse_level(level) for number, level in table.items()}
    if not levels or len(set(levels.values())) < len(levels):
        raise LabelError("a numbering without levels, or with one level twice", "", 'give one to one, as {20: "L1"}')
    return Scheme(name=GIVEN, description="a table given by the caller", levels=levels)
