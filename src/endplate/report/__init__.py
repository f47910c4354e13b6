"""Case out: page, figures, document, volumes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from endplate.report.document import schema, to_document
    from endplate.report.write import write_report

__all__ = ["schema", "to_document", "write_report"]
_HOMES = {"schema": "document", "to_document": "document", "write_report": "write"}


def __getattr__(name: str) -> Any:
    """What a case is written with, imported when first asked for: decisions on a record alone draw no volumes."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"endplate.report.{_HOMES[name]}"), name)
