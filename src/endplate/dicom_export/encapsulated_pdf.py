"""The report's PDF as a DICOM object; no library has a class for it, so it is made by hand (PS3.3 A.45.1)."""

from __future__ import annotations

from typing import Any

from pydicom.uid import EncapsulatedPDFStorage

from endplate.dicom_export.code_table import named
from endplate.dicom_export.object_header import Context, code_item, new_object, source_images

NAME = "report"
TITLE = "Spine CT report, research use only"


def encapsulated_pdf(context: Context, number: int, pdf: bytes) -> Any:
    """The Encapsulated PDF object.

    Parameters
    ----------
    context : Context
        Results and series.
    number : int
        InstanceNumber.
    pdf : bytes
        The report.

    Returns
    -------
    pydicom.FileDataset
    """
    made = new_object(context, EncapsulatedPDFStorage, "DOC", NAME, number)
    made.ConversionType = "WSD"
    made.AcquisitionDateTime = ""
    made.BurnedInAnnotation = "YES"
    made.DocumentTitle = TITLE
    made.ConceptNameCodeSequence = [code_item(named("report", "document"))]
    made.VerificationFlag = "UNVERIFIED"
    made.SourceInstanceSequence = source_images(context)
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.EncapsulatedDocumentLength = len(pdf)
    made.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return made
