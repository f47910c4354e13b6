"""Series in from an archive, results out to it: DICOMweb and DIMSE, a listener that measures what arrives, FHIR."""
