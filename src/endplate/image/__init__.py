"""CT and labels in: readers, grids, and the digital spine."""
