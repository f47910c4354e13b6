"""The vertebra that a repair meets: its bone, shell, fracture zone, shape before the fracture and leakage routes."""
