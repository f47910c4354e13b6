"""One patient, one scan: the case that travels, how it is read, and the stages in order."""

from endplate.case.model import Case, Provenance

__all__ = ["Case", "Provenance"]
