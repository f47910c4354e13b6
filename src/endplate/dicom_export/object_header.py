"""What every object carries: patient and study of the series, our equipment, what it was derived from, research use."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import UID, ExplicitVRLittleEndian

from endplate.dicom_export.code_table import code_table, own_scheme
from endplate.dicom_export.deterministic_uid import uid_of
from endplate.dicom_export.saved_results import SavedResults
from endplate.dicom_export.source_series import COPIED, TYPE_2, SourceSeries

MANUFACTURER, MODEL = "The endplate authors", "endplate"
RESEARCH = "Research software, not a medical device: not for diagnosis or treatment"
SERIAL = "none"
SERIES = {
    "SEG": (9100, "endplate segmentation (research)"),
    "SR": (9101, "endplate measurements (research)"),
    "DOC": (9102, "endplate report (research)"),
    "OT": (9103, "endplate pictures (research)"),
    "FID": (9104, "endplate needle paths (research)"),
}
"""Number and description of the series of each modality."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """What an object is made from: the results and the series they were measured in."""

    results: SavedResults
    series: SourceSeries

    def uid(self, *parts: str) -> str:
        """A UID that follows from the series, the results and a name."""
        return uid_of(self.series.series_uid, self.results.digest, *parts)

    def tracking_uid(self, *parts: str) -> str:
        """A UID that stays the same when the study is measured again: for a vertebra, by its name."""
        return uid_of(self.series.study_uid, "tracking", *parts)


def code_item(code: Code) -> Dataset:
    """A code as an item of a code sequence."""
    item = Dataset()
    if len(code.value) > 16:
        item.LongCodeValue = code.value
    else:
        item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def new_object(context: Context, sop_class: str, modality: str, name: str, number: int) -> FileDataset:
    """An object with patient, study, series and equipment, to be filled by hand.

    Parameters
    ----------
    name : what the object is, for its UID. number : InstanceNumber.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID = sop_class
    made.Modality = modality
    made.InstanceNumber = number
    for key in TYPE_2:
        setattr(made, key, copy.deepcopy(context.series.first[key].value))
    made.StudyInstanceUID = context.series.study_uid
    made.BodyPartExamined = "SPINE"
    return finished(made, context, modality, name)


def finished(made: Any, context: Context, modality: str, name: str) -> Any:
    """The object with all that is the same in every kind, and nothing in it that chance or the clock decided."""
    source, results = context.series.first, context.results
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = context.uid("object", name)
    made.SeriesInstanceUID = context.uid("series", modality)
    made.SeriesNumber, made.SeriesDescription = SERIES[modality]
    for key in COPIED:
        if key in source:
            setattr(made, key, copy.deepcopy(source[key].value))
    made.SpecificCharacterSet = "ISO_IR 192"  # our words hold letters that the scanner's set may lack
    made.Manufacturer, made.ManufacturerModelName = MANUFACTURER, MODEL
    made.SoftwareVersions, made.DeviceSerialNumber = results.version, SERIAL
    _date(made, context)
    made.ContributingEquipmentSequence = contributors(context)
    made.CodingSchemeIdentificationSequence = [_own_scheme()]
    return made


def _date(made: Any, context: Context) -> None:
    """The day and time of the run, in UTC, wherever the making of the object is dated."""
    day, time = context.results.made.strftime("%Y%m%d"), context.results.made.strftime("%H%M%S")
    for key in ("InstanceCreationDate", "ContentDate", "SeriesDate"):
        setattr(made, key, day)
    for key in ("InstanceCreationTime", "ContentTime", "SeriesTime"):
        setattr(made, key, time)


def contributors(context: Context) -> list[Dataset]:
    """The scanner, and this software with the words that it is for research."""
    source = context.series.first
    scanner, ours = Dataset(), Dataset()
    scanner.PurposeOfReferenceCodeSequence = [code_item(codes.DCM.AcquisitionEquipment)]
    scanner.Manufacturer = str(source.get("Manufacturer") or "unknown")
    for key in ("ManufacturerModelName", "SoftwareVersions", "DeviceSerialNumber", "InstitutionName", "StationName"):
        if source.get(key):
            setattr(scanner, key, copy.deepcopy(source[key].value))
    ours.PurposeOfReferenceCodeSequence = [code_item(codes.DCM.ProcessingEquipment)]
    ours.Manufacturer, ours.ManufacturerModelName = MANUFACTURER, MODEL
    ours.SoftwareVersions = context.results.version
    ours.ContributionDescription = RESEARCH
    return [scanner, ours]


def _own_scheme() -> Dataset:
    row, item = code_table()["scheme"], Dataset()
    item.CodingSchemeDesignator = own_scheme()
    item.CodingSchemeUID = row["uid"]
    item.CodingSchemeName = row["name"]
    item.CodingSchemeResponsibleOrganization = row["responsible"]
    return item


def reference(thing: Dataset) -> Dataset:
    """Class and instance of an object, as an item of a reference sequence."""
    item = Dataset()
    item.ReferencedSOPClassUID = thing.SOPClassUID
    item.ReferencedSOPInstanceUID = thing.SOPInstanceUID
    return item


def referenced_series(context: Context) -> list[Dataset]:
    """The CT series with all its images."""
    item = Dataset()
    item.SeriesInstanceUID = context.series.series_uid
    item.ReferencedInstanceSequence = [reference(header) for header in context.series.headers]
    return [item]


def source_images(context: Context) -> list[Dataset]:
    """The images that an object was derived from, with the purpose coded."""
    items = []
    for header in context.series.headers:
        item = reference(header)
        item.PurposeOfReferenceCodeSequence = [code_item(codes.DCM.SourceImageForImageProcessingOperation)]
        items.append(item)
    return items


def save(made: Any, path: Any) -> None:
    """Write as a DICOM file of the standard's form."""
    made.save_as(path, enforce_file_format=True)
