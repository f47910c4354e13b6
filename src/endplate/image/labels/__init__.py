"""Vertebra labels from any scheme, translated to VerSe numbers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from endplate.image.labels.read import read_labels

__all__ = ["read_labels"]


def __getattr__(name: str) -> Any:
    """The reader is imported at first use, so that `endplate info` can list the schemes without the image libraries."""
    if name != "read_labels":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from endplate.image.labels.read import read_labels

    return read_labels
