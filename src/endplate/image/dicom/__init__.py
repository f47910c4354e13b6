"""One DICOM CT series: headers checked, slices stacked, pixels decoded."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from endplate.image.dicom.series import read_series

__all__ = ["read_series"]


def __getattr__(name: str) -> Any:
    """Loaded at first use: who reads NIfTI needs no pydicom."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from endplate.image.dicom.series import read_series

    return read_series
