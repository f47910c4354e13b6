"""Bodies that yield: return mapping, internal forces, the path to the limit load."""
