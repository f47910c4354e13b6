"""Facts for the rules, from the patient record and from findings."""
