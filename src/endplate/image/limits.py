"""How much a reader takes on: every maximum, stated in one place, and how a user raises them.

Checked before the work, so that a small broken or hostile file costs little memory and time to refuse. The table for
users is `docs/limits.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

from endplate.errors import OptionError

Affine = Literal["sform", "qform", "pixdim"]
MAX_TIMES = 1000.0
RAISE = "raise the limits with --limit-factor if it is meant to be so large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that is read.

    Attributes
    ----------
    voxels : of one volume; 512 x 512 x 2048.
    volume_bytes : of one volume as it is kept in memory; float32 takes four bytes a voxel.
    header_bytes : before the voxels or pixels of one file, extensions included.
    table_bytes : of a label table in a NIfTI header, or of a scheme file.
    files : and folders that are looked at in one given folder.
    frames : of one multi-frame DICOM file.
    items : sequence items in the header of one DICOM file.
    labels : different values in one label map; whole-body schemes have fewer than 150.
    decode_s : seconds for one compressed DICOM image.
    """

    voxels: int = 2**29
    volume_bytes: int = 3 * 2**29
    header_bytes: int = 2**24
    table_bytes: int = 2**20
    files: int = 10_000
    frames: int = 20_000
    items: int = 2**18
    labels: int = 400
    decode_s: int = 30

    def times(self, factor: float) -> Limits:
        """Every limit times a factor.

        Raises
        ------
        OptionError : a factor below 1 or beyond 1000.
        """
        if not 1 <= factor <= MAX_TIMES:
            raise OptionError(
                f"--limit-factor {factor:g}", "it raises limits", f"give a number from 1 to {MAX_TIMES:g}"
            )
        return replace(self, **{entry.name: int(getattr(self, entry.name) * factor) for entry in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSettings:
    """What a user may say about reading images.

    Attributes
    ----------
    trust_affine : which of the places that a NIfTI header states is right, where they contradict one another; None
        refuses a contradiction.
    limits : the most that is read.
    """

    trust_affine: Affine | None = None
    limits: Limits = Limits()


DEFAULT = ReadSettings()
