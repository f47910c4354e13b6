"""The record as FHIR R4 resources and back; what has no sure code carries our own name of the field."""

from endplate.patient.fhir.opened import bundle_bytes
from endplate.patient.fhir.read import FromFhir, record_from_bundle
from endplate.patient.fhir.transaction import transaction
from endplate.patient.fhir.write import record_resources

__all__ = ["FromFhir", "bundle_bytes", "record_from_bundle", "record_resources", "transaction"]
