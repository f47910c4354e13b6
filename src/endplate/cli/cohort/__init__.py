"""`endplate cohort`."""
