"""The care path on paper: what the rules decide, recovery, prevention, and the aid for the patient."""
