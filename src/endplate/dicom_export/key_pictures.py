"""Key pictures of the report as Secondary Capture: the spine from the side, and every needle on the scan."""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import SecondaryCaptureImageStorage

from endplate.dicom_export.drawings import DEFINITIONS, DRAWING, TITLE, drawing_style, laid_out, size_of, standalone
from endplate.dicom_export.object_header import RESEARCH, Context, new_object, source_images
from endplate.errors import OptionError

KEY = re.compile(r"^sagittal-section|(^|-)(path|solid)-")
"""Names of the drawings that are kept: the section of the spine and those of the needles."""
WIDTH_MM = 180.0
DOTS_PER_MM = 5.0
NOTE_MM = 12.0
LOOK = "body { margin: 0 } img { display: block } p { font: 9pt sans-serif; margin: 2mm 0 0 }"


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture: its name in the page, what it shows, and its colours (rows, columns, 3)."""

    name: str
    words: str
    rgb: NDArray[np.uint8]


def key_pictures(page: str) -> list[Picture]:
    """The key pictures of a report, drawn as dots with the page's own style.

    Raises
    ------
    OptionError : WeasyPrint or pypdfium2 is not installed.
    """
    found: dict[str, str] = {}
    for drawing in DRAWING.finditer(page):
        if KEY.search(drawing[1]):
            found.setdefault(drawing[1], drawing[0])
    if not found:
        return []
    shared = DEFINITIONS.search(page)
    look, definitions = drawing_style(page), shared[0] if shared else ""
    sheets, blocks = [], []
    for number, svg in enumerate(found.values()):
        wide, high = size_of(svg)
        height_mm = WIDTH_MM * high / wide
        uri = base64.b64encode(standalone(svg, look, definitions).encode()).decode()
        sheets.append(f"@page p{number} {{ size: {WIDTH_MM + 4:.1f}mm {height_mm + NOTE_MM:.1f}mm; margin: 2mm }}")
        blocks.append(
            f'<div style="page: p{number}"><img style="width: {WIDTH_MM:.1f}mm; height: {height_mm:.1f}mm" '
            f'src="data:image/svg+xml;base64,{uri}"><p>{RESEARCH}.</p></div>'
        )
    text = f"<!DOCTYPE html><style>{LOOK} {' '.join(sheets)}</style><body>{''.join(blocks)}</body>"
    return [
        Picture(name=name, words=_words(name, svg), rgb=rgb)
        for (name, svg), rgb in zip(found.items(), _dots(laid_out(text)), strict=True)
    ]


def _words(name: str, svg: str) -> str:
    """What a picture shows, as a screen reader would say it."""
    found = TITLE.search(svg)
    return html.unescape(found[1]) if found else name


def _dots(pdf: bytes) -> list[NDArray[np.uint8]]:
    """Every page as colours (rows, columns, 3)."""
    try:
        import pypdfium2
    except ImportError as error:
        raise OptionError("key pictures need pypdfium2", "", "pip install 'endplate[pdf]'") from error
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    try:
        images = [page.render(scale=DOTS_PER_MM * 25.4 / 72).to_pil().convert("RGB") for page in document]
    finally:
        document.close()
    return [np.ascontiguousarray(np.asarray(image, np.uint8)) for image in images]


def secondary_capture(context: Context, number: int, picture: Picture) -> Any:
    """The Secondary Capture object of a picture."""
    made = new_object(context, SecondaryCaptureImageStorage, "OT", f"picture-{picture.name}", number)
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.ConversionType = "WSD"
    made.PatientOrientation = ""
    made.BurnedInAnnotation = "NO"
    made.ImageComments = f"{picture.words} {RESEARCH}."[:10240]
    made.DerivationDescription = picture.words[:1024]
    made.SourceImageSequence = source_images(context)
    rows, columns, _ = picture.rgb.shape
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "RGB", 0
    made.Rows, made.Columns = rows, columns
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = picture.rgb.tobytes() + b"\0" * (picture.rgb.nbytes % 2)
    return made
