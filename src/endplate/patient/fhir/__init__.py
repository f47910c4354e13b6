"""The record as FHIR R4B resources and back; what has no sure code carries our own name of the field."""

from endplate.patient.fhir.read import FromFhir, record_from_bundle
from endplate.patient.fhir.write import record_resources

__all__ = ["FromFhir", "record_from_bundle", "record_resources"]
