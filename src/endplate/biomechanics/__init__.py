"""Material to stiffness, strength and load-to-strength."""
