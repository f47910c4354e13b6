"""Voxels as finite elements: mesh, modal element, matrix-free operator."""
