"""Case out: page, figures, document, volumes."""

from endplate.report.document import schema, to_document
from endplate.report.write import write_report

__all__ = ["schema", "to_document", "write_report"]
