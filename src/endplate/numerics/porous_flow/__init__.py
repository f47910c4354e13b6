"""Porous flow of a thick, shear-thinning, ageing fluid behind a moving front."""
