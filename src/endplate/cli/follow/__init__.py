"""`endplate follow`: keep a patient's course."""
