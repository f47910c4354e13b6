"""One DICOM CT series: headers checked, slices stacked, pixels decoded."""

from endplate.image.dicom.series import read_series

__all__ = ["read_series"]
