"""`endplate record`: make a patient record."""
