"""What a cohort was given as: a table, a BIDS tree or a folder of DICOM studies; and a sample of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from endplate.cohort.bids import is_bids, read_bids
from endplate.cohort.dicom_studies import read_studies
from endplate.cohort.row import CohortRow, checked_rows
from endplate.cohort.table import read_table
from endplate.errors import OptionError
from endplate.image.file_type import exists
from endplate.image.limits import DEFAULT, Limits


def read_rows(source: Path, limits: Limits = DEFAULT.limits) -> list[CohortRow]:
    """The rows of a cohort, each once.

    Parameters
    ----------
    source : Path
        CSV or Parquet table, BIDS tree, or folder of DICOM studies.
    limits : Limits, optional
        How many files are looked at.

    Returns
    -------
    list of CohortRow

    Raises
    ------
    OptionError, ImageError : it does not exist, has other columns, holds no case, or two of one id.
    """
    if not exists(source):
        raise OptionError(f"{source} does not exist", "", "give a table of cases, a BIDS tree or a folder of studies")
    if source.is_file():
        found = read_table(source)
    elif source.is_dir():
        found = read_bids(source, limits) if is_bids(source) else read_studies(source, limits)
    else:
        raise OptionError(f"{source} is neither a file nor a folder", "", "give a table of cases or a folder")
    return checked_rows(found, source)


def sampled(rows: Sequence[CohortRow], count: int | None, seed: int) -> list[CohortRow]:
    """So many rows chosen at random, in the order of the cohort; the same for the same seed, whatever the order.

    Raises
    ------
    OptionError : fewer than one, or more than there are.
    """
    if count is None:
        return list(rows)
    if not 1 <= count <= len(rows):
        raise OptionError(f"--sample {count}", f"there are {len(rows)} cases", f"give 1 to {len(rows)}")
    chosen = set(random.Random(seed).sample(sorted(row.id for row in rows), count))
    return [row for row in rows if row.id in chosen]
