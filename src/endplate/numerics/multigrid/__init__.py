"""Multigrid on voxel blocks: coarsening that never glues, exact Galerkin levels, one V-cycle."""
