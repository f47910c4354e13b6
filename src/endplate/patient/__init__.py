"""The patient record: typed, strict, everything optional but age and sex; unknown stays unknown."""

from endplate.patient.record import PatientRecord, parse_record, read_record

__all__ = ["PatientRecord", "parse_record", "read_record"]
