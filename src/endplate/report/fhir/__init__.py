"""The decision as a FHIR R4 transaction bundle."""

from endplate.report.fhir.bundle import to_bundle

__all__ = ["to_bundle"]
