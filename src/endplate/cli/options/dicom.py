"""The options of what is written as DICOM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from endplate.cli.options.run import CropVolumes, option

if TYPE_CHECKING:
    from endplate.dicom_export import DicomChoice

DICOM = Group("DICOM", sort_key=2.5)


@Parameter(name="*", group=DICOM)
@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOptions:
    """Which objects, and how."""

    segmentation: Annotated[
        Literal["binary", "labelmap"],
        option("How segmentations are stored; default binary, which viewers read today."),
    ] = "binary"
    no_pdf: Annotated[bool, option("No PDF and no pictures: WeasyPrint is not needed then.")] = False


@Parameter(name="*", group=DICOM)
@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOptions(ObjectOptions):
    """How results are written, and whether as DICOM too."""

    crop_volumes: CropVolumes = False

    dicom: Annotated[bool, option("Write the results as DICOM too, into dicom/: SEG, SR, PDF, pictures.")] = False


NO_OBJECT, NO_WRITTEN = ObjectOptions(), WrittenOptions()


def choice_of(options: ObjectOptions) -> DicomChoice:
    """The choice that the options stand for."""
    from endplate.dicom_export import DicomChoice

    return DicomChoice(segmentation=options.segmentation, pdf=not options.no_pdf, pictures=not options.no_pdf)
