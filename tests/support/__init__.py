"""Bodies, spines, cases and records that several tests share."""
