"""Results as DICOM beside the CT series they were measured in: SEG, SR, PDF, pictures, needle paths."""

from endplate.dicom_export.export import DicomChoice, check_export, export_results, writer_of

__all__ = ["DicomChoice", "check_export", "export_results", "writer_of"]
