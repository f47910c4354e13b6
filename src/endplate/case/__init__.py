"""One patient, one scan: the case that travels, how it is read, and the stages in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from endplate.case.model import Case, Provenance

__all__ = ["Case", "Provenance"]


def __getattr__(name: str) -> Any:
    """The case's types, imported when first asked for: decisions on a record alone need no mechanics."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from endplate.case import model

    return getattr(model, name)
